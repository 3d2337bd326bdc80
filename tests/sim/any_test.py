#!/usr/bin/python3
"""Any client and any server: allq-client as processes in front of the fake servers, and our clients in front of allq-fakeserver.

usage: any_test.py ALLQSIM ALLQ_CLIENT ALLQ_FAKESERVER

Small runs in real time. What is waited for is waited for by its event; ports are free ones of the loopback network.
"""
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile

ALLQSIM, CLIENT, FAKESERVER = sys.argv[1:4]
LOAD = {"duration": "4s", "settle": "40s", "workers": {"count": 20, "process": {"exp": "50ms"}, "ramp": "200ms"},
        "producers": {"arrivals": {"poisson": "50/s"}, "ttl": "10s"}}
UNSEEN = ["completion-origin", "completion-arrival", "no-false-ack", "single-lease", "failover", "progress", "semantics"]


def run(folder, scenario, *arguments, env=None, world="live"):
    path = pathlib.Path(folder) / "any.json"
    path.write_text(json.dumps({**LOAD, **scenario}))
    return subprocess.run([ALLQSIM, "run", path, "--no-db", "--json", "--world", world, *arguments], env=env,
                          capture_output=True, text=True, timeout=120)


def report(done):
    assert done.stdout, f"exit {done.returncode}: {done.stderr}"
    return json.loads(done.stdout)


def marked(folder):
    """The environment of a run whose processes can be found by it, and a function that finds those that are left."""
    mark = f"ANY_TEST_MARK={folder}"

    def left():
        found = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark.encode() in (process / "environ").read_bytes().split(b"\0"):
                    found.append(int(process.name))
        return found
    return {**os.environ, "ANY_TEST_MARK": folder}, left


def any_client(folder, speak):
    """A crash of a server and of two clients, and every call goes through another program."""
    env, left = marked(folder)
    faults = [{"kind": "crash", "servers": 1, "at": "3500ms", "for": "800ms"},
              {"kind": "client_crash", "clients": [0, 2], "at": "3s", "for": "500ms"}]
    scenario = {"servers": {"count": 3}, "clients": {"exec": [CLIENT], "count": 3, "speak": speak}, "faults": faults, "duration": "6s",
                "expect": {"unknown": ["failover", "membership"]}}
    done = run(folder, scenario, env=env)
    found = report(done)
    assert found["verdict"] == "pass" and done.returncode == 0, (found["reason"], found["checks"])
    assert "unknown, as expected: failover, membership" in found["reason"], found["reason"]
    assert found["jobs"]["completed"] > 100, found["jobs"]
    for check in ("failover", "membership"):
        assert found["checks"][check]["verdict"] == "unknown", found["checks"][check]
        assert "cannot be seen" in found["checks"][check]["remark"], found["checks"][check]
    for check in ("completion-origin", "completion-arrival", "no-false-ack", "conservation", "duplicate-put", "distribution"):
        assert found["checks"][check]["verdict"] == "pass" and found["checks"][check]["judged"] > 50, (check, found["checks"][check])
    assert all(fault["touched"] for fault in found["faults"]), found["faults"]
    assert left() == [], "clients have outlived the run"


def undeclared_is_unknown(folder):
    """What cannot be judged and is not declared makes the run unknown, never a pass."""
    scenario = {"clients": {"exec": [CLIENT], "count": 2}, "duration": "1s"}
    done = run(folder, scenario)
    assert (report(done)["verdict"], done.returncode) == ("unknown", 5), done.stdout


def bad_clients(folder):
    """A client that cannot run, ends, or never listens ends the run, with its end and its last lines."""
    rows = [(["/no/such/client"], 'client 0 (clients.exec): /no/such/client cannot be run: No such file'),
            (["sh", "-c", "echo one; echo two >&2; exit 7"], "exit status 7); its last lines: one | two"),
            (["sh", "-c", "kill -9 $$"], "signal 9); its last lines: (none)"),
            (["sleep", "600"], "still running)"),
            ([CLIENT, "--no-such-flag"], "exit status 64); its last lines: allq-client: unknown flag")]
    for words, wanted in rows:
        env, left = marked(folder)
        done = run(folder, {"clients": {"exec": words, "count": 2, "ready_within": "500ms"}}, env=env)
        assert done.returncode != 0 and wanted in done.stderr, (words, done.returncode, done.stderr)
        assert "before its port" in done.stderr or "cannot be run" in done.stderr, done.stderr
        assert left() == [], words
    done = run(folder, {"clients": {"exec": [CLIENT]}}, world="virtual")
    assert done.returncode == 64 and "clients.exec: other programs need --world live" in done.stderr, done.stderr


