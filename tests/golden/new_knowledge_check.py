#!/usr/bin/env python3
"""The program knows no drug, field or rule: all three are added to a copy of mappings/, and the same program uses them.

usage: new_knowledge_check.py PROGRAM REPOSITORY

A drug (ketamine) joins the drug tables, a field (procedure.roomCode) joins the model and a map, and a rule that reads both
joins the rules. Before, the record is held for its drug and its field is unknown; after, all of it arrives.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

SNOMED = "http://snomed.info/sct"
RECORD = {
    "recordId": "NEW-1", "revision": 1, "site": "pain-clinic", "status": "completed", "recorded": "2020-01-02T10:00:00Z",
    "patient": {"mrn": "1"}, "performed": {"start": "2020-01-01T10:00:00Z"}, "consent": {"kind": "verbal"},
    "procedure": {"kind": "intrathecal-injection", "roomCode": "B4"},
    "administrations": [{"seq": 1, "purpose": "therapeutic", "drug": "ketamine", "dose": {"value": 0.30, "unit": "g"}}],
}
RULE = {
    "kind": "rule", "id": "KET-ROOM", "version": "1.0.0", "title": "Much ketamine in a room of floor B", "basis": "made up for this test",
    "parameters": {"most_mg": 200},
    "checks": [{
        "for": "%rows.where(drug = 'ketamine' and dose.exists())",
        "cases": [{"when": "dose.inUnit('mg') > %most_mg and %record.procedure.roomCode.startsWith('B')", "code": "KET-ROOM",
                   "severity": "low", "text": "More than {most_mg} mg on floor B."}],
        "suffix": "seq.toString()", "implicated": ["administration"]}],
}


def run(program, mappings):
    command = [program, "--json", "map", "--map-dir", str(mappings), "-"]
    result = subprocess.run(command, input=json.dumps(RECORD).encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    remarks = [json.loads(line) for line in result.stderr.decode().splitlines() if line.startswith("{")]
    entries = json.loads(result.stdout or b"{}").get("entry", [])
    resources = {}
    for entry in entries:
        identifier = entry["resource"].get("identifier")
        if isinstance(identifier, list):
            resources[identifier[0]["value"]] = entry["resource"]
    return {(r["pointer"], r["code"], r["class"]) for r in remarks}, resources, result.stderr.decode()


def edit(file, change):
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def add_drug(table):
    table["group"][0]["element"].append({"code": "ketamine", "display": "ketamine", "target": [{"code": "373464007", "equivalence": "equivalent"}]})


def add_field(model):
    elements = model["differential"]["element"]
    place = next(i for i, e in enumerate(elements) if e["path"] == "ProcedureRecord.procedure.level")
    path = "ProcedureRecord.procedure.roomCode"
    elements.insert(place, {"id": path, "path": path, "min": 0, "max": "1", "type": [{"code": "string"}]})


def main():
    program, root = sys.argv[1], pathlib.Path(sys.argv[2])
    failures = []

    def expect(what, found, expected):
        if found != expected:
            failures.append(f"{what}: found {found}, expected {expected}")

    remarks, resources, _ = run(program, root / "mappings")
    expect("before: remarks", {("/administrations/0/drug", "unmapped-code", "quarantined"), ("/procedure/roomCode", "unknown-field", "note")} <= remarks, True)
    expect("before: resources", resources, {})
    with tempfile.TemporaryDirectory() as folder:
        mappings = pathlib.Path(folder) / "mappings"
        shutil.copytree(root / "mappings", mappings)
        edit(mappings / "terminology/drug.json", add_drug)
        edit(mappings / "models/ProcedureRecord.json", add_field)
        (mappings / "rules/KET-ROOM.json").write_text(json.dumps(RULE))
        notes = mappings / "procedure-record/procedure-note.map"
        rule = '  record.procedure.roomCode as room -> procedure.note as note, note.text = (\'Room: \' & %room) "room";\n'
        notes.write_text(notes.read_text().rstrip().removesuffix("}") + rule + "}\n")
        remarks, resources, messages = run(program, mappings)
        expect("after: remarks", {r for r in remarks if r[1] == "unknown-field" or r[2] != "note"}, set())
        given = resources.get("pain-clinic.NEW-1.1", {})
        expect("drug", given.get("contained", [{}])[0].get("code", {}), {"coding": [{"system": SNOMED, "code": "373464007"}], "text": "ketamine"})
        expect("field", resources.get("pain-clinic.NEW-1", {}).get("note"), [{"text": "Consent: verbal"}, {"text": "Room: B4"}])
        issue = resources.get("pain-clinic.NEW-1.KET-ROOM.1", {})
        expect("rule", (issue.get("severity"), issue.get("detail")), ("low", "More than 200 mg on floor B."))
        if failures:
            print(messages)
    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
