"""Every outage of the library comes out as its file expects, with both profiles: with its own seed to the job, with others within its ranges.

usage: outages_test.py ALLQSIM ROOT BUILD_TYPE, with ALLQSIM the program and ROOT the folder of the project. Other seeds and the bound on
the time only with the build type Release."""
import json
import pathlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

PARTS = ("Story:", "Trigger:", "strict:", "upstream:", "At stake:")
RUN_TIME_MAX_S = 60


def lacks(path):
    """What a file lacks to be understood without another one."""
    scenario = json.loads(path.read_text(encoding="utf-8"))
    notes = scenario["notes"]
    missing = [part for part in PARTS if not any(line.startswith(part) for line in notes)]
    missing += [profile for profile in ("strict", "upstream") if "figures" not in scenario["expect"].get(profile, {})]
    return f"{path.stem}: lacks {missing}" if missing else ""


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
    problems = [problem for problem in map(lacks, files) if problem]
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
