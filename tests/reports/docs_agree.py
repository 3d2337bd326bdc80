"""docs/REPORTS.md lists every table, column and query of reports/schema.sql with its comment.

usage: docs_agree.py ROOT [--write], with ROOT the folder of the project; --write brings the list up to date"""
import pathlib
import re
import sys

BEGIN, END = "<!-- written by tests/reports/docs_agree.py --write: begin -->\n", "<!-- end -->\n"


def cell(text):
    return text.strip().replace("|", "\\|")


def columns(body):
    """Name, type and comment of each column; a column whose CHECK stands on the next line has its comment before that."""
    for name, kind, rest, comment in re.findall(r"^    ([a-z_0-9]+) (INTEGER|TEXT|REAL)(.*?) -- (.*)$", body, re.M):
        yield name, kind.lower() + ("" if "NOT NULL" in rest or "PRIMARY KEY" in rest else ", may be NULL"), comment
    declared = re.findall(r"^    ([a-z_0-9]+) (?:INTEGER|TEXT|REAL)\b", body, re.M)
    told = re.findall(r"^    ([a-z_0-9]+) (?:INTEGER|TEXT|REAL)\b.*?(?:-- .*|\n        CHECK.*)$", body, re.M)
    assert declared == told, f"without a comment: {set(declared) - set(told)}"


def listing(sql):
    out = []
    tables = re.findall(r"^CREATE TABLE ([a-z_]+) \( -- (.*)\n((?:.*\n)*?)\) STRICT", sql, re.M)
    assert len(tables) == sql.count("CREATE TABLE")
    for name, comment, body in tables:
        out += [f"### {name}\n\n", comment.strip() + "\n\n", "| column | type | what it holds |\n|---|---|---|\n"]
        out += [f"| `{column}` | {kind} | {cell(text)} |\n" for column, kind, text in columns(body)]
        key = re.search(r"^    PRIMARY KEY \((.*)\)", body, re.M)
        out.append(f"\nKey: {key.group(1)}.\n\n" if key else "\n")
    views = re.findall(r"^CREATE VIEW ([a-z_]+) AS -- (.*)$", sql, re.M)
    assert len(views) == sql.count("CREATE VIEW")
    out += ["## Queries\n\n", "| view | what it answers |\n|---|---|\n"]
    out += [f"| `{name}` | {cell(comment)} |\n" for name, comment in views]
    return "".join(out)


def main():
    root = pathlib.Path(sys.argv[1])
    page = root / "docs/REPORTS.md"
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    old, after = rest.split(END)
    new = listing((root / "reports/schema.sql").read_text(encoding="utf-8"))
    if sys.argv[2:] == ["--write"]:
        page.write_text(before + BEGIN + new + END + after, encoding="utf-8")
    elif old != new:
        wanted, found = set(new.split("\n")), set(old.split("\n"))
        print("docs/REPORTS.md differs from reports/schema.sql: python3 tests/reports/docs_agree.py . --write")
        print("\n".join([f"- {line}" for line in sorted(found - wanted)] + [f"+ {line}" for line in sorted(wanted - found)]))
        sys.exit(1)


main()
