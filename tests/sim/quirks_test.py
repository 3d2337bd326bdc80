"""Every choice in which the profiles differ is a line of docs/QUIRKS.md, and every line is true: its scenario is clean in strict, and with the
quirk switched on alone exactly what the line says is different.

usage: quirks_test.py ALLQSIM ROOT, with ALLQSIM the program and ROOT the folder of the project."""
import json
import pathlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

LINE = re.compile(r"\| `((?:clients|servers)\.policy\.\w+)=([^`]+)` \| [^|]+ \| [^|]+ \| `([\w-]+)` \| (.+) \|")
POLICY = re.compile(r"\| `(\w+)` \| `([^`]+)` \| `([^`]+)` \|")
NUMBERS = r"([\d.]+)(?: to ([\d.]+))?"
FIGURE = re.compile(rf"`([^`]+)`: {NUMBERS} becomes {NUMBERS}")
ORDER = "the order of events"
PASS, COULD_NOT_JUDGE = 0, 5


class Quirk:
    def __init__(self, policy, value, scenario, change):
        self.policy, self.value, self.scenario = policy, value, scenario
        self.caught, self.without, self.figures = [], {}, {}
        figure = FIGURE.fullmatch(change)
        if figure:
            name, low, high, low_with, high_with = figure.groups()
            self.without = {name: [float(low), float(high or low)]}
            self.figures = {name: [float(low_with), float(high_with or low_with)]}
            assert self.without[name][1] < self.figures[name][0] or self.figures[name][1] < self.without[name][0], change
        elif change != ORDER:
            assert re.fullmatch(r"caught by `[\w-]+`(, `[\w-]+`)*", change), change
            self.caught = re.findall(r"`([\w-]+)`", change)

    def expectation(self):
        parts = {"caught": self.caught, "figures": self.figures}
        return {name: part for name, part in parts.items() if part} or "pass"


def policies(root):
    """The upstream value of each choice of each side, None where strict has the same."""
    sections = (root / "docs/SCENARIOS.md").read_text(encoding="utf-8").split("\nOf clients")[1].split("\nOf servers:")
    schema = json.loads((root / "scenarios/schema.json").read_text(encoding="utf-8"))
    found = {}
    for side, section in zip(("clients", "servers"), sections):
        rows = {name: (strict, upstream) for name, strict, upstream in POLICY.findall(section)}
        assert set(rows) == set(schema["properties"][side]["properties"]["policy"]["properties"]), side
        for name, (strict, upstream) in rows.items():
            found[f"{side}.policy.{name}"] = None if strict == upstream else upstream.strip('"')
    return found


def run(program, path, expectation, *settings):
    """The exit code, what went wrong in words, and the hash of the run."""
    expect = json.dumps({"strict": expectation})
    command = [program, "run", str(path), "--no-db", "--json", "--set", f"expect={expect}"]
    for setting in settings:
        command += ["--set", setting]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout:
        return done.returncode, done.stderr.strip(), ""
    report = json.loads(done.stdout)
    return done.returncode, report["reason"], report["trace_hash"]


def problems_of(program, folder, scenario, quirks):
    """What is wrong with the lines of one scenario."""
    path, without = folder / f"{scenario}.json", {}
    for quirk in quirks:
        for name, (low, high) in quirk.without.items():
            least, most = without.get(name, (low, high))
            without[name] = [max(least, low), min(most, high)]
    code, reason, strict_hash = run(program, path, {"figures": without} if without else "pass")
    if code != PASS:
        yield f"{scenario}: in strict: {reason}"
    for quirk in quirks:
        code, reason, its_hash = run(program, path, quirk.expectation(), f"{quirk.policy}={quirk.value}")
        if code != PASS and not (code == COULD_NOT_JUDGE and quirk.caught):
            yield f"{scenario} with {quirk.policy}={quirk.value}: {reason}"
        if not quirk.caught and not quirk.figures and its_hash == strict_hash:
            yield f"{scenario} with {quirk.policy}={quirk.value}: nothing changes"


def main():
    program, root = sys.argv[1], pathlib.Path(sys.argv[2])
    folder = root / "scenarios/quirks"
    lines = (root / "docs/QUIRKS.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| `")]
    quirks = [Quirk(*LINE.fullmatch(row).groups()) for row in rows]
    named = {quirk.policy: quirk.value for quirk in quirks}
    assert len(named) == len(quirks), "a quirk is there twice"
    differ = {policy: value for policy, value in policies(root).items() if value is not None}
    assert named == differ, set(named.items()) ^ set(differ.items())
    by_scenario = {}
    for quirk in quirks:
        by_scenario.setdefault(quirk.scenario, []).append(quirk)
    assert set(by_scenario) == {path.stem for path in folder.glob("*.json")}, "files and lines differ"
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda item: list(problems_of(program, folder, *item)), by_scenario.items()))
    problems = [problem for of_scenario in found for problem in of_scenario]
    print("\n".join(problems))
    print(f"{len(quirks)} quirks in {len(by_scenario)} scenarios, {len(problems)} not as the page says")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
