"""`allqsim report` in its formats, about real runs: valid, complete, and harmless whatever the texts are.

usage: formats_test.py ALLQSIM ROOT, with ALLQSIM the program and ROOT the folder of the project"""
import csv
import html.parser
import io
import json
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

ALLQSIM, ROOT = "", pathlib.Path()
HOSTILE = "<script>alert(1)</script> | `x` ]]> @all \u202e% :: \x07\n::error::fooled"
SMALL = {
    "summary": HOSTILE,
    "duration": "4s",
    "servers": {"count": 2},
    "clients": {"count": 4},
    "workers": {"count": 8, "process": {"exp": "50ms"}, "poll": {"exp": "100ms"}},
    "producers": {"arrivals": {"poisson": "30/s"}, "ttl": "5s"},
}
MORE = {**SMALL, "explore": {"settings": {"servers.count": {"range": [2, 3]}}, "require_marks": ["lease_expired"]},
        "plan": {"slo": "p99(get_to_done) < 1s, throughput > 1/s", "warm_up": "1s"}}
VOID = {"meta", "input", "br", "img"}


class Nesting(html.parser.HTMLParser):
    """Fails where a tag is not closed or closed twice."""

    def __init__(self):
        super().__init__()
        self.open, self.ids = [], []

    def handle_starttag(self, tag, attrs):
        self.ids += [value for name, value in attrs if name == "id"]
        if any(name.startswith("on") or name == "style" for name, _ in attrs):
            raise AssertionError(f"{tag} {attrs}")
        if tag not in VOID and not self.get_starttag_text().endswith("/>"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            raise AssertionError(f"</{tag}> at {self.getpos()}")


class FormatsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        (cls.folder / "small.json").write_text(json.dumps(SMALL), encoding="utf-8")
        (cls.folder / "fault.json").write_text(json.dumps({**SMALL, "faults": [
            {"kind": "crash", "name": HOSTILE[:60], "at": "1s", "for": "1s", "servers": 1}]}), encoding="utf-8")
        few = ["--set", "duration=10s", "--set", "clients.count=20", "--set", "workers.count=40",
               "--set", 'producers.arrivals={"poisson":"40/s"}']
        cls.plain(cls, "run", "small.json", "--db", "runs.db", "--quiet")
        cls.plain(cls, "run", "load-balancer", "--db", "runs.db", "--quiet", *few)
        cls.annotated = cls.plain(cls, "run", "load-balancer", "--db", "runs.db", "--quiet", *few, "--set",
                                  'expect={"strict":"pass"}', "--annotations", "github", code=1).stderr
        cls.plain(cls, "run", "fault.json", "--db", "runs.db", "--quiet", "--events")
        cls.plain(cls, "run", "small.json", "--db", "runs.db", "--quiet", "--set", "expect={\"strict\":{\"caught\":[\"progress\"]}}",
                  code=None)
        (cls.folder / "more.json").write_text(json.dumps(MORE), encoding="utf-8")
        cls.explored = cls.plain(cls, "explore", "more.json", "--seeds", "1..6", "--save", "explored.db", "--json", code=5).stdout
        cls.planned = cls.plain(cls, "plan", "more.json", "--clients", "4..12", "--step", 4, "--servers", "1..2", "--survive", 1,
                                "--seeds", 3, "--save", "planned.db", "--json").stdout
        with sqlite3.connect(cls.folder / "runs.db") as db:
            db.execute("INSERT INTO run (scenario, summary, scenario_text, scenario_hash, seed, seed_text, version, build, world,"
                       " fidelity, client_profile, server_profile, reproduce, started_unix_s) VALUES (?1, ?1, ?1, '0000000000000000', '0000000000000000', ?1, ?1,"
                       " ?1, ?1, ?1, ?1, ?1, ?1, 0)", [HOSTILE])
        db.close()

    def plain(self, *arguments, code=0):
        done = subprocess.run([ALLQSIM, *map(str, arguments)], capture_output=True, cwd=self.folder, timeout=100, check=False,
                              encoding="utf-8")
        if code is not None and done.returncode != code:
            raise AssertionError(f"{arguments}: {done.returncode} {done.stderr[-2000:]}")
        return done

    def report(self, *arguments, code=0):
        return self.plain("report", *arguments, code=code).stdout

    def database(self, sql, *values):
        db = sqlite3.connect(self.folder / "runs.db")
        self.addCleanup(db.close)
        return db.execute(sql, values)

    # ---- html ----

    def test_html_is_well_formed_and_keeps_texts(self):
        for arguments in (["runs.db", "--run", 1], ["runs.db", "--run", 2], ["runs.db", "--run", 3], ["runs.db", "--run", 4],
                          ["runs.db", "--all"], ["explored.db"], ["explored.db", "--all"], ["planned.db"], ["planned.db", "--all"]):
            page = self.report("html", *arguments)
            nesting = Nesting()
            nesting.feed(page)
            nesting.close()
            self.assertEqual(nesting.open, [])
            self.assertEqual(len(nesting.ids), len(set(nesting.ids)))
            self.assertNotIn("<script>alert", page)
            self.assertEqual(len(re.findall("<script>", page)), 3)
            self.assertLess(len(page.encode()), 5_000_000)
            for data in re.findall(r'<script type="application/json" class="data">(.*?)</script>', page):
                self.assertNotIn("<", data)
                json.loads(data)

    def test_html_forbids_all_network_and_scripts_of_others(self):
        page = self.report("html", "runs.db", "--run", 1)
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1)
        self.assertTrue(policy.startswith("default-src 'none'; script-src 'sha256-"), policy)
        self.assertNotIn("unsafe", policy)
        self.assertIn("Released under the MIT License", page)
        outside = page.replace(re.search(r"/\*!.*?\*/", page, re.S).group(0), "")
        self.assertEqual(re.findall(r'(?:src|href)="(?!#)[^"]*"|@import|url\(', outside.split("<script>")[0]), [])

    def test_html_numbers_are_those_of_the_database(self):
        page = self.report("html", "runs.db", "--run", 4)
        data = json.loads(re.search(r'class="data">(.*?)</script>', page).group(1))
        puts, completions = self.database("SELECT sum(puts), sum(completions) FROM window WHERE run_id = 4").fetchone()
        self.assertEqual((sum(data["puts"]), sum(data["completions"])), (puts, completions))
        for server in range(2):
            choices = self.database("SELECT sum(choices) FROM window WHERE run_id = 4 AND server = ?", server).fetchone()[0]
            self.assertEqual(sum(data["servers"][server]["choices"]), choices)
        for operation in ("put", "get", "done"):
            rows = self.database("SELECT operation, p50_us, p99_us, max_us FROM latency WHERE run_id = 4 AND operation LIKE ? ORDER BY"
                                 " position", operation + "@%").fetchall()
            self.assertGreater(len(rows), 3)
            self.assertEqual(data["latency"][operation], [n for name, *values in rows for n in (int(name.split("@")[1]), *values)])
            spans, longest = self.database("SELECT spans, max_us FROM latency WHERE run_id = 4 AND operation = ?", operation).fetchone()
            self.assertEqual(data["percentiles"][operation][-2:], [spans, longest])
        self.assertEqual(data["faults"][0]["name"], HOSTILE[:60])
        departures = self.database("SELECT spans FROM latency WHERE run_id = 4 AND operation = 'failover'").fetchone()[0]
        self.assertEqual(sum(data["failover"]), departures)

    def test_html_of_a_million_events_is_as_small(self):
        with sqlite3.connect(self.folder / "runs.db") as db:
            db.execute("INSERT INTO event SELECT 4, 1000000000 + value, value, 'an event that is told in some words' FROM"
                       " (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 1000000) SELECT value FROM n)")
        db.close()
        self.assertLess(len(self.report("html", "runs.db", "--run", 4)), 500_000)

    def test_the_same_database_gives_the_same_bytes(self):
        for name in ("html", "junit", "markdown"):
            self.assertEqual(self.report(name, "runs.db", "--all"), self.report(name, "runs.db", "--all"))

    # ---- junit ----

    def suites(self, *arguments):
        text = self.report("junit", "runs.db", *arguments)
        (self.folder / "junit.xml").write_text(text, encoding="utf-8")
        done = subprocess.run(["xmllint", "--noout", "--nonet", "--schema", ROOT / "tests/reports/junit.xsd",
                               self.folder / "junit.xml"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return xml.etree.ElementTree.fromstring(text)

    def test_junit_has_a_case_for_each_check_and_verdict(self):
        root = self.suites("--all")
        self.assertEqual(len(root), 6)
        checks = [name for (name,) in self.database("SELECT name FROM check_result WHERE run_id = 1 ORDER BY position")]
        for suite in root[:5]:
            self.assertEqual([case.get("name") for case in suite.iter("testcase")], ["verdict", *checks])
        for kind, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            self.assertEqual(len(list(root.iter(kind))), int(root.get(count)), kind)
        self.assertEqual(len(list(root.iter("testcase"))), int(root.get("tests")))

    def test_junit_fails_what_failed_and_nothing_else(self):
        wrong = [{case.get("name"): case[0] for case in suite.iter("testcase") if len(case)} for suite in self.suites("--all")]
        self.assertEqual([sorted(cases) for cases in wrong[:4]], [[], [], ["completion-origin", "verdict"], []])
        story = wrong[2]["completion-origin"]
        self.assertEqual(story.tag, "failure")
        self.assertIn("missed", story.text)
        self.assertIn("Reproduce: allqsim run load-balancer --seed 1", story.text)
        self.assertEqual(wrong[4]["progress"].get("type"), "not caught")
        self.assertEqual((wrong[5]["verdict"].tag, wrong[5]["verdict"].get("type")), ("error", "unfinished"))

    def test_junit_of_one_run(self):
        self.assertEqual(len(self.suites("--run", 2)), 1)
        self.assertIn("run 5", self.suites()[0].get("name"))

    # ---- markdown, annotations ----

    def test_markdown_tells_verdict_checks_and_story(self):
        text = self.report("markdown", "runs.db", "--run", 3)
        self.assertIn("load-balancer: fail", text)
        self.assertEqual(len(re.findall(r"^\| (?:pass|fail|unknown|caught) \|", text, re.M)), 13)
        self.assertIn("| fail | completion-origin |", text)
        self.assertIn("allqsim run load-balancer --seed 1", text)
        self.assertIn("server 0: put", text)
        table = self.report("markdown", "runs.db", "--all")
        self.assertEqual(len(re.findall(r"^\| \d+ \|", table, re.M)), 6)
        self.assertIn("3 of 6 runs pass", table)
        self.assertNotIn("<script>", table)
        self.assertTrue(all(row.replace("\\|", "").count("|") == 9 for row in table.splitlines() if row.startswith("|")))

    def test_annotations_are_one_line_for_each_wrong_check(self):
        lines = self.annotated.splitlines()
        self.assertEqual(len(lines), 1)
        self.assertTrue(lines[0].startswith("::error title=load-balancer%3A completion-origin::"), lines[0])
        self.assertIn("%0AReproduce: allqsim run load-balancer", lines[0])
        again = self.plain("report", "json", "runs.db", "--run", 3, "--annotations", "github")
        self.assertEqual(again.stderr, self.annotated)
        json.loads(again.stdout)
        self.assertEqual(self.plain("report", "text", "runs.db", "--run", 2, "--annotations", "github").stderr, "")

    # ---- csv, sql, json ----

    def test_csv_holds_what_the_tables_hold(self):
        tables = [name for (name,) in self.database("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name <> 'event'")]
        self.assertGreater(len(tables), 20)
        for table in tables:
            cursor = self.database(f"SELECT * FROM {table}")
            rows = list(csv.reader(io.StringIO(self.report("csv", "runs.db", table), newline="")))
            self.assertEqual(rows[0], [column[0] for column in cursor.description], table)
            stored = cursor.fetchall()
            self.assertEqual(len(rows) - 1, len(stored), table)
            for got, wanted in zip(rows[1:], stored):
                for text, value in zip(got, wanted):
                    if isinstance(value, float):
                        self.assertAlmostEqual(float(text), value, delta=abs(value) * 1e-14)
                    else:
                        self.assertEqual(text, "" if value is None else str(value), table)
        self.assertEqual(len(self.report("csv", "runs.db", "server", "--run", 2).splitlines()), 5)

    def test_sql_lists_and_runs_the_views(self):
        views = [name for (name,) in self.database("SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY rowid")]
        listed = self.report("sql", "runs.db").splitlines()
        self.assertEqual([line.split()[0] for line in listed], views)
        self.assertTrue(all(len(line.split()) > 4 and line.endswith((".", ":")) for line in listed), listed)
        for view in views:
            lines = self.report("sql", "runs.db", view).splitlines()
            self.assertEqual(len(lines) - 2, self.database(f"SELECT count(*) FROM {view}").fetchone()[0], view)
            self.assertEqual(set(lines[1]), {"-", " "})
        load = self.report("sql", "runs.db", "server_load", "--run", 2).splitlines()
        self.assertEqual(len(load), 6)
        self.assertEqual(len({line.index("127.0") for line in load[2:]}), 1)

    def test_json_of_all_is_a_line_for_each(self):
        lines = self.report("json", "runs.db", "--all").splitlines()
        self.assertEqual([json.loads(line)["scenario"] for line in lines],
                         ["small", "load-balancer", "load-balancer", "fault", "small"])
        self.assertEqual(self.report("text", "runs.db", "--all").count("Reproduce:"), 5)

    # ---- explorations and plans ----

    def test_an_exploration_and_a_plan_are_told_again_as_they_were(self):
        self.assertEqual(self.report("json", "explored.db", "--exploration", 1), self.explored)
        self.assertEqual(self.report("json", "planned.db", "--plan", 1), self.planned)
        self.assertIn("required marks not reached", self.report("text", "explored.db", "--exploration", 1))
        self.assertIn("Most clients that meet the objective", self.report("text", "planned.db", "--plan", 1))

    def test_a_page_is_about_what_the_database_holds(self):
        self.assertIn('<article class="exploration" id="exploration-1">', self.report("html", "explored.db"))
        self.assertIn('<article class="plan" id="plan-1">', self.report("html", "planned.db"))
        self.assertIn('<article class="run" id="run-5">', self.report("html", "runs.db"))
        self.report("merge", "mixed.db", "explored.db", "planned.db")
        mixed = self.report("html", "mixed.db", "--all")
        for word in ('href="#plan-1"', 'href="#exploration-1"', '<article class="exploration"', '<article class="plan"'):
            self.assertIn(word, mixed)

    # ---- files and errors ----

    def test_output_goes_to_a_file_or_leaves_it_alone(self):
        out = self.folder / "out.html"
        out.write_text("old", encoding="utf-8")
        self.report("html", "runs.db", "--run", 99, "-o", out, code=64)
        self.assertEqual(out.read_text(encoding="utf-8"), "old")
        self.assertEqual(self.report("html", "runs.db", "-o", out), "")
        self.assertIn("<!DOCTYPE html>", out.read_text(encoding="utf-8"))
        self.assertEqual(list(self.folder.glob("*.part")), [])
        size = (self.folder / "runs.db").stat().st_size
        self.report("html", "runs.db", "-o", "./runs.db", code=74)
        self.assertEqual((self.folder / "runs.db").stat().st_size, size)
        self.report("html", "runs.db", "-o", "missing/out.html", code=74)

    def test_wrong_use_is_told_with_the_remedy(self):
        for arguments, words in ((["pdf", "runs.db"], ["pdf", "text, html, json"]), (["csv", "runs.db"], ["TABLE"]),
                                 (["csv", "runs.db", "nothing"], ["nothing", "check_result", "newest_run"]),
                                 (["sql", "runs.db", "run"], ["run", "server_load"]),
                                 (["sql", "runs.db", 'x"; DROP TABLE run'], ["DROP"]),
                                 (["html", "runs.db", "--all", "--run", "1"], ["--all"]),
                                 (["html", "runs.db", "--plan", "1", "--exploration", "1"], ["--plan", "exclude"]),
                                 (["html", "runs.db", "--plan", "x"], ["--plan", "x", "a number from 1"]),
                                 (["html", "runs.db", "--run", "99999999999999999999"], ["--run", "a number from 1"]),
                                 (["html", "runs.db", "--plan", "3"], ["holds no plan 3", "newest_plan"]),
                                 (["text", "planned.db", "--exploration", "2"], ["holds no exploration 2", "newest_exploration"]),
                                 (["junit", "planned.db", "--plan", "1"], ["junit", "text, html, json"]),
                                 (["csv", "planned.db", "plan", "--plan", "1"], ["csv", "text, html, json"]),
                                 (["text", "planned.db", "--plan", "1", "--annotations", "github"], ["--annotations"]),
                                 (["html", "runs.db", "--annotations", "gitlab"], ["gitlab", "github"]),
                                 (["text", "runs.db", "more"], ["more"]), (["html", "runs.db", "--run", "6"], ["never ended"])):
            done = self.plain("report", *arguments, code=64)
            self.assertEqual(done.stdout, "")
            for word in words:
                self.assertIn(word, done.stderr)


if __name__ == "__main__":
    ALLQSIM, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
    unittest.main(argv=sys.argv[:1])
