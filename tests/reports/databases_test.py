"""Databases of every earlier version open in this program, and what cannot be used is said in one line with exit code 66.

usage: databases_test.py ALLQSIM ROOT, with ALLQSIM the program and ROOT the folder of the project.
tests/reports/schemas/version_N.sql are the schemas of each version, with rows: when user_version rises, the schema before it
has to be there."""
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor

ALLQSIM, ROOT = "", pathlib.Path()
TINY = {"duration": "1s", "servers": {"count": 2}, "clients": {"count": 2}, "workers": {"count": 4, "ramp": "0", "process": {"exp": "20ms"}, "poll": {"exp": "50ms"}},
        "producers": {"arrivals": {"poisson": "50/s"}}}
SHAPE = ("SELECT m.type, m.name, c.name, c.type, c.\"notnull\", c.pk FROM sqlite_master AS m, pragma_table_info(m.name) AS c"
         " WHERE m.type IN ('table', 'view') ORDER BY m.name, c.cid")
LOCK_WAIT_S = 60


class DatabasesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "tiny.json").write_text(json.dumps(TINY), encoding="utf-8")

    def call(self, *arguments, code=0, **options):
        done = subprocess.run([ALLQSIM, *map(str, arguments)], capture_output=True, text=True, cwd=self.folder, check=False,
                              timeout=LOCK_WAIT_S, **options)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout[-300:]} {done.stderr[-1000:]}")
        return done

    def query(self, name, sql):
        db = sqlite3.connect(self.folder / name)
        rows = db.execute(sql).fetchall()
        db.close()
        return rows

    def made(self, version, name="old.db"):
        db = sqlite3.connect(self.folder / name)
        db.executescript((ROOT / f"tests/reports/schemas/version_{version}.sql").read_text(encoding="utf-8"))
        db.close()
        self.assertEqual(self.query(name, "PRAGMA user_version"), [(version,)])
        return name

    def tables(self, name):
        return [row[0] for row in self.query(name, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid")]

    # ---- earlier versions ----

    def versions(self):
        header = (ROOT / "reports/store_internal.h").read_text(encoding="utf-8")
        present, oldest = (int(re.search(rf"#define {name}\s+(\d+)", header).group(1)) for name in
                           ("AQ_STORE_VERSION", "AQ_STORE_VERSION_OLDEST"))
        kept = {int(path.stem.split("_")[1]) for path in (ROOT / "tests/reports/schemas").glob("version_*.sql")}
        self.assertLessEqual(set(range(oldest, present)), kept, "the schema of a version that is over is missing")
        self.assertLessEqual(max(kept), present)
        return sorted(kept), present

    def test_every_earlier_version_is_read_as_it_is(self):
        for version in self.versions()[0]:
            name = self.made(version, f"read{version}.db")
            before = (self.folder / name).read_bytes()
            self.assertIn("FAIL tiny (strict)", self.call("report", "text", name).stdout)
            found = json.loads(self.call("report", "json", name).stdout)
            self.assertEqual((found["verdict"], found["seed"], len(found["servers"])), ("fail", 5, 2))
            self.assertIn("completion-origin", self.call("report", "junit", name, "--all").stdout)
            self.assertIn("<!DOCTYPE html>", self.call("report", "html", name).stdout)
            self.call("report", "compare", name, name)
            self.assertEqual((self.folder / name).read_bytes(), before)

    def test_every_earlier_version_is_brought_up_to_date_and_loses_nothing(self):
        versions, present = self.versions()
        self.call("run", "tiny.json", "--db", "fresh.db", "--quiet")
        for version in versions:
            name, untouched = self.made(version, f"written{version}.db"), self.made(version, f"kept{version}.db")
            text = self.call("report", "text", name).stdout
            self.call("run", "tiny.json", "--db", name, "--quiet")
            self.assertEqual(self.query(name, "PRAGMA user_version"), [(present,)])
            self.assertEqual(self.query(name, "PRAGMA integrity_check; "), [("ok",)])
            self.assertEqual(self.query(name, SHAPE), self.query("fresh.db", SHAPE))
            self.assertEqual(self.call("report", "text", name, "--run", 1).stdout, text)
            self.assertIn("PASS tiny", self.call("report", "text", name, "--run", 2).stdout)
            for table in self.tables(untouched):
                columns = ", ".join(row[1] for row in self.query(untouched, f"PRAGMA table_info({table})"))
                rows = self.query(untouched, f"SELECT {columns} FROM {table}")
                self.assertTrue(rows, f"{table}: version_{version}.sql has no rows of it")
                self.assertLessEqual(set(rows), set(self.query(name, f"SELECT {columns} FROM {table}")), table)

    def test_an_earlier_version_is_merged_and_left_as_it_is(self):
        for version in self.versions()[0]:
            name = self.made(version, f"in{version}.db")
            before = (self.folder / name).read_bytes()
            self.call("report", "merge", f"out{version}.db", name)
            self.assertEqual((self.folder / name).read_bytes(), before)
            self.assertEqual(self.call("report", "json", f"out{version}.db").stdout, self.call("report", "json", name).stdout)
            for table in self.tables(name):
                count = f"SELECT count(*) FROM {table}"
                self.assertEqual(self.query(f"out{version}.db", count), self.query(name, count), table)
            self.assertEqual(sorted(path.name for path in self.folder.glob("*.part*")), [])

    # ---- what cannot be used ----

    def readers(self, name):
        return [("report", "text", name), ("report", "html", name, "--all"), ("report", "sql", name, "newest_run"),
                ("report", "csv", name, "run"), ("report", "compare", name, name), ("report", "merge", "out.db", name)]

    def writers(self, name):
        return [("run", "tiny.json", "--db", name), ("run", "tiny.json", "--seeds", "1..2", "--save", name),
                ("explore", "tiny.json", "--seeds", "1..2", "--save", name)]

    def unusable(self, name, *words, commands=None):
        for arguments in commands or self.readers(name) + self.writers(name):
            done = self.call(*arguments, code=66)
            self.assertEqual((done.stdout, done.stderr.count("\n")), ("", 1), arguments)
            for word in (name, *words):
                self.assertIn(word, done.stderr, arguments)
        self.assertFalse((self.folder / "out.db").exists())

    def test_of_the_future(self):
        self.call("run", "tiny.json", "--db", "future.db", "--quiet")
        db = sqlite3.connect(self.folder / "future.db")
        db.execute("PRAGMA user_version = 99")
        db.close()
        before = (self.folder / "future.db").read_bytes()
        self.unusable("future.db", "newer version", "99", "update the program")
        self.assertEqual((self.folder / "future.db").read_bytes(), before)

    def test_no_database_or_that_of_another_program(self):
        (self.folder / "letter.db").write_text("Dear reader, " * 200, encoding="utf-8")
        self.unusable("letter.db", "is not an SQLite database")
        db = sqlite3.connect(self.folder / "theirs.db")
        db.execute("CREATE TABLE theirs (x)")
        db.close()
        self.unusable("theirs.db", "another program")

    def test_cut_short(self):
        self.call("run", "tiny.json", "--db", "cut.db", "--quiet")
        whole = (self.folder / "cut.db").read_bytes()
        for share in (0.9, 0.5, 0.1):
            (self.folder / "cut.db").write_bytes(whole[: int(len(whole) * share) // 4096 * 4096])
            self.unusable("cut.db", "damaged or cut short")

    def test_not_there_or_empty_for_a_reader(self):
        self.unusable("missing.db", "no such file", commands=self.readers("missing.db"))
        (self.folder / "empty.db").touch()
        self.unusable("empty.db", "is empty", commands=self.readers("empty.db"))

    def test_locked(self):
        self.call("run", "tiny.json", "--db", "locked.db", "--quiet")
        db = sqlite3.connect(self.folder / "locked.db", isolation_level=None)
        self.addCleanup(db.close)
        db.execute("BEGIN EXCLUSIVE")
        with ThreadPoolExecutor(9) as pool:
            list(pool.map(lambda arguments: self.unusable("locked.db", "locked by another process", commands=[arguments]),
                          self.readers("locked.db") + self.writers("locked.db")))

    def test_read_only(self):
        self.call("run", "tiny.json", "--db", "fixed.db", "--quiet")
        os.chmod(self.folder / "fixed.db", 0o444)
        os.chmod(self.folder, 0o555)
        self.addCleanup(os.chmod, self.folder, 0o755)
        nobody = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        try:
            self.call("--version", **nobody)
        except PermissionError:
            self.skipTest("the program is in a folder that is not everybody's")
        self.assertIn("PASS tiny", self.call("report", "text", "fixed.db", **nobody).stdout)
        done = self.call("run", "tiny.json", "--db", "fixed.db", code=66, **nobody)
        self.assertRegex(done.stderr, r"\Aallqsim: fixed.db: is read-only: make it .* writable, or choose another file\n\Z")

    def test_an_input_that_a_killed_program_left_half_written_is_not_touched(self):
        self.call("run", "tiny.json", "--db", "hot.db", "--quiet")
        code = ("import os, sqlite3; db = sqlite3.connect('hot.db', isolation_level=None); db.execute('PRAGMA cache_size = 1');"
                "db.execute('BEGIN'); db.execute('UPDATE latency_bucket SET spans = spans + 1'); db.execute('UPDATE run_option SET"
                " value = value || hex(zeroblob(3000))'); os._exit(0)")
        subprocess.run([sys.executable, "-c", code], cwd=self.folder, check=True)
        self.assertTrue((self.folder / "hot.db-journal").exists())
        before = (self.folder / "hot.db").read_bytes()
        self.unusable("hot.db", "was killed while it wrote", "report sql hot.db", commands=[("report", "merge", "out.db", "hot.db")])
        self.assertEqual((self.folder / "hot.db").read_bytes(), before)
        self.call("report", "sql", "hot.db")
        self.call("report", "merge", "out.db", "hot.db")


if __name__ == "__main__":
    ALLQSIM, ROOT = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
