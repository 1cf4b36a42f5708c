#!/usr/bin/env bash
# The benchmarks at full size: for an hour or more, on a machine that does nothing else. What was measured goes to
# RESULTS.md by hand.
#
#   tests/bench/long.sh
#
# Audit: stores of up to 200,000 administrations (9 GB). Memory: the daemon after 100,000 records holds at most 5 MB more than after 10,000. Builds and works as run.sh does.
set -euo pipefail
cd "$(dirname "$0")/../.."

case "${1:-}" in
  "") ;;
  -h | --help) sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 0 ;;
  *) echo "long.sh: takes no argument" >&2; exit 2 ;;
esac

for name in mapping store delivery intake peers hapi; do tests/bench/run.sh "$name"; done

build=${FHIR_ADAPTER_BUILD:-$PWD/build/release}
folder=$(mktemp -d "${FHIR_ADAPTER_BENCH_FOLDER:-$build}/bench.XXXXXX")
trap 'rm -rf "$folder"' EXIT
if [ -z "${FHIR_ADAPTER_BUILD:-}" ]; then cmake --build --preset release --target bench_audit >/dev/null; fi
python3 -B fixtures/cohort/generate.py "$folder/cohort.ndjson"
echo
echo "== mapping, 100000 elements"
tests/bench/mapping/growth.py --adapter "$build/adapter/fhir-adapter" --elements 100000
echo
echo "== durable accepts, 5000 records"
"$build/tests/bench/store/bench_store" "$folder" 5000
echo
echo "== audit, 2,000 to 200,000 administrations, and one million entries"
"$build/tests/bench/audit/bench_audit" cost "$folder" 20000
tests/bench/audit/audit.py --adapter "$build/adapter/fhir-adapter" --loader "$build/tests/bench/audit/bench_audit" \
  --folder "$folder" --administrations 2000 20000 67000 200000
echo
echo "== memory"
python3 -B tests/bench/end_to_end/end_to_end.py memory --adapter "$build/adapter/fhir-adapter" --cohort "$folder/cohort.ndjson" \
  --folder "$folder" --records 10000 100000 --growth-max-mb 5
