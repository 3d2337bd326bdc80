"""The JSON Schema and the loader agree: on every good file, on every bad file, and on every single change of a key of the full file.

usage: schema_agrees.py LOAD_FILE ROOT, with LOAD_FILE the program scenario_load_file and ROOT the folder of the project."""
import copy
import json
import pathlib
import subprocess
import sys
import tempfile

import jsonschema

# Not one of these is a sensible value anywhere, or it is one for both.
INTRUDERS = [None, True, -3, 0.5, "", "x y", "5 s", [], {}, [{}], {"x": 1}]


def load_all(program, files):
    """What the loader says of each file: "ok" or an error."""
    done = subprocess.run([program, *map(str, files)], stdout=subprocess.PIPE, text=True, check=False)
    lines = done.stdout.splitlines()
    assert len(lines) == len(files), f"{len(files)} files, {len(lines)} lines: {done.stdout[-500:]}"
    assert done.returncode == (0 if all(line == "ok" for line in lines) else 64), done.returncode
    return lines


def places(value, path=()):
    """The path of every value inside."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield path + (key,)
        yield from places(inner, path + (key,))


def changed(document, path, value):
    copied = copy.deepcopy(document)
    at = copied
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return copied


def with_extra_keys(document):
    """The document with an unknown key in each of its objects."""
    for path in [(), *places(document)]:
        copied = copy.deepcopy(document)
        at = copied
        for key in path:
            at = at[key]
        if isinstance(at, dict):
            at["no_such_key"] = 1
            yield copied


def main():
    program, root = sys.argv[1], pathlib.Path(sys.argv[2])
    schema = json.loads((root / "scenarios/schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    wrong = []

    good = sorted((root / "tests/scenarios/good").glob("*.json"))
    good += [path for path in sorted((root / "scenarios").rglob("*.json")) if path.name != "schema.json"]
    bad = sorted((root / "tests/scenarios/bad").glob("*.json"))
    assert len(good) >= 10 and len(bad) >= 60, (len(good), len(bad))
    for path, said in zip(good, load_all(program, good)):
        errors = [error.message for error in validator.iter_errors(json.loads(path.read_text()))]
        if said != "ok" or errors:
            wrong.append(f"good file {path.name}: loader: {said}; schema: {errors}")
    for path, said in zip(bad, load_all(program, bad)):
        if said == "ok":
            wrong.append(f"bad file {path.name}: the loader takes it")
        if validator.is_valid(json.loads(path.read_text())):
            wrong.append(f"bad file {path.name}: the schema takes it")

    # What the schema refuses, the loader refuses as well: otherwise an editor marks files as wrong that are not.
    full = json.loads((root / "tests/scenarios/good/full.json").read_text())
    edits = [(path, value) for path in places(full) for value in INTRUDERS]
    changes = [changed(full, path, value) for path, value in edits]
    extra = list(with_extra_keys(full))
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, document in enumerate(changes + extra):
            files.append(pathlib.Path(folder) / f"{number}.json")
            files[-1].write_text(json.dumps(document))
        said = load_all(program, files)
    for (path, value), document, verdict in zip(edits, changes, said):
        if verdict == "ok":
            errors = [error.message[:200] for error in validator.iter_errors(document)]
            if errors:
                wrong.append(f"only the schema refuses {path} = {value!r}: {errors}")
    for document, verdict in zip(extra, said[len(changes):]):
        if validator.is_valid(document) or verdict == "ok":
            wrong.append(f"unknown key: loader: {verdict}; schema: {validator.is_valid(document)}")
    refused_by_both = sum(verdict != "ok" for verdict in said)
    assert refused_by_both > len(said) / 2, (refused_by_both, len(said))

    for line in wrong:
        print(line)
    print(f"{len(good)} good files, {len(bad)} bad files, {len(changes)} changes, {len(extra)} unknown keys: {len(wrong)} disagreements")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
