#!/usr/bin/python3
"""allq-client end to end: allq-fakeserver behind it, curl and socat in front. Only Python's standard library.

usage: end_to_end.py ALLQ_CLIENT ALLQ_FAKESERVER [TEST...]

Every wait ends by itself. Only processes that are started here are ended, by their handles."""

import concurrent.futures
import http.client
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from urllib.parse import quote

CLIENT, FAKESERVER = sys.argv[1:3]
WAIT_S = 20  # for what comes at once where all is well


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


class Fakes:
    """allq-fakeserver, told through its control socket what to do to which server."""

    def __init__(self, count):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen([FAKESERVER, "--servers", str(count), "--control", "127.0.0.1:0"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, bufsize=0)
        self.environment = {}
        while (line := read_line(self.process.stdout, "ready of allq-fakeserver")) != "ready":
            name, value = line.split("=", 1)
            self.environment[name] = value
        self.addresses = self.environment["SERVER_STRING"].split(",")
        host, port = self.environment.pop("CONTROL").rsplit(":", 1)
        self.control = Lines(socket.create_connection((host, int(port)), WAIT_S))

    def tell(self, **command):
        self.control.send(command)
        answer = self.control.read()
        assert answer["ok"] is True, (command, answer)
        return answer

    def crash(self, number):
        self.tell(cmd="crash", server=number)

    def start(self, number):
        self.tell(cmd="restart", server=number)

    def mute(self, number):
        self.tell(cmd="add", fault={"kind": "drop_reply", "servers": [number]})

    def close(self):
        self.control.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.communicate(timeout=WAIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(WAIT_S)
        self.log.seek(0)
        log = self.log.read().decode()
        self.log.close()
        assert self.process.returncode == 0, (self.process.returncode, log)  # what it saw was in order, too
        assert "Sanitizer" not in log, log


class Client:
    def __init__(self, environment, folder, *flags, expect=True):
        self.path = os.path.join(folder, "allq.sock")
        names = ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "LD_LIBRARY_PATH")
        env = {name: os.environ[name] for name in names if name in os.environ} | environment
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [CLIENT, "--tcp-port", "0", "--http-port", "0", "--socket", self.path, *flags],
            env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, bufsize=0)
        if not expect:
            return
        line = read_line(self.process.stdout, "line that says where it listens")
        found = re.fullmatch(r"listening tcp=127\.0\.0\.1:(\d+) http=127\.0\.0\.1:(\d+) unix=(\S+)", line)
        assert found, line
        self.tcp, self.http = int(found[1]), int(found[2])
        assert found[3] == self.path

    def errors(self):
        self.log.seek(0)
        return self.log.read().decode()

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(WAIT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(WAIT_S)
            log = self.errors()
            assert self.process.returncode == 0, (self.process.returncode, log)
            assert "Sanitizer" not in log, log
        self.process.stdout.close()
        self.log.close()

    def lines(self):
        return Lines(socket.create_connection(("127.0.0.1", self.tcp), WAIT_S))

    def unix_lines(self):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(WAIT_S)
        s.connect(self.path)
        return Lines(s)

    def rest(self, method, path, body=None, timeout=WAIT_S):
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=timeout)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def metric(self, sample):
        for line in self.rest("GET", "/metrics")[1].splitlines():
            if line.rsplit(" ", 1)[0] == sample:
                return float(line.rsplit(" ", 1)[1])
        raise AssertionError(f"no sample {sample}")

    def wait_for(self, what, condition):
        end = time.monotonic() + WAIT_S
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"{what}: not in {WAIT_S} s; log:\n{self.errors()}")
            select.select([], [], [], 0.02)

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


class Lines:
    """A connection to a JSON-lines port."""

    def __init__(self, connection):
        self.socket = connection
        self.file = connection.makefile("rb")

    def send(self, *requests):
        self.socket.sendall(b"".join(
            (request if isinstance(request, bytes) else json.dumps(request).encode()) + b"\n" for request in requests))

    def read(self):
        line = self.file.readline()
        return json.loads(line) if line else None

    def ask(self, action, **params):
        self.send({"action": action, "params": params})
        return self.read()

    def close(self):
        self.file.close()
        self.socket.close()


