"""Every scenario of the library comes out as its file expects, with both profiles and several seeds, and no check is left without a judgement.

usage: library_test.py ALLQSIM ROOT BUILD_TYPE, with ALLQSIM the program and ROOT the folder of the project. In full size with the build
type Release, and a fifth of it with every one."""
import copy
import json
import pathlib
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

SHRINK = 5


def scaled_rate(text, factor):
    number, unit = re.fullmatch(r"([0-9.]+)(/[smh])", text).groups()
    return f"{float(number) * factor:g}{unit}"


def scaled_span(text, factor):
    number, unit = re.fullmatch(r"([0-9.]+)(us|ms|s)", text).groups()
    return f"{float(number) * factor:g}{unit}"


def smaller(scenario):
    """A fifth of the fleet under a fifth of the load: as much for each client and worker. Where a server crashes, messages take five
    times as long, so that as many requests are under way at that moment."""
    small = copy.deepcopy(scenario)
    for section in ("clients", "workers"):
        small[section]["count"] //= SHRINK
    arrivals = small["producers"]["arrivals"]
    for kind, rate in arrivals.items():
        arrivals[kind] = scaled_rate(rate, 1 / SHRINK)
    for slo in small.get("slo", []):
        if "throughput" in slo:
            slo["throughput"] = scaled_rate(slo["throughput"], 1 / SHRINK)
    if any(fault["kind"] == "crash" for fault in small.get("faults", [])):
        latency = small["network"]["latency"]["lognormal"]
        small["network"]["latency"]["lognormal"] = {key: scaled_span(span, SHRINK) for key, span in latency.items()}
    return small


def problem_of(program, path, profile, seed):
    """What is wrong with one run; empty where it is as it should be."""
    command = [program, "run", str(path), "--profile", profile, "--seed", str(seed), "--no-db", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or done.stderr:
        return f"exit code {done.returncode}: {done.stderr.strip() or json.loads(done.stdout)['reason']}"
    found = json.loads(done.stdout)
    silent = [name for name, check in found["checks"].items() if check["verdict"] == "unknown"]
    if found["verdict"] != "pass" or silent:
        return f"verdict {found['verdict']}, without judgement: {silent}"
    if path.stem == "server-crash" and path.parent.name == "scenarios" and profile == "strict":
        size = (found["clients"]["count"], found["clients"]["workers"], len(found["servers"]))
        if size != (1000, 5000, 4) or found["virtual_s"] < 60 or found["jobs"]["completed"] < 200000:
            return f"smaller than promised: {size}, {found['virtual_s']} s, {found['jobs']}"
    return ""


def main():
    program, root, build_type = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
    files = [path for path in sorted((root / "scenarios").glob("*.json")) if path.stem != "schema"]
    assert len(files) >= 12, files
    with tempfile.TemporaryDirectory() as folder:
        runs = []
        for path in files:
            small = pathlib.Path(folder) / path.name
            small.write_text(json.dumps(smaller(json.loads(path.read_text(encoding="utf-8")))), encoding="utf-8")
            for profile in ("strict", "upstream"):
                runs += [(program, small, profile, seed) for seed in (1, 2, 3)]
                if build_type == "Release":
                    runs.append((program, path, profile, 1))
        with ThreadPoolExecutor(2) as pool:
            problems = list(pool.map(lambda run: problem_of(*run), runs))
        failed = [(run, problem) for run, problem in zip(runs, problems) if problem]
        for (_, path, profile, seed), problem in failed:
            print(f"{path.stem} ({'full size' if path in files else 'small'}, {profile}, seed {seed}): {problem}")
    print(f"{len(runs)} runs, {len(failed)} not as expected")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
