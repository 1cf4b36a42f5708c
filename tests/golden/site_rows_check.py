#!/usr/bin/env python3
"""What mappings/README.md promises to a site holds: rows under terminology/site/ switch codes on, add drugs, and take codes out.

usage: site_rows_check.py PROGRAM REPOSITORY
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

BASE = "https://clinic.example/fhir"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"

# Table, record's code, system, code of the site's row; None: the row takes the system's codes out.
ROWS = [
    ("procedure-kind", "intrathecal-injection", SNOMED, "406188003"),
    ("concept", "position", LOINC, "8361-8"),
    ("concept", "consent-document", LOINC, "64293-4"),
    ("laboratory", "magnesium|ionised|mmol/L", LOINC, "2600-5"),
    ("symptom", "pain-worsened", SNOMED, "271299001"),
    ("product", "Dormicum", RXNORM, "311700"),
    ("drug", "ketamine", SNOMED, "373464007"),
    ("level", "T12-L1", SNOMED, "99990001"),
    ("route", "intrathecal", "http://standardterms.edqm.eu", None),
]
failures = []


def run(program, mappings, record):
    command = [program, "--json", "map", "--map-dir", str(mappings), "-"]
    result = subprocess.run(command, input=json.dumps(record).encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    notes = {json.loads(line)["code"] for line in result.stderr.decode().splitlines() if line.startswith("{")}
    return result.returncode, json.loads(result.stdout or b"{}").get("entry", []), notes


def resource(entries, identity):
    for entry in entries:
        identifier = entry["resource"].get("identifier")
        if isinstance(identifier, list) and identifier[0]["value"] == identity:
            return entry["resource"]
    failures.append(f"no resource {identity}")
    return {}


def codes(concept):
    return [(c["system"], c["code"]) for c in concept.get("coding", [])]


def expect(what, found, expected):
    if found != expected:
        failures.append(f"{what}: found {found}, expected {expected}")


def write_rows(folder):
    folder.mkdir()
    tables = {}
    for table, code, system, target in ROWS:
        answer = {"equivalence": "unmatched"} if target is None else {"code": target, "display": target, "equivalence": "equivalent"}
        tables.setdefault(table, []).append({"target": system, "element": [{"code": code, "target": [answer]}]})
    for table, groups in tables.items():
        content = {"resourceType": "ConceptMap", "url": f"{BASE}/ConceptMap/{table}", "status": "active", "group": groups}
        (folder / f"{table}.json").write_text(json.dumps(content))


def main():
    program, root = sys.argv[1], pathlib.Path(sys.argv[2])
    full = json.loads((root / "fixtures/records/full.json").read_text())
    lists = json.loads((root / "fixtures/records/lists.json").read_text())
    local = json.loads((root / "fixtures/records/local-codes.json").read_text())
    ketamine = json.loads((root / "fixtures/records/bare.json").read_text())
    ketamine["administrations"][0]["drug"] = "ketamine"
    status, entries, notes = run(program, root / "mappings", ketamine)
    expect("a drug without a row", (status, entries, "unmapped-code" in notes), (1, [], True))
    with tempfile.TemporaryDirectory() as folder:
        mappings = pathlib.Path(folder) / "mappings"
        shutil.copytree(root / "mappings", mappings, ignore=shutil.ignore_patterns("site"))
        write_rows(mappings / "terminology/site")

        _, entries, _ = run(program, mappings, full)
        expect("procedure kind", codes(resource(entries, "pain-clinic.EDGE-FULL")["code"]), [(SNOMED, "406188003")])
        expect("position", codes(resource(entries, "pain-clinic.EDGE-FULL.position")["code"]),
               [(f"{BASE}/CodeSystem/it-local", "position"), (LOINC, "8361-8")])
        expect("consent", codes(resource(entries, "pain-clinic.EDGE-FULL.consent")["type"]), [(LOINC, "64293-4")])
        given = resource(entries, "pain-clinic.EDGE-FULL.1")
        expect("product", codes(given["contained"][0]["code"]),
               [(SNOMED, "26800000"), ("http://www.whocc.no/atc", "N05CD08"), (RXNORM, "311700")])
        expect("a code taken out", codes(given["dosage"]["route"]),
               [(SNOMED, "72607000"), ("http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration", "ITINJ")])

        _, entries, _ = run(program, mappings, lists)
        expect("ionised magnesium", codes(resource(entries, "pain-clinic.EDGE-LISTS.laboratory.l4")["code"]), [(LOINC, "2600-5")])
        worsened = resource(entries, "pain-clinic.EDGE-LISTS.symptom.s9")["code"]
        expect("worsened pain", (codes(worsened), worsened["text"]), ([(SNOMED, "271299001")], "pain worsened"))

        _, entries, _ = run(program, mappings, local)
        expect("a local level", codes(resource(entries, "pain-clinic.EDGE-LOCAL")["bodySite"][0]), [(SNOMED, "99990001")])

        status, entries, _ = run(program, mappings, ketamine)
        expect("a drug of the site", status, 0)
        expect("its code", codes(resource(entries, "pain-clinic.EDGE-BARE.1").get("contained", [{}])[0].get("code", {})), [(SNOMED, "373464007")])
    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
