"""Suites of many runs, comparisons of two databases and merges of many, by the program alone.

usage: suite_test.py ALLQSIM ROOT, with ALLQSIM the program and ROOT the folder of the project."""
import hashlib
import json
import math
import os
import pathlib
import shlex
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import unittest

ALLQSIM, ROOT = "", pathlib.Path()
SMALL = {
    "duration": "2s", "settle": "60s",
    "servers": {"count": 2},
    "clients": {"count": 4},
    "workers": {"count": 8, "ramp": "0", "process": {"exp": "50ms"}, "poll": {"exp": "100ms"}},
    "producers": {"arrivals": {"poisson": "30/s"}, "ttl": "5s"},
}
BROKEN = {**SMALL, "balancer": "per_request"}
UNSURE = {**SMALL, "require_marks": ["put_unknown"]}
SWARM = {**SMALL, "explore": {
    "settings": {"servers.count": {"range": [2, 3]}, "workers.count": {"range": [4, 8]}}, "off_ratio": 0.2,
    "faults": [{"kind": "crash", "servers": {"index_of": "servers"}, "for": {"range": ["100ms", "900ms"]}},
               {"kind": "drop_reply", "probability": 0.1}], "require_marks": ["server_restarted", "job_cleared"]}}
T_95 = {1: 12.706, 2: 4.303, 3: 3.182}  # two-sided, by degrees of freedom
IDENTITY = ("SELECT scenario, client_profile, seed_text, state, verdict, exit_code, reason, trace_hash, reproduce FROM run"
            " ORDER BY run_id")


class ProgramTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name, content in (("small", SMALL), ("broken", BROKEN), ("unsure", UNSURE), ("swarm", SWARM)):
            self.write(f"{name}.json", content)

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return name

    def call(self, *arguments, code=0, errors=False, cwd=None):
        done = subprocess.run([ALLQSIM, *map(str, arguments)], capture_output=True, text=True, cwd=cwd or self.folder, timeout=200,
                              check=False)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout[-500:]} {done.stderr[-2000:]}")
        self.stderr = done.stderr
        if code < 64 and not errors:
            self.assertEqual(done.stderr, "")
        return done.stdout

    def fails(self, *arguments, code=64, saying=()):
        self.assertEqual(self.call(*arguments, code=code), "")
        self.assertEqual(self.stderr.count("\n"), 1, self.stderr)
        for word in saying:
            self.assertIn(word, self.stderr)

    def query(self, name, sql):
        db = sqlite3.connect(self.folder / name)
        rows = db.execute(sql).fetchall()
        db.close()
        return rows

    def dump(self, name):
        db = sqlite3.connect(self.folder / name)
        text = "\n".join(db.iterdump())
        db.close()
        return text

    def digest(self, name):
        return hashlib.sha256((self.folder / name).read_bytes()).hexdigest()


