#!/usr/bin/env python3
"""Every field of the record reaches the output, or mappings/README.md says that it does not.

usage: field_check.py PROGRAM REPOSITORY

For each leaf of the logical model, each value that the records of fixtures/records hold is taken out or changed, one at a
time. A field whose row begins with `not sent` must never change the mapped resources; any other must in some record. Findings
of the rules and the Provenance are left aside, except for the fields whose row names the Provenance.
"""
import copy
import json
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True  # the source tree stays as it is
from mapping_documents_check import leaves  # noqa: E402

# What another value of a field is, where taking it out would not be a record any more.
OTHERS = {
    "recordId": "OTHER", "revision": 7, "site": "elsewhere", "status": None, "recorded": "2020-01-01T00:00:00Z", "patient.mrn": "OTHER",
    "performed.start": "2000-01-01T00:00:00Z", "procedure.kind": None, "indications[].code": "other", "coProcedures[].rowId": "other",
    "administrations[].seq": 99, "administrations[].purpose": "supportive", "administrations[].drug": "calcium-gluconate",
    "administrations[].order.orderId": "other", "sedation[].rowId": "other", "pain[].rowId": "other", "pain[].timing": "baseline",
    "pain[].scale": "unspecified", "symptoms[].rowId": "other", "adverseEvents[].eventId": "other", "laboratory[].rowId": "other",
    "laboratory[].analyte": "other", "visits[].visitId": "other", "pain[].low": 0, "pain[].high": 10, "laboratory[].low": 0.1,
    "laboratory[].high": 99, "laboratory[].value": 9, "pain[].value": 9, "pain[].change": -9, "pain[].notRecorded": "asked-declined",
    "correction.reason": "another",
}
# Another status, or another kind of procedure, is another record: the golden cases show them.
CHANGED_ELSEWHERE = ("status", "procedure.kind")
UNITS = {"s": "min", "mg": "g", "g": "mg", "mL": "L", "L": "mL", "h": "min", "min": "h", "d": "h", "wk": "d", "mmol/L": "umol/L", "mg/dL": "mg/L"}


def other_value(path, value):
    if path.endswith(".unit"):
        return UNITS[value]
    if path.endswith(".value") and path not in OTHERS:
        return value + 1
    return OTHERS.get(path)


def holders(record, parts):
    """Objects that hold the last part, with the key or index of the value."""
    part, rest = parts[0], parts[1:]
    name, is_list = part.removesuffix("[]"), part.endswith("[]")
    if not isinstance(record, dict) or record.get(name) is None:
        return
    if not rest:
        if is_list:
            yield from ((record[name], index) for index in range(len(record[name])))
        else:
            yield record, name
        return
    for child in record[name] if is_list else [record[name]]:
        yield from holders(child, rest)


def variants(record, path):
    parts = path.split(".")
    for position in range(len(list(holders(record, parts)))):
        changed = copy.deepcopy(record)
        holder, key = list(holders(changed, parts))[position]
        new = other_value(path, holder[key])
        if new is not None:
            if holder[key] == new:
                continue
            holder[key] = new
        elif isinstance(holder, list) or path not in OTHERS:
            del holder[key]
        else:
            continue
        yield changed


def mapped(program, root, records):
    """For each record its entries; None where it cannot be mapped."""
    lines = "".join(json.dumps(r) + "\n" for r in records).encode()
    command = [program, "--json", "map", "--map-dir", str(root / "mappings"), "-"]
    result = subprocess.run(command, input=lines, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    remarks = [json.loads(line) for line in result.stderr.decode().splitlines() if line.startswith("{")]
    unusable = {r["line"] for r in remarks if r["class"] != "note"}
    bundles = [json.loads(line)["entry"] for line in result.stdout.decode().splitlines()]
    if len(bundles) + len(unusable) != len(records):
        sys.exit(f"{len(records)} records gave {len(bundles)} Bundles and {len(unusable)} refusals\n{result.stderr.decode()[-2000:]}")
    rest = iter(bundles)
    return [None if number in unusable else next(rest) for number in range(1, len(records) + 1)]


def parts_of(entries):
    clinical = [e for e in entries if e["resource"]["resourceType"] not in ("Provenance", "DetectedIssue")]
    provenance = [{**e["resource"], "target": None} for e in entries if e["resource"]["resourceType"] == "Provenance"]
    return clinical, provenance


def main():
    program, root = sys.argv[1], pathlib.Path(sys.argv[2])
    model = sorted(leaves(json.loads((root / "mappings/models/ProcedureRecord.json").read_text())))
    readme = (root / "mappings/README.md").read_text().split("## Every field of the record")[1]
    rows = {line.split("`")[1]: line.split("|", 2)[2].strip(" |") for line in readme.splitlines() if line.startswith("| `")}
    records = [json.loads(f.read_text()) for f in sorted((root / "fixtures/records").glob("*.json"))]
    problems = []
    changes = [(path, record, changed) for path in model for record in records for changed in variants(record, path)]
    before = {r["recordId"] + str(r["revision"]): parts_of(e) for r, e in zip(records, mapped(program, root, records))}
    reached = {}
    for (path, record, _), entries in zip(changes, mapped(program, root, [changed for _, _, changed in changes])):
        if entries is None:
            continue
        old, new = before[record["recordId"] + str(record["revision"])], parts_of(entries)
        row = rows.get(path, "")
        names_provenance = "Provenance" in row or row.startswith("as `recordedBy")
        reached[path] = reached.get(path, False) or old[0] != new[0] or (names_provenance and old[1] != new[1])
    for path in model:
        silent = rows.get(path, "").startswith("not sent")
        if path not in reached:
            if path not in CHANGED_ELSEWHERE:
                problems.append(f"{path}: no record shows what it does")
        elif reached[path] == silent:
            problems.append(f"{path}: " + ("is sent, though README.md says that it is not" if silent else
                                           "changes nothing, though README.md says what it becomes"))
    for problem in problems:
        print(problem)
    print(f"{len(model)} fields, {len(changes)} changed records, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
