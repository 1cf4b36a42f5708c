#!/usr/bin/env python3
"""Compares what fhir-adapter and the HL7 Java engine make of the same maps and records.

    compare.py --adapter FILE --engine COMMAND --cases DIR --official DIR --differences FILE [--show]

A difference belongs to a unit of a case (generate.py), or to an official map, and must be covered by an entry of the
differences file, which says which engine is right, by which section of the specification. Prints each difference that
is not covered, and each entry that covers nothing any more; either fails. --show prints all of them.
"""

import argparse
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FEATURE_CASES_MIN = 10
CASES_MIN = 200
BOTH_GIVE_OUTPUT_MIN = 0.7
UUID = re.compile(r"^(urn:uuid:)?[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$")
FEATURES = (
    [f"transform:{t}" for t in "create copy truncate escape cast append translate reference uuid pointer evaluate cc c qty id cp "
     "toDateTime toDate toTime unixToDateTime unixToDate unixToTime dateOp".split()]
    + [f"source:{m}" for m in "first not_first last not_last only_one".split()]
    + [f"target:{m}" for m in "first last share single".split()]
    + ["where", "check", "permutation", "import", "dependent"]
)


class Case:
    """A map, its record, and what the two engines made of them: an object, or an error text."""

    def __init__(self, name, map_file, folder, record, units):
        self.name = name
        self.map = map_file
        self.folder = folder  # of imports and ConceptMaps; None: none
        self.record = record
        self.units = units
        self.ours = self.theirs = None


def read_cases(cases, official):
    found = []
    for folder in sorted(cases.iterdir()):
        units = json.loads((folder / "case.json").read_text())["units"]
        found.append(Case(folder.name, folder / "map.map", folder / "lib", folder / "input.json", units))
    record = official / "qr.json"
    for file in sorted(official.glob("*.map")):
        found.append(Case(f"official/{file.stem}", file, None, record, [{"name": file.stem, "element": "", "features": ["official"]}]))
    return found


def run_ours(adapter, case):
    command = [adapter, "map", "--raw", "--map", str(case.map)]
    if case.folder is not None:
        command += ["--map-dir", str(case.folder)]
    done = subprocess.run(command + [str(case.record)], capture_output=True, text=True, check=False)
    case.ours = json.loads(done.stdout, parse_float=str) if done.returncode == 0 else done.stderr.strip() or f"exit code {done.returncode}"


def run_theirs(engine, cases):
    jobs = ""
    for case in cases:
        lib = sorted(case.folder.iterdir()) if case.folder else []
        job = {
            "map": str(case.map.resolve()),
            "imports": [str(f.resolve()) for f in lib if f.suffix == ".map"],
            "definitions": [str(f.resolve()) for f in lib if f.suffix == ".json"],
            "input": str(case.record.resolve()),
        }
        jobs += json.dumps(job) + "\n"
    done = subprocess.run([engine], input=jobs, stdout=subprocess.PIPE, text=True, check=True)
    for case, line in zip(cases, done.stdout.splitlines(), strict=True):
        answer = json.loads(line, parse_float=str)
        case.theirs = answer["error"] if "error" in answer else json.loads(answer["output"], parse_float=str)