class SuiteTest(ProgramTest):
    def test_the_table_the_verdict_and_the_gravest_exit_code(self):
        text = self.call("run", "small.json", "broken.json", "unsure.json", "--seeds", "3..4", "--save", "s.db", code=1)
        lines = text.splitlines()
        self.assertEqual(lines[0], "FAIL suite of scenarios: 2 of 6 runs pass, 2 fail, 2 unknown")
        rows = [line.split()[:7] for line in lines[3:6]]
        self.assertEqual(rows, [["small", "strict", "pass", "2", "2", "0", "0"], ["broken", "strict", "fail", "2", "0", "2", "0"],
                                ["unsure", "strict", "unknown", "2", "0", "0", "2"]])
        self.assertIn("  broken (strict), seed 4: fail: broken: completion-origin\n    allqsim run broken.json --seed 4\n", text)
        self.assertNotIn("small (strict), seed", text)
        self.assertIn("Database: s.db, runs 1 to 6\n", text)
        self.assertEqual(self.query("s.db", IDENTITY)[2][:6], ("broken", "strict", "3", "finished", "fail", 1))
        self.assertIn("3 of", self.call("run", "small.json", "unsure.json", "--seeds", "1..3", "--no-db", code=5))
        self.assertEqual(self.call("run", "small.json", "swarm.json", "--no-db", "--quiet"), "")

    def test_nothing_hangs_on_the_number_of_processes(self):
        for jobs in (1, 4):
            self.call("run", "small.json", "broken.json", "--seeds", "1..4", "--profiles", "strict,upstream", "--save",
                      f"{jobs}.db", "--jobs", jobs, "--quiet", code=1)
        self.assertEqual(self.query("1.db", IDENTITY), self.query("4.db", IDENTITY))
        self.assertEqual(len(self.query("1.db", IDENTITY)), 16)

    def test_every_run_belongs_to_one_part(self):
        words = ["run", "small.json", "broken.json", "--seeds", "4..6", "--profiles", "strict,upstream"]  # 12 runs
        key = "SELECT scenario, client_profile, seed_text, verdict, reason, trace_hash, reproduce FROM run"
        table = "SELECT * FROM suite_table"
        self.call(*words, "--save", "one.db", "--quiet", code=1)
        whole = self.query("one.db", key)
        for parts in (2, 5):
            names = [f"{k}-of-{parts}.db" for k in range(1, parts + 1)]
            for k, name in enumerate(names, 1):
                done = subprocess.run([ALLQSIM, *words, "--shard", f"{k}/{parts}", "--save", name, "--quiet", "--jobs", str(k % 2 + 1)],
                                      cwd=self.folder, check=False)
                self.assertEqual(self.query(name, key), whole[k - 1::parts])
                self.assertEqual(done.returncode, int(any("broken" in row for row in whole[k - 1::parts])))
            self.call("report", "merge", f"all-{parts}.db", *names)
            self.assertEqual(sorted(self.query(f"all-{parts}.db", key)), sorted(whole))
            self.assertEqual(self.query(f"all-{parts}.db", table), self.query("one.db", table))
        self.assertEqual([row[:7] for row in self.query("one.db", table)],
                         [("broken", "strict", "strict", 3, 0, 3, 0), ("broken", "upstream", "upstream", 3, 0, 3, 0),
                          ("small", "strict", "strict", 3, 3, 0, 0), ("small", "upstream", "upstream", 3, 3, 0, 0)])

    def test_the_summary_of_a_part_says_which_it_is(self):
        text = self.call("run", "small.json", "broken.json", "--seeds", "1..2", "--shard", "2/3", "--no-db")
        self.assertEqual(text.splitlines()[0], "PASS suite of scenarios, part 2 of 3: 1 of 1 runs pass")
        self.assertNotIn("broken", text)  # none of its runs is here
        self.write("s.json", {"scenarios": ["small.json"]})
        empty = json.loads(self.call("suite", "s.json", "--shard", "2/2", "--save", "e.db", "--json"))  # nothing is left for it
        self.assertEqual((empty["shard"], empty["shards"], empty["runs"], empty["scenarios"]), (2, 2, 0, []))
        self.assertEqual(self.query("e.db", "SELECT * FROM run"), [])
        for wrong in ("0/2", "3/2", "1", "1/", "/2", "1/2x", "-1/2"):
            self.fails("run", "small.json", "--shard", wrong, saying=["--shard", wrong, "K/N"])

    def test_a_run_of_a_suite_is_the_run_alone(self):
        found = json.loads(self.call("run", "small.json", "broken.json", "--seed", "f" * 40, "--profiles", "upstream", "--set",
                                     "clients.count=3", "--fidelity", "wire", "--save", "s.db", "--json", code=1))
        self.assertEqual([run["seed"] for run in found["results"]], ["f" * 40] * 2)
        for run in found["results"]:
            words = shlex.split(run["reproduce"])
            alone = json.loads(self.call(*words[1:], "--no-db", "--json", code=run["exit_code"]))
            self.assertEqual((alone["trace_hash"], alone["verdict"], alone["reproduce"]),
                             (run["trace_hash"], run["verdict"], run["reproduce"]))
            stored = json.loads(self.call("report", "json", "s.db", "--run", run["run"]))
            for volatile in ("wall_s", "peak_rss_bytes"):
                alone.pop(volatile), stored.pop(volatile)
            self.assertEqual(stored, alone)

    def test_json_has_every_run_and_every_row(self):
        found = json.loads(self.call("run", "small.json", "broken.json", "--profiles", "strict,client=upstream", "--json",
                                     "--no-db", code=1))
        self.assertEqual((found["verdict"], found["runs"], found["fail"], found["exit_code"]), ("fail", 4, 2, 1))
        self.assertEqual([(row["scenario"], row["profile"], row["verdict"]) for row in found["scenarios"]],
                         [("small", "strict", "pass"), ("small", "upstream/strict", "pass"), ("broken", "strict", "fail"),
                          ("broken", "upstream/strict", "fail")])
        self.assertEqual(len(found["results"]), 4)

    def test_junit_is_valid_with_a_suite_for_each_run(self):
        self.call("run", "small.json", "broken.json", "--seeds", "1..2", "--junit", "junit.xml", "--no-db", "--quiet", code=1)
        done = subprocess.run(["xmllint", "--noout", "--schema", str(ROOT / "tests/reports/junit.xsd"), "junit.xml"],
                              capture_output=True, text=True, cwd=self.folder, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        text = (self.folder / "junit.xml").read_text(encoding="utf-8")
        self.assertEqual(text.count("<testsuite "), 4)
        self.assertEqual(text.count('<failure message="broken: completion-origin"'), 2)
        self.assertIn("Reproduce: allqsim run broken.json --seed 2", text)
        self.assertEqual(sorted(path.name for path in self.folder.glob("*.db*")), [], "--no-db")
        self.call("run", "small.json", "--junit", "one.xml", "--no-db")
        self.assertEqual((self.folder / "one.xml").read_text(encoding="utf-8").count("<testsuite "), 1)

    def test_annotations_tell_of_what_failed(self):
        self.call("run", "small.json", "broken.json", "--no-db", "--quiet", "--annotations", "github", code=1, errors=True)
        self.assertTrue(self.stderr.startswith("::error title=broken%3A completion-origin::"), self.stderr)
        self.assertEqual(self.stderr.count("\n"), 1)

    def test_junit_of_a_suite_has_no_other_runs_of_the_database(self):
        self.call("run", "broken.json", "--db", "s.db", "--quiet", code=1)
        self.call("run", "small.json", "swarm.json", "--save", "s.db", "--junit", "j.xml", "--quiet")
        self.assertNotIn("broken", (self.folder / "j.xml").read_text(encoding="utf-8"))
        self.assertEqual(len(self.query("s.db", IDENTITY)), 3)

    # ---- what is run ----

    def test_folders_names_of_the_library_and_double_files(self):
        self.write("many/b.json", SMALL)
        self.write("many/a.json", SMALL)
        self.write("many/deeper/c.json", SMALL)
        self.write("many/notes.txt", "no scenario")
        few = ["--no-db", "--json", "--set", "clients.count=4", "--set", "workers.count=8", "--set", "duration=2s", "--set", "slo=[]",
               "--set", 'producers.arrivals={"poisson":"30/s"}', "--set", "expect={}", "--set", 'workers.ramp="0"']
        found = json.loads(self.call("run", "many/", "./many/a.json", "small.json", "baseline", *few))
        self.assertEqual([row["scenario"] for row in found["scenarios"]], ["a", "b", "small", "baseline"])
        self.assertIn("allqsim run many/a.json --seed 1 --set", found["results"][0]["reproduce"])
        self.assertIn("allqsim run baseline --seed", found["results"][3]["reproduce"])
        library = json.loads(self.call("run", "quirks/", "--json", "--no-db"))
        self.assertEqual(len(library["scenarios"]), len(list((ROOT / "scenarios/quirks").glob("*.json"))))
        self.assertIn("allqsim run quirks/", library["results"][0]["reproduce"])

    def test_one_bad_file_is_named_before_anything_is_run(self):
        self.write("bad.json", {**SMALL, "clints": {}})
        for words in (["small.json", "bad.json"], ["bad.json", "small.json"]):
            self.fails("run", *words, "--junit", "j.xml", saying=["bad.json", "clints", "clients"])
        self.fails("run", "small.json", "nothing-of-the-kind", saying=["nothing-of-the-kind", "library"])
        (self.folder / "empty").mkdir()
        self.fails("run", "small.json", "empty", saying=["empty", "without scenarios"])
        self.write("live.json", {**SMALL, "faults": [{"kind": "chop", "at": "1s", "for": "1s", "servers": 0, "clients": "all"}]})
        self.assertEqual(self.call("run", "small.json", "live.json", code=64), "")
        self.fails("run", "small.json", "swarm.json", "--set", "clients.cuont=1", saying=["--set", "clients.cuont"])
        self.assertEqual(sorted(path.name for path in self.folder.glob("*.db")) + list(self.folder.glob("j.xml*")), [])

    def test_wrong_use(self):
        two = ["small.json", "swarm.json"]
        for options, words in ((["--seeds", "3..1"], ["3..1", "FROM..TO"]), (["--seeds", "1"], ["FROM..TO"]), (["--jobs", "0"], ["--jobs"]),
                               (["--seed", "1", "--seeds", "1..2"], ["exclude"]), (["--profiles", ""], ["--profiles"]),
                               (["--profiles", "strict,strict"], ["twice"]), (["--profiles", "lax"], ["lax"]),
                               (["--profile", "strict", "--profiles", "strict"], ["exclude"]), (["--trace", "-"], ["one run"]),
                               (["--events"], ["one run"]), (["--world", "live"], ["--world"]), (["--json", "--quiet"], ["exclude"]),
                               (["--seeds", "1..60000"], ["at most 100000", "explore"]), (["--annotations", "gitlab"], ["github"])):
            self.fails("run", *two, *options, saying=words)
        self.fails("run", *two, "--no-db", "--junit", "no/such/j.xml", code=74, saying=["no/such/j.xml"])
        self.fails("run", *two, "--save", "no/such/s.db", code=74, saying=["no/such/s.db"])

    # ---- files of suites ----

    def test_a_file_says_all_of_it_and_options_more(self):
        self.write("night/mine.json", SMALL)
        self.write("night/suite.json", {"name": "nightly", "notes": ["for every night"], "scenarios": ["mine.json", "../broken.json"],
                                        "profiles": ["strict", "upstream"], "seeds": "5..6", "jobs": 1, "fidelity": "wire",
                                        "settings": ["clients.count=3"], "check_replay": True})
        found = json.loads(self.call("suite", "night/suite.json", "--no-db", "--json", code=1))
        self.assertEqual((found["suite"], found["jobs"], found["runs"]), ("nightly", 1, 8))
        self.assertEqual(found["results"][0]["reproduce"],
                         "allqsim run night/mine.json --seed 5 --profile strict --fidelity wire --set clients.count=3")
        other = json.loads(self.call("suite", "suite.json", "--no-db", "--json", "--seeds", "1..1", "--profiles", "strict", "--set",
                                     "clients.count=2", "--jobs", "2", code=1, cwd=self.folder / "night"))
        self.assertEqual((other["runs"], other["jobs"]), (2, 2))
        self.assertEqual(other["results"][0]["reproduce"], "allqsim run mine.json --seed 1 --profile strict --fidelity wire --set"
                                                           " clients.count=3 --set clients.count=2")

    def test_a_wrong_file_is_told_with_path_value_and_remedy(self):
        for content, words in (({"scenarios": []}, ["scenarios", "at least 1"]), ({}, ["\"scenarios\" is missing"]), ([], ["{ }"]),
                               ({"scenarios": ["small.json"], "seeds": 3}, ["seeds", "found 3", "1..3"]),
                               ({"scenarios": ["small.json"], "seeds": "3..1"}, ["seeds", "3..1"]),
                               ({"scenarios": ["small.json", 7]}, ["scenarios[1]", "found 7"]),
                               ({"scenarios": ["small.json"], "profils": []}, ["profils", "did you mean \"profiles\""]),
                               ({"scenarios": ["small.json"], "jobs": 0}, ["jobs", "1 to 256"]),
                               ({"scenarios": ["small.json"], "profiles": ["lax"]}, ["lax", "strict"]),
                               ({"scenarios": ["smal.json"]}, ["smal.json"]), ('{"scenarios": ["a"],\n "name" }', ["suite.json:2"]),
                               ('{"name": "a", "name": "b", "scenarios": ["a"]}', ["twice"])):
            self.fails("suite", self.write("suite.json", content), saying=words)
        self.fails("suite", saying=["one FILE"])
        self.fails("suite", "missing.json", code=74, saying=["missing.json"])
        self.assertIn("usage: allqsim suite", self.call("suite", "--help"))

    # ---- stopped, or broken ----

    def test_an_interrupted_suite_leaves_a_readable_database_and_junit(self):
        process = subprocess.Popen([ALLQSIM, "run", "small.json", "broken.json", "--seeds", "1..5000", "--jobs", "2", "--verbose", "--save",
                                    "s.db", "--junit", "j.xml"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.folder)
        for _ in range(5):
            self.assertIn("small (strict), seed ", process.stderr.readline())
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=100)
        self.assertEqual(process.returncode, 130)
        self.assertTrue(out.startswith("INTERRUPTED suite of scenarios"), out)
        self.assertEqual(self.query("s.db", "PRAGMA integrity_check"), [("ok",)])
        states = [state for (state,) in self.query("s.db", "SELECT state FROM run")]
        self.assertGreaterEqual(states.count("finished"), 5)
        self.assertNotIn("unfinished", states)
        self.assertLess(len(states), 5000)
        self.assertEqual((self.folder / "j.xml").read_text(encoding="utf-8").count("<testsuite "), len(states))
        self.call("report", "text", "s.db", "--run", 1)

    def test_runs_under_way_are_interrupted_and_kept(self):
        self.write("long.json", {**SMALL, "duration": "24h"})
        process = subprocess.Popen([ALLQSIM, "run", "long.json", "small.json", "--jobs", "2", "--verbose", "--save", "s.db"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.folder)
        self.assertIn("small (strict), seed ", process.stderr.readline())
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=100)
        self.assertEqual((process.returncode, out.splitlines()[0]), (130, "INTERRUPTED suite of scenarios: 1 of 2 runs pass, 1 unknown"))
        rows = self.query("s.db", "SELECT scenario, state, exit_code, virtual_us > 0 FROM run ORDER BY run_id")
        self.assertEqual(rows, [("long", "interrupted", 130, 1), ("small", "finished", 0, 1)])

    def test_a_killed_suite_leaves_a_readable_database(self):
        process = subprocess.Popen([ALLQSIM, "run", "small.json", "--seeds", "1..5000", "--jobs", "2", "--verbose", "--save", "s.db"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.folder)
        for _ in range(3):
            process.stderr.readline()
        process.kill()
        process.communicate(timeout=100)
        self.call("report", "text", "s.db", "--run", 1)
        self.assertEqual(self.query("s.db", "PRAGMA integrity_check"), [("ok",)])
        self.call("run", "small.json", "swarm.json", "--save", "s.db", "--quiet")


class CompareTest(ProgramTest):
    def fill(self, name, *options, seeds="1..3", code=0, files=("small.json",)):
        self.call("run", *files, "--seeds", seeds, "--save", name, "--quiet", *options, code=code)

    def compare(self, *arguments, code=0):
        return json.loads(self.call("report", "compare", *arguments, "--json", code=code))

    def test_equal_runs_are_within_any_tolerance(self):
        self.fill("a.db")
        self.fill("b.db")
        found = self.compare("a.db", "b.db")
        self.assertEqual((found["verdict"], found["pairs"], found["same"], found["broken"]), ("pass", 3, 3, 0))
        self.assertTrue(self.call("report", "compare", "a.db", "b.db").startswith("PASS compare: within the tolerance\n"))

    def test_every_figure_with_its_interval_and_spread(self):
        self.fill("a.db")
        self.fill("b.db", "--set", "workers.count=5")
        group = self.compare("a.db", "b.db", code=self.code_of("a.db", "b.db"))["groups"][0]
        self.assertTrue(group["scenario_differs"])
        runs = {name: [json.loads(self.call("report", "json", f"{name}.db", "--run", run)) for run in (1, 2, 3)] for name in "ab"}
        figures = {figure["figure"]: figure for figure in group["figures"]}
        for figure, value in (("latency.put.max_s", lambda run: run["latency_s"]["put"]["max"]),
                              ("servers.1.choices", lambda run: run["servers"][1]["choices"]), ("run.events", lambda run: run["events"]),
                              ("distribution.judged", lambda run: run["checks"]["distribution"]["judged"])):
            a, b = [value(run) for run in runs["a"]], [value(run) for run in runs["b"]]
            differences = [other - one for one, other in zip(a, b)]
            self.assertIn(figure, figures)
            found = figures[figure]
            self.assertAlmostEqual(found["base"], statistics.mean(a), places=9)
            self.assertAlmostEqual(found["candidate"], statistics.mean(b), places=9)
            self.assertAlmostEqual(found["change"], statistics.mean(differences), places=9)
            self.assertAlmostEqual(found["spread"], statistics.stdev(a), places=9)
            half = T_95[2] * statistics.stdev(differences) / math.sqrt(3)
            self.assertAlmostEqual(found["half_width_95"], half, delta=half * 1e-3)
        self.assertGreater(len(figures) + group["equal_figures"], 150)

    def code_of(self, *arguments):
        return subprocess.run([ALLQSIM, "report", "compare", *arguments], capture_output=True, cwd=self.folder, check=False).returncode

    def test_verdicts_come_first_and_a_worse_one_breaks(self):
        self.fill("a.db")
        self.fill("b.db", "--set", "balancer=per_request", code=1)
        text = self.call("report", "compare", "a.db", "b.db", code=3)
        self.assertIn("verdicts: 3 worse, 0 better", text)
        self.assertLess(text.index("\nVerdicts\n  worse   small (strict), seed 1: pass (run 1) became fail"), text.index("\nsmall (strict), 3 pairs"))
        self.assertIn("allqsim run small.json --seed 2 --set balancer=per_request", text)
        found = self.compare("a.db", "b.db", code=3)
        self.assertEqual([change["change"] for change in found["verdicts"]], ["worse"] * 3)
        self.assertEqual((self.compare("b.db", "a.db", code=self.code_of("b.db", "a.db"))["better"]), 3)
        self.write("t.json", {"verdicts": "any", "figures": []})
        self.assertEqual(self.compare("a.db", "b.db", "--tolerance", "t.json")["broken"], 0)

    def test_runs_without_a_partner_are_named(self):
        self.fill("a.db", seeds="1..3")
        self.fill("b.db", seeds="2..4")
        found = self.compare("a.db", "b.db", code=3)
        self.assertEqual(([run["seed"] for run in found["only_base"]], [run["seed"] for run in found["only_candidate"]]), (["1"], ["4"]))
        text = self.call("report", "compare", "a.db", "b.db", code=3)
        self.assertIn("\nOnly in the base\n  small (strict), seed 1 (run 1)\n", text)
        self.assertIn("\nOnly in the candidate\n  small (strict), seed 4 (run 3)\n", text)
        self.write("t.json", {"missing": "allowed"})
        self.assertEqual(self.compare("a.db", "b.db", "--tolerance", "t.json")["pairs"], 2)
        self.fill("c.db", seeds="8..9")
        self.fails("report", "compare", "a.db", "c.db", saying=["in common"])

    def test_two_runs_whatever_they_are(self):
        self.fill("a.db")
        found = self.compare("a.db#1", "a.db#3", code=self.code_of("a.db#1", "a.db#3"))
        self.assertEqual((found["pairs"], found["same"]), (1, 0))
        self.assertEqual(found["groups"][0]["figures"][0]["half_width_95"], None)
        self.assertEqual(self.compare("a.db", "a.db", "--run", "2")["same"], 1)
        self.fails("report", "compare", "a.db#9", "a.db#1", saying=["run 9"])
        self.fails("report", "compare", "a.db#x", "a.db#1", saying=["a.db#x", "number"])

    def test_the_newest_of_equal_runs_counts(self):
        self.fill("a.db", seeds="1..2")
        self.fill("b.db", "--set", "balancer=per_request", seeds="1..2", code=1)
        self.fill("b.db", seeds="1..2")
        found = self.compare("a.db", "b.db")
        self.assertEqual((found["same"], found["left_out"]), (2, 2))

    def test_a_tolerance_breaks_by_size_beyond_the_noise(self):
        self.fill("a.db")
        self.fill("b.db", "--set", 'producers.arrivals={"poisson":"60/s"}')
        rule = {"figure": "jobs.acc*", "worse": "higher", "relative": 0.5}
        cases = ((rule, 3), ({**rule, "relative": 3}, 0), ({**rule, "absolute": 1000}, 0), ({**rule, "worse": "lower"}, 0),
                 ({**rule, "worse": "never"}, 0), ({**rule, "worse": "either"}, 3), ({**rule, "scenario": "smal"}, 0),
                 ({**rule, "scenario": "s*l"}, 3), ({**rule, "figure": "*obs*epted"}, 3), ({**rule, "figure": "accepted"}, 0))
        for changed, code in cases:
            self.write("t.json", {"figures": [changed]})
            found = self.compare("a.db", "b.db", "--tolerance", "t.json", code=code)
            broken = [figure["figure"] for figure in found["groups"][0]["figures"] if figure["broken"]]
            self.assertEqual(broken, ["jobs.accepted"] if code else [], changed)
        self.fill("a.db", seeds="4..4")
        noisy = {"figure": "latency.put.max_s", "worse": "either"}
        self.fill("n.db", "--set", "clients.count=5", seeds="1..3")
        figure = {f["figure"]: f for f in self.compare("a.db", "n.db", code=self.code_of("a.db", "n.db"))["groups"][0]["figures"]}["latency.put.max_s"]
        self.assertLess(abs(figure["change"]), figure["half_width_95"], "the case needs a change within the noise")
        for beyond, code in ((True, 0), (False, 3)):
            self.write("t.json", {"missing": "allowed", "figures": [{**noisy, "beyond_noise": beyond}]})
            self.compare("a.db", "n.db", "--tolerance", "t.json", code=code)

    def test_the_standard_tolerance_is_a_file_to_start_from(self):
        printed = self.call("report", "compare", "--print-tolerance")
        self.assertGreater(len(json.loads(printed)["figures"]), 3)
        self.write("t.json", printed)
        self.fill("a.db")
        self.fill("b.db", "--set", "servers.count=3")
        self.assertEqual(self.call("report", "compare", "a.db", "b.db", "--tolerance", "t.json", code=self.code_of("a.db", "b.db")),
                         self.call("report", "compare", "a.db", "b.db", code=self.code_of("a.db", "b.db")))

    def test_wrong_tolerances_and_wrong_use(self):
        self.fill("a.db", seeds="1..1")
        for content, words in (({"figures": [{"worse": "higher"}]}, ["figures[0]", "\"figure\" is missing"]),
                               ({"figures": [{"figure": "a", "worse": "hihger"}]}, ["figures[0].worse", "hihger", "higher"]),
                               ({"figures": [{"figure": "a", "relative": -1}]}, ["figures[0].relative", "found -1"]),
                               ({"figures": [{"figure": "a", "relativ": 1}]}, ["relativ", "did you mean \"relative\""]),
                               ({"verdict": "any"}, ["did you mean \"verdicts\""]), ({"missing": True}, ["missing", "found true"]),
                               ([], ["{ }"]), ("{", ["t.json:1"])):
            self.fails("report", "compare", "a.db", "a.db", "--tolerance", self.write("t.json", content), saying=["t.json", *words])
        self.fails("report", "compare", "a.db", saying=["BASE and a CANDIDATE"])
        self.fails("report", "compare", "a.db", "missing.db", code=66, saying=["missing.db"])
        self.fails("report", "compare", "a.db", "a.db", "--tolerance", "no.json", code=74, saying=["no.json"])
        self.fails("report", "compare", "a.db", "a.db", "-o", "./a.db", code=74, saying=["one of the databases"])
        self.call("report", "compare", "a.db", "a.db", "-o", "out.txt")
        self.assertIn("PASS compare", (self.folder / "out.txt").read_text(encoding="utf-8"))
        self.assertIn("usage: allqsim report compare", self.call("report", "compare", "--help"))


class MergeTest(ProgramTest):
    def fill(self, name, *options, seeds="1..2", code=0, file="small.json"):
        self.call("run", file, "--seeds", seeds, "--save", name, "--quiet", *options, code=code)

    def test_numbers_are_given_anew_and_inputs_left_alone(self):
        self.fill("a.db")
        self.fill("b.db", file="broken.json", code=1)
        self.call("run", "small.json", "--seed", "9", "--events", "--db", "b.db", "--quiet")
        before = [self.digest("a.db"), self.digest("b.db")]
        self.assertEqual(self.call("report", "merge", "all.db", "a.db", "b.db"), "all.db: 5 runs, 0 explorations\n")
        self.assertEqual([self.digest("a.db"), self.digest("b.db")], before)
        self.assertEqual(self.query("all.db", IDENTITY), self.query("a.db", IDENTITY) + self.query("b.db", IDENTITY))
        for run, (name, old) in enumerate((("a.db", 1), ("a.db", 2), ("b.db", 1), ("b.db", 2), ("b.db", 3)), 1):
            for form in ("json", "text"):
                self.assertEqual(self.call("report", form, "all.db", "--run", run), self.call("report", form, name, "--run", old))
        self.assertEqual(self.query("all.db", "SELECT count(*), min(run_id) FROM event"), [(self.query("b.db", "SELECT count(*) FROM event")[0][0], 5)])
        self.assertEqual(self.query("all.db", "PRAGMA integrity_check"), [("ok",)])
        self.assertEqual(self.query("all.db", "PRAGMA foreign_key_check"), [])
        self.assertEqual(self.query("all.db", "SELECT name FROM sqlite_master WHERE name LIKE 'merge%'"), [])
        self.assertEqual(sorted(path.name for path in self.folder.glob("*.part*")), [])

    def test_duplicates_are_refused_skipped_or_kept(self):
        self.fill("a.db")
        self.fill("b.db", seeds="2..3")
        self.fill("other.db", "--set", "clients.count=5", seeds="2..2")
        self.fails("report", "merge", "all.db", "a.db", "b.db", saying=["b.db: run 1 (small, seed 2)", "run 2", "--duplicates skip"])
        self.assertEqual(list(self.folder.glob("all.db*")), [])
        self.assertIn("3 runs, 0 explorations; 1 duplicates skipped", self.call("report", "merge", "skip.db", "a.db", "b.db", "--duplicates", "skip"))
        self.assertIn("4 runs", self.call("report", "merge", "keep.db", "a.db", "b.db", "--duplicates", "keep"))
        self.assertIn("3 runs", self.call("report", "merge", "different.db", "a.db", "other.db"))

    def test_what_out_holds_stays_and_a_repeated_merge_changes_nothing(self):
        self.fill("all.db")
        self.fill("b.db", seeds="3..4")
        self.call("report", "merge", "all.db", "b.db")
        before = self.dump("all.db")
        self.assertEqual([row[2] for row in self.query("all.db", IDENTITY)], ["1", "2", "3", "4"])
        self.call("report", "merge", "all.db", "b.db", "--duplicates", "skip")
        self.assertEqual(self.dump("all.db"), before)
        self.fails("report", "merge", "all.db", "b.db", saying=["twice"])
        self.fails("report", "merge", "all.db", "./all.db", saying=["merged into"])
        self.assertEqual(self.dump("all.db"), before)

    def test_a_merge_that_was_killed_goes_on_and_comes_to_the_same(self):
        self.fill("a.db", seeds="1..90")
        self.fill("b.db", seeds="91..150")
        self.call("report", "merge", "whole.db", "a.db", "b.db")
        resumed = stopped = 0
        for number, end in enumerate((signal.SIGKILL, signal.SIGINT, signal.SIGKILL, signal.SIGINT)):
            name = f"out{number}.db"
            process = subprocess.Popen([ALLQSIM, "report", "merge", name, "a.db", "b.db"], stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True, cwd=self.folder)
            part = self.folder / f"{name}.part"
            while process.poll() is None and not self.copied(part):
                pass
            process.send_signal(end)
            out, errors = process.communicate(timeout=60)
            if process.returncode:
                stopped += 1
                self.assertFalse((self.folder / name).exists())
                if end == signal.SIGINT:
                    self.assertEqual((process.returncode, out), (130, ""))
                    self.assertIn("the same command goes on", errors)
                resumed += "gone on from where" in self.call("report", "merge", name, "a.db", "b.db")
            self.assertEqual(self.dump(name), self.dump("whole.db"))
            self.assertEqual(sorted(path.name for path in self.folder.glob("*.part*")), [])
        self.assertGreater(stopped, 0)
        self.assertEqual(resumed, stopped)

    def copied(self, part):
        """Has it copied a run?"""
        try:
            db = sqlite3.connect(f"file:{part}?mode=ro", uri=True, timeout=0)
            count = db.execute("SELECT count(*) FROM merge_number").fetchone()[0]
            db.close()
            return count > 0
        except sqlite3.Error:
            return False

    # ---- explorations ----

    SAME = ("SELECT scenario, scenario_hash, client_profile, seed_from, seed_to, shard, shards, state, exit_code, reason, passes, fails,"
            " unknowns, crashes, no_runs, replay_checked, events, virtual_us, reproduce FROM exploration",
            "SELECT fingerprint, check_name, cause, shape, seeds, first_seed, quickest_seed FROM exploration_failure ORDER BY 1",
            "SELECT seed, verdict, exit_code, reason, drawn, trace_hash, events, virtual_us, replayed FROM exploration_seed ORDER BY 1",
            "SELECT exploration_id, seed, fingerprint FROM exploration_seed_failure ORDER BY 1, 2, 3",
            "SELECT exploration_id, position, name, hits, seeds, required FROM exploration_mark ORDER BY position",
            "SELECT failures, passes, fails, reason FROM newest_exploration",
            "SELECT f.fingerprint, r.seed_text, r.trace_hash, r.verdict FROM exploration_failure AS f JOIN run AS r USING (run_id) ORDER BY 1")

    def explore(self, name, *options, code=2, profile="upstream", seeds="1..40"):
        self.call("explore", "swarm.json", "--seeds", seeds, "--profile", profile, "--save", name, "--quiet", *options, code=code)

    def test_merged_shards_are_one_exploration(self):
        for profile, code in (("upstream", None), ("strict", 5)):
            self.call("explore", "swarm.json", "--seeds", "1..40", "--profile", profile, "--save", f"one-{profile}.db", "--json",
                      code=code if code is not None else self.gravest(profile))
            names = []
            for shard in ("1/3", "2/3", "3/3"):
                names.append(f"{profile}{shard[0]}.db")
                subprocess.run([ALLQSIM, "explore", "swarm.json", "--seeds", "1..40", "--profile", profile, "--save", names[-1], "--shard",
                                shard, "--quiet"], cwd=self.folder, check=False)
            before = [self.digest(name) for name in names]
            self.assertIn("1 explorations; 1 made of parts", self.call("report", "merge", f"{profile}.db", *names))
            self.assertEqual([self.digest(name) for name in names], before)
            for sql in self.SAME:
                rows = self.query(f"{profile}.db", sql)
                self.assertEqual(rows, self.query(f"one-{profile}.db", sql), sql)
            if profile == "upstream":
                self.assertGreater(len(self.query("upstream.db", self.SAME[1])), 1)
            self.assertEqual(self.query(f"{profile}.db", "PRAGMA foreign_key_check"), [])

    def test_the_quickest_seed_of_all_parts_counts(self):
        for shard in (1, 2):
            self.explore(f"{shard}.db", "--shard", f"{shard}/2", code=self.gravest("upstream"))
        quickest = [dict(self.query(f"{shard}.db", "SELECT fingerprint, quickest_seed FROM exploration_failure")) for shard in (1, 2)]
        failure = sorted(set(quickest[0]) & set(quickest[1]))[0]
        seeds = [found[failure] for found in quickest]
        for events, wanted in (((5, 4), seeds[1]), ((4, 5), seeds[0]), ((4, 4), min(seeds))):
            for shard, seed, count in zip((1, 2), seeds, events):
                with sqlite3.connect(self.folder / f"{shard}.db") as db:
                    db.execute("UPDATE exploration_seed SET events = ? WHERE seed = ?", (count, seed))
                db.close()
            self.call("report", "merge", f"all{events}.db", "1.db", "2.db")
            found = self.query(f"all{events}.db", "SELECT f.quickest_seed, r.seed_text FROM exploration_failure AS f JOIN run AS r USING (run_id)"
                                                  f" WHERE fingerprint = '{failure}'")
            self.assertEqual(found, [(wanted, str(wanted))])

    def gravest(self, profile):
        return subprocess.run([ALLQSIM, "explore", "swarm.json", "--seeds", "1..40", "--profile", profile, "--no-db", "--quiet"],
                              cwd=self.folder, check=False).returncode

    def test_parts_that_come_later_complete_an_exploration(self):
        code = self.gravest("strict")
        self.explore("one.db", profile="strict", code=code)
        for shard in (1, 2):
            self.explore(f"{shard}.db", "--shard", f"{shard}/2", profile="strict", code=5)
        self.assertIn("1 parts of explorations left", self.call("report", "merge", "all.db", "1.db"))
        self.assertEqual(self.query("all.db", "SELECT shard, shards FROM exploration"), [(1, 2)])
        self.assertIn("1 made of parts", self.call("report", "merge", "all.db", "2.db"))
        for sql in self.SAME:
            self.assertEqual(self.query("all.db", sql), self.query("one.db", sql), sql)
        before = self.dump("all.db")
        self.assertIn("2 duplicates skipped", self.call("report", "merge", "all.db", "1.db", "2.db", "--duplicates", "skip"))
        self.assertEqual(self.dump("all.db"), before)
        self.fails("report", "merge", "all.db", "2.db", saying=["exploration 1", "twice"])

    def test_searches_and_other_explorations_stay_apart(self):
        self.call("explore", "swarm.json", "--seeds", "1..9", "--shard", "1/2", "--until-found", "progress", "--repetitions", "1", "--save",
                  "1.db", "--quiet", code=5)
        self.explore("2.db", "--shard", "2/2", profile="strict", seeds="1..9", code=5)
        self.call("report", "merge", "all.db", "1.db", "2.db")
        self.assertEqual(self.query("all.db", "SELECT shard, shards FROM exploration ORDER BY 1"), [(1, 2), (2, 2)])
        self.assertEqual(self.query("all.db", "SELECT count(*), max(exploration_id) FROM exploration_find"), [(1, 1)])

    def test_wrong_use(self):
        self.fill("a.db", seeds="1..1")
        self.fails("report", "merge", "all.db", saying=["at least one IN"])
        self.fails("report", "merge", "all.db", "a.db", "--duplicates", "maybe", saying=["maybe", "refuse, skip, keep"])
        self.fails("report", "merge", "no/such/all.db", "a.db", code=74, saying=["no/such/all.db"])
        self.fails("report", "merge", "all.db", "a.db", "missing.db", code=66, saying=["missing.db"])
        self.assertEqual(list(self.folder.glob("all.db*")), [])
        self.assertIn("usage: allqsim report merge", self.call("report", "merge", "--help"))


if __name__ == "__main__":
    ALLQSIM, ROOT = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
