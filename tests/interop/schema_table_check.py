#!/usr/bin/env python3
"""Proves that the committed schema table is what the generator makes of the official definitions.

    schema_table_check.py GENERATOR DEFINITIONS TABLE

Exit 0 when a fresh run gives the same bytes twice, when a changed definition gives other bytes, and when
definitions of another version are refused. Anything else is a failure, missing definitions too.
"""

import json
import os
import subprocess
import sys
import tempfile


def generate(generator, definitions, output):
    result = subprocess.run([sys.executable, generator, definitions, output], capture_output=True, text=True,
                            check=False)
    if result.returncode != 0:
        return result.stderr.strip() or "failed"
    return None


def read(path):
    with open(path, "rb") as stream:
        return stream.read()


def change(source, target, edit):
    """A copy of the definitions as links, with profiles-types.json edited."""
    os.mkdir(target)
    for name in os.listdir(source):
        if name != "profiles-types.json":
            os.symlink(os.path.join(os.path.abspath(source), name), os.path.join(target, name))
    with open(os.path.join(source, "profiles-types.json"), encoding="utf-8") as stream:
        bundle = json.load(stream)
    for entry in bundle["entry"]:
        if entry["resource"]["name"] == "Quantity":
            edit(entry["resource"])
    with open(os.path.join(target, "profiles-types.json"), "w", encoding="utf-8") as stream:
        json.dump(bundle, stream)


def main():
    generator, definitions, table = sys.argv[1:4]
    if not os.path.isfile(os.path.join(definitions, "profiles-resources.json")):
        sys.exit(f"{definitions}: no definitions; run tests/interop/fetch-definitions.sh {definitions}")
    with tempfile.TemporaryDirectory() as scratch:
        fresh = os.path.join(scratch, "fresh.cc")
        for _ in range(2):
            error = generate(generator, definitions, fresh)
            if error:
                sys.exit(error)
            if read(fresh) != read(table):
                sys.exit(f"{table}: differs from what {generator} makes of {definitions}")

        changed = os.path.join(scratch, "changed")
        change(definitions, changed, lambda quantity: quantity["snapshot"]["element"][3].update(max="*"))
        error = generate(generator, changed, fresh)
        if error:
            sys.exit(error)
        if read(fresh) == read(table):
            sys.exit("a changed definition gives the same table: this check cannot fail")

        other = os.path.join(scratch, "other")
        change(definitions, other, lambda quantity: quantity.update(fhirVersion="4.3.0"))
        if "4.3.0" not in (generate(generator, other, fresh) or ""):
            sys.exit("definitions of FHIR 4.3.0 are not refused")
    print(f"{table}: {len(read(table))} bytes, as generated")


if __name__ == "__main__":
    main()
