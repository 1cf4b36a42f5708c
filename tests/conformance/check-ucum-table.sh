#!/usr/bin/env bash
# Proves that the committed UCUM table is what its generator makes of the official definitions (see fetch.sh).
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
cache="${FHIR_ADAPTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/fhir-adapter}/conformance"
definitions="$cache/fhir-test-cases/ucum-essence.xml"
if [[ ! -f "$definitions" ]]; then
  echo "the UCUM definitions are missing: run tests/conformance/fetch.sh" >&2
  exit 1
fi
python3 "$root/adapter/fhirpath/ucum/generate_ucum_table.py" "$definitions" |
  diff "$root/adapter/fhirpath/ucum/ucum_table.inc" -
