#!/usr/bin/env bash
# The benchmarks at their ordinary size, each in less than two minutes. Figures, no verdict: only a wrong result fails.
#
#   tests/bench/run.sh          all of them
#   tests/bench/run.sh NAME     one of: mapping store delivery intake audit memory peers hapi
#
# peers: our engine against Medplum's, fhirpath.js and HL7's Java engine; hapi: delivery to HAPI against plain curl. Not
# among all, since they fetch what they are compared with. audit: what the log costs, and how long trace and verify take on
# a small store (long.sh: larger ones).
#
# Builds the release preset (or FHIR_ADAPTER_BUILD names another optimised build that is ready). Works in
# FHIR_ADAPTER_BENCH_FOLDER, else in the build folder: it must lie on a disk, since a tmpfs has nothing to wait for.
set -euo pipefail
cd "$(dirname "$0")/../.."

case "${1:-all}" in
  all | mapping | store | delivery | intake | audit | memory | peers | hapi) names=${1:-all} ;;
  -h | --help) sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 0 ;;
  *) echo "run.sh: unknown benchmark '$1' (mapping store delivery intake audit memory peers hapi)" >&2; exit 2 ;;
esac

build=${FHIR_ADAPTER_BUILD:-$PWD/build/release}
if [ -z "${FHIR_ADAPTER_BUILD:-}" ]; then
  case "$names" in
    all) targets=(fhir-adapter benches) ;;
    mapping) targets=(bench_mapping fhir-adapter) ;;
    store | peers) targets=("bench_$names") ;;
    delivery | intake | audit) targets=("bench_$names" fhir-adapter) ;;
    *) targets=(fhir-adapter) ;;
  esac
  cmake --preset release >/dev/null
  cmake --build --preset release --target "${targets[@]}" -j "$(nproc)" | tail -n 1
fi
folder=$(mktemp -d "${FHIR_ADAPTER_BENCH_FOLDER:-$build}/bench.XXXXXX")
trap 'rm -rf "$folder"' EXIT
if [ "$(stat --file-system --format %T "$folder")" = tmpfs ]; then
  echo "run.sh: $folder is a tmpfs; name a folder on a disk in FHIR_ADAPTER_BENCH_FOLDER" >&2
  exit 2
fi
cohort=$folder/cohort.ndjson
python3 -B fixtures/cohort/generate.py "$cohort"
adapter=$build/adapter/fhir-adapter

echo "commit $(git rev-parse --short HEAD)$(git diff --quiet HEAD -- adapter mappings fixtures || echo ' with changes'), $(date --utc +%F), $(nproc) processors, load $(cut -d ' ' -f 1 /proc/loadavg)"

# instructions MODE: of one pass over the cohort, a record.
instructions() {
  valgrind --tool=callgrind --toggle-collect=MeasuredPass --callgrind-out-file="$folder/callgrind.$1" \
    "$build/tests/bench/mapping/bench_mapping" "$1" "$cohort" mappings >"$folder/callgrind.$1.log" 2>&1 ||
    { cat "$folder/callgrind.$1.log" >&2; return 1; }
  awk -v records="$(wc -l <"$cohort")" '/Collected/ { printf "%d\n", $NF / records }' "$folder/callgrind.$1.log"
}

bench_mapping() {
  local mode parse_write hand maps full
  "$build/tests/bench/mapping/bench_mapping" verify "$cohort" mappings
  for mode in parse-write hand fml full; do
    "$build/tests/bench/mapping/bench_mapping" "$mode" "$cohort" mappings
  done
  parse_write=$(instructions parse-write)
  hand=$(instructions hand)
  maps=$(instructions fml)
  full=$(instructions full)
  awk -v p="$parse_write" -v h="$hand" -v m="$maps" -v f="$full" 'BEGIN {
    printf "instructions a record: parse and write %d, by hand %d, by the maps %d, everything %d\n", p, h, m, f
    printf "by the maps / by hand %.2f (goal: at most 4); by the maps / parse and write %.2f\n", m / h, m / p
    printf "above parsing and writing: by hand %d (%.0f %% of it), by the maps %d (%.1f times by hand)\n", h - p, 100 * (h - p) / h, m - p, (m - p) / (h - p)
    printf "everything / by the maps %.2f\n", f / m }'
  tests/bench/mapping/growth.py --adapter "$adapter"
}

# The official maps come with the suites that tests/conformance/fetch.sh brings.
bench_peers() {
  local npm cache
  cache=${FHIR_ADAPTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/fhir-adapter}
  npm=$(tests/bench/peers/fetch.sh)
  tests/conformance/fetch.sh
  python3 -B tests/bench/peers/compare.py --ours "$build/tests/bench/peers/bench_peers" --java tests/interop/java-engine/run.sh \
    --npm "$npm" --official "$cache/conformance/fhir-test-cases/structure-mapping"
}

bench_store() { "$build/tests/bench/store/bench_store" "$folder" 500; }

end_to_end() { python3 -B tests/bench/end_to_end/end_to_end.py "$1" --adapter "$adapter" --cohort "$cohort" --folder "$folder" "${@:2}"; }

bench_delivery() {
  end_to_end delivery
  "$build/tests/bench/delivery/bench_delivery" "$folder" 200
}

bench_intake() {
  tests/bench/intake/intake.py --adapter "$adapter" --load "$build/tests/bench/intake/bench_intake" --folder "$folder" --seconds 3
}

bench_audit() {
  "$build/tests/bench/audit/bench_audit" cost "$folder" 5000
  tests/bench/audit/audit.py --adapter "$adapter" --loader "$build/tests/bench/audit/bench_audit" --folder "$folder" --runs 100
}

bench_hapi() {
  tests/interop/fetch.sh hapi-server
  tests/bench/delivery/hapi.py --adapter "$adapter" --cohort "$cohort" --folder "$folder"
}

bench_memory() { end_to_end memory --records 2000; }

for name in mapping store delivery intake audit memory peers hapi; do
  case "$names:$name" in all:peers | all:hapi) continue ;; esac
  case "$names" in
    all | "$name")
      echo
      echo "== $name"
      "bench_$name"
      ;;
  esac
done
