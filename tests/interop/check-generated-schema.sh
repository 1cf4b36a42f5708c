#!/usr/bin/env bash
# Proves that the committed schema table is what its generator makes of the official definitions.
#
#   check-generated-schema.sh DIR      the folder that fetch-definitions.sh filled
set -euo pipefail
if (($# != 1)); then
  echo "usage: check-generated-schema.sh DIR" >&2
  exit 2
fi
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
fhir="$here/../../adapter/fhir"
exec python3 "$here/schema_table_check.py" "$fhir/generator/generate_schema.py" "$1" "$fhir/generated/r4_schema.cc"
