#!/usr/bin/env python3
"""Maps the cases of fixtures/golden with the real program and compares what it prints.

usage: golden_check.py [--update] PROGRAM REPOSITORY [CASE...]

A case is a folder: input.json, expected.json (the Bundle, laid out for reading) and, where the program has something to
remark, notes.txt (one `pointer code class` a line). A config.toml there is the case's configuration.
Compared are the bytes: every member, its order, every digit. --update writes what the program printed; read the
difference before you commit it.
"""
import difflib
import json
import pathlib
import subprocess
import sys


class Number(str):
    """A number with the digits it was written with."""


def parse(text):
    return json.loads(text, parse_float=Number, parse_int=Number)


def on_one_line(value, comma=",", colon=":"):
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + comma.join(json.dumps(k, ensure_ascii=False) + colon + on_one_line(v, comma, colon) for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + comma.join(on_one_line(v, comma, colon) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def laid_out(value, indent=""):
    """One member a line, but what fits on one line stays there."""
    short = on_one_line(value, ", ", ": ")
    is_resource = isinstance(value, dict) and "resourceType" in value
    if not isinstance(value, (dict, list)) or (len(indent) + len(short) <= 150 and not is_resource):
        return short
    deeper = indent + "  "
    if isinstance(value, dict):
        items = [deeper + json.dumps(k, ensure_ascii=False) + ": " + laid_out(v, deeper) for k, v in value.items()]
        return "{\n" + ",\n".join(items) + "\n" + indent + "}"
    items = [deeper + laid_out(v, deeper) for v in value]
    return "[\n" + ",\n".join(items) + "\n" + indent + "]"


def run(program, root, case):
    command = [program]
    if (case / "config.toml").exists():
        command += ["--config", str(case / "config.toml")]
    command += ["--json", "map", "--map-dir", str(root / "mappings"), str(case / "input.json")]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    notes = []
    for line in result.stderr.decode().splitlines():
        if line.startswith("{"):
            note = json.loads(line)
            notes.append(f"{note['pointer']} {note['code']} {note['class']}\n")
    return result, "".join(notes)


def main():
    arguments = sys.argv[1:]
    update = arguments[0] == "--update"
    if update:
        del arguments[0]
    program, root = arguments[0], pathlib.Path(arguments[1])
    cases = sorted(p.parent for p in (root / "fixtures/golden/procedure-record").glob("*/input.json"))
    if len(arguments) > 2:
        cases = [c for c in cases if c.name in arguments[2:]]
    if not cases:
        print("no cases found")
        return 1
    failed = 0
    for case in cases:
        result, notes = run(program, root, case)
        printed = result.stdout.decode()
        if result.returncode != 0 or printed.count("\n") != 1:
            print(f"{case.name}: exit code {result.returncode}\n{result.stderr.decode()}")
            failed += 1
            continue
        printed = printed.rstrip("\n")
        found = {"expected.json": laid_out(parse(printed)) + "\n", "notes.txt": notes}
        if on_one_line(parse(printed)) != printed:
            print(f"{case.name}: the output is not compact JSON in UTF-8")
            failed += 1
        for name, text in found.items():
            file = case / name
            expected = file.read_text() if file.exists() else ""
            if text == expected:
                continue
            if update:
                if text:
                    file.write_text(text)
                else:
                    file.unlink()
                print(f"{case.name}/{name}: written")
                continue
            failed += 1
            sys.stdout.writelines(difflib.unified_diff(expected.splitlines(True), text.splitlines(True),
                                                       f"{case.name}/{name}", "printed", n=2))
    print(f"{len(cases)} golden cases, {failed} differences")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
