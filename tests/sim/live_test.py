#!/usr/bin/python3
"""The live world gives each check the verdict that the virtual world gives for the same file.

usage: live_test.py ALLQSIM

Small runs in real time, about ten seconds each, side by side with nothing else of their own. Sockets of the loopback network at free ports.
"""
import json
import subprocess
import sys

FLEET = ["clients.count=10", "workers.count=40", 'producers.arrivals={"poisson":"40/s"}', "workers.ramp=1s",
         'workers.process={"exp":"200ms"}', "duration=9s", "settle=60s", "slo=[]"]
CASES = {
    "baseline": [],
    "server-crash": ["faults.0.at=2s", "faults.0.for=2s"],
    "reply-lost": [f"faults.{i}.{key}" for i in range(3) for key in ("at=2s", "for=4s", "probability=0.2")],
    "partition-half": ["faults.0.at=2s", "faults.0.for=3s"],
}


def run(allqsim, name, settings, world):
    command = [allqsim, "run", name, "--no-db", "--json", "--world", world]
    for setting in FLEET + settings:
        command += ["--set", setting]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150)
    assert done.stdout, f"{name} ({world}): exit {done.returncode}: {done.stderr}"
    return json.loads(done.stdout)


def main():
    allqsim, failed = sys.argv[1], False
    for name, settings in CASES.items():
        virtual, live = (run(allqsim, name, settings, world) for world in ("virtual", "live"))
        assert virtual["jobs"]["completed"] > 200 and live["jobs"]["completed"] > 200, name
        print(f"{name}: {live['verdict']} ({live['reason']}), {live['jobs']['completed']} jobs live")
        for check, found in virtual["checks"].items():
            other = live["checks"][check]
            if found["verdict"] != other["verdict"]:
                failed = True
                print(f"  {check}: virtual {found['verdict']} {found['remark']}; live {other['verdict']} {other['remark']}")
    sys.exit(1 if failed else 0)


main()