def client_that_dies(folder):
    """A client that ends by itself is a finding."""
    script = pathlib.Path(folder) / "dies.sh"
    script.write_text(f'[ "$ALLQSIM_CLIENT_INDEX" = 1 ] || exec {CLIENT}\n'
                      f'{CLIENT} & while [ ! -e {folder}/now ]; do read -t 0.1 x < {folder}/pipe; done; kill -9 $!; rm {folder}/now; echo farewell; exit 3\n')
    os.mkfifo(f"{folder}/pipe")
    reader = os.open(f"{folder}/pipe", os.O_RDWR)  # so that nobody waits for an end of the pipe
    path = pathlib.Path(folder) / "any.json"
    path.write_text(json.dumps({**LOAD, "duration": "2s", "clients": {"exec": ["bash", str(script)], "count": 2},
                                "expect": {"unknown": ["failover", "membership"]}}))
    with subprocess.Popen([ALLQSIM, "run", path, "--no-db", "--trace", f"{folder}/trace", "--world", "live"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        wait_for_line(f"{folder}/trace", "done ok", process)
        pathlib.Path(f"{folder}/now").touch()
        text = process.communicate(timeout=90)[0]
    os.close(reader)
    assert process.returncode == 1 and "client 1 (bash): exit status 3" in " ".join(text.split()), text
    assert "farewell" in text, text


def wait_for_line(path, part, process):
    """Until the file holds the text, or the process that writes it has ended."""
    while process.poll() is None:
        with contextlib.suppress(FileNotFoundError):
            if part in pathlib.Path(path).read_text():
                return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.05)
    raise AssertionError(f"ended before {part!r}: {process.stdout.read()}")


def no_child_survives(folder):
    """However the run ends, its clients end."""
    for end, code in ((signal.SIGINT, 130), (signal.SIGKILL, -9)):
        env, left = marked(folder)
        trace = pathlib.Path(folder) / "trace"
        trace.unlink(missing_ok=True)
        path = pathlib.Path(folder) / "any.json"
        path.write_text(json.dumps({**LOAD, "duration": "60s", "clients": {"exec": [CLIENT], "count": 2}}))
        with subprocess.Popen([ALLQSIM, "run", path, "--no-db", "--quiet", "--trace", trace, "--world", "live"], env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            wait_for_line(trace, "done ok", process)
            children = [pid for pid in left() if pid != process.pid]
            assert len(children) == 2, children
            watched = [os.pidfd_open(pid) for pid in children]
            process.send_signal(end)
            process.communicate(timeout=30)
            assert process.returncode == code, process.returncode
        for fd in watched:
            poll = __import__("select").poll()
            poll.register(fd, 1)
            assert poll.poll(10000), "a client has outlived the run"
            os.close(fd)


@contextlib.contextmanager
def fakeserver(*arguments):
    """Two fake servers of another process, with the environment that it prints."""
    with subprocess.Popen([FAKESERVER, "--servers", "2", *arguments], stdout=subprocess.PIPE, text=True) as process:
        env = dict(os.environ)
        for line in process.stdout:
            if line.strip() == "ready":
                break
            name, _, value = line.strip().partition("=")
            env[name] = value
        try:
            yield process, env
        finally:
            process.kill()


def any_server(folder):
    """Servers of another process: what was put, handed out and completed adds up, link faults included."""
    with fakeserver() as (_, env):
        scenario = {"servers": {"connect": env["SERVER_STRING"]}, "clients": {"count": 4},
                    "faults": [{"kind": "partition", "servers": 0, "at": "1s", "for": "1s"}], "expect": {"unknown": UNSEEN}}
        found = report(run(folder, scenario, env=env))
        assert found["verdict"] == "pass", (found["reason"], found["checks"])
        for check in ("conservation", "duplicate-put", "duplicate-execution", "membership"):
            assert found["checks"][check]["verdict"] == "pass" and found["checks"][check]["judged"] > 50, found["checks"][check]
        for check in ("completion-origin", "completion-arrival", "no-false-ack", "single-lease", "progress", "semantics"):
            assert found["checks"][check]["verdict"] == "unknown", (check, found["checks"][check])
        assert found["jobs"]["completed"] == found["jobs"]["accepted"] > 100, found["jobs"]


def jobs_of_others_are_unexpected(folder):
    """In a tube that is not the run's own, a job of someone else is found; in one of its own it is not met."""
    with fakeserver() as (_, env):
        with subprocess.Popen([CLIENT, "--tcp-port", "0", "--http-port", "off", "--socket", "off"], env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as client:
            port = int(client.stdout.readline().split("tcp=127.0.0.1:")[1].split()[0])
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(b'{"action":"put","params":{"tube":"default","body":"not yours"}}\n')
                assert b"job_id" in connection.makefile("rb").readline()
            client.kill()
        scenario = {"servers": {"connect": env["SERVER_STRING"]}, "clients": {"count": 2}, "expect": {"unknown": UNSEEN}, "duration": "2s"}
        assert report(run(folder, scenario, env=env))["verdict"] == "pass"
        scenario["servers"]["own_tube"] = False
        done = run(folder, scenario, env=env)
        found = report(done)
        assert found["checks"]["conservation"]["verdict"] == "fail" and done.returncode == 1, found["checks"]
        assert "nobody of ours has put" in found["checks"]["conservation"]["remark"], found["checks"]["conservation"]


def lost_jobs_are_found(folder):
    """A server of another process that loses its memory has lost jobs."""
    crash = ["--set", 'faults=[{"kind":"crash","on":"lease","at":"1s","for":"200ms","servers":0}]']
    with fakeserver(*crash) as (_, env):
        scenario = {"servers": {"connect": env["SERVER_STRING"]}, "clients": {"count": 4}, "expect": {"unknown": UNSEEN},
                    "producers": {"arrivals": {"poisson": "50/s"}, "ttl": "1s"}, "settle": "25s",
                    "workers": {"count": 20, "process": {"exp": "300ms"}, "poll": {"exp": "200ms"}}}
        found = report(run(folder, scenario, env=env))
        assert found["checks"]["conservation"]["verdict"] == "fail", found["checks"]["conservation"]
        assert found["jobs"]["unexplained"] > 0, found["jobs"]


def refusals_of_servers(folder):
    """What cannot be done to servers of others, or without keys, is refused before anything starts."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("A_CURVE_")}
    there = {"servers": {"connect": "127.0.0.1:1"}}
    rows = [(there, "A_CURVE_SERVER_PUBLICKEY is missing"), ({"servers": {"connect": "127.0.0.1:1,127.0.0.1:1"}}, "is there twice"),
            ({**there, "faults": [{"kind": "crash", "at": "1s"}]}, 'faults[0]: "crash" acts inside servers')]
    for scenario, wanted in rows:
        done = run(folder, scenario, env=bare)
        assert done.returncode == 64 and wanted in done.stderr, (scenario, done.returncode, done.stderr)


def main():
    cases = {"any client, JSON lines": lambda f: any_client(f, "json_lines"), "any client, REST": lambda f: any_client(f, "rest"),
             "undeclared": undeclared_is_unknown, "bad clients": bad_clients, "a client dies": client_that_dies,
             "no child survives": no_child_survives, "any server": any_server, "jobs of others": jobs_of_others_are_unexpected,
             "lost jobs": lost_jobs_are_found, "refusals": refusals_of_servers}
    for name, case in cases.items():
        with tempfile.TemporaryDirectory() as folder:
            print(name, flush=True)
            case(folder)


main()