class Case(unittest.TestCase):
    servers = 2
    flags = ()

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gateway_")
        self.addCleanup(shutil.rmtree, self.folder)
        self.fakes = Fakes(self.servers)
        self.addCleanup(self.fakes.close)
        self.client = self.start()

    def start(self, *flags, folder=None, expect=True, **environment):
        client = Client(self.fakes.environment | environment, folder or self.folder, *self.flags, *flags,
                        expect=expect)
        self.addCleanup(client.close)
        return client

    def ends(self, code, text, *flags, **environment):
        """It does not serve, and says why."""
        client = self.start(*flags, expect=False, **environment)
        self.assertEqual(client.process.wait(WAIT_S), code)
        self.assertIn(text, client.errors())
        for name in ("A_CURVE_SECRETKEY", "A_CURVE_PUBLICKEY"):
            self.assertNotIn(self.fakes.environment[name], client.errors())

    def failure(self, answer, status, outcome):
        self.assertEqual(answer[0], status, answer)
        content = json.loads(answer[1])
        self.assertEqual(content["outcome"], outcome)
        self.assertTrue(content["error"])
        return content


class Ports(Case):
    """What works, and what is wrong with a request, through curl, socat and plain sockets."""
    servers = 1

    def curl(self, *arguments):
        done = subprocess.run(["curl", "-sS", "-m", str(WAIT_S), "-w", "\n%{http_code}", *arguments],
                              capture_output=True, text=True, timeout=2 * WAIT_S, check=True)
        body, status = done.stdout.rsplit("\n", 1)
        return int(status), body

    def url(self, path):
        return f"http://127.0.0.1:{self.client.http}{path}"

    def test_curl_takes_every_route(self):
        status, body = self.curl("-d", '{"tube":"t","body":"one"}', self.url("/job"))
        self.assertEqual(status, 200)
        put = json.loads(body)
        self.assertEqual(put["action"], "put")
        status, body = self.curl(self.url("/peek?tube=t"))
        self.assertEqual((status, json.loads(body)["body"]), (200, "one"))
        status, body = self.curl(self.url("/job?tube=t"))
        job = json.loads(body)
        self.assertEqual(job, {"id": put["job_id"], "body": "one", "tube": "t", "expireds": 0, "releases": 0})
        encoded = quote(job["id"], safe="")
        for route in ("touch", "release"):
            status, body = self.curl("-X", "PUT", self.url(f"/{route}?job_id={encoded}"))
            self.assertEqual((status, json.loads(body)), (200, {"action": route, "job_id": job["id"]}))
        self.assertEqual(json.loads(self.curl(self.url("/job?tube=t"))[1])["id"], job["id"])
        self.assertEqual(self.curl("-X", "PUT", self.url(f"/bury?job_id={encoded}"))[0], 200)
        self.assertEqual(json.loads(self.curl(self.url("/peek?tube=t&buried=true"))[1])["id"], job["id"])
        self.assertEqual(self.curl("-X", "PUT", self.url("/kick?tube=t"))[0], 200)
        self.assertEqual(json.loads(self.curl(self.url("/job?tube=t"))[1])["id"], job["id"])
        # Without encoding: commas, slashes and plus signs come through in strict.
        self.assertEqual(self.curl("-X", "PUT", self.url(f"/done?job_id={job['id']}"))[0], 200)
        content = self.failure(self.curl("-X", "PUT", self.url(f"/done?job_id={encoded}")), 409, "refused")
        self.assertEqual((content["action"], content["job_id"]), ("done", job["id"]))
        for number in range(3):
            self.curl("-d", json.dumps({"tube": "m", "body": str(number)}), self.url("/job"))
        status, body = self.curl(self.url("/multiple_job?tube=m&count=5"))
        jobs = json.loads(body)["jobs"]
        self.assertEqual([job["body"] for job in jobs], ["0", "1", "2"])
        encoded = quote(jobs[0]["id"], safe="")
        self.assertEqual(self.curl("-X", "DELETE", self.url(f"/job?job_id={encoded}"))[0], 200)
        # A parent is handed out after its child, which names it, and not before.
        status, body = self.curl("-d", '{"tube":"p","body":"parent","noop":false}', self.url("/parent_job"))
        self.assertEqual(status, 200, body)
        parent = json.loads(body)["job_id"]
        status, body = self.curl("-d", json.dumps({"tube": "p", "body": "child", "parent_id": parent}), self.url("/job"))
        self.assertEqual((status, json.loads(body)["job_id"].split(",")[0]), (200, parent.split(",")[0]))
        started = self.url(f"/set_children_started?job_id={quote(parent, safe='')}")
        self.assertEqual(self.curl("-X", "PUT", started)[0], 200)
        answer = self.curl("-X", "PUT", self.url(f"/set_children_started?job_id={encoded}"))
        self.failure(answer, 502, "refused")  # a job that was never a parent
        self.assertEqual(self.curl("-d", '{"tube":"t","tps":7}', self.url("/throttle")),
                         (200, '{"action":"throttle","value":"true"}'))
        stats = json.loads(self.curl(self.url("/stats"))[1])
        self.assertEqual(len(stats), 1)
        self.assertIn(self.fakes.addresses[0], stats[0]["server_name"])
        tubes = {tube["tube"]: tube for tube in stats[0]["stats"]}
        self.assertEqual(tubes["m"]["reserved"], 2)
        self.assertEqual(tubes["t"]["throttle_size"], 7)
        for route in ("pause", "unpause"):
            self.assertEqual(self.curl("-d", '{"tube":"t"}', self.url(f"/{route}")), (200, '{"action":"%s"}' % route))
        self.assertEqual(self.curl("-X", "DELETE", self.url("/tube?tube=c")), (200, "{}"))
        self.assertEqual(self.curl(self.url("/peek?tube=c")), (200, "{}"))
        self.assertEqual(self.curl("-d", '{"server_url":"127.0.1.9:1"}', self.url("/add_server"))[0], 200)
        self.assertEqual(self.curl("-d", '{"server_id":"127.0.1.9:1"}', self.url("/drain"))[0], 200)
        servers = json.dumps({"servers": self.fakes.environment["SERVER_STRING"]})
        self.assertEqual(self.curl("-d", servers, self.url("/update_servers")), (200, "{}"))
        self.assertEqual(list(json.loads(self.curl(self.url("/ping"))[1]).values()), ["true"])

    def test_curl_is_told_what_is_wrong(self):
        self.failure(self.curl("-d", "not json", self.url("/job")), 400, "invalid")
        self.failure(self.curl("-d", '{"tube":"t"},"action":"clear"', self.url("/job")), 400, "invalid")
        self.failure(self.curl("-d", '{"body":"no tube"}', self.url("/job")), 400, "invalid")
        self.failure(self.curl("-d", '{"tube":"t","body":"\\u0000"}', self.url("/job")), 400, "invalid")
        self.failure(self.curl(self.url("/job?tube=%ff%fe")), 400, "invalid")
        self.failure(self.curl(self.url("/job?tube=a%00b")), 400, "invalid")
        self.failure(self.curl(self.url("/multiple_job?tube=t&count=many")), 400, "invalid")
        self.failure(self.curl("-X", "PUT", self.url("/touch?job_id=nowhere,J")), 400, "invalid")
        self.failure(self.curl(self.url("/nothing")), 404, "invalid")
        self.failure(self.curl("-X", "PATCH", self.url("/job")), 405, "invalid")
        headers = subprocess.run(["curl", "-sSI", "-m", "10", self.url("/job")], capture_output=True, text=True,
                                 timeout=WAIT_S, check=True).stdout
        self.assertRegex(headers, r"405 [\s\S]*Allow: GET, POST, DELETE")
        self.assertEqual(self.curl("-H", "X: " + "x" * 40000, self.url("/stats"))[0], 431)
        self.assertEqual(self.client.metric('allq_client_calls_open'), 0)

    # Every route with what it needs, and what of it is wrong in turn; of the last ones nothing can be.
    ROUTES = (("POST", "/job", '{"tube":"t","body":"x"}', ('{"tube":"t"', '[]', '{"tube":"t","ttl":"long"}')),
              ("POST", "/parent_job", '{"tube":"t","body":"x"}', ('', '{"body":"x"}')),
              ("POST", "/throttle", '{"tube":"t","tps":1}', ('{"tube":"t"}', '{"tube":"t","tps":"fast"}')),
              ("POST", "/pause", '{"tube":"t"}', ('{}', 'x')), ("POST", "/unpause", '{"tube":"t"}', ('{}', 'x')),
              ("POST", "/drain", '{"server_id":"127.0.1.1:5555"}', ('{}', '{"server_id":"nowhere"}')),
              ("POST", "/add_server", None, ('{}', '{"server_url":"no port"}')),
              ("POST", "/update_servers", None, ('{}', '{"servers":""}')),
              ("GET", "/job", "tube=t", ("", "tube=", "tube=t&delete=maybe")),
              ("GET", "/multiple_job", "tube=t&count=2", ("tube=t", "tube=t&count=-1", "count=2")),
              ("GET", "/peek", "tube=t", ("", "tube=t&buried=maybe")),
              ("PUT", "/touch", "job_id={}", ("", "job_id=", "job_id=no-server", "job_id=nowhere,x")),
              ("PUT", "/bury", "job_id={}", ("", "job_id=nowhere,x")),
              ("PUT", "/release", "job_id={}", ("", "job_id={}&delay=soon")),
              ("PUT", "/set_children_started", "job_id={}", ("", "job_id=nowhere,x")),
              ("PUT", "/done", "job_id={}", ("", "job_id=nowhere,x")),
              ("PUT", "/kick", "tube=t", ("",)),
              ("DELETE", "/job", "job_id={}", ("", "job_id=nowhere,x")),
              ("DELETE", "/tube", "tube=t", ("",)),
              ("GET", "/stats", "", ()), ("GET", "/ping", "", ()))

    def ask_route(self, method, path, content, job_id):
        if method == "POST":
            return self.client.rest(method, path, content)
        return self.client.rest(method, f"{path}?{content.format(quote(job_id, safe=''))}" if content else path)

    def test_every_route_tells_what_is_wrong_and_nothing_reaches_a_server(self):
        job_id = json.loads(self.client.rest("POST", "/job", '{"tube":"t","body":"x"}')[1])["job_id"]
        before = self.stats_of(0)["requests"]
        for method, path, _, wrong in self.ROUTES:
            for content in wrong:
                with self.subTest(method=method, path=path, content=content):
                    self.failure(self.ask_route(method, path, content, job_id), 400, "invalid")
            other = "PATCH" if path != "/health" else "POST"
            with self.subTest(method=other, path=path):
                self.failure(self.client.rest(other, path), 405, "invalid")
        self.assertEqual(self.stats_of(0)["requests"], before)

    def test_every_route_says_that_no_server_is_available(self):
        folder = tempfile.mkdtemp(prefix="gateway_")
        self.addCleanup(shutil.rmtree, folder)
        self.client = self.start("--set", "call_timeout=1s", folder=folder)  # what must reach its origin waits so long
        job_id = json.loads(self.client.rest("POST", "/job", '{"tube":"t","body":"x"}')[1])["job_id"]
        self.fakes.crash(0)
        self.client.wait_for("503", lambda: self.client.rest("GET", "/health")[0] == 503)
        for method, path, good, _ in self.ROUTES:
            if good is None or path in ("/drain", "/ping"):  # done by the client itself
                continue
            with self.subTest(method=method, path=path):
                self.failure(self.ask_route(method, path, good, job_id), 503, "unavailable")

    def stats_of(self, server):
        return self.fakes.tell(cmd="stats")["servers"][server]

    def test_long_bodies_are_refused(self):
        path = os.path.join(self.folder, "long")
        with open(path, "wb") as file:
            file.write(b"{" + b"x" * 10_000_000)
        long = ("--data-binary", "@" + path)
        self.failure(self.curl(*long, self.url("/job")), 413, "invalid")  # curl asks first
        self.failure(self.curl("-H", "Expect:", *long, self.url("/job")), 413, "invalid")
        self.failure(self.curl("-H", "Expect:", "-H", "Transfer-Encoding: chunked", *long, self.url("/job")), 413,
                     "invalid")
        self.failure(self.curl("-X", "GET", "-H", "Expect:", *long, self.url("/stats")), 413, "invalid")
        self.assertEqual(self.client.rest("GET", "/health")[0], 200)
        # A body of just the allowed size comes through.
        body = json.dumps({"tube": "t", "body": "x" * 590_000})
        self.assertEqual(self.client.rest("POST", "/job", body)[0], 200)

    def socat(self, address, text):
        done = subprocess.run(["socat", "-t", str(WAIT_S), "-", address], input=text.encode(), capture_output=True,
                              timeout=2 * WAIT_S, check=True)
        return done.stdout.decode().splitlines()

    def test_socat_on_both_ports(self):
        for address in (f"TCP:127.0.0.1:{self.client.tcp}", f"UNIX-CONNECT:{self.client.path}"):
            answers = self.socat(address, '{"action":"put","params":{"tube":"s","body":"über"}}\n'
                                          'abc\n\n'  # noise of three characters is ignored
                                          '{"action":"get","params":{"tube":"s"}}\r\n'
                                          'nonsense\n'
                                          '{"action":"get","params":{"tube":"s"}}')  # no line feed behind the last
            self.assertEqual(len(answers), 4)
            put, got, bad, nothing = map(json.loads, answers)
            self.assertEqual(got["job"]["job_id"], put["response"]["job_id"])
            self.assertEqual(got["job"]["body"], "über")
            self.assertEqual(bad["outcome"], "invalid")
            self.assertEqual(nothing["job"], {})

    def test_pipelined_answers_keep_the_order(self):
        lines = self.client.lines()
        self.addCleanup(lines.close)
        requests = []
        for number in range(300):  # answers that take a while, and answers that come at once, by turns
            requests.append({"action": "put", "params": {"tube": "o", "body": str(number)}})
            requests.append({"action": "nothing", "params": {}})
        threading.Thread(target=lines.send, args=requests).start()
        for number in range(300):
            self.assertIn("response", lines.read())
            self.assertEqual(lines.read()["outcome"], "invalid")
        for number in range(300):
            self.assertEqual(lines.ask("get", tube="o")["job"]["body"], str(number))

    def test_a_long_line_is_refused_and_the_next_is_served(self):
        lines = self.client.lines()
        self.addCleanup(lines.close)
        threading.Thread(target=lines.send, args=(b"x" * 10_000_000, {"action": "stats", "params": {}})).start()
        self.assertEqual(lines.read(), {"error": "the line is too long, allowed are 600000 bytes",
                                        "outcome": "invalid"})
        self.assertIn("global", list(lines.read().values())[0])

    def test_nothing_leaks(self):
        for _ in range(10):
            self.client.rest("GET", "/ping")  # the connections to the servers are up
        before = self.client.open_files()
        for _ in range(30):
            lines = self.client.lines()
            lines.send({"action": "get", "params": {"tube": "t"}}, b"half a line")
            lines.close()
            self.client.rest("GET", "/job?tube=t")
        self.client.wait_for("all files closed", lambda: self.client.open_files() <= before)
        self.client.wait_for("all connections closed",
                             lambda: self.client.metric('allq_client_connections{listener="tcp"}') == 0)

    def test_many_keep_alive_connections_at_once(self):
        count, rounds = 200, 5

        def work(number):
            connection = http.client.HTTPConnection("127.0.0.1", self.client.http, timeout=WAIT_S)
            connection.connect()
            gate.wait(WAIT_S)  # all are connected
            port = connection.sock.getsockname()[1]
            for turn in range(rounds):
                body = f"{number}.{turn}"
                connection.request("POST", "/job", json.dumps({"tube": f"k{number}", "body": body}))
                put = json.loads(connection.getresponse().read())
                connection.request("GET", f"/job?tube=k{number}")
                job = json.loads(connection.getresponse().read())
                self.assertEqual((job["id"], job["body"]), (put["job_id"], body))
                connection.request("PUT", "/done?job_id=" + quote(job["id"], safe=""))
                done = connection.getresponse()
                done.read()
                self.assertEqual(done.status, 200)
                self.assertEqual(connection.sock.getsockname()[1], port)  # it was kept alive
            gate.wait(WAIT_S)
            connection.close()

        gate = threading.Barrier(count + 1)
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            futures = [pool.submit(work, number) for number in range(count)]
            gate.wait(WAIT_S)
            for future in futures:
                if future.done():
                    future.result()
            gate.wait(3 * WAIT_S)
            for future in futures:
                future.result(WAIT_S)
        self.assertEqual(self.client.metric('allq_client_calls_total{action="done",outcome="ok"}'), count * rounds)

    def test_health_and_metrics(self):
        self.client.wait_for("the first connection", lambda: '"connected":true' in self.client.rest("GET", "/health")[1])
        status, body = self.client.rest("GET", "/health")
        self.assertEqual((status, json.loads(body)["status"]), (200, "ok"))
        self.assertEqual(self.client.metric('allq_client_connections{listener="http"}'), 1)
        self.assertIn("is well: connected", self.client.errors())
        for secret in ("A_CURVE_SECRETKEY", "A_CURVE_PUBLICKEY"):
            self.assertNotIn(self.fakes.environment[secret], self.client.errors())


