"""The example workflows of docs/ci are well formed, and every command in them does what it is there for: each line with allqsim is
carried out, in order, on a small suite.

usage: ci_examples_test.py ALLQSIM ROOT, with ALLQSIM the program and ROOT the folder of the project."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import yaml

ALLQSIM, ROOT = "", pathlib.Path()
SMALL = ["duration=4s", "clients.count=4", "workers.count=8", 'workers.ramp="0"', "faults=[]", "slo=[]", "expect={}",
         'producers.arrivals={"poisson":"30/s"}', "require_marks=[]"]


class ExamplesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "ci").mkdir()
        shutil.copy(ROOT / "docs/ci/tolerance.json", self.folder / "ci")
        suite = json.loads((ROOT / "docs/ci/suite.json").read_text(encoding="utf-8"))
        (self.folder / "ci/suite.json").write_text(json.dumps({**suite, "settings": SMALL}), encoding="utf-8")

    def workflow(self, name):
        with open(ROOT / "docs/ci" / name, encoding="utf-8") as file:
            return yaml.safe_load(file)

    def commands(self, text):
        """The lines that begin with the program's name, what they are redirected to left out."""
        return [line.split(">>")[0].split() for line in text.splitlines() if line.startswith("allqsim ")]

    def carry_out(self, commands, code=0):
        for command in commands:
            done = subprocess.run([ALLQSIM, *command[1:]], capture_output=True, text=True, cwd=self.folder, timeout=200, check=False)
            self.assertEqual(done.returncode, code, f"{command}: {done.stdout[-500:]} {done.stderr[-500:]}")

    def options_exist(self, commands):
        for command in commands:
            words = [word for word in command[1:3] if re.fullmatch(r"run|suite|report|compare", word)]
            help_text = subprocess.run([ALLQSIM, *words, "--help"], capture_output=True, text=True, check=True).stdout
            for word in command:
                if word.startswith("-"):
                    self.assertRegex(help_text, rf"(^|[ ,]){re.escape(word)}\b", command)

    def flow(self, suite, after, gate):
        """A first run becomes the base of a second, which is let in; one that is worse is not."""
        for part in (suite, after, gate):
            self.assertTrue(part)
            self.options_exist(part)
        self.carry_out(suite + after)
        self.assertIn("<testsuite ", (self.folder / "junit.xml").read_text(encoding="utf-8"))
        self.assertIn("<!DOCTYPE html>", (self.folder / "report.html").read_text(encoding="utf-8"))
        os.rename(self.folder / "candidate.db", self.folder / "base.db")
        self.carry_out(suite + gate)
        os.unlink(self.folder / "candidate.db")
        worse = [command + ["--set", "balancer=per_request"] for command in suite]
        self.carry_out(worse, code=1)
        self.carry_out(gate, code=3)

    def test_github_actions(self):
        jobs = self.workflow("github-actions.yml")
        self.assertLessEqual({"name", "jobs"}, set(jobs))
        self.assertIn("pull_request", jobs[True])  # YAML 1.1 reads the key "on" as true
        steps = jobs["jobs"]["suite"]["steps"]
        for step in steps:
            self.assertEqual(len({"run", "uses"} & set(step)), 1, step)
            if "uses" in step:
                self.assertRegex(step["uses"], r"\Aactions/[\w/-]+@v\d+\Z")
        named = {step.get("name"): step.get("run", "") for step in steps}
        self.flow(*(self.commands(named[name]) for name in ("Run the suite", "Pages and summary", "Gate")))

    def test_gitlab_ci(self):
        jobs = self.workflow("gitlab-ci.yml")
        for name in ("suite", "gate"):
            self.assertIn(jobs[name]["stage"], jobs["stages"])
            self.assertTrue(all(isinstance(line, str) for line in jobs[name]["script"]), jobs[name]["script"])
        self.assertEqual(jobs["suite"]["artifacts"]["reports"]["junit"], "junit.xml")
        self.assertIn("junit.xml", jobs["suite"]["artifacts"]["paths"])
        self.assertEqual(jobs["gate"]["needs"], ["suite"])
        self.flow(*(self.commands("\n".join(lines)) for lines in (jobs["suite"]["script"], jobs["suite"]["after_script"], jobs["gate"]["script"])))

    def test_the_example_suite_is_of_the_library(self):
        suite = json.loads((ROOT / "docs/ci/suite.json").read_text(encoding="utf-8"))
        for name in suite["scenarios"]:
            self.assertTrue((ROOT / f"scenarios/{name}.json").exists(), name)

    def test_scripts_that_are_named_exist(self):
        for name in ("github-actions.yml", "gitlab-ci.yml"):
            for script in re.findall(r"allqsim/(script/\w+)", (ROOT / "docs/ci" / name).read_text(encoding="utf-8")):
                self.assertTrue(os.access(ROOT / script, os.X_OK), script)


if __name__ == "__main__":
    ALLQSIM, ROOT = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
