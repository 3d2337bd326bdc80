"""Every outage of the library comes out as its file expects, with both profiles: with its own seed to the job, with others within its ranges.

usage: outages_test.py ALLQSIM ROOT BUILD_TYPE, with ALLQSIM the program and ROOT the folder of the project. Other seeds and the bound on
the time only with the build type Release."""
import json
import pathlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

PARTS = ("Story:", "Trigger:", "strict:", "upstream:", "At stake:")
RUN_TIME_MAX_S = 60


def listed(names):
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def verdict_in_words(expected):
    always, sometimes = sorted(expected.get("caught", [])), sorted(expected.get("sometimes", []))
    if not always:
        return f"passes, or is caught by {listed(sometimes)}" if sometimes else "passes"
    return f"caught by {listed(always)}" + (f", and sometimes by {listed(sometimes)}" if sometimes else "")


def lacks(path):
    """What a file lacks to be understood without another one; what its notes say of each profile has to be what it expects."""
    scenario = json.loads(path.read_text(encoding="utf-8"))
    notes = scenario["notes"]
    missing = [part for part in PARTS if not any(line.startswith(part) for line in notes)]
    for profile in ("strict", "upstream"):
        expected = scenario["expect"].get(profile, {})
        if "figures" not in expected:
            missing.append(f"expect.{profile}.figures")
        said = f"{profile}: {verdict_in_words(expected)}: "
        if not any(line.startswith(said) for line in notes):
            missing.append(said)
    return f"{path.stem}: lacks {missing}" if missing else ""


def missing_rows(root, files):
    """The rows that docs/OUTAGES.md should have and has not: what happens and what comes of it, in the words of the files."""
    page = (root / "docs/OUTAGES.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `([\w-]+)` \|", page, re.M))
    for path in files:
        scenario = json.loads(path.read_text(encoding="utf-8"))
        notes = " ".join(scenario["notes"])
        strict, upstream = re.search(r" strict: (.*) upstream: (.*) At stake:", notes).groups()
        row = f"| `{path.stem}` | {scenario['summary']} | {strict} | {upstream} |"
        if row not in page:
            yield f"docs/OUTAGES.md: lacks the row {row}"
    yield from (f"docs/OUTAGES.md: there is no {name}" for name in rows - {path.stem for path in files})


def run(program, path, profile, seed):
    """The time of the run, and what is wrong with it; empty where it is as expected."""
    command = [program, "run", str(path), "--profile", profile, "--no-db", "--json"] + (["--seed", str(seed)] if seed else [])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found = json.loads(done.stdout)
    except ValueError:
        return 0, f"exit code {done.returncode}: {done.stderr.strip()}"
    if done.returncode or found["verdict"] != "pass":
        return found["wall_s"], f"exit code {done.returncode}: {found['reason']}"
    return found["wall_s"], ""


def main():
    program, root, build_type = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
    files = sorted((root / "scenarios" / "outages").glob("*.json"))
    assert len(files) >= 25, files
    problems = [problem for problem in map(lacks, files) if problem] + list(missing_rows(root, files))
    seeds = (None, 2, 3) if build_type == "Release" else (None,)
    runs = [(program, path, profile, seed) for path in files for profile in ("strict", "upstream") for seed in seeds]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda one: run(*one), runs))
    problems += [f"{path.stem} ({profile}, seed {seed or 'its own'}): {problem}"
                 for (_, path, profile, seed), (_, problem) in zip(runs, results) if problem]
    once = sum(seconds for (_, _, _, seed), (seconds, _) in zip(runs, results) if seed is None)
    if build_type == "Release" and once > RUN_TIME_MAX_S:
        problems.append(f"all outages once with both profiles take {once:.1f} s, allowed are {RUN_TIME_MAX_S} s")
    print("\n".join(problems))
    print(f"{len(files)} outages, {len(runs)} runs, {len(problems)} problems; once with both profiles: {once:.1f} s")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