class Slow(Case):
    """Peers that take their time."""
    flags = ("--idle", "400ms")

    def closes(self, connection, fed=b"", every=0.05):
        """Feeds it one byte at a time until the other side closes; returns what came."""
        connection.settimeout(every)
        end, got = time.monotonic() + WAIT_S, b""
        while time.monotonic() < end:
            try:
                if fed:
                    connection.send(fed[:1])
                    fed = fed[1:] + fed[:1]
                data = connection.recv(65536)
                if not data:
                    return got
                got += data
            except socket.timeout:
                continue
            except (ConnectionResetError, BrokenPipeError):
                return got
        raise AssertionError("it was not closed")

    def test_peers_that_do_not_finish_a_request_are_closed(self):
        for port, feed, start in ((self.client.tcp, b"", b""), (self.client.tcp, b"x", b'{"action":'),
                                  (self.client.http, b"", b""), (self.client.http, b"", b"GET /st"),
                                  (self.client.http, b"x", b"GET /stats HTTP/1.1\r\nHost: h\r\nX: "),
                                  (self.client.http, b"x",
                                   b"POST /job HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n\r\n{")):
            connection = socket.create_connection(("127.0.0.1", port), WAIT_S)
            with connection:
                connection.sendall(start)
                self.closes(connection, feed)
        self.assertEqual(self.client.metric('allq_client_connections_timed_out_total{listener="tcp"}'), 2)
        self.assertEqual(self.client.metric('allq_client_connections_timed_out_total{listener="http"}'), 4)

    def test_200_of_them_hold_nobody_up(self):
        slow = [socket.create_connection(("127.0.0.1", self.client.http), WAIT_S) for _ in range(200)]
        for connection in slow:
            connection.sendall(b"GET /stats HTTP/1.1\r\nX: ")
        self.assertEqual(self.client.rest("POST", "/job", '{"tube":"t"}')[0], 200)
        for connection in slow:
            self.closes(connection)
            connection.close()

    def test_a_peer_that_does_not_read_is_closed(self):
        self.client.rest("POST", "/job", json.dumps({"tube": "t", "body": "x" * 200_000}))
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(WAIT_S)
        connection.connect(("127.0.0.1", self.client.tcp))
        self.addCleanup(connection.close)
        peek = b'{"action":"peek","params":{"tube":"t"}}\n'
        connection.sendall(peek * 200)
        self.client.wait_for("closed", lambda: self.client.metric(
            'allq_client_connections_timed_out_total{listener="tcp"}') == 1)

    def test_a_call_that_takes_longer_than_that_is_no_idle_peer(self):
        for number in range(self.servers):
            self.fakes.mute(number)
        lines = self.client.lines()
        self.addCleanup(lines.close)
        began = time.monotonic()
        self.assertEqual(lines.ask("put", tube="t")["outcome"], "unknown")
        self.assertGreater(time.monotonic() - began, 1)

    def test_a_half_closed_peer_gets_its_answers(self):
        lines = self.client.lines()
        self.addCleanup(lines.close)
        lines.send(*[{"action": "put", "params": {"tube": "h"}}] * 100)
        lines.socket.shutdown(socket.SHUT_WR)
        for _ in range(100):
            self.assertIn("response", lines.read())
        self.assertIsNone(lines.read())


