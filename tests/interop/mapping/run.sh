#!/usr/bin/env bash
# The differential test of the mapping engine: generated maps and the official ones (Maven
# org.hl7.fhir.testcases:fhir-test-cases), by fhir-adapter and by the HL7 Java engine.
#
#   run.sh ADAPTER [--show]
#
# FHIR_ADAPTER_BINARY names another build of it, such as one without sanitizers. Exit code 1 when a difference is not in
# differences.json, or one of those does not occur any more.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/interop/cache.sh
source "$here/../cache.sh"

adapter="${FHIR_ADAPTER_BINARY:-$1}"
suites="${FHIR_ADAPTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/fhir-adapter}/conformance/fhir-test-cases"
official="$suites/structure-mapping"
if [[ ! -d "$official" ]]; then
  echo "run.sh: no official maps: run tests/conformance/fetch.sh" >&2
  exit 3
fi
interop_classpath java-engine >/dev/null
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python3 -B "$here/generate.py" "$work/cases"
python3 -B "$here/compare.py" --adapter "$adapter" --engine "$here/../java-engine/run.sh" --cases "$work/cases" \
  --official "$official" --differences "$here/differences.json" "${@:2}"
