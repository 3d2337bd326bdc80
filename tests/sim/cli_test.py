"""The program allqsim from outside: options, exit codes, what goes where, and that nothing is lost when it is stopped.

usage: cli_test.py ALLQSIM ROOT, with ALLQSIM the program and ROOT the folder of the project."""
import contextlib
import json
import os
import pathlib
import pty
import shlex
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

ALLQSIM, ROOT = "", pathlib.Path()

# A few thousand events: short even under sanitizers.
SMALL = {
    "duration": "4s",
    "servers": {"count": 2},
    "clients": {"count": 4},
    "workers": {"count": 8, "process": {"exp": "50ms"}, "poll": {"exp": "100ms"}},
    "producers": {"arrivals": {"poisson": "30/s"}, "ttl": "5s"},
}
COUNT, NUMBER, TEXT = int, (int, float), str
SPAN = (int, float, type(None))  # nothing was measured


def changed(**sections):
    """The small scenario with other keys; a section is mixed with what is there."""
    scenario = dict(SMALL)
    for name, value in sections.items():
        mixed = isinstance(value, dict) and isinstance(scenario.get(name), dict)
        scenario[name] = {**scenario[name], **value} if mixed else value
    return scenario


class CliTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.small = self.scenario("small", SMALL)
        self.db = self.folder / "runs.db"

    def scenario(self, name, content):
        path = self.folder / f"{name}.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(path)

    def call(self, *arguments, code=0, **options):
        """Runs allqsim and returns what it printed on standard output; nothing may come on standard error where all is well."""
        done = subprocess.run([ALLQSIM, *map(str, arguments)], capture_output=True, text=True, cwd=self.folder, timeout=60,
                              check=False, **options)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout[-300:]} {done.stderr[-2000:]}")
        self.stderr = done.stderr
        if code < 64:
            self.assertEqual(done.stderr, "")
        return done.stdout

    def fails(self, *arguments, code=64, saying=()):
        """One line on standard error that says all this, and nothing on standard output."""
        self.assertEqual(self.call(*arguments, code=code), "")
        self.assertEqual(self.stderr.count("\n"), 1, self.stderr)
        self.assertTrue(self.stderr.startswith("allqsim: "), self.stderr)
        for word in saying:
            self.assertIn(str(word), self.stderr)

    def run_json(self, *arguments, code=0):
        return json.loads(self.call("run", *arguments, "--json", "--no-db", code=code))

    # ---- explore ----

    def swarm(self, **changes):
        """The small scenario with a few draws."""
        return self.scenario("small-swarm", {**changed(duration="2s", settle="70s"), "explore": {
            "settings": {"servers.count": {"range": [2, 3]}, "workers.count": {"range": [4, 8]}}, "off_ratio": 0.2,
            "faults": [{"kind": "crash", "servers": {"index_of": "servers"}, "for": {"range": ["100ms", "900ms"]}},
                       {"kind": "drop_reply", "probability": 0.1}], **changes}})

    def query(self, sql, database=None):
        with sqlite3.connect(database or self.db) as connection:
            return connection.execute(sql).fetchall()

    def test_explore_prints_stores_and_passes(self):
        text = self.call("explore", self.swarm(), "--seeds", "1..12", "--save", self.db)
        self.assertTrue(text.startswith("PASS small-swarm (strict): every seed passes"), text)
        for words in ("Seeds   12, 12 pass", "Marks never reached", "Reproduce: allqsim explore", "exploration 1"):
            self.assertIn(words, text)
        self.assertEqual(self.query("SELECT state, passes, seed_from, seed_to FROM exploration"), [("finished", 12, 1, 12)])
        self.assertEqual(self.query("SELECT count(*), min(seed), max(seed) FROM exploration_seed"), [(12, 1, 12)])
        self.assertIn("servers.count=", self.query("SELECT drawn FROM exploration_seed")[0][0])
        self.assertEqual(self.query("SELECT count(*) FROM run"), [(0,)])

    def test_explore_finds_groups_and_keeps_failures(self):
        found = json.loads(self.call("explore", self.swarm(), "--seeds", "1..30", "--profile", "upstream", "--save", self.db,
                                     "--json", code=2))
        self.assertEqual(found["verdict"], "fail")
        self.assertEqual(found["seeds"]["all"], 30)
        checks = {failure["check"] for failure in found["failures"]}
        self.assertIn("progress", checks)
        for failure in found["failures"]:
            kept = self.query(f"SELECT seed_text, verdict, reproduce FROM run WHERE run_id = {failure['run']}")[0]
            self.assertEqual(kept[:2], (str(failure["quickest_seed"]), "fail"))
            hashes = self.query(f"SELECT r.trace_hash = s.trace_hash FROM run AS r, exploration_seed AS s"
                                f" WHERE r.run_id = {failure['run']} AND s.seed = {failure['quickest_seed']}")
            self.assertEqual(hashes, [(1,)])
            counted = self.query(f"SELECT count(*), min(seed) FROM exploration_seed_failure WHERE fingerprint = '{failure['fingerprint']}'")
            self.assertEqual(counted, [(failure["seeds"], failure["first_seed"])])
        self.assertIn("violations", self.call("report", "text", self.db, "--run", found["failures"][0]["run"]))

    def test_a_kept_run_is_reproduced_by_its_line(self):
        self.call("explore", self.swarm(), "--seeds", "1..20", "--profile", "upstream", "--save", self.db, "--quiet", code=2)
        reproduce, trace_hash = self.query("SELECT reproduce, trace_hash FROM run LIMIT 1")[0]
        line = reproduce.replace("allqsim", shlex.quote(ALLQSIM)) + " --no-db --json"
        done = subprocess.run(line, shell=True, capture_output=True, text=True, cwd=self.folder, timeout=60, check=False)
        self.assertEqual(json.loads(done.stdout)["trace_hash"], trace_hash, done.stderr)

    def test_a_printed_seed_is_a_scenario_that_repeats_the_run(self):
        swarm = self.swarm()
        self.call("explore", swarm, "--seeds", "7..7", "--save", self.db, "--quiet")
        drawn = self.scenario("drawn", self.call("explore", swarm, "--print-seed", "7"))
        self.assertEqual(json.loads(pathlib.Path(drawn).read_text(encoding="utf-8"))["seed"], 7)
        self.assertEqual(self.query("SELECT trace_hash FROM exploration_seed"), [(self.run_json(drawn)["trace_hash"],)])

    def test_shards_add_up(self):
        swarm = self.swarm()
        self.call("explore", swarm, "--seeds", "1..9", "--save", self.db, "--quiet")
        for shard in (1, 2):
            self.call("explore", swarm, "--seeds", "1..9", "--shard", f"{shard}/2", "--save", self.db, "--quiet", "--jobs", "1")
        rows = "SELECT seed, verdict, trace_hash, drawn FROM exploration_seed WHERE exploration_id"
        self.assertEqual(self.query(rows + " = 1 ORDER BY seed"), self.query(rows + " > 1 ORDER BY seed"))

    def test_a_search_gives_the_distribution(self):
        found = json.loads(self.call("explore", self.swarm(), "--seeds", "1..200", "--profile", "upstream", "--no-db", "--json",
                                     "--until-found", "progress", "--repetitions", "3", code=2))
        self.assertEqual((found["search"]["searches"], found["search"]["found"]), (3, 3))
        self.assertGreaterEqual(found["search"]["seeds"]["min"], 1)
        self.assertLess(found["seeds"]["all"], 200)

    def test_a_required_mark_that_no_seed_reaches_is_unknown(self):
        self.assertIn("1 required marks not reached", self.call(
            "explore", self.swarm(require_marks=["job_cleared", "server_restarted"]), "--seeds", "1..8", "--no-db", code=5))

    def test_explore_interrupted_leaves_a_readable_database(self):
        process = subprocess.Popen([ALLQSIM, "explore", self.swarm(), "--for", "50s", "--save", self.db, "--verbose"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.folder)
        for _ in range(5):
            self.assertIn("seed ", process.stderr.readline())
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertTrue(out.startswith("INTERRUPTED small-swarm"), out)
        seeds, state = self.query("SELECT passes, state FROM exploration")[0]
        self.assertEqual((state, self.query("SELECT count(*) FROM exploration_seed")), ("interrupted", [(seeds,)]))
        self.assertGreaterEqual(seeds, 5)

    def test_explore_wrong_use(self):
        swarm = self.swarm()
        for arguments, word in ((["--seeds", "5..1"], "5..1"), (["--seeds", "5"], "FROM..TO"), ([], "--for"), (["--seeds", "1.."], "--for"),
                                (["--for", "x"], "--for"), (["--for", "1s", "--jobs", "0"], "--jobs"), (["--for", "1s", "--shard", "3/2"], "3/2"),
                                (["--for", "1s", "--until-found", "pogress"], "pogress"), (["--for", "1s", "--repetitions", "2"], "--until-found"),
                                (["--print-seed", "x"], "--print-seed"), (["--for", "1s", "--check-replay-share", "2"], "0 to 1")):
            self.fails("explore", swarm, *arguments, saying=[word])
        self.fails("explore", self.swarm(require_marks=["no_such_mark"]), "--for", "1s", saying=["no_such_mark"])

    # ---- plan ----

    PLAN = ("--clients", "10..60", "--step", "10", "--servers", "1..2", "--seeds", "3")

    def fleet(self, **changes):
        """A server does 100 requests a second; a client asks for about 4."""
        return self.scenario("fleet", {"duration": "6s", "servers": {"service": {"default": {"exp": "10ms"}}},
                                       "clients": {"count": 10}, "workers": {"count": 10, "process": "10ms", "poll": {"exp": "1s"}},
                                       "producers": {"arrivals": {"poisson": "10/s"}}, "plan": {"slo": "p99(put) < 300ms"}, **changes})

    def test_a_plan_finds_the_knees_and_stores_them(self):
        fleet = self.fleet()
        text = self.call("plan", fleet, *self.PLAN, "--save", self.db)
        for words in ("Most clients that meet the objective", "theory", "Up to ", "Reproduce: allqsim plan"):
            self.assertIn(words, text)
        again = json.loads(self.call("plan", fleet, *self.PLAN, "--save", self.db, "--json", "--jobs", "1"))
        self.assertEqual(again["reused_runs"], again["runs"])
        fresh = json.loads(self.call("plan", fleet, *self.PLAN, "--no-db", "--json", "--jobs", "3"))
        self.assertEqual(fresh["reused_runs"], 0)
        self.assertEqual((again["knees"], again["points"]), (fresh["knees"], fresh["points"]))
        one, two = (knee["clients"] for knee in fresh["knees"])
        self.assertLess(one, two)
        with contextlib.closing(sqlite3.connect(self.db)) as db:
            self.assertEqual(db.execute("SELECT count(*) FROM plan").fetchone(), (2,))
            self.assertEqual(db.execute("SELECT clients FROM plan_knee WHERE plan_id = 1 AND servers = 2").fetchone(), (two,))

    def test_a_plan_that_survives_asks_for_more_servers(self):
        found = json.loads(self.call("plan", self.fleet(), *self.PLAN, "--survive", "1", "--no-db", "--json"))
        knees = {(knee["servers"], knee["lost"]): knee["clients"] for knee in found["knees"]}
        self.assertEqual(sorted(knees), [(1, 0), (2, 0), (2, 1)])
        self.assertLess(knees[2, 1], knees[2, 0])
        self.assertEqual(found["recommended_clients"], knees[2, 1])
        lost = [point for point in found["points"] if point["lost"]]
        self.assertTrue(all(point["measures"]["fairness"]["mean"] == 1 for point in lost))  # of the one that is left

    def test_what_no_number_of_clients_meets_ends_with_3(self):
        found = json.loads(self.call("plan", self.fleet(), *self.PLAN, "--slo", "p50(put) < 1ms", "--no-db", "--json", code=3))
        self.assertEqual(found["recommended_clients"], 0)
        self.assertIn("None", found["advice"])

    def test_a_plan_that_was_interrupted_goes_on(self):
        fleet = self.fleet(duration="20s")
        arguments = ["plan", fleet, "--clients", "10..300", "--step", "1", "--servers", "1..8", "--save", str(self.db)]
        process = subprocess.Popen([ALLQSIM, *arguments], stdout=subprocess.DEVNULL, cwd=self.folder)
        for _ in range(300):
            time.sleep(0.1)
            if self.db.exists() and self.db.stat().st_size > 200000:
                break
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(30), 130)
        with contextlib.closing(sqlite3.connect(self.db)) as db:
            self.assertEqual(db.execute("SELECT state FROM plan").fetchone(), ("interrupted",))
            kept = db.execute("SELECT count(*) FROM kept_run").fetchone()[0]
        self.assertGreater(kept, 0)

    def test_parts_of_a_plan_make_the_whole(self):
        arguments = ["plan", self.fleet(), *self.PLAN[:4], "--servers", "1..3", "--seeds", "3", "--survive", "1"]
        one = json.loads(self.call(*arguments, "--no-db", "--json"))
        knees, points, parts = [], [], [str(self.folder / f"{k}.db") for k in range(1, 5)]
        for k, part in enumerate(parts, 1):
            found = json.loads(self.call(*arguments, "--shard", f"{k}/4", "--save", part, "--json", "--jobs", str(k % 2 + 1)))
            self.assertEqual((found["shard"], found["shards"], found["recommended_clients"], found["advice"]), (k, 4, 0, ""))
            self.assertIn(f" --shard {k}/4", found["reproduce"])
            self.assertTrue(len(found["knees"]) > 0 or k == 4)  # there are three numbers of servers to be left with
            knees += found["knees"]
            points += found["points"]
            with contextlib.closing(sqlite3.connect(part)) as db:
                self.assertEqual(db.execute("SELECT count(*) FROM plan").fetchone(), (0,))
        by = lambda row: (row["servers"], row["lost"], row["clients"])
        self.assertEqual((sorted(knees, key=by), sorted(points, key=by)), (one["knees"], one["points"]))
        for _ in range(2):  # runs that are there already are no obstacle
            self.call("report", "merge", self.db, *parts)
        with contextlib.closing(sqlite3.connect(self.db)) as db:
            self.assertEqual(db.execute("SELECT count(*) FROM kept_run").fetchone(), (one["runs"],))
        whole = json.loads(self.call(*arguments, "--save", self.db, "--json"))
        self.assertEqual(whole["reused_runs"], whole["runs"])
        for own in ("reused_runs", "events", "wall_s"):  # what was done for it just now
            one.pop(own), whole.pop(own)
        self.assertEqual(whole, one)

    def test_plan_wrong_use(self):
        fleet = self.fleet()
        for arguments, word in ((("--servers", "1"), "--clients"), (("--clients", "1..9"), "--servers"),
                                (("--clients", "9..1", "--servers", "1"), "9..1"), (("--clients", "0..1", "--servers", "1"), "0..1"),
                                ((*self.PLAN, "--slo", "p98(get) < 1s"), "--slo: column 1"),
                                ((*self.PLAN, "--slo", "no.such.figure < 1"), "no.such.figure"),
                                ((*self.PLAN, "--survive", "0"), "--survive"), ((*self.PLAN, "--shard", "3/2"), "3/2"), ((*self.PLAN, "--seeds", "2"), "--seeds"),
                                ((*self.PLAN, "--set", "plan.warm_up=6s"), "warm_up")):
            self.fails("plan", fleet, *arguments, "--no-db", saying=[word])
        self.fails("plan", self.fleet(plan={}), *self.PLAN, "--no-db", saying=["plan.slo"])

    # ---- what-if ----

    def test_what_if_compares_variants_pair_by_pair(self):
        arguments = ("what-if", self.fleet(), "--vary", "workers.poll=1s,100ms", "--vary", "clients.policy.select=random,two_choices",
                     "--seeds", "4", "--save", self.db, "--json")
        found = json.loads(self.call(*arguments))
        self.assertEqual([variant["variant"] for variant in found["variants"]], [
            f"workers.poll={poll}, clients.policy.select={select}" for poll in ("1s", "100ms") for select in ("random", "two_choices")])
        slow, _, quick, _ = (variant["measures"] for variant in found["variants"])
        self.assertFalse(slow["mean(wait)"]["differs"])
        self.assertTrue(quick["mean(wait)"]["differs"])
        self.assertLess(quick["mean(wait)"]["difference"]["mean"], 0)
        self.assertGreater(quick["empty_get_ratio"]["difference"]["mean"], 0)
        again = json.loads(self.call(*arguments))
        self.assertEqual((again["reused_runs"], again["variants"]), (16, found["variants"]))
        text = self.call("what-if", self.fleet(), "--vary", "workers.poll=1s,100ms", "--seeds", "2", "--no-db", "--measure",
                         "mean(wait), servers.0.puts")
        self.assertIn("what the others are compared with", text)
        self.assertIn("servers.0.puts", text)

    def test_what_if_work_hangs_on_the_job(self):
        fleet = self.fleet(workers={"count": 10, "process": {"exp": "100ms"}, "poll": {"exp": "1s"}, "release_ratio": 0.2})
        found = json.loads(self.call("what-if", fleet, "--vary", "workers.count=10,12", "--seeds", "4", "--no-db", "--json",
                                     "--measure", "jobs.completed,jobs.produced"))
        more = found["variants"][1]["measures"]
        self.assertEqual(more["jobs.produced"]["difference"]["mean"], 0)  # the same arrivals
        self.assertEqual(more["jobs.produced"]["difference"]["half"], 0)

    def test_what_if_wrong_use(self):
        for arguments, word in (((), "--vary"), (("--vary", "workers.poll=1s"), "one value"), (("--vary", "workers.pol=1s,2s"), "workers.pol"),
                                (("--vary", "clients.policy.select=random,best"), "two_choices"),
                                (("--vary", "duration=6s,7s"), "equally long"),
                                (("--vary", "workers.poll=1s,2s", "--measure", "p98(get)"), "--measure: column 1"),
                                (("--vary", "workers.poll=1s,2s", "--seeds", "1"), "--seeds")):
            self.fails("what-if", self.fleet(), *arguments, "--no-db", saying=[word])

    def test_run_check_replay(self):
        self.assertEqual(self.run_json(self.small, "--check-replay")["verdict"], "pass")
        self.fails("run", self.small, "--check-replay", "--world", "live", saying=["--check-replay"])

    # ---- shrink ----

    def failing(self):
        """The scenario and seed of a failure, and the database that has its run."""
        found = json.loads(self.call("explore", self.swarm(), "--seeds", "1..20", "--profile", "upstream", "--save", self.db,
                                     "--json", code=2))
        return next(failure for failure in found["failures"] if failure["check"] == "progress")

    def test_shrink_writes_a_small_scenario_that_fails_alike(self):
        failure = self.failing()
        by_seed = json.loads(self.call("shrink", self.swarm(), "--seed", failure["quickest_seed"], "--profile", "upstream", "--seeds", "4",
                                       "--failure", failure["fingerprint"], "--output", "seed.json", "--json", "--runs", "600"))
        by_run = json.loads(self.call("shrink", self.db, "--failure", failure["fingerprint"], "--seeds", "4", "-o", "run.json", "--json",
                                      "--runs", "600"))
        self.assertEqual(by_seed["after"], by_run["after"])
        self.assertEqual((self.folder / "seed.json").read_text("utf-8"), (self.folder / "run.json").read_text("utf-8"))
        self.assertEqual(by_seed["fingerprint"], failure["fingerprint"])
        for what, most in (("servers", 2), ("clients", 2), ("faults", 3), ("jobs", 20)):
            self.assertLessEqual(by_seed["after"][what], most)
        self.assertLess(by_seed["after"]["events"], by_seed["before"]["events"])
        self.run_json(self.folder / "seed.json", code=2)
        again = json.loads(self.call("explore", self.folder / "seed.json", "--seeds", f"{by_seed['seed']}..{by_seed['seed']}", "--no-db",
                                     "--json", code=2))
        self.assertIn(failure["fingerprint"], [found["fingerprint"] for found in again["failures"]])

    def test_shrink_tells_how_much_smaller_it_became(self):
        failure = self.failing()
        text = self.call("shrink", self.db, "--run", failure["run"], "--runs", "40")
        for words in ("SHRUNK small-swarm, seed ", "before        after", "events", "virtual time", "41 runs in ", "allqsim run small-swarm-"):
            self.assertIn(words, text)
        self.assertEqual(len(list(self.folder.glob("small-swarm-*-*.json"))), 1)
        self.assertEqual(json.loads(self.call("shrink", self.db, "--run", failure["run"], "--runs", "3", "-o", "-"))["clients"]["profile"],
                         "upstream")

    def test_shrink_interrupted_writes_the_smallest_so_far(self):
        failure = self.failing()
        terminal, other_end = pty.openpty()
        process = subprocess.Popen([ALLQSIM, "shrink", self.db, "--run", str(failure["run"]), "-o", "small.json"], stderr=other_end,
                                   stdout=subprocess.PIPE, text=True, cwd=self.folder)
        os.close(other_end)
        shown = ""
        while " runs, " not in shown:
            shown += os.read(terminal, 1000).decode()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        os.close(terminal)
        self.assertIn(process.returncode, (0, 130))  # 0: it was over just then
        self.assertIn("interrupted" if process.returncode else "nothing smaller", out)
        self.run_json(self.folder / "small.json", code=2)

    def test_shrink_wrong_use(self):
        for arguments, word in (([], "found 0"), ([self.small, "--seed", "x"], "--seed"), ([self.small, "--runs", "0"], "--runs"),
                                ([self.small, "--for", "x"], "--for"), ([self.small, "--seeds", "999"], "--seeds"),
                                ([self.small, "--seed", "1", "--run", "1"], "--seed is for scenarios"), (["no-such-file"], "no-such-file"),
                                ([self.small, "--json", "-o", "-"], "--output -"), ([self.small], "the run does not fail")):
            self.fails("shrink", *arguments, saying=[word])
        self.call("run", self.small, "--db", self.db, "--quiet")
        self.fails("shrink", self.db, "--set", "clients.count=3", saying=["taken as it was"])
        self.fails("shrink", self.db, "--run", "7", saying=["no run 7"])
        self.fails("shrink", self.db, "--failure", "0123456789abcdef", saying=["0123456789abcdef"])
        live = self.folder / "live.db"
        self.call("run", self.small, "--db", live, "--quiet")
        self.query("UPDATE run SET world = 'live'", live)
        self.fails("shrink", live, saying=["live world"])
        self.fails("replay", live, saying=["live world"])

    # ---- replay ----

    def test_replay_goes_as_stored_or_ends_with_4(self):
        self.call("run", self.small, "--db", self.db, "--quiet")
        text = self.call("replay", self.db)
        self.assertIn("run 1, small with seed 1: ", text)
        self.assertIn("as stored, hash ", text)
        self.query("UPDATE run SET trace_hash = '0123456789abcdef'")
        self.call("replay", self.db, "--until", "3s")
        done = subprocess.run([ALLQSIM, "replay", self.db], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 4)
        self.assertIn("NOT as stored", done.stdout)
        self.assertIn("went another way: the first difference lies between step", done.stderr)
        self.assertIn("stored by ", done.stderr)

    def test_replay_shows_server_client_and_job(self):
        self.call("run", self.small, "--db", self.db, "--quiet")
        found = json.loads(self.call("replay", self.db, "--run", "1", "--until", "3s", "--show", "server:1", "--show", "client:2", "--show",
                                     "job:30"))
        self.assertEqual((found["run"], found["at_s"], found["verdict"], found["whole"]), (1, 3, "same", False))
        server, client, job = found["shown"]
        self.assertEqual((server["server"], server["up"], server["tubes"][0]["tube"]), (1, True, "default"))
        self.assertEqual((client["client"], {s["health"] for s in client["servers"]}), (2, {"well"}))
        self.assertIn("> put", job["life"][0])
        given = next(line for line in job["life"] if ": put " in line).split()[4]
        same = json.loads(self.call("replay", self.db, "--until", "3s", "--show", f"job:S,{given}"))["shown"][0]
        self.assertEqual((same["put_number"], same["life"]), (30, job["life"]))
        self.assertEqual(json.loads(self.call("replay", self.db, "--json"))["whole"], True)

    def test_replay_wrong_use(self):
        self.call("run", self.small, "--db", self.db, "--quiet")
        for arguments, word in (([], "found 0"), ([self.db, "--run", "0"], "--run"), ([self.db, "--until", "x"], "--until"),
                                ([self.db, "--show", "server:2"], "0 to 1"), ([self.db, "--show", "tube:a"], "server:N"),
                                ([self.db, "--run", "5"], "no run 5"), ([self.db, "--frob"], "--frob")):
            self.fails("replay", *arguments, saying=[word])
        self.fails("replay", self.folder / "none.db", code=66, saying=["none.db"])

    # ---- help and wrong use ----

    def test_help_on_every_level(self):
        for arguments in (["--help"], ["-h"], ["help"], ["run", "--help"], ["run", "-h"], ["explore", "--help"], ["shrink", "--help"], ["replay", "--help"], ["scenarios", "--help"],
                          ["report", "--help"]):
            self.assertIn("usage: allqsim", self.call(*arguments), arguments)
        for option in ("--seed", "--set", "--profile", "--fidelity", "--db", "--trace", "--json", "--quiet", "--events"):
            self.assertIn(option, self.call("run", "--help"))
        self.assertRegex(self.call("--version"), r"\Aallqsim \d+\.\d+\.\d+\n\Z")
        self.assertEqual(self.call(code=64), "")
        self.assertIn("usage: allqsim", self.stderr)

    def test_wrong_use_gets_one_line_and_64(self):
        self.fails("frobnicate", saying=["frobnicate", "run, suite, explore, mutants, shrink, replay, plan, what-if, calibrate, import, scenarios, report"])
        self.fails("--frobnicate", saying=["--frobnicate"])
        self.fails("run", saying=["SCENARIO"])
        self.fails("run", self.small, "another", saying=["another", "neither a file nor a scenario"])
        self.fails("run", self.small, "--frobnicate", saying=["--frobnicate", "run --help"])
        self.fails("run", self.small, "--seed", saying=["--seed"])
        for seed in ("-1", "x", "", "1.5", "18446744073709551616", "0x10", "a" * 39, "g" * 40):
            self.fails("run", self.small, "--seed", seed, saying=["--seed", "decimal"])
        self.fails("run", self.small, "--profile", "lax", saying=["--profile", "strict"])
        self.fails("run", self.small, "--profile", "worker=strict", saying=["--profile"])
        self.fails("run", self.small, "--fidelity", "high", saying=["--fidelity", "message", "wire"])
        self.fails("run", self.small, "--no-db", "--events", saying=["--events"])
        self.fails("run", self.small, "--json", "--trace", "-", saying=["--json", "--trace"])
        self.fails("scenarios", "a", "b", saying=["one NAME"])
        self.fails("scenarios", "--frobnicate", saying=["--frobnicate"])
        self.fails("scenarios", "no-such", saying=["no-such", "server-crash"])
        self.fails("report", saying=["FORMAT"])
        self.fails("report", "pdf", "x.db", saying=["pdf", "text, html, json"])
        self.fails("report", "text", "x.db", "--run", "0", saying=["--run"])
        self.assertFalse((self.folder / "allqsim.db").exists(), "nothing has run")

    def test_a_wrong_scenario_gets_one_line_and_64(self):
        self.fails("run", "sever-crash", saying=["sever-crash", "server-crash"])
        self.fails("run", "no-such.json", saying=["no-such.json"])
        self.fails("run", self.scenario("odd", changed(clints={"count": 3})), saying=["odd.json", "clints", "clients"])
        self.fails("run", self.scenario("cut", '{"duration": "4s",\n "seed": '), saying=["cut.json:2"])
        wrong = changed(faults=[{"kind": "crash", "servers": 9, "at": "1s", "for": "1s"}])
        self.fails("run", self.scenario("nine", wrong), saying=["nine.json", "faults[0].servers"])
        for setting in ("clients.cuont=3", "clients.count=many", "clients", "=3", "clients.count.x=3"):
            self.fails("run", self.small, "--set", setting, saying=["--set", setting])
        self.assertFalse((self.folder / "allqsim.db").exists(), "nothing has run")

    # ---- exit codes ----

    def test_exit_codes_of_verdicts(self):
        lost_get = {"kind": "drop_reply", "actions": ["get"], "nth": 20, "at": "1s"}
        cases = [
            (0, SMALL, [], "pass"),
            (0, changed(balancer="per_request", expect={"strict": {"caught": ["completion-origin"]}}), [], "pass"),
            (1, changed(balancer="per_request"), [], "fail"),
            (1, changed(expect={"strict": {"caught": ["conservation"]}}), [], "fail"),
            (2, changed(faults=[lost_get], budgets={"progress": "5s"}, settle="5s"), ["--profile", "upstream"], "fail"),
            (3, changed(slo=[{"latency": "put", "p": 50, "below": "1us"}]), [], "fail"),
            (5, changed(faults=[{"kind": "error_reply", "actions": ["kick"], "at": "1s"}]), [], "unknown"),
            (5, changed(require_marks=["put_unknown"]), [], "unknown"),
            (5, changed(producers={"arrivals": "none"}), [], "unknown"),
        ]
        for number, (code, content, options, verdict) in enumerate(cases):
            path = self.scenario(f"case{number}", content)
            self.assertEqual(self.run_json(path, *options, code=code)["verdict"], verdict)
            self.assertEqual(self.call("run", path, *options, "--no-db", "--quiet", code=code), "")

    def test_what_cannot_be_written_ends_with_74(self):
        self.fails("run", self.small, "--db", "/no/such/folder/x.db", code=74, saying=["/no/such/folder/x.db"])
        self.fails("run", self.small, "--no-db", "--trace", "/no/such/folder/x", code=74, saying=["/no/such/folder/x"])
        other = self.folder / "other.db"
        other.write_text("no database at all, but long enough to have a header of one " * 20, encoding="utf-8")
        self.fails("run", self.small, "--db", other, code=66, saying=["other.db"])
        with sqlite3.connect(self.folder / "foreign.db") as foreign:
            foreign.execute("CREATE TABLE mine (x)")
        foreign.close()
        self.fails("run", self.small, "--db", "foreign.db", code=66, saying=["foreign.db"])
        self.fails("report", "text", "missing.db", code=66, saying=["missing.db"])
        with open("/dev/full", "w", encoding="utf-8") as full:
            for arguments in (["--help"], ["scenarios"], ["run", self.small, "--no-db"],
                              ["run", self.small, "--no-db", "--json"], ["run", self.small, "--no-db", "--trace", "-"],
                              ["run", self.small, "--no-db", "--set", "balancer=per_request"]):
                done = subprocess.run([ALLQSIM, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
                self.assertEqual((done.returncode, done.stderr.count("\n")), (74, 1), f"{arguments} {done.stderr}")
        self.fails("run", self.small, "--no-db", "--trace", "/dev/full", code=74, saying=["/dev/full"])

    # ---- outputs ----

    def has_types(self, value, types, where="$"):
        if isinstance(types, dict):
            self.assertIsInstance(value, dict, where)
            for key, inner in types.items():
                self.assertIn(key, value, where)
                self.has_types(value[key], inner, f"{where}.{key}")
        elif isinstance(types, list):
            self.assertIsInstance(value, list, where)
            self.assertTrue(value, where)
            for item in value:
                self.has_types(item, types[0], f"{where}[]")
        else:
            self.assertIsInstance(value, types, where)
            self.assertFalse(isinstance(value, bool) and types is not bool, where)

    def test_json_is_one_object_with_every_key(self):
        content = changed(balancer="per_request", faults=[{"kind": "slow", "factor": 2, "at": "1s", "for": "1s"}],
                          expect={"strict": {"caught": ["completion-origin"]}})
        printed = self.call("run", self.scenario("balanced", content), "--json", "--no-db")
        found, end = json.JSONDecoder().raw_decode(printed)
        self.assertEqual(printed[end:], "\n")
        quantiles = {"p50": NUMBER, "p99": NUMBER, "max": NUMBER}
        self.has_types(found, {
            "verdict": TEXT, "seed": COUNT, "scenario": TEXT, "scenario_hash": TEXT, "trace_hash": TEXT, "reproduce": TEXT,
            "events": COUNT, "virtual_s": NUMBER, "wall_s": NUMBER, "peak_rss_bytes": COUNT,
            "jobs": dict.fromkeys(["accepted", "completed", "held", "lost_declared", "unexplained"], COUNT),
            "completions": dict.fromkeys(["sent", "applied", "acked", "misrouted", "origin_gone", "unknown"], COUNT),
            "servers": [{"id": TEXT, "address": TEXT, "puts": COUNT, "gets": COUNT, "empty_gets": COUNT, "completions": COUNT,
                         "share": NUMBER}],
            "clients": {"count": COUNT, "failover_s": dict.fromkeys(["p50", "p99", "max"], SPAN)},
            "latency_s": {"put": quantiles, "get": quantiles, "done": quantiles},
            "checks": {name: {"verdict": TEXT, "judged": COUNT, "violations": COUNT} for name in (
                "completion-origin", "completion-arrival", "no-false-ack", "conservation", "single-lease", "duplicate-put",
                "duplicate-execution", "distribution", "failover", "membership", "progress", "semantics", "slo")},
            "faults": [{"kind": TEXT, "at_s": NUMBER, "touched": COUNT}],
            "marks": {"server_became_sick": COUNT},
            "stories": [[TEXT]],
        })
        self.assertEqual((found["verdict"], found["seed"], found["scenario"]), ("pass", 1, "balanced"))
        self.assertEqual((len(found["servers"]), found["clients"]["count"], found["faults"][0]["kind"]), (2, 4, "slow"))
        self.assertRegex(found["trace_hash"], r"\A[0-9a-f]{16}\Z")
        self.assertEqual(found["checks"]["completion-origin"]["verdict"], "fail")

    def test_the_summary_goes_to_standard_output_and_quiet_stops_it(self):
        text = self.call("run", self.small, "--no-db")
        for word in ("small", "completion-origin", "conservation", "Reproduce: allqsim run"):
            self.assertIn(word, text)
        self.assertEqual(self.call("run", self.small, "--no-db", "--quiet"), "")
        self.call("run", self.small)
        self.assertTrue((self.folder / "allqsim.db").exists(), "the default database")

    @unittest.skipUnless(os.path.exists("/dev/pts/ptmx"), "there are no terminals here")
    def test_progress_is_shown_on_a_terminal_only(self):
        for options, shown in (([], True), (["--quiet"], False)):
            ours, theirs = pty.openpty()
            done = subprocess.run([ALLQSIM, "run", self.small, "--no-db", *options], stdout=subprocess.PIPE, stderr=theirs,
                                  check=False)
            os.close(theirs)
            try:
                seen = os.read(ours, 4096).decode()
            except OSError:  # nothing was ever written
                seen = ""
            os.close(ours)
            self.assertEqual(done.returncode, 0)
            self.assertEqual("events/s" in seen, shown, seen)
            self.assertNotIn(b"events/s", done.stdout)

    def test_the_trace_has_a_line_for_each_event_and_is_stored_on_demand(self):
        self.call("run", self.small, "--db", self.db, "--trace", "trace.txt", "--events", "--quiet")
        lines = (self.folder / "trace.txt").read_text(encoding="utf-8").splitlines()
        self.assertGreater(len(lines), 1000)
        times = []
        for line in lines:
            self.assertRegex(line, r"\A\[\d+\.\d{6}\] \S.*\S\Z")
            times.append(float(line[1:line.index("]")]))
        self.assertEqual(times, sorted(times))
        with sqlite3.connect(self.db) as database:
            stored = database.execute("SELECT text FROM event WHERE run_id = 1 ORDER BY number").fetchall()
        database.close()
        self.assertEqual([row[0] for row in stored], lines)
        self.assertEqual(self.call("run", self.small, "--no-db", "--trace", "-", "--quiet").splitlines(), lines)

    def test_a_database_keeps_many_runs_and_prints_each_again(self):
        printed, objects = [], []
        for seed in ("1", "2", "0123456789abcdef0123456789abcdef01234567"):
            printed.append(self.call("run", self.small, "--seed", seed, "--db", self.db))
            objects.append(self.call("run", self.small, "--seed", seed, "--db", self.db, "--json"))
        for number in range(3):
            text = self.call("report", "text", self.db, "--run", 2 * number + 1)
            last = f"report: {self.db}, run {2 * number + 1} (allqsim report text {self.db} --run {2 * number + 1})\n"
            self.assertEqual(text + last, printed[number])
            again = self.call("report", "json", self.db, "--run", 2 * number + 2)
            self.assertEqual(again, objects[number])
        self.assertEqual(self.call("report", "json", self.db), objects[2], "the newest one")
        self.fails("report", "text", self.db, "--run", 7, saying=["run 7"])
        hashes = [json.loads(text)["trace_hash"] for text in objects]
        self.assertEqual(len(set(hashes)), 3)
        with sqlite3.connect(self.db) as database:
            rows = database.execute("SELECT seed_text, trace_hash, state FROM run ORDER BY run_id").fetchall()
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        database.close()
        self.assertEqual([row[1] for row in rows], [hash for hash in hashes for _ in range(2)])
        self.assertEqual({row[2] for row in rows}, {"finished"})
        self.assertEqual(rows[4][0], "0123456789abcdef0123456789abcdef01234567")

    def test_the_reproduce_line_reproduces_the_run(self):
        path = self.scenario("it's a name", changed(seed=42))
        calls = [[path], [path, "--seed", "7", "--profile", "upstream"],
                 [path, "--seed", "f" * 40, "--profile", "client=upstream", "--fidelity", "wire"],
                 [path, "--set", "clients.count=3", "--set", "summary=it's \"quoted\" $HOME `x` \\",
                  "--set", 'servers={"count": 3, "persistent": true}'],
                 [path] + [word for i in range(200) for word in ("--set", f"notes=setting number {i} of a long line")]]
        for arguments in calls:
            first = self.run_json(*arguments)
            line = first["reproduce"]
            self.assertEqual(line.count("\n"), 0)
            words = shlex.split(line)
            self.assertEqual(words[0], "allqsim")
            second = self.run_json(*words[2:])
            for key in ("trace_hash", "scenario_hash", "seed", "events", "reproduce"):
                self.assertEqual(first[key], second[key], arguments[:6])
        self.assertEqual(self.run_json(path)["seed"], 42)
        self.assertNotEqual(self.run_json(path)["trace_hash"], self.run_json(path, "--seed", 43)["trace_hash"])

    def test_the_library_and_its_schema_are_printed(self):
        self.assertEqual(self.call("scenarios", "--schema"), (ROOT / "scenarios/schema.json").read_text(encoding="utf-8"))
        listed = self.call("scenarios")
        for path in sorted((ROOT / "scenarios").glob("*.json")):
            if path.stem == "schema":
                continue
            content = path.read_text(encoding="utf-8")
            self.assertRegex(listed, rf"(?m)^{path.stem} +\S")
            self.assertIn(json.loads(content)["summary"], listed)
            self.assertEqual(self.call("scenarios", path.stem), content)

    # ---- stopped in mid-run ----

    def in_mid_run(self, *arguments):
        """A run that is under way for certain: it waits for a reader of its trace, of which only the first line is read."""
        pipe = pathlib.Path(tempfile.mkdtemp(dir=self.folder)) / "trace"
        os.mkfifo(pipe)
        process = subprocess.Popen([ALLQSIM, "run", self.small, "--set", "duration=1h", "--trace", str(pipe), *arguments],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.folder)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        reader = open(pipe, encoding="utf-8")
        self.addCleanup(reader.close)
        self.assertTrue(reader.readline().startswith("[0.000000]"))
        return process, reader

    def test_a_signal_ends_the_run_and_keeps_what_there_is(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process, reader = self.in_mid_run("--db", str(self.db))
            process.send_signal(number)
            self.assertEqual(len([line for line in reader if line[0] != "["]), 0)
            printed, errors = process.communicate(timeout=60)
            self.assertEqual((process.returncode, errors), (130, ""))
            self.assertIn("interrupted", printed)
        with sqlite3.connect(self.db) as database:
            rows = database.execute("SELECT state, verdict, exit_code, virtual_us FROM run").fetchall()
        database.close()
        self.assertEqual([row[:3] for row in rows], [("interrupted", "unknown", 130)] * 2)
        self.assertLess(max(row[3] for row in rows), 3600 * 10**6)
        self.assertIn("interrupted", self.call("report", "text", self.db, "--run", 1))
        self.assertEqual(json.loads(self.call("report", "json", self.db, "--run", 1))["verdict"], "unknown")

    def test_a_killed_run_leaves_the_database_whole(self):
        self.call("run", self.small, "--db", self.db, "--quiet")
        process, _ = self.in_mid_run("--db", str(self.db), "--events")
        process.kill()
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, -signal.SIGKILL)
        object_of_next = self.call("run", self.small, "--db", self.db, "--json")
        with sqlite3.connect(self.db) as database:
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
            self.assertEqual(database.execute("PRAGMA foreign_key_check").fetchall(), [])
            states = [row[0] for row in database.execute("SELECT state FROM run ORDER BY run_id")]
        database.close()
        self.assertIn(states, (["finished", "unfinished", "finished"], ["finished", "finished"]))
        self.assertEqual(self.call("report", "json", self.db), object_of_next)


if __name__ == "__main__":
    ALLQSIM, ROOT = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