class Limits(Case):
    flags = ("--max-connections", "3", "--size-limit", "100")

    def test_connections_beyond_the_limit_are_told_so(self):
        kept = [self.client.lines() for _ in range(3)]
        for lines in kept:
            self.addCleanup(lines.close)
            lines.ask("ping")
        one_more = self.client.lines()
        self.addCleanup(one_more.close)
        self.assertEqual(one_more.read(), {"error": "too many connections", "outcome": "unavailable"})
        self.assertIsNone(one_more.read())
        self.assertEqual(self.client.metric('allq_client_connections_refused_total{listener="tcp"}'), 1)
        kept[0].socket.shutdown(socket.SHUT_WR)
        self.assertIsNone(kept[0].read())
        again = self.client.lines()
        self.addCleanup(again.close)
        self.assertIn("true", again.ask("ping").values())

    def test_the_size_limit_is_exact(self):
        lines = self.client.lines()
        self.addCleanup(lines.close)
        request = '{"action":"put","params":{"tube":"t","body":"%s"}}'
        fitting = (request % ("x" * (100 - len(request) + 2))).encode()
        self.assertEqual(len(fitting), 100)
        lines.send(fitting, fitting + b"\r", fitting + b" ")
        self.assertIn("response", lines.read())
        self.assertIn("response", lines.read())
        self.assertEqual(lines.read()["error"], "the line is too long, allowed are 100 bytes")
        self.assertEqual(self.client.rest("POST", "/job", '{"tube":"t","body":"%s"}' % ("x" * 78))[0], 200)
        self.failure(self.client.rest("POST", "/job", '{"tube":"t","body":"%s"}' % ("x" * 79)), 413, "invalid")


