"""allqsim mutants: each of a handful of planted bugs is caught by the check that is there for it, within few
seeds; the table and the JSON say the same; wrong use is told."""
import json
import subprocess
import sys
import unittest

ALLQSIM, HAS_MUTANTS = sys.argv[1], sys.argv[2] == "ON"

# One of each family that shows within a few seeds, and the checks that may see it first.
QUICK = {
    "prefix-kept": {"completion-origin"},
    "done-elsewhere": {"completion-origin"},
    "put-repeated": {"duplicate-put"},
    "timeout-ok": {"completion-arrival", "no-false-ack"},
    "never-probed": {"failover"},
    "draining-puts": {"membership"},
    "redirect-moves": {"completion-origin"},
    "replies-in-order": {"no-false-ack", "completion-arrival"},
    "lost-is-unsent": {"duplicate-put"},
    "throttle-whole": {"semantics"},
    "ttl-cut": {"semantics"},
    "job-twice": {"single-lease", "no-false-ack"},
    "old-kept": {"membership"},
    "priority-last": {"semantics"},
    "done-stays": {"no-false-ack", "conservation"},
}


def run(*arguments):
    return subprocess.run([ALLQSIM, "mutants", *arguments], capture_output=True, text=True, timeout=390)


def only(names):
    return [word for name in names for word in ("--only", name)]


class Always(unittest.TestCase):
    def test_the_list_names_each_once_with_what_it_breaks(self):
        done = run("--list")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = [line.split(None, 2) for line in done.stdout.splitlines()]
        names = [row[0] for row in rows]
        self.assertEqual(len(names), len(set(names)))
        self.assertGreaterEqual(sum(row[1] == "client" for row in rows), 20)
        self.assertTrue(set(QUICK) <= set(names), set(QUICK) - set(names))
        self.assertTrue(all(len(row[2]) > 25 for row in rows))

    def test_wrong_use_is_told(self):
        for arguments, part in ((["--only", "nobody"], "no mutant"), (["--max-seeds", "0"], "--max-seeds"),
                                (["--repetitions", "1001"], "--repetitions"), (["a", "b"], "one SCENARIO"),
                                (["--jobs"], "--jobs"), (["--max-sedes", "1"], "--max-sedes")):
            done = run(*arguments)
            self.assertEqual(done.returncode, 64, arguments)
            self.assertIn(part, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)
            self.assertEqual(done.stdout, "")


@unittest.skipIf(HAS_MUTANTS, "this build has them")
class Without(unittest.TestCase):
    def test_a_build_without_says_how_to_get_them(self):
        done = run("--only", "prefix-kept")
        self.assertEqual(done.returncode, 64)
        self.assertIn("ALLQSIM_MUTANTS=ON", done.stderr)


@unittest.skipUnless(HAS_MUTANTS, "this build has none")
class With(unittest.TestCase):
    def test_quick_ones_are_caught_by_the_check_that_is_there_for_them(self):
        done = run("--json", "--repetitions", "1", "--max-seeds", "60", "--jobs", "2", *only(QUICK))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual((report["mutants"], report["detected"]), (len(QUICK), len(QUICK)))
        for found in report["findings"]:
            self.assertIn(found["check"], QUICK[found["name"]], found)
            self.assertEqual((found["searches"], found["found"]), (1, 1))
            self.assertEqual(found["seeds"], found["found_seed"])
            self.assertAlmostEqual(found["rate"], 1 / found["seeds"])
            self.assertLess((1 - found["rate_low"]) ** found["clean_seeds"], 0.05)

    def test_one_that_is_not_found_in_time_is_told(self):
        """Two servers without faults: no completion waits for a sick origin."""
        quiet = ["--set", "explore.faults=[]", "--set", "explore.require_marks=[]"]
        done = run("--only", "done-elsewhere", "--max-seeds", "2", "--repetitions", "2", *quiet)
        self.assertEqual(done.returncode, 5, done.stdout + done.stderr)
        self.assertIn("0 of 1 mutants found", done.stdout)
        self.assertIn("0/2", done.stdout)
        self.assertIn("Not found\n  done-elsewhere: ", done.stdout)

    def test_the_same_twice_whatever_the_number_of_processes(self):
        arguments = ["--json", "--only", "put-repeated", "--max-seeds", "40", "--repetitions", "2"]
        seen = []
        for jobs in ("1", "2"):
            finding = json.loads(run("--jobs", jobs, *arguments).stdout)["findings"][0]
            seen.append({key: value for key, value in finding.items() if key != "busy_s"})
        self.assertEqual(seen[0], seen[1])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
