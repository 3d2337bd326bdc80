"""Parts of a suite, an exploration and a plan under a job engine, with the scripts and the lines of docs: merged, they give the
table of one run.

usage: cluster_test.py ALLQSIM ROOT parallel|slurm|kubernetes, with ALLQSIM the program and ROOT the folder of the project. Skipped
where the engine is not installed, unless AQ_CLUSTER_NEEDED is set."""
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

import yaml

import one_node_slurm

SKIPPED = 77  # what ctest takes as skipped
ALLQSIM, ROOT = pathlib.Path(), pathlib.Path()
PARTS = 4
LOAD = {"servers": {"count": 2}, "clients": {"count": 4}, "workers": {"count": 8, "ramp": "0", "process": {"exp": "50ms"}, "poll": {"exp": "100ms"}},
        "producers": {"arrivals": {"poisson": "30/s"}, "ttl": "5s"}, "duration": "2s", "settle": "60s"}
FILES = {
    "small": LOAD,
    "broken": {**LOAD, "balancer": "per_request"},
    "suite": {"name": "night", "scenarios": ["small.json", "broken.json"], "seeds": "1..3"},
    "swarm": {**LOAD, "explore": {
        "settings": {"servers.count": {"range": [2, 3]}, "workers.count": {"range": [4, 8]}}, "off_ratio": 0.2,
        "faults": [{"kind": "crash", "servers": {"index_of": "servers"}, "for": {"range": ["100ms", "900ms"]}},
                   {"kind": "drop_reply", "probability": 0.1}]}},
    "fleet": {"duration": "6s", "servers": {"service": {"default": {"exp": "10ms"}}}, "clients": {"count": 10},
              "workers": {"count": 10, "process": "10ms", "poll": {"exp": "1s"}}, "producers": {"arrivals": {"poisson": "10/s"}}},
}
COMMANDS = {
    "suite": "allqsim suite suite.json",
    "explore": "allqsim explore swarm.json --seeds 1..24 --profile upstream",
    "plan": "allqsim plan fleet.json --clients 10..60 --step 10 --servers 1..4 --survive 1 --seeds 3 --slo 'p99(put) < 300ms'",
}
TABLES = {  # what one run prints, from its database
    "suite": "allqsim report sql one.db suite_table",
    "explore": "allqsim report text one.db --exploration 1",
    "plan": "",  # the plan itself
}


def documented(engine):
    """The lines of docs/CLUSTER.md under the engine's head, block by block."""
    text = (ROOT / "docs/CLUSTER.md").read_text(encoding="utf-8").split(f"### {engine}\n")[1].split("\n### ")[0]
    return [block.strip().splitlines() for block in re.findall(r"^```\n(.*?)^```", text, re.M | re.S)]


def instead(line, command):
    """The line with another command."""
    changed = re.sub(r"allqsim (explore swarm --seeds 1\.\.400|plan capacity [-.\w ]*?)(?=\)|\"| --jobs|$)", lambda _: command, line)
    assert changed != line, line
    return changed


def without_times(text):
    """Times of this machine, what was done before, and the numbers that kept runs have in a database."""
    kept = [line for line in text.splitlines() if not re.match(r"Time |Volume |\S*all\.db: ", line)]
    kept = [re.sub(r"\(\d+ of them done before\)|; [\d.]+ m?s$", "", line) for line in kept]
    return [re.sub(r"\d+(  [0-9a-f]{16})$", r"\1", line) for line in kept]


class ClusterTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "docs").symlink_to(ROOT / "docs")
        for name, content in FILES.items():
            (self.folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
        self.environment = {**os.environ, "PATH": f"{ALLQSIM.parent}:{os.environ['PATH']}"}

    def shell(self, line, code=0, **more):
        done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, cwd=self.folder, env={**self.environment, **more},
                              timeout=150, check=False)
        self.code = done.returncode
        if code is not None:
            self.assertEqual(done.returncode, code, f"{line}: {done.stdout[-800:]} {done.stderr[-800:]}")
        return done.stdout

    def one(self, kind):
        """The table of one run without parts; self.code is its exit code."""
        (self.folder / "one.db").unlink(missing_ok=True)
        printed = self.shell(COMMANDS[kind] + " --save one.db", code=None)
        code = self.code
        table = without_times(self.shell(TABLES[kind]) if TABLES[kind] else printed)
        self.assertGreater(len(table), 3, table)
        self.assertEqual(code == 0, kind == "plan", "the suite and the exploration find something")
        self.code = code
        return table

    def query(self, name, sql):
        db = sqlite3.connect(self.folder / name)
        rows = db.execute(sql).fetchall()
        db.close()
        return rows

    def assert_split(self, folder, kind):
        """Every part has work of its own, and all of them together what one run has."""
        sql = {"suite": "SELECT scenario, seed, trace_hash FROM run", "explore": "SELECT '', seed, trace_hash FROM exploration_seed",
               "plan": "SELECT scenario_hash, seed, steady_from_us FROM kept_run"}[kind]
        parts = [self.query(f"{folder}/{k}-of-{PARTS}.db", sql) for k in range(1, PARTS + 1)]
        self.assertTrue(all(parts), [len(part) for part in parts])
        self.assertEqual(sorted(sum(parts, [])), sorted(self.query("one.db", sql)))
        if kind != "plan":
            self.assertLessEqual(max(map(len, parts)) - min(map(len, parts)), 1)

    # ---- GNU Parallel ----

    def test_parallel_gives_the_table_of_one_run(self):
        (parts, merge), _ = documented("GNU Parallel")
        for kind, command in COMMANDS.items():
            self.shell("rm -rf parts")
            self.shell(instead(parts, command))
            table, code = without_times(self.shell(instead(merge, command), code=None)), self.code
            self.assertEqual((table, code), (self.one(kind), self.code), kind)
            self.assert_split("parts", kind)
        self.shell(instead(parts, COMMANDS["suite"]))
        self.shell(instead(merge, COMMANDS["suite"]), code=1)
        self.assertIn("<testsuite ", (self.folder / "parts/junit.xml").read_text(encoding="utf-8"))

    def test_parallel_does_a_part_again(self):
        """An attempt of which only rubbish is left is replaced; what is missing is told, and done by --resume-failed."""
        (parts, merge), _ = documented("GNU Parallel")
        command, log = COMMANDS["suite"], self.folder / "parts.log"
        self.shell(instead(parts, command))
        before = self.shell(instead(merge, command), code=1)
        for name in ("2-of-4.db", "2-of-4.db-journal", "3-of-4.db"):
            (self.folder / "parts" / name).write_text("rubbish")
        self.shell(instead(merge, command), code=66)
        log.write_text(re.sub(r"(?m)^[23]\t.*\n", "", log.read_text(encoding="utf-8")), encoding="utf-8")
        self.shell(instead(parts, command).replace("--joblog", "--resume-failed --joblog"))
        self.assertEqual(self.shell(instead(merge, command), code=1), before)
        (self.folder / "parts/3-of-4.db").unlink()
        self.shell(instead(merge, command), code=66)

    def test_parallel_does_not_take_half_a_part_for_one(self):
        """The second part is interrupted as soon as it has begun, and leaves runs that ended well."""
        for kind, table in (("suite", "run"), ("explore", "exploration")):
            command = COMMANDS[kind] + (" --seeds 1..4000" if kind == "suite" else "")
            self.shell("rm -rf parts")
            self.shell(f"docs/cluster/shard.sh 1 2 parts {COMMANDS[kind]}")
            part = subprocess.Popen(["docs/cluster/shard.sh", "2", "2", "parts", *command.replace("1..24", "1..40000").split(), "--jobs", "1"],
                                    cwd=self.folder, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                    start_new_session=True)
            until = time.monotonic() + 60
            while time.monotonic() < until and not any(self.begun(path, table) for path in self.folder.glob("parts/2-of-2.db*")):
                time.sleep(0.02)
            os.killpg(part.pid, signal.SIGINT)
            self.assertNotEqual(part.wait(60), 0)
            self.shell(f"docs/cluster/merge.sh 2 parts {COMMANDS[kind]}", code=66)
        (self.folder / "parts/2-of-2.db.new").rename(self.folder / "parts/2-of-2.db")
        self.shell(f"docs/cluster/merge.sh 2 parts {COMMANDS['explore']}", code=5)

    def begun(self, path, table):
        try:
            return self.query(path, f"SELECT count(*) FROM {table}")[0][0] > 0
        except sqlite3.Error:  # it is being made
            return False

    def test_parallel_part_of_a_plan_goes_on(self):
        runs = [re.search(r"(\d+) runs \((\d+) of them done before\)", self.shell(f"docs/cluster/shard.sh 1 {PARTS} parts {COMMANDS['plan']}"))
                for _ in range(2)]
        self.assertEqual([(int(found[1]) > 0, found[2]) for found in runs], [(True, "0"), (True, runs[0][1])])

    def test_parallel_tells_of_a_part_that_cannot_be_done(self):
        (parts, _), _ = documented("GNU Parallel")
        self.shell(instead(parts, "allqsim explore missing.json --seeds 1..4"), code=PARTS)

    # ---- Slurm ----

    def test_slurm_gives_the_table_of_one_run(self):
        (array, merge), = documented("Slurm")
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, one_node_slurm.Slurm(folder) as slurm:
            for kind, command in COMMANDS.items():
                lines = "\n".join(instead(line, command).replace(" parts ", f" parts-{kind} ") for line in (array, merge))
                lines = lines.replace("--wrap", f"--output={kind}.out --wrap")
                self.shell(lines, SLURM_CONF=slurm.environment["SLURM_CONF"])
            self.assertTrue(slurm.wait_until_all_is_done(120), slurm.call("squeue"))
            for kind in COMMANDS:
                logs = "\n".join(path.read_text() for path in self.folder.glob("allqsim-*.log"))
                self.assertTrue((self.folder / f"{kind}.out").exists(), logs)
                table = without_times((self.folder / f"{kind}.out").read_text(encoding="utf-8"))
                self.assertEqual([line.replace(f"parts-{kind}/", "parts/") for line in table], self.one(kind), logs[-2000:])
                self.assert_split(f"parts-{kind}", kind)
        self.assertEqual(slurm.steps(), [])

    # ---- Kubernetes ----

    def manifest(self):
        with open(ROOT / "docs/cluster/kubernetes.yaml", encoding="utf-8") as file:
            return yaml.safe_load(file)

    def test_kubernetes_has_the_form_of_an_indexed_job(self):
        job = self.manifest()
        spec, pod = job["spec"], job["spec"]["template"]["spec"]
        self.assertEqual((job["apiVersion"], job["kind"], spec["completionMode"]), ("batch/v1", "Job", "Indexed"))
        self.assertRegex(job["metadata"]["name"], r"^[a-z]([-a-z0-9]*[a-z0-9])?$")
        for key in ("completions", "parallelism", "backoffLimit"):
            self.assertIsInstance(spec[key], int)
        self.assertTrue(1 <= spec["parallelism"] <= spec["completions"])
        self.assertIn(pod["restartPolicy"], ("OnFailure", "Never"))  # a Job takes no other
        (part,) = pod["containers"]
        self.assertEqual(part["image"], "IMAGE")
        self.assertTrue(all(isinstance(entry["value"], str) for entry in part["env"]))
        environment = {entry["name"]: entry["value"] for entry in part["env"]}
        self.assertEqual(environment["PARTS"], str(spec["completions"]))
        self.assertEqual(environment["JOBS"], part["resources"]["limits"]["cpu"])
        volumes = {volume["name"] for volume in pod["volumes"]}
        self.assertEqual({mount["name"] for mount in part["volumeMounts"]}, volumes)
        self.assertTrue(all(isinstance(word, str) for word in part["command"] + part["args"]))

    def test_kubernetes_pods_do_all_parts(self):
        """The container's own command, once for each index."""
        job = self.manifest()
        (part,) = job["spec"]["template"]["spec"]["containers"]
        script, name, *words = part["args"]
        head = (ROOT / "docs/cluster/kubernetes.yaml").read_text(encoding="utf-8").split("apiVersion")[0]
        self.assertIn(f"merge.sh {job['spec']['completions']} /parts {' '.join(words)}\n", head)
        script = script.replace("/opt/cluster/", "docs/cluster/").replace("/parts", "parts")
        words = COMMANDS["explore"].split()
        for index in range(PARTS):
            done = subprocess.run(part["command"] + [script, name, *words], cwd=self.folder, capture_output=True, text=True, timeout=100,
                                  env={**self.environment, "JOB_COMPLETION_INDEX": str(index), "PARTS": str(PARTS), "JOBS": "1"},
                                  check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
        merged, code = self.shell(f"docs/cluster/merge.sh {PARTS} parts {COMMANDS['explore']}", code=None), self.code
        self.assertEqual((without_times(merged), code), (self.one("explore"), self.code))
        self.assert_split("parts", "explore")


def is_gnu_parallel():
    program = shutil.which("parallel")
    return program and "GNU parallel" in subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout


if __name__ == "__main__":
    ALLQSIM, ROOT, ENGINE = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve(), sys.argv[3]
    LACKING = {"parallel": [] if is_gnu_parallel() else ["parallel"], "slurm": one_node_slurm.missing(), "kubernetes": []}[ENGINE]
    if LACKING:
        print(f"not installed: {', '.join(LACKING)}; the packages are parallel and slurm-wlm")
        sys.exit(1 if os.environ.get("AQ_CLUSTER_NEEDED") else SKIPPED)
    unittest.main(argv=[sys.argv[0], "-k", f"test_{ENGINE}"])