class Failing(Case):
    """Servers that go away."""

    def test_no_server_is_503_with_a_reason_and_a_server_that_returns_is_used(self):
        status, body = self.client.rest("POST", "/job", '{"tube":"t","body":"x"}')
        self.assertEqual(status, 200)
        for number in range(2):
            self.fakes.crash(number)
        self.client.wait_for("503", lambda: self.client.rest("GET", "/health")[0] == 503)
        answer = self.failure(self.client.rest("POST", "/job", '{"tube":"t"}'), 503, "unavailable")
        self.assertIn("no server is available: 0 of 2 well", answer["error"])
        lines = self.client.unix_lines()
        self.addCleanup(lines.close)
        self.assertEqual(lines.ask("get", tube="t")["outcome"], "unavailable")
        self.fakes.start(1)
        self.client.wait_for("200", lambda: self.client.rest("GET", "/health")[0] == 200)
        self.assertEqual(self.client.rest("POST", "/job", '{"tube":"t"}')[0], 200)
        health = {server["server"]: server["health"]
                  for server in json.loads(self.client.rest("GET", "/health")[1])["servers"]}
        self.assertIn(health[self.fakes.addresses[0]], ("sick", "probing"))
        self.assertEqual(health[self.fakes.addresses[1]], "well")
        log = self.client.errors()
        self.assertEqual(log.count(f"server {self.fakes.addresses[0]} is sick: "), 1, log)
        self.assertEqual(log.count(f"server {self.fakes.addresses[1]} is well\n"), 1, log)

    def test_a_lost_reply_is_504(self):
        for number in range(2):
            self.fakes.mute(number)
        self.failure(self.client.rest("POST", "/job", '{"tube":"t"}'), 504, "unknown")

    def test_stats_name_who_is_missing(self):
        self.client.rest("GET", "/ping")
        self.fakes.crash(1)
        connection = http.client.HTTPConnection("127.0.0.1", self.client.http, timeout=WAIT_S)
        self.addCleanup(connection.close)
        connection.request("GET", "/stats")
        response = connection.getresponse()
        self.assertEqual(len(json.loads(response.read())), 1)
        self.assertIn(self.fakes.addresses[1], response.getheader("X-AllQ-Incomplete"))


