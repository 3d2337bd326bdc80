#!/usr/bin/python3
"""allqsim import: what is told from snapshots that a known scenario has written is what is known.

usage: import_test.py ALLQSIM
"""
import json
import pathlib
import subprocess
import sys
import tempfile

ALLQSIM = sys.argv[1]
# Forty workers of which thirty are busy, a server that loses its memory, and one that freezes.
KNOWN = {"duration": "2m", "window": "1s", "servers": {"count": 3}, "clients": {"count": 4},
         "workers": {"count": 40, "process": {"exp": "500ms"}, "poll": {"exp": "400ms"}, "ramp": "0", "tube": "mail"},
         "producers": {"arrivals": {"poisson": "60/s"}, "tube": "mail", "ttl": "default"},
         "faults": [{"kind": "crash", "servers": 1, "at": "40s", "for": "15s"}, {"kind": "pause", "servers": 2, "at": "80s", "for": "10s"}]}


def run(*arguments):
    return subprocess.run([ALLQSIM, *map(str, arguments)], capture_output=True, text=True, timeout=100)


def write_snapshots(folder):
    (folder / "known.json").write_text(json.dumps(KNOWN))
    hashes = []
    for more in ([], ["--stats", folder / "stats.jsonl"]):
        done = run("run", folder / "known.json", "--no-db", "--json", *more)
        assert done.returncode == 0, done.stderr
        hashes.append(json.loads(done.stdout)["trace_hash"])
    assert hashes[0] == hashes[1], "that stats are written changes the run"
    lines = [json.loads(line) for line in (folder / "stats.jsonl").open()]
    assert {line["at"] for line in lines} == set(range(1, 121)), "one each second, while the load lasts"
    away = [line["at"] for line in lines if line["server"] == "127.0.1.2:5555" and 40 < line["at"] < 55]
    assert away == [], "a server that is down says nothing"


def near(found, wanted, relative):
    assert abs(found / wanted - 1) <= relative, (found, wanted)


def round_trip(folder):
    write_snapshots(folder)
    done = run("import", folder / "stats.jsonl", "-o", folder / "made.json", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    near(found["workers"], 40, 0.1)
    near(found["process_s"], 0.5, 0.1)
    near(found["poll_s"], 0.4, 0.2)
    outages = [(outage["server"], outage["restarted"]) for outage in found["outages"]]
    assert outages == [("127.0.1.2:5555", True), ("127.0.1.3:5555", False)], outages
    for outage, (start, end) in zip(found["outages"], ((39, 54), (79, 89))):  # since the first snapshot, which is at 1 s
        assert abs(outage["from_s"] - start) <= 1 and abs(outage["to_s"] - end) <= 1, outage
    made = json.loads((folder / "made.json").read_text())
    near(float(made["producers"]["arrivals"]["poisson"].removesuffix("/s")), 60, 0.05)
    assert (made["servers"]["count"], made["workers"]["tube"], made["producers"]["tube"]) == (3, "mail", "mail"), made
    assert [fault["kind"] for fault in made["faults"]] == ["burst", "crash", "pause"], made["faults"]
    tolerated = {"puts a second": 0.06, "gets a second": 0.1, "jobs ended a second": 0.06, "reserved jobs, mean": 0.1,
                 "seconds that a job is reserved": 0.1, "seconds that servers were away": 0.1, "ready jobs, mean": 0.4}
    for name, relative in tolerated.items():
        near(found["figures"][name]["scenario"], found["figures"][name]["incident"], relative)


def the_table(folder):
    done = run("import", folder / "stats.jsonl", "--seed", "2", "--clients", "4")
    assert done.returncode == 0, done.stderr
    for part in ("3 servers, 119.0 s, a snapshot every 1 s", "127.0.1.2:5555 away from 39.5 s to 54.5 s: restarted, memory lost",
                 "127.0.1.3:5555 away from 79.5 s to 89.5 s: frozen or not reached", "puts a second"):
        assert part in done.stdout, (part, done.stdout)


def events(folder):
    """What is known besides: a partition instead of a server that froze, and its own name."""
    (folder / "events.jsonl").write_text(
        '{"at": 81, "fault": {"kind": "partition", "name": "switch", "servers": 2, "for": "10s"}}\n\n')
    done = run("import", folder / "stats.jsonl", "--events", folder / "events.jsonl", "-o", folder / "made.json")
    assert done.returncode == 0, done.stderr
    faults = json.loads((folder / "made.json").read_text())["faults"]
    assert [fault["kind"] for fault in faults] == ["burst", "partition", "crash"], faults
    assert (faults[1]["name"], faults[1]["at"]) == ("switch", "80000ms"), faults


def service(folder):
    (folder / "prod.json").write_text('{"service": {"default": {"quantiles": ["1ms", "3ms"]}}}')
    done = run("import", folder / "stats.jsonl", "--service", "prod.json", "-o", folder / "made.json")
    assert done.returncode == 0, done.stderr
    assert json.loads((folder / "made.json").read_text())["servers"]["service"] == {"empirical": "prod.json"}


def refusals(folder):
    (folder / "bad.jsonl").write_text('{"at": 1, "server": "q", "stats": 5}\n')
    (folder / "few.jsonl").write_text((folder / "stats.jsonl").read_text().splitlines()[0] + "\n")
    (folder / "events.jsonl").write_text('{"at": 81, "fault": {"kind": "no_such"}}\n')
    stats = folder / "stats.jsonl"
    rows = [((), 64, "one file with snapshots is wanted"), (("a", "b"), 64, "one file with snapshots is wanted"),
            ((folder / "none.jsonl",), 74, "none.jsonl: cannot be opened"), ((folder / "bad.jsonl",), 64, "bad.jsonl:1: stats: found 5"),
            ((folder / "few.jsonl",), 64, "few.jsonl: at least three snapshots"), ((stats, "--clients", "0"), 64, '--clients: found "0"'),
            ((stats, "--events", folder / "events.jsonl"), 64, 'faults[1].kind: unknown word "no_such"'),
            ((stats, "-o", folder / "none" / "x.json"), 74, "x.json: cannot be written")]
    for arguments, code, wanted in rows:
        done = run("import", *arguments)
        assert done.returncode == code and wanted in done.stderr, (arguments, done.returncode, done.stderr)


def main():
    with tempfile.TemporaryDirectory() as name:
        for case in (round_trip, the_table, events, service, refusals):
            print(case.__name__, flush=True)
            case(pathlib.Path(name))


main()
