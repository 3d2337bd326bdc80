#!/usr/bin/python3
"""The live world gives each check the verdict that the virtual world gives for the same file.

usage: live_test.py ALLQSIM small|full

small: 10 clients and 40 workers. full: 200 clients, 4 servers and 1,000 workers, which wants a release build. Times are shortened in both
worlds alike, to about fifteen seconds a run in real time; the full ones run one after the other. Sockets of the loopback network at free
ports.

On a machine that is busy with other things a check may be unknown in the live world, since that was too slow. Such a run is made once more;
where that does not help, and no check is broken, the test has not judged and exits with 77 (skipped).
"""
import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

SIZES = {
    "small": ["clients.count=10", "workers.count=40", 'producers.arrivals={"poisson":"40/s"}', 'workers.process={"exp":"200ms"}'],
    "full": ["clients.count=200", "workers.count=1000", 'producers.arrivals={"poisson":"1000/s"}'],
}
FLEET = ["servers.count=4", "workers.ramp=1s", "duration=10s", "settle=60s", "producers.ttl=8s"]


def fault(index, at, lasts, *more):
    return [f"faults.{index}.{key}" for key in (f"at={at}", f"for={lasts}", *more)]


CASES = {
    "baseline": [],
    "server-crash": fault(0, "3s", "3s"),
    "reply-lost": sum((fault(i, "3s", "5s") for i in range(3)), []),
    "gray-server": fault(0, "1s", "8s"),
    "rolling-restart": sum((fault(i, f"{2 * i + 1}s", "1500ms") for i in range(4)), []),
    "partition-half": fault(0, "3s", "4s"),
}
SMALL = {  # with a hundredth of the load, what is rare must be made common
    "reply-lost": sum((fault(i, "3s", "5s", "probability=0.2") for i in range(3)), []) + ["budgets.duplicate_executions_max=0.3"],
}
SKIPPED = 77
SLOW = "the machine was too slow"
LAG_ALLOWED_S = 0.5


def run(allqsim, name, settings, world):
    command = [allqsim, "run", name, "--no-db", "--json", "--world", world]
    for setting in settings:
        command += ["--set", setting]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150)
    assert done.stdout, f"{name} ({world}): exit {done.returncode}: {done.stderr}"
    return json.loads(done.stdout)


def was_slow(record):
    return max(record["figures"]["lag_message_max_s"], record["figures"]["lag_handshake_max_s"]) > LAG_ALLOWED_S


def differences(virtual, live, jobs_min):
    """Checks whose verdicts differ, and whether one of them is broken: that no slowness explains."""
    found = {check: (seen["verdict"], live["checks"][check]["verdict"], live["checks"][check]["remark"])
             for check, seen in virtual["checks"].items() if seen["verdict"] != live["checks"][check]["verdict"]}
    if live["jobs"]["completed"] < jobs_min:
        found["jobs"] = (virtual["jobs"], live["jobs"], "")
    return found, any(live["checks"][check]["verdict"] == "fail" for check in found if check != "jobs")


def compare(allqsim, name, settings, jobs_min):
    virtual = run(allqsim, name, settings, "virtual")
    assert virtual["jobs"]["completed"] >= jobs_min, (name, virtual["jobs"])
    for attempt in range(2):
        live = run(allqsim, name, settings, "live")
        found, broken = differences(virtual, live, jobs_min)
        print(f"{name}: {live['verdict']} ({live['reason']}), {live['jobs']['completed']} jobs, {live['figures']}", flush=True)
        for what, (wanted, seen, remark) in found.items():
            print(f"  {what}: virtual {wanted}, live {seen} {remark}", flush=True)
        if not found:
            return 0
        if broken or not was_slow(live):
            return 1
    return SKIPPED


def is_not_blamed_on_clients_when_the_machine_stops(allqsim):
    """A threshold that nothing can reach is broken, unless the harness itself stood still for a second."""
    settings = SIZES["small"] + FLEET + ["duration=4s", 'slo=[{"throughput": "100000/s"}]']
    command = [allqsim, "run", "baseline", "--no-db", "--json", "--world", "live"]
    for setting in settings:
        command += ["--set", setting]
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "trace")
        process = subprocess.Popen(command + ["--trace", trace], stdout=subprocess.PIPE, text=True)
        while not os.path.exists(trace) or not os.path.getsize(trace):  # until the clock of the run goes
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGSTOP)
        time.sleep(1.2)  # the trouble itself
        process.send_signal(signal.SIGCONT)
        stopped = json.loads(process.communicate(timeout=100)[0])
    slo, lag_s = stopped["checks"]["slo"], stopped["figures"]["lag_message_max_s"]
    print(f"stopped for 1.2 s: slo {slo['verdict']}, {slo['remark']}")
    running = run(allqsim, "baseline", settings, "virtual")["checks"]["slo"]
    return lag_s > 1 and slo["verdict"] == "unknown" and slo["remark"].startswith(SLOW) and running["verdict"] == "fail"


def main():
    allqsim, size = sys.argv[1:]
    small = size == "small"

    def case(name):
        settings = SMALL.get(name, CASES[name]) + ["slo=[]"] if small else CASES[name]
        return compare(allqsim, name, SIZES[size] + FLEET + settings, 200 if small else 6000)

    with concurrent.futures.ThreadPoolExecutor(3 if small else 1) as runs:
        codes = set(runs.map(case, CASES))
    if small and not is_not_blamed_on_clients_when_the_machine_stops(allqsim):
        codes.add(1)
    sys.exit(1 if 1 in codes else max(codes))


main()