class Ending(Case):
    flags = ("--drain", "30s")

    def test_sigterm_answers_what_is_open(self):
        self.fakes.mute(0)
        self.fakes.mute(1)
        lines = self.client.lines()
        self.addCleanup(lines.close)
        idle = self.client.lines()
        self.addCleanup(idle.close)
        lines.send({"action": "put", "params": {"tube": "t"}})
        rest = []
        thread = threading.Thread(target=lambda: rest.append(self.client.rest("POST", "/job", '{"tube":"t"}')))
        thread.start()
        self.client.wait_for("two open calls", lambda: self.client.metric("allq_client_calls_open") == 2)
        self.client.process.send_signal(signal.SIGTERM)
        self.assertIsNone(idle.read())  # closed at once
        self.client.wait_for("no socket", lambda: not os.path.exists(self.client.path))
        with self.assertRaises(ConnectionRefusedError):
            self.client.lines()
        self.assertEqual(lines.read()["outcome"], "unknown")  # after request_timeout
        self.assertIsNone(lines.read())
        thread.join(WAIT_S)
        self.failure(rest[0], 504, "unknown")
        self.assertEqual(self.client.process.wait(WAIT_S), 0)
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_second_sigterm_does_not_wait(self):
        self.fakes.mute(0)
        self.fakes.mute(1)
        lines = self.client.lines()
        self.addCleanup(lines.close)
        rest = []
        thread = threading.Thread(target=lambda: rest.append(self.client.rest("POST", "/job", '{"tube":"t"}')))
        thread.start()
        lines.send({"action": "put", "params": {"tube": "t"}})
        self.client.wait_for("two open calls", lambda: self.client.metric("allq_client_calls_open") == 2)
        self.client.process.send_signal(signal.SIGTERM)
        self.client.wait_for("the end begun", lambda: "2 requests are still open" in self.client.errors())
        began = time.monotonic()
        self.client.process.send_signal(signal.SIGINT)
        self.assertIn("this client is ending", lines.read()["error"])
        self.assertEqual(self.client.process.wait(WAIT_S), 0)
        self.assertLess(time.monotonic() - began, 3)
        thread.join(WAIT_S)
        self.failure(rest[0], 504, "unknown")

    def test_kill_9_does_not_stop_the_next_start(self):
        for _ in range(3):
            lines = self.client.unix_lines()
            lines.ask("ping")
            self.client.process.kill()
            self.assertEqual(self.client.process.wait(WAIT_S), -signal.SIGKILL)
            lines.close()
            self.assertTrue(os.path.exists(self.client.path))
            self.client = self.start()
        lines = self.client.unix_lines()
        self.addCleanup(lines.close)
        self.assertIn("true", lines.ask("ping").values())

    def test_a_second_process_does_not_steal_the_socket(self):
        self.ends(74, "another process serves there")
        lines = self.client.unix_lines()
        self.addCleanup(lines.close)
        self.assertIn("true", lines.ask("ping").values())


