#!/usr/bin/python3
"""kill -9 at many moments, of each program: what is left stops no later start, and the report can be read.

usage: kill_test.py ALLQSIM ALLQ_FAKESERVER ALLQ_CLIENT

The moments are spread over the whole life of a process, its first milliseconds among them; a wait that is written here is
the time of the kill, never one for something to happen. Only processes that are started here are ended.
"""
import json
import os
import re
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

ALLQSIM, FAKESERVER, CLIENT = sys.argv[1:4]
WAIT_S = 60
MOMENTS = 12
FLEET = ["--set", "clients.count=4", "--set", "workers.count=8", "--set", 'producers.arrivals={"poisson":"100/s"}', "--set",
         "workers.ramp=100ms", "--set", "slo=[]"]


def kill_after(process, seconds):
    """Whether it was alive at that moment. Its standard output, if it is a pipe, is read so that it does not wait for us."""
    try:
        process.communicate(timeout=seconds)
        return False
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=WAIT_S)
        return True


class Kills(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, *command, env=None):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   env=os.environ | (env or {}))
        self.addCleanup(lambda: process.poll() is None and process.kill())
        return process

    def started(self, process, pattern):
        """Reads until a line that matches; fails where it ends before."""
        text, end = b"", time.monotonic() + WAIT_S
        while not (found := re.search(pattern, text.decode(), re.M)):
            self.assertTrue(select.select([process.stdout], [], [], end - time.monotonic())[0], text)
            block = os.read(process.stdout.fileno(), 4096)
            self.assertTrue(block, f"it ended: {text}")
            text += block
        return found, text.decode()

    def ends(self, process):
        process.send_signal(signal.SIGTERM)
        output = process.communicate(timeout=WAIT_S)[0]
        self.assertEqual(process.returncode, 0, output)

    def report_is_whole(self, database):
        """Integrity, and the latest run in it can be read, or is said to be unfinished."""
        if not os.path.exists(database):
            return
        with sqlite3.connect(database) as db:
            self.assertEqual(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
            tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            runs = db.execute("SELECT run_id, state FROM run ORDER BY run_id DESC LIMIT 1").fetchall() if tables else []
        db.close()
        for run, state in runs:
            done = subprocess.run([ALLQSIM, "report", "text", database, "--run", str(run)], capture_output=True, text=True,
                                  timeout=WAIT_S, check=False)
            if state == "unfinished":
                self.assertEqual((done.returncode, done.stdout), (64, ""))
                self.assertRegex(done.stderr, f"run {run} never ended.* to run it again: all")
            else:
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("conservation", done.stdout)

    def simulator(self, world, *settings):
        database = self.path("runs.db")
        command = [ALLQSIM, "run", "baseline", "--db", database, "--events", "--world", world, "--quiet", *FLEET, *settings]
        began = time.monotonic()
        whole = self.start(*command)
        self.assertEqual((whole.communicate(timeout=WAIT_S)[0], whole.returncode), (b"", 0))
        life_s, killed = time.monotonic() - began, 0
        for moment in range(MOMENTS):
            killed += kill_after(self.start(*command), life_s * (moment + 0.5) / MOMENTS)
            self.report_is_whole(database)
        self.assertGreater(killed, MOMENTS // 2)
        last = self.start(*command)
        self.assertEqual((last.communicate(timeout=WAIT_S)[0], last.returncode), (b"", 0))
        self.report_is_whole(database)

    def test_a_virtual_run(self):
        self.simulator("virtual", "--set", "duration=20s", "--set", 'producers.arrivals={"poisson":"500/s"}')

    def test_a_live_run(self):
        self.simulator("live", "--set", "duration=1s")

    def moments(self):
        """From the first instants, in which a program is loaded and opens its files, to when it serves."""
        return [0.001 * 1.6 ** number for number in range(MOMENTS)]

    def test_the_fake_server(self):
        control, database, keys = self.path("control"), self.path("runs.db"), self.path("keys")
        command = [FAKESERVER, "--servers", "2", "--control", control, "--db", database, "--keys", keys]
        for moment in self.moments():
            self.assertTrue(kill_after(self.start(*command), moment))
            self.report_is_whole(database)
            next_one = self.start(*command)
            self.started(next_one, r"^ready$")
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(control)
                s.sendall(b'{"cmd":"stats"}\n')
                self.assertTrue(json.loads(s.makefile().readline())["ok"])
            next_one.send_signal(signal.SIGKILL)
            next_one.communicate(timeout=WAIT_S)
            self.report_is_whole(database)
        last = self.start(*command)
        self.started(last, r"^ready$")
        self.ends(last)
        self.assertFalse(os.path.exists(control))

    def test_the_client(self):
        fakes = self.start(FAKESERVER, "--servers", "1")
        text = self.started(fakes, r"^ready$")[1]
        env = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        path = self.path("allq.sock")
        command = [CLIENT, "--tcp-port", "0", "--http-port", "0", "--socket", path]
        for moment in self.moments():
            self.assertTrue(kill_after(self.start(*command, env=env), moment))
            next_one = self.start(*command, env=env)
            self.started(next_one, r"^listening ")
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(WAIT_S)
                s.connect(path)
                s.sendall(b'{"action":"ping","params":{}}\n')
                self.assertIn("{", s.makefile().readline())
            next_one.send_signal(signal.SIGKILL)
            next_one.communicate(timeout=WAIT_S)
        last = self.start(*command, env=env)
        self.started(last, r"^listening ")
        self.ends(last)
        self.assertFalse(os.path.exists(path))
        self.ends(fakes)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]], verbosity=2)
