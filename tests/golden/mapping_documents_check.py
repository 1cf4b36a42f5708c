#!/usr/bin/env python3
"""What is written about the mapping agrees with it.

usage: mapping_documents_check.py REPOSITORY

- Every leaf of the logical model has exactly one row in mappings/README.md, and every row has a leaf.
- The fields that README.md says are not sent are those that the map's head lists.
- Every ConceptMap has a policy for unmapped codes, the README names each in the row of its policy, and every table that a
  map translates by is there and used.
- Displays of our own codes are the same in the code system and in the ConceptMap that gives them.
- Every extension that a map sends has its StructureDefinition, and maps hold no SNOMED CT, LOINC, ATC or EDQM code.
- Golden inputs that come from fixtures/records are the same bytes.
"""
import json
import pathlib
import re
import sys

POLICY = "https://clinic.example/fhir/StructureDefinition/unmapped-policy"


def leaves(model):
    elements = model.get("snapshot", model["differential"])["element"]
    lists = {e["path"] for e in elements if e.get("max") == "*"}
    paths = [e["path"] for e in elements[1:]]
    result = set()
    for path in paths:
        if any(other.startswith(path + ".") for other in paths):
            continue
        parts = path.split(".")
        named = [part + ("[]" if ".".join(parts[:i + 1]) in lists else "") for i, part in enumerate(parts)]
        result.add(".".join(named[1:]))
    return result


def main():
    root = pathlib.Path(sys.argv[1])
    mappings = root / "mappings"
    readme = (mappings / "README.md").read_text()
    problems = []

    rows = re.findall(r"^\| `([^`]+)` \|", readme.split("## Every field of the record")[1], re.M)
    model = leaves(json.loads((mappings / "models/ProcedureRecord.json").read_text()))
    problems += [f"README.md: no row for {path}" for path in sorted(model - set(rows))]
    problems += [f"README.md: a row for {path}, which the model does not have" for path in sorted(set(rows) - model)]
    problems += [f"README.md: more than one row for {path}" for path in sorted({r for r in rows if rows.count(r) > 1})]

    head = (mappings / "procedure-record/procedure-record.map").read_text()
    listed = set(re.findall(r"^/// notSent = '([^:']+):", head, re.M))
    silent = {row for row in rows if re.search(rf"^\| `{re.escape(row)}` \| not sent", readme, re.M)}
    problems += [f"{path}: not sent, says only one of README.md and procedure-record.map" for path in sorted(listed ^ silent)]

    maps = {file: file.read_text() for file in sorted(mappings.glob("**/*.map"))}
    used = {name for text in maps.values() for name in re.findall(r"translate\([^)]*?'#([a-z-]+)'", text)}
    tables = {}
    for file in sorted((mappings / "terminology").glob("*.json")):
        resource = json.loads(file.read_text())
        if resource["resourceType"] != "ConceptMap":
            continue
        tables[resource["id"]] = resource
        policy = [e["valueCode"] for e in resource.get("extension", []) if e["url"] == POLICY]
        if len(policy) != 1:
            problems.append(f"{file.name}: no unmapped-policy")
            continue
        line = next((l for l in readme.splitlines() if l.startswith(f"| `{policy[0]}`:")), "")
        named = set(re.findall(r"`([a-z-]+)`", line)) | ({resource["id"]} if "`status-…`" in line and resource["id"].startswith("status-") else set())
        if resource["id"] not in named:
            problems.append(f"README.md: {resource['id']} is not in the row of policy {policy[0]}")
    problems += [f"no ConceptMap {name}, which a map translates by" for name in sorted(used - set(tables))]
    problems += [f"ConceptMap {name} is used by no map" for name in sorted(set(tables) - used)]

    local = json.loads((mappings / "terminology/it-local.json").read_text())
    displays = {c["code"]: c["display"] for c in local["concept"]}
    problems += [f"it-local.json: {c['code']} has no definition" for c in local["concept"] if not c.get("definition")]
    if local["count"] != len(local["concept"]):
        problems.append("it-local.json: count is wrong")
    for group in tables["concept"].get("group", []):
        for element in group["element"]:
            if "target" not in group and displays.get(element["code"]) != element.get("display"):
                problems.append(f"concept.json: {element['code']} is shown otherwise in it-local.json")

    profiles = {file.stem for file in (mappings / "profiles").glob("*.json")}
    for file, text in maps.items():
        for name in re.findall(r"%canonicalBase & '/StructureDefinition/([a-z-]+)'", text):
            if name not in profiles:
                problems.append(f"{file.name}: extension {name} has no StructureDefinition")
        code = re.sub(r"//.*", "", text)
        for found in re.findall(r"\b\d{6,}\b|\b\d{4,5}-\d\b|\b[A-V]\d\d[A-Z]{2}\d\d\b|snomed\.info|loinc\.org", code):
            problems.append(f"{file.name}: {found} belongs into terminology/")

    records = {file.stem: file.read_bytes() for file in (root / "fixtures/records").glob("*.json")}
    golden = root / "mappings/procedure-record/tests"
    for name, data in records.items():
        if (golden / name / "input.json").exists() and (golden / name / "input.json").read_bytes() != data:
            problems.append(f"golden case {name}: input.json is not fixtures/records/{name}.json")
        if not (golden / name / "expected.json").exists():
            problems.append(f"fixtures/records/{name}.json has no golden case")

    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