class Starting(Case):
    def test_bad_settings_end_it_with_64_and_a_reason(self):
        self.ends(64, "A_CURVE_SECRETKEY", A_CURVE_SECRETKEY="")
        self.ends(64, "A_CURVE_PUBLICKEY: does not belong to A_CURVE_SECRETKEY",
                     A_CURVE_PUBLICKEY=self.fakes.environment["A_CURVE_SERVER_PUBLICKEY"])
        self.ends(64, "A_CURVE_SECRETKEY: ", A_CURVE_SECRETKEY=self.fakes.environment["A_CURVE_SECRETKEY"][:20])
        self.ends(64, "SERVER_STRING: ", SERVER_STRING="a:b")
        self.ends(64, "SERVER_STRING: ", SERVER_STRING="127.0.0.1:5555,")
        self.ends(64, "HTTP_SERVER_PORT: found \"x\"", HTTP_SERVER_PORT="x")
        self.ends(64, "address to listen on", "--listen", "nowhere.example")
        self.ends(64, "unknown flag --fly", "--fly", "1")

    def test_a_port_that_is_taken_ends_it_with_74(self):
        self.ends(74, "cannot listen on 127.0.0.1 port", "--socket", "off", "--tcp-port", str(self.client.tcp))

    def test_wrong_server_key_is_told_once_and_serves_on(self):
        folder = tempfile.mkdtemp(prefix="gateway_")
        self.addCleanup(shutil.rmtree, folder)
        client = self.start(folder=folder, A_CURVE_SERVER_PUBLICKEY=self.fakes.environment["A_CURVE_PUBLICKEY"])
        client.wait_for("sick", lambda: client.rest("GET", "/health")[0] == 503)
        answer = self.failure(client.rest("GET", "/job?tube=t"), 503, "unavailable")
        self.assertIn("last failure", answer["error"])
        self.assertEqual(client.errors().count(f"server {self.fakes.addresses[0]} is sick"), 1)

    def test_help_and_version(self):
        for flag, text in (("--help", "usage: allq-client"), ("--version", "allq-client ")):
            done = subprocess.run([CLIENT, flag], capture_output=True, text=True, timeout=WAIT_S, check=True)
            self.assertIn(text, done.stdout)


