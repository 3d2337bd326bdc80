#!/usr/bin/python3
"""allq-fakeserver end to end, with allq-client in front of it. Only Python's standard library.

usage: end_to_end.py ALLQ_FAKESERVER ALLQ_CLIENT ALLQSIM [TEST...]

Every wait ends by itself. Only processes that are started here are ended, by their handles."""

import base64
import json
import os
import random
import re
import select
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest

FAKESERVER, CLIENT, ALLQSIM = sys.argv[1:4]
WAIT_S = 30  # for what comes at once where all is well
PASSED_ON = ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "LD_LIBRARY_PATH",
             "ALLQSIM_SCENARIOS")


def read_line(stream, what):
    """A line of a child's output; fails instead of waiting for ever."""
    line = b""
    end = time.monotonic() + WAIT_S
    while not line.endswith(b"\n"):
        left = end - time.monotonic()
        if left <= 0 or not select.select([stream], [], [], left)[0]:
            raise AssertionError(f"no {what} in {WAIT_S} s")
        byte = os.read(stream.fileno(), 1)
        if not byte:
            raise AssertionError(f"{what}: ended after {line!r}")
        line += byte
    return line.decode().rstrip("\n")


def wait_until(what, happened):
    """Asks again and again; what the asked process does is the event that is waited for."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        found = happened()
        if found:
            return found
        select.select([], [], [], 0.02)
    raise AssertionError(f"{what}: not in {WAIT_S} s")


def environment(more=None):
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ} | (more or {})


class Child:
    def __init__(self, command, env):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=self.log, bufsize=0)

    def errors(self):
        self.log.seek(0)
        return self.log.read().decode()

    def wait(self):
        try:
            self.process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(WAIT_S)
            raise AssertionError("it did not end: " + self.errors())
        return self.process.returncode

    def close(self, end=True):
        """Ends it, or waits until it ends by itself; returns its exit code, and what it has printed since."""
        if end and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        rest = b""
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end and select.select([self.process.stdout], [], [], WAIT_S)[0]:
            block = os.read(self.process.stdout.fileno(), 65536)
            if not block:
                break
            rest += block
        code = self.wait()
        errors = self.errors()
        self.process.stdout.close()
        self.log.close()
        assert "Sanitizer" not in errors and "runtime error" not in errors, errors
        return code, rest.decode(), errors

    def kill(self):
        self.process.kill()
        self.process.wait(WAIT_S)
        self.process.stdout.close()
        self.log.close()


class FakeServer(Child):
    def __init__(self, *flags):
        super().__init__([FAKESERVER, *flags], environment())
        self.environment = {}
        while (line := read_line(self.process.stdout, "ready of allq-fakeserver")) != "ready":
            name, value = line.split("=", 1)
            self.environment[name] = value
        self.where = self.environment.pop("CONTROL", None)
        self.addresses = self.environment["SERVER_STRING"].split(",")

    def control(self):
        if "/" in self.where:
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(WAIT_S)
            s.connect(self.where)
        else:
            host, port = self.where.rsplit(":", 1)
            s = socket.create_connection((host, int(port)), WAIT_S)
        return Lines(s)


class Client(Child):
    def __init__(self, env, *flags):
        super().__init__([CLIENT, "--tcp-port", "0", "--http-port", "off", "--socket", "off", *flags],
                         environment(env))
        line = read_line(self.process.stdout, "line that says where allq-client listens")
        self.port = int(re.search(r"tcp=127\.0\.0\.1:(\d+)", line)[1])

    def lines(self):
        return Lines(socket.create_connection(("127.0.0.1", self.port), WAIT_S))


class Lines:
    """Requests and answers as JSON lines."""

    def __init__(self, connection):
        self.socket = connection
        self.socket.settimeout(WAIT_S)
        self.file = connection.makefile("rb")

    def send(self, text):
        self.socket.sendall(text.encode() + b"\n")

    def raw(self, text):
        self.send(text)
        return json.loads(self.file.readline())

    def ask(self, **request):
        return self.raw(json.dumps(request))

    def ok(self, **request):
        answer = self.ask(**request)
        assert answer["ok"] is True, answer
        return answer

    def refused(self, **request):
        answer = self.ask(**request)
        assert answer["ok"] is False, answer
        return answer["error"]

    def put(self, body, **params):
        return self.ask(action="put", params={"tube": "t", "body": body, "ttl": 60} | params)

    def get(self):
        return self.ask(action="get", params={"tube": "t"})

    def done(self, job_id):
        return self.ask(action="done", params={"job_id": job_id})

    def close(self):
        self.file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def job_id_of(answer):
    job = (answer.get("response") or {}).get("job") or answer.get("job") or {}
    job_id = job.get("job_id") or (answer.get("response") or {}).get("job_id")
    assert job_id, answer
    return job_id


def z85_of(allqueue):
    return base64.b64decode(allqueue).rstrip(b"\0").decode()


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, *flags):
        server = FakeServer(*flags)
        self.addCleanup(lambda: server.process.poll() is None and server.kill())
        return server

    def start_fails(self, *flags):
        code, output, errors = Child([FAKESERVER, *flags], environment()).close(end=False)
        self.assertEqual(output, "")
        return code, errors

    def client(self, env, *flags):
        client = Client(env, *flags)
        self.addCleanup(lambda: client.process.poll() is None and client.kill())
        return client

    def allqsim(self, *arguments):
        done = subprocess.run([ALLQSIM, *arguments], env=environment(), capture_output=True, timeout=WAIT_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.decode()

    def put_somewhere(self, lines, body):
        """A put that succeeds, however long the client needs to find its servers."""
        def try_it():
            answer = lines.put(body)
            return "error" not in json.dumps(answer) and "unavailable" not in json.dumps(answer) and answer
        return job_id_of(wait_until("a put", try_it))


class Serving(Case):
    def test_jobs_go_round_and_the_report_has_them(self):
        database = self.path("runs.db")
        server = self.start("--servers", "3", "--db", database)
        self.assertEqual(len({address.rsplit(":", 1)[0] for address in server.addresses}), 3)
        client = self.client(server.environment)
        with client.lines() as lines:
            ids = {self.put_somewhere(lines, f"body {i}") for i in range(30)}
            self.assertEqual(len(ids), 30)
            self.assertGreater(len({i.split(",")[0] for i in ids}), 1)  # more than one server
            got = set()
            while len(got) < 30:
                job = lines.get()
                if "body" not in json.dumps(job):
                    continue
                got.add(job_id_of(job))
                self.assertNotIn("error", json.dumps(lines.done(job_id_of(job))))
            self.assertEqual(got, ids)
        client.close()
        code, summary, errors = server.close()
        self.assertEqual((code, errors), (0, ""))
        self.assertIn("PASS", summary)
        report = self.allqsim("report", "text", database)
        self.assertIn("the servers' side holds", report)
        record = json.loads(self.allqsim("report", "json", database))
        self.assertEqual(record["jobs"]["accepted"], 30)
        self.assertEqual(record["jobs"]["completed"], 30)
        secret = server.environment["A_CURVE_SECRETKEY"]
        with open(database, "rb") as file:
            stored = file.read()
        for where in (summary, report, stored.decode("latin-1")):
            self.assertNotIn(secret, where)
            self.assertNotIn(z85_of(secret), where)

    def test_a_completion_at_another_server_fails_the_run(self):
        server = self.start("--servers", "2", "--control", "127.0.0.1:0")
        client = self.client(server.environment)
        with client.lines() as lines, server.control() as control:
            ids = [s["id"] for s in control.ok(cmd="stats")["servers"]]
            self.put_somewhere(lines, "x")
            origin, job = wait_until("the job", lambda: (lambda a: "body" in json.dumps(a) and job_id_of(a))(
                lines.get())).split(",")
            lines.done(ids[1 - ids.index(origin)] + "," + job)
            self.assertGreater(control.ok(cmd="stats")["violations"], 0)
        client.close()
        code, summary, _ = server.close()
        self.assertEqual(code, 1)
        self.assertIn("FAIL", summary)
        self.assertIn("broken: completion-origin", summary)

    def test_jobs_on_disk_outlive_a_crash(self):
        server = self.start("--servers", "1", "--set", "servers.persistent=true", "--control", "127.0.0.1:0")
        client = self.client(server.environment)
        with client.lines() as lines, server.control() as control:
            for i in range(5):
                self.put_somewhere(lines, f"x{i}")
            control.ok(cmd="crash", server=0)
            control.ok(cmd="restart", server=0)
            wait_until("the second life", lambda: control.ok(cmd="stats")["servers"][0]["up"])
            self.assertEqual(control.ok(cmd="stats")["servers"][0]["ready"], 5)
        client.close()
        code, summary, _ = server.close()
        self.assertEqual(code, 0, summary)

    def test_json_gives_one_object_after_ready(self):
        server = self.start("--servers", "1", "--json", "--for", "100ms")
        code, summary, _ = server.close(end=False)
        self.assertEqual(code, 0)
        self.assertEqual(json.loads(summary)["jobs"]["accepted"], 0)

    def test_it_ends_by_itself_after_its_time(self):
        server = self.start("--servers", "1", "--for", "300ms")
        self.assertEqual(server.close(end=False)[0], 0)

    def test_same_host_gives_consecutive_ports_of_one_host(self):
        server = self.start("--servers", "2", "--same-host")
        self.assertEqual({address.rsplit(":", 1)[0] for address in server.addresses}, {"127.0.1.1"})
        self.assertEqual(len(set(server.addresses)), 2)
        server.close()

    def test_a_port_in_use_is_refused_at_once(self):
        first = self.start("--servers", "1")
        port = first.addresses[0].rsplit(":", 1)[1]
        code, errors = self.start_fails("--servers", "1", "--port", port)
        self.assertEqual(code, 74)
        self.assertIn("cannot listen on 127.0.1.1 port " + port, errors)
        first.close()

    def test_wrong_use_is_said_in_one_line(self):
        for flags, part in ((["--servers", "0"], "--servers"), (["--for", "soon"], "--for"),
                            (["--nonsense"], "--nonsense"), (["more"], "more"),
                            (["--scenario", "no-such"], "no-such"), (["--control", "8.8.8.8:1"], "loopback")):
            code, errors = self.start_fails(*flags)
            self.assertEqual(code, 64, errors)
            self.assertEqual(errors.count("\n"), 1, errors)
            self.assertIn(part, errors)

    def test_a_scenario_strikes_by_time(self):
        scenario = self.path("crash.json")
        with open(scenario, "w") as file:
            json.dump({"summary": "A server goes and comes back.", "servers": {"count": 2}, "faults": [
                {"kind": "crash", "servers": [1], "at": "200ms", "for": "100ms"},
                {"kind": "worker_crash", "at": "1s"}]}, file)
        server = self.start("--scenario", scenario, "--control", self.path("control"))
        self.assertIn("worker_crash", server.errors())  # left out, and said so
        with server.control() as control:
            wait_until("the second life of server 1",
                       lambda: control.ok(cmd="stats")["servers"][1]["incarnations"] == 2)
        self.assertEqual(server.close()[0], 0)


class Control(Case):
    def test_a_lost_reply_is_applied_and_counted(self):
        server = self.start("--servers", "1", "--control", "127.0.0.1:0")
        client = self.client(server.environment, "--set", "request_timeout=1s", "--set",
                             "call_timeout=3s")
        with client.lines() as lines, server.control() as control:
            job = self.put_somewhere(lines, "x")
            self.assertEqual(job_id_of(lines.get()), job)
            fault = control.ok(cmd="add", server=0,
                               fault={"kind": "drop_reply", "actions": ["done"], "probability": 1})["id"]
            listed = control.ok(cmd="list")["faults"]
            self.assertEqual([(f["id"], f["kind"], f["in_force"]) for f in listed], [(fault, "drop_reply", True)])
            answer = json.dumps(lines.done(job))
            self.assertNotIn('"action": "done", "job_id"', answer)
            self.assertEqual(control.ok(cmd="stats")["completed"], 1)
            receipts = control.ok(cmd="remove", id=fault)
            self.assertGreaterEqual(receipts["touched"], 1)
            self.assertEqual(receipts["strikes"], 1)
            self.assertEqual(control.ok(cmd="list")["faults"], [])
            self.assertIn("over", control.refused(cmd="remove", id=fault))
        client.close()
        self.assertEqual(server.close()[0], 0)

    def test_a_server_crashes_and_starts_again(self):
        server = self.start("--servers", "2", "--control", "127.0.0.1:0")
        client = self.client(server.environment)
        with client.lines() as lines, server.control() as control:
            for i in range(10):
                self.put_somewhere(lines, f"x{i}")
            control.ok(cmd="crash", server=1)
            state = control.ok(cmd="stats")["servers"][1]
            self.assertEqual((state["up"], state["ready"]), (False, 0))
            self.assertIn("down", control.refused(cmd="crash", server=1))
            for i in range(10):
                self.put_somewhere(lines, f"y{i}")  # the other one takes them
            control.ok(cmd="restart", server=1)
            wait_until("the second life", lambda: control.ok(cmd="stats")["servers"][1]["up"])
            self.assertIn("up", control.refused(cmd="restart", server=1))
            seen = control.ok(cmd="stats")["servers"][1]["requests"]
            lines_put = iter(range(1000000))

            def reaches_it():
                self.put_somewhere(lines, f"z{next(lines_put)}")
                return control.ok(cmd="stats")["servers"][1]["ready"] > 0
            wait_until("a put at the server that came back", reaches_it)
            self.assertGreater(control.ok(cmd="stats")["servers"][1]["requests"], seen)
        client.close()
        code, summary, _ = server.close()
        self.assertEqual(code, 0)
        self.assertIn("crash", summary)

    def test_faults_on_links_act_through_proxies(self):
        server = self.start("--servers", "1", "--proxies", "--control", "127.0.0.1:0")
        client = self.client(server.environment)
        with client.lines() as lines, server.control() as control:
            self.put_somewhere(lines, "x")
            fault = control.ok(cmd="add", fault={"kind": "latency", "delay": "200ms"})["id"]
            begin = time.monotonic()
            self.put_somewhere(lines, "y")
            self.assertGreater(time.monotonic() - begin, 0.2)
            self.assertGreater(control.ok(cmd="remove", id=fault)["touched"], 0)
        client.close()
        self.assertEqual(server.close()[0], 0)

    def test_bad_commands_are_answered(self):
        server = self.start("--servers", "2", "--control", self.path("control"))
        with server.control() as control:
            self.assertFalse(control.raw("no json")["ok"])
            self.assertFalse(control.raw('{"cmd": "list"} and more')["ok"])
            self.assertFalse(control.raw("[]")["ok"])
            self.assertIn("cmd", control.refused(cmd="dance"))
            for server_index in (2, -1, 0.5, "one", None):
                self.assertIn("server", control.refused(cmd="crash", server=server_index))
            self.assertIn("id", control.refused(cmd="remove", id=0))
            self.assertIn("fault", control.refused(cmd="add"))
            self.assertIn("drop_reply", control.refused(cmd="add", fault={"kind": "drop_repl"}))
            self.assertIn("probability", control.refused(cmd="add", fault={"kind": "drop_reply", "probability": 2}))
            self.assertIn("--proxies", control.refused(cmd="add", fault={"kind": "partition"}))
            self.assertIn("clients", control.refused(cmd="add", fault={"kind": "client_crash"}))
            self.assertEqual(control.ok(cmd="list")["faults"], [])
            control.send("\n\n" + '{"cmd":"list"}\r\n{"cmd":"stats"}')  # several at once, blank lines between
            self.assertIn("faults", json.loads(control.file.readline()))
            self.assertIn("servers", json.loads(control.file.readline()))
        with server.control() as control:
            try:
                control.send("x" * 200000)
            except OSError:
                pass
            try:
                answer = control.file.readline()
                self.assertTrue(answer == b"" or not json.loads(answer)["ok"])
                self.assertEqual(control.file.readline(), b"")  # it was closed
            except ConnectionError:
                pass
        with server.control() as control:
            control.ok(cmd="stats")
        self.assertEqual(server.close()[0], 0)

    def test_a_killed_process_leaves_no_stale_socket(self):
        path = self.path("control")
        first = self.start("--servers", "1", "--control", path)
        code, errors = self.start_fails("--servers", "1", "--control", path)
        self.assertEqual(code, 74)  # a live one is not stolen
        self.assertIn("another process", errors)
        with first.control() as control:
            control.ok(cmd="list")
        first.kill()
        self.assertTrue(os.path.exists(path))
        second = self.start("--servers", "1", "--control", path)
        with second.control() as control:
            control.ok(cmd="list")
        second.close()
        self.assertFalse(os.path.exists(path))

    def test_a_killed_process_leaves_a_database_that_can_be_used(self):
        database = self.path("runs.db")
        self.start("--servers", "1", "--db", database).kill()
        second = self.start("--servers", "1", "--db", database)
        self.assertEqual(second.close()[0], 0)
        self.assertIn("fakeserver", self.allqsim("report", "text", database))


class Keys(Case):
    def test_keys_are_fresh_or_kept(self):
        path = self.path("keys.json")
        first = self.start("--servers", "1", "--keys", path)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        second = self.start("--servers", "1", "--keys", path)
        third = self.start("--servers", "1")
        names = [name for name in first.environment if name.startswith("A_CURVE")]
        self.assertEqual(len(names), 3)
        for name in names:
            self.assertEqual(first.environment[name], second.environment[name])
            self.assertNotEqual(first.environment[name], third.environment[name])
        with open(path) as file:
            server_secret = json.load(file)["server_secret"]
        for server in (first, second, third):
            _, summary, errors = server.close()
            self.assertNotIn(server_secret, summary + errors + str(server.environment))
            self.assertNotIn(z85_of(server.environment["A_CURVE_SECRETKEY"]), summary + errors)

    def test_a_broken_keys_file_is_refused_without_showing_it(self):
        path = self.path("keys.json")
        with open(path, "w") as file:
            file.write('{"server_public": "short", "server_secret": "SECRETSECRET"}')
        code, errors = self.start_fails("--keys", path)
        self.assertEqual(code, 64)
        self.assertNotIn("SECRETSECRET", errors)

    def test_only_listed_clients_are_let_in(self):
        keys, allowed, database = self.path("keys.json"), self.path("allowed"), self.path("runs.db")
        known = self.start("--servers", "1", "--keys", keys)
        stranger = self.start("--servers", "1")
        with open(allowed, "w") as file:
            file.write("# the clients\n" + known.environment["A_CURVE_PUBLICKEY"] + " mine\n")
        known.close()
        server = self.start("--servers", "1", "--keys", keys, "--allow-clients", allowed, "--control",
                            "127.0.0.1:0", "--db", database)
        self.assertEqual(server.errors(), "")
        strange = {name: stranger.environment[name] for name in ("A_CURVE_PUBLICKEY", "A_CURVE_SECRETKEY")}
        stranger.close()
        refused = self.client(server.environment | strange)
        with server.control() as control:
            wait_until("two refusals", lambda: control.ok(cmd="stats")["clients_refused"] >= 2)
        client = self.client(server.environment)
        with client.lines() as lines:
            self.put_somewhere(lines, "x")
        refused.close()
        client.close()
        code, summary, errors = server.close()
        self.assertEqual(code, 0)
        self.assertEqual(errors.count("refused the client key"), 1, errors)  # once, not for each attempt
        self.assertIn(z85_of(strange["A_CURVE_PUBLICKEY"]), errors)
        self.assertRegex(summary, r"clients-refused \d+")
        marks = json.loads(self.allqsim("report", "json", database))["marks"]
        self.assertGreaterEqual(marks["clients-refused"], 2)
        self.assertGreaterEqual(marks["clients-let-in"], 1)

    def test_a_client_with_the_wrong_server_key_disturbs_nobody(self):
        server = self.start("--servers", "1")
        other = self.start("--servers", "1")
        wrong = self.client(server.environment |
                            {"A_CURVE_SERVER_PUBLICKEY": other.environment["A_CURVE_SERVER_PUBLICKEY"]})
        client = self.client(server.environment)
        with client.lines() as lines, wrong.lines() as strange:
            self.put_somewhere(lines, "x")
            self.assertNotIn("job_id", json.dumps(strange.put("y")))
            self.put_somewhere(lines, "z")
        wrong.close()
        client.close()
        code, summary, _ = server.close()
        self.assertEqual(code, 0)
        self.assertIn("PASS", summary)
        other.close()


class Hostile(Case):
    """Peers that are no clients: it stays up, serves the others, keeps no file of theirs, and says each thing once."""

    def setUp(self):
        super().setUp()
        self.server = self.start("--servers", "1", "--control", "127.0.0.1:0")
        self.good = self.client(self.server.environment)
        self.lines = self.good.lines()
        self.addCleanup(self.lines.close)
        self.put_somewhere(self.lines, "before")
        host, port = self.server.addresses[0].rsplit(":", 1)
        self.address = (host, int(port))
        self.control = self.server.control()
        self.addCleanup(self.control.close)
        self.failed()  # the control connection is accepted
        self.before = self.open_files()

    def open_files(self):
        return len(os.listdir(f"/proc/{self.server.process.pid}/fd"))

    def connect(self):
        return socket.create_connection(self.address, WAIT_S)

    def failed(self):
        return self.control.ok(cmd="stats")["handshakes_failed"]

    def ends_well(self, *told):
        """The good client is served all the while; nothing is left of the others; each kind was told once."""
        self.put_somewhere(self.lines, "meanwhile")
        wait_until("their files closed", lambda: self.open_files() <= self.before)
        self.good.close()
        code, summary, errors = self.server.close()
        self.assertEqual(code, 0, summary)
        self.assertEqual(sorted(re.findall(r"a peer (.*?)(?: \(|,|;)", errors)), sorted(told), errors)
        self.assertEqual(errors.count("\n"), len(told), errors)

    def test_the_wrong_server_key(self):
        other = self.start("--servers", "1")
        key = {"A_CURVE_SERVER_PUBLICKEY": other.environment["A_CURVE_SERVER_PUBLICKEY"]}
        other.close()
        wrong = self.client(self.server.environment | key, "--set", "probe_first=50ms", "--set", "probe_max=50ms")
        wait_until("five refusals", lambda: self.failed() >= 5)
        wrong.close()
        self.ends_well("has another key for this server")

    def test_no_key(self):
        null = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(48)
        for number in range(5):
            with self.connect() as peer:
                peer.sendall(null)
                while peer.recv(4096):  # until it is closed
                    pass
            wait_until("counted", lambda: self.failed() == number + 1)
        self.ends_well("speaks ZMTP")

    def test_not_zmtp(self):
        for _ in range(20):
            with self.connect() as peer:
                peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                try:
                    while peer.recv(4096):
                        pass
                except ConnectionResetError:
                    pass
        wait_until("all counted", lambda: self.failed() == 20)
        self.ends_well("does not speak ZMTP")

    def test_ten_megabytes_of_noise(self):
        noise = random.Random(1).randbytes(1_000_000)
        with self.connect() as peer:
            try:
                for _ in range(10):
                    peer.sendall(noise)
            except (ConnectionResetError, BrokenPipeError):
                pass
        wait_until("counted", lambda: self.failed() == 1)
        greeting = b"\xff" + bytes(8) + b"\x7f\x03\x00CURVE" + bytes(47)
        with self.connect() as peer:
            try:
                peer.sendall(greeting)
                for _ in range(10):
                    peer.sendall(noise)
            except (ConnectionResetError, BrokenPipeError):
                pass
        wait_until("counted", lambda: self.failed() == 2)
        self.put_somewhere(self.lines, "meanwhile")
        wait_until("their files closed", lambda: self.open_files() <= self.before)
        self.good.close()
        code, summary, errors = self.server.close()
        self.assertEqual((code, errors.count("\n")), (0, 2), summary + errors)

    def test_a_thousand_half_open_connections_and_a_stalled_handshake(self):
        peers = [self.connect() for _ in range(1000)]
        peers[0].sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00CURVE" + bytes(47))
        wait_until("all accepted", lambda: self.open_files() >= self.before + 1000)
        newcomer = self.client(self.server.environment)
        with newcomer.lines() as lines:
            for number in range(20):
                self.put_somewhere(lines, f"new {number}")
                self.put_somewhere(self.lines, f"old {number}")
        newcomer.close()
        for peer in peers:
            peer.close()
        wait_until("all counted", lambda: self.failed() == 1000)
        self.ends_well("went away or stalled before the handshake was through")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]], verbosity=2)