def normal(value):
    """UUIDs are made anew by each engine: one is as good as another. Numbers by their text."""
    if isinstance(value, dict):
        return {name: normal(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [normal(inner) for inner in value]
    if isinstance(value, str) and UUID.match(value):
        return "a-uuid"
    return value if isinstance(value, (str, bool)) or value is None else str(value)


def element_of(member, elements):
    """The element that a JSON member belongs to: valueQuantity is `value`."""
    member = member.lstrip("_")
    if member in elements:
        return member
    return next((e for e in elements if member.startswith(e) and member[len(e):len(e) + 1].isupper()), "")


def differences_of(case):
    """Yields (unit, kind, text); kind: ours-fails, theirs-fails, output."""
    ours, theirs = case.ours, case.theirs
    if isinstance(ours, str) and isinstance(theirs, str):
        return
    if isinstance(ours, str) or isinstance(theirs, str):
        kind = "ours-fails" if isinstance(ours, str) else "theirs-fails"
        yield None, kind, ours if isinstance(ours, str) else theirs
        return
    elements = {unit["element"]: unit for unit in case.units}
    left, right = normal(ours), normal(theirs)
    for member in sorted(set(left) | set(right)):
        if left.get(member) != right.get(member):
            unit = elements.get(element_of(member, elements)) or (case.units[0] if len(case.units) == 1 else None)
            text = f"{member}: ours {json.dumps(left.get(member), ensure_ascii=False)}, theirs {json.dumps(right.get(member), ensure_ascii=False)}"
            yield unit, "output", text


def covers(entry, case, unit, kind, text):
    if entry["kind"] != kind:
        return False
    units = [unit] if unit is not None else case.units
    if not any(u["name"] in entry["units"] for u in units):
        return False
    return re.search(entry.get("text", ""), text) is not None


def judge(found, entries):
    """Faults: what no entry covers, and entries that cover nothing. Also how many differences each entry covers."""
    covered = Counter()
    faults = []
    for case, unit, kind, text in found:
        matching = [entry["id"] for entry in entries if covers(entry, case, unit, kind, text)]
        covered.update(matching)
        if not matching:
            faults.append(f"{case.name} {name_of(case, unit)}: {kind}: {text}")
    for entry in entries:
        if not covered[entry["id"]]:
            faults.append(f"the listed difference '{entry['id']}' does not occur any more: take it off the list")
    return faults, covered


def name_of(case, unit):
    return unit["name"] if unit else "+".join(u["name"] for u in case.units)


def show(cases, found):
    by_unit = defaultdict(list)
    for case, unit, kind, text in found:
        by_unit[(kind, name_of(case, unit))].append((case.name, text))
    for (kind, name), examples in sorted(by_unit.items()):
        print(f"{kind} {name}: {len(examples)}, such as {examples[0][0]}: {examples[0][1]}")
    for case in cases:
        if isinstance(case.ours, str) and isinstance(case.theirs, str):
            print(f"refused by both: {case.name}: ours: {case.ours}; theirs: {case.theirs}")


def main():
    parser = argparse.ArgumentParser()
    for name in ("adapter", "engine"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("cases", "official", "differences"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--show", action="store_true")
    arguments = parser.parse_args()

    cases = read_cases(arguments.cases, arguments.official)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda case: run_ours(arguments.adapter, case), cases))
    run_theirs(arguments.engine, cases)

    entries = json.loads(arguments.differences.read_text(encoding="utf-8"))
    found = [(case, *difference) for case in cases for difference in differences_of(case)]
    faults, covered = judge(found, entries)
    # Controls: a reason taken off the list, and one that explains nothing, are noticed.
    if not judge(found, entries[1:])[0] or not judge(found, entries + [{"id": "control", "units": ["none"], "kind": "output"}])[0]:
        faults.append("the comparison does not notice a difference that is not listed, or one that is listed in vain")
    if arguments.show:
        show(cases, found)

    made = [case for case in cases if not case.name.startswith("official/")]
    both = sum(not isinstance(case.ours, str) and not isinstance(case.theirs, str) for case in made)
    neither = [case for case in cases if isinstance(case.ours, str) and isinstance(case.theirs, str)]
    counts = Counter(feature for case in made for feature in {f for unit in case.units for f in unit["features"]})
    for feature in FEATURES:
        if counts[feature] < FEATURE_CASES_MIN:
            faults.append(f"only {counts[feature]} cases with {feature}")
    if len(made) < CASES_MIN or both < BOTH_GIVE_OUTPUT_MIN * len(made):
        faults.append(f"{both} of {len(made)} generated cases have output of both engines: too few")
    equal = sum(not list(differences_of(case)) for case in cases) - len(neither)
    print(f"{len(made)} generated cases and {len(cases) - len(made)} official maps: output of both in {both} generated cases, "
          f"equal in {equal} cases, refused by both in {len(neither)}; {sum(covered.values())} differences by {len(entries)} listed reasons")
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