class Upstream(Case):
    flags = ("--profile", "upstream")
    servers = 1

    def test_failures_say_nothing(self):
        lines, unix = self.client.lines(), self.client.unix_lines()
        self.addCleanup(lines.close)
        self.addCleanup(unix.close)
        lines.send(b"nonsense")
        self.assertEqual(lines.file.readline(), b"{}\n")
        unix.send(b"nonsense")
        self.assertEqual(unix.file.readline(), b'{"error" : "no_allq"}\n')
        for method, path, body in (("GET", "/nothing", None), ("POST", "/job", "nonsense"), ("PUT", "/done", None),
                                   ("PUT", "/kick?job_id=x", None), ("GET", "/job", None),
                                   ("POST", "/job", "x" * 700_000)):
            self.assertEqual(self.client.rest(method, path, body), (200, ""))

    def test_what_goes_well_looks_the_same(self):
        put = json.loads(self.client.rest("POST", "/Job/", '{"tube":"t","body":"x"}')[1])
        job = json.loads(self.client.rest("GET", "/job?tube=t")[1])
        self.assertEqual(job["id"], put["job_id"])
        self.assertEqual(json.loads(self.client.rest("DELETE", "/job?job_id=" + quote(job["id"], safe=""))[1]),
                         {"action": "delete", "job_id": job["id"]})

    def test_an_idle_connection_lasts_three_seconds(self):
        lines = self.client.lines()
        self.addCleanup(lines.close)
        began = time.monotonic()
        self.assertIsNone(lines.read())
        self.assertGreater(time.monotonic() - began, 2.5)
        self.assertLess(time.monotonic() - began, 8)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
