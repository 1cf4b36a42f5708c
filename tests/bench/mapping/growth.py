#!/usr/bin/env python3
"""The work of the mapping engine as it grows, counted in instructions (callgrind), so that no clock is asked.

    growth.py [--adapter FILE] [--elements N]     N elements, 20000 unless given, against 1000

The adapter is that of $FHIR_ADAPTER_BINARY unless given, a build without sanitizers. Fails when an element of a large record costs more than 1.3 times what one of 1,000 costs, or when a look-up in a
ConceptMap of 100,000 rows costs more than twice what one of 100 rows does.
"""

import argparse
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ELEMENT_GROWTH_MAX = 1.3
LOOK_UP_GROWTH_MAX = 2.0
LOOK_UPS = 1000
MAP = Path(__file__).resolve().parent / "growth.map"
CODES = Path(__file__).resolve().parent / "codes.map"
FIND = "fhir_adapter::fml::ConceptMapIndex::Find*"
SYSTEM = "http://bench.example/CodeSystem/source"


def instructions(command, function=None):
    with tempfile.TemporaryDirectory() as folder:
        collect = ["--toggle-collect=" + function] if function else []
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", *collect, f"--callgrind-out-file={folder}/out", *command],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
        )
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not done.stdout.startswith("{") or not found:
        sys.exit(f"growth.py: {' '.join(command)}: {done.stderr}")
    return int(found.group(1))


def record(elements):
    """A Patient of so many elements: names, telecoms and contacts in turn."""
    name = {"use": "official", "family": "Brönnimann", "given": ["Anna", "Maria"]}
    telecom = {"system": "phone", "value": "+41 31 555 01 02", "use": "home"}
    contact = {"name": name, "telecom": [telecom], "gender": "female"}
    patient = {"resourceType": "Patient", "name": [], "telecom": [], "contact": []}
    parts = [("name", name), ("telecom", telecom), ("contact", contact)]
    count = 0
    for member, part in itertools.cycle(parts):
        if count >= elements:
            return patient, count
        patient[member].append(part)
        count += count_of(part)


def count_of(value):
    if isinstance(value, dict):
        return 1 + sum(count_of(inner) for inner in value.values())
    if isinstance(value, list):
        return sum(count_of(inner) for inner in value)
    return 1


def per_element(adapter, folder, elements):
    counts, costs = [], []
    for size in (0, elements):
        file = folder / "record.json"
        patient, count = record(max(size, 1))
        file.write_text(json.dumps(patient), encoding="utf-8")
        counts.append(count)
        costs.append(instructions([adapter, "map", "--raw", "--map", str(MAP), str(file)]))
    return (costs[1] - costs[0]) / (counts[1] - counts[0])


def per_look_up(adapter, folder, rows):
    """Alone: what of the program runs below ConceptMapIndex::Find."""
    tables = folder / f"rows-{rows}"
    tables.mkdir()
    element = [{"code": f"code-{i:06}", "target": [{"code": f"target-{i}", "equivalence": "equal"}]} for i in range(rows)]
    table = {
        "resourceType": "ConceptMap", "url": "http://bench.example/ConceptMap/codes", "status": "active",
        "group": [{"source": SYSTEM, "target": "http://bench.example/CodeSystem/target", "element": element}],
    }
    (tables / "codes.json").write_text(json.dumps(table), encoding="utf-8")
    # All over the table.
    codings = [{"system": SYSTEM, "code": f"code-{i * 7919 % rows:06}"} for i in range(LOOK_UPS)]
    file = folder / "codes.json"
    file.write_text(json.dumps({"resourceType": "Patient", "maritalStatus": {"coding": codings}}), encoding="utf-8")
    command = [adapter, "map", "--raw", "--map", str(CODES), "--map-dir", str(tables), str(file)]
    return instructions(command, FIND) / LOOK_UPS


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--adapter", default=os.environ.get("FHIR_ADAPTER_BINARY"))
    parser.add_argument("--elements", type=int, default=20_000)
    arguments = parser.parse_args()
    if not arguments.adapter:
        sys.exit("growth.py: name a build without sanitizers in FHIR_ADAPTER_BINARY")
    failed = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = per_element(arguments.adapter, folder, 1_000)
        large = per_element(arguments.adapter, folder, arguments.elements)
        print(f"instructions an element: {small:.0f} of 1000, {large:.0f} of {arguments.elements}; ratio {large / small:.2f} (goal: at most {ELEMENT_GROWTH_MAX})")
        failed |= large > ELEMENT_GROWTH_MAX * small
        few = per_look_up(arguments.adapter, folder, 100)
        many = per_look_up(arguments.adapter, folder, 100_000)
        print(f"instructions a look-up: {few:.0f} in 100 rows, {many:.0f} in 100000; ratio {many / few:.2f} (goal: at most {LOOK_UP_GROWTH_MAX})")
        failed |= many > LOOK_UP_GROWTH_MAX * few or few == 0
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
