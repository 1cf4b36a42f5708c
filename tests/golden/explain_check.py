#!/usr/bin/env python3
"""Explains the cases that stand beside the maps with the real program.

usage: explain_check.py PROGRAM REPOSITORY

Every leaf of each expected Bundle has exactly one explanation, and none is left over; each source pointer leads to an
element of the record that begins at the line and column named; each rule stands in a map, at its line; each row of a code
table is at its line; who added what no rule made is named.
"""
import json
import pathlib
import subprocess
import sys

# terminology/event.json and event-overdose.json: drug overdose, medication error; overdose of magnesium.
EVENT_ROWS = [["overdose 55680006", "overdose 398240004"]] * 2 + [["magnesium-sulfate 2819007"]]
ADDED = ("assembler: identity", "assembler: reference", "pipeline: the map", "pipeline: what was written",
         "the target of the map")


def leaves(value, path=""):
    if isinstance(value, dict):
        for name, member in value.items():
            yield from leaves(member, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    elif value is not None:
        yield path


def at_pointer(record, pointer):
    for token in pointer.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        record = record[int(token)] if isinstance(record, list) else record[token]
    return record


def begins_with(value, text):
    """Whether the JSON text begins as the value does."""
    if isinstance(value, dict):
        return text.startswith("{")
    if isinstance(value, list):
        return text.startswith("[")
    if isinstance(value, str):
        return text.startswith('"')
    return json.loads(text.split(",")[0].split("}")[0].split("]")[0].strip()) == value


def faults_of(element, record, lines, maps):
    for source in element["sources"]:
        try:
            value = at_pointer(record, source["pointer"])
        except (KeyError, IndexError, ValueError):
            yield f"the record has no {source['pointer']}"
            continue
        text = lines[source["line"] - 1][source["column"] - 1:].decode()
        if not begins_with(value, text):
            yield f"{source['pointer']} does not begin at {source['line']}:{source['column']}"
    for rule in element["rules"]:
        lines_of_map = (maps / rule["file"]).read_text(encoding="utf-8").splitlines()
        if not (rule["file"].endswith(".map") and 0 < rule["line"] <= len(lines_of_map)):
            yield f"no rule at {rule['file']}:{rule['line']}"
    for row in element["conceptMapRows"]:
        table = (maps / row["file"]).read_text(encoding="utf-8").splitlines()
        if not row["policy"] and row["targetCode"] not in "\n".join(table[row["line"] - 1:row["line"] + 8]):
            yield f"{row['file']}:{row['line']} is not the row of {row['targetCode']}"
    added = element["addedBy"]
    if added and added not in ADDED and not added.startswith("rule"):
        yield f"added by {added}"
    if not element["rules"] and added not in ADDED:
        yield "neither a rule nor anything else made it"
    if element["rules"] and not element["sources"]:
        yield "it has rules and no source"


def check(program, root, case):
    command = [program]
    if (case / "config.toml").exists():
        command += ["--config", str(case / "config.toml")]
    maps = root / "mappings"
    command += ["--json", "map", "explain", "--map-dir", str(maps), str(case / "input.json")]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if result.returncode != 0:
        return [f"exit {result.returncode}: {result.stderr.decode()}"], 0
    raw = (case / "input.json").read_bytes()
    record = json.loads(raw)
    lines = raw.split(b"\n")
    bundle = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    wanted = set()
    for index, entry in enumerate(bundle.get("entry", [])):
        wanted |= {(f"entry[{index}]", path.removeprefix("resource.")) for path in leaves(entry)}
    faults = []
    explained = set()
    elements = [json.loads(line) for line in result.stdout.decode().splitlines()]
    for element in elements:
        name = (element["entry"], element["element"])
        if name in explained:
            faults.append(f"{name} is explained twice")
        explained.add(name)
        faults += [f"{' '.join(name)}: {fault}" for fault in faults_of(element, record, lines, maps)]
    faults += [f"{' '.join(name)} is not explained" for name in sorted(wanted - explained)]
    faults += [f"{' '.join(name)} is not in the output" for name in sorted(explained - wanted)]
    return faults, len(elements)


def rows_of(program, root, element):
    command = [program, "--json", "map", "explain", "--map-dir", str(root / "mappings"), "--element", element,
               str(root / "fixtures" / "records" / "mg-3-revision-2.json")]
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode()
    return [[row["sourceCode"] + " " + row["targetCode"] for row in json.loads(line)["conceptMapRows"]]
            for line in output.splitlines()]


def main():
    program, root = sys.argv[1], pathlib.Path(sys.argv[2])
    cases = sorted(path.parent for path in (root / "mappings").glob("*/tests/*/input.json"))
    failed = False
    total = 0
    # A code that was looked up into a variable first still names its row, and names it once.
    rows = rows_of(program, root, "AdverseEvent.event.coding.code")
    if rows != EVENT_ROWS:
        failed = True
        print(f"mg-3-revision-2: rows of AdverseEvent.event.coding.code: {rows}")
    for case in cases:
        faults, count = check(program, root, case)
        total += count
        for fault in faults[:20]:
            failed = True
            print(f"{case.name}: {fault}")
    print(f"{total} elements of {len(cases)} cases explained")
    if failed or total == 0:
        sys.exit(1)


if __name__ == "__main__":
    main()
