#!/usr/bin/env bash
# Builds the fuzz targets with libFuzzer (clang 19) and runs each for a while, one after the other.
#
#   tests/fuzz/run.sh                        20 seconds each
#   tests/fuzz/run.sh SECONDS [TARGET...]    targets: fhirpath fml http_head json_reader record_reader
#
# Begins with the committed corpus (fixtures/corpus/TARGET) and what earlier runs found on this machine. An
# input that crashes, hangs for 10 s, takes 2 GB or breaks the target's property is left in FOLDER/found and
# named; then the exit code is 1. FOLDER is FHIR_ADAPTER_FUZZ_BUILD, else build/fuzz.
set -euo pipefail
cd "$(dirname "$0")/../.."

case "${1:-}" in -h | --help) sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 0 ;; esac
seconds=${1:-20}
[[ $seconds =~ ^[0-9]+$ ]] || { echo "run.sh: '$seconds' is not a number of seconds" >&2; exit 2; }
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || targets=(fhirpath fml http_head json_reader record_reader)

build=${FHIR_ADAPTER_FUZZ_BUILD:-$PWD/build/fuzz}
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DFHIR_ADAPTER_FUZZ=ON \
  -DFHIR_ADAPTER_SANITIZE= -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19 >/dev/null
cmake --build "$build" -j "${FHIR_ADAPTER_FUZZ_JOBS:-$(nproc)}" --target "${targets[@]/#/fuzz_}" | tail -n 1
mkdir -p "$build/found"
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

failed=()
for target in "${targets[@]}"; do
  corpus=fixtures/corpus/$target
  [ -n "$(ls "$corpus")" ] || { echo "run.sh: $corpus is empty" >&2; exit 1; }
  mkdir -p "$build/corpus/$target"
  log=$build/$target.log
  echo "== $target, $seconds s"
  status=0
  # A committed corpus shall not grow by itself: new inputs go to the first folder.
  "$build/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$build/found/$target-" "$build/corpus/$target" "$corpus" >"$log" 2>&1 || status=$?
  if [ "$status" -eq 0 ]; then
    grep -E 'DONE|number_of_executed_units|peak_rss_mb' "$log"
  else
    echo "FAILED (exit $status), $log:"
    grep -E 'property does not hold|ERROR|SUMMARY|runtime error|Test unit written' "$log" || tail -n 20 "$log"
    failed+=("$target")
  fi
done
echo "fuzzing: $((${#targets[@]} - ${#failed[@]})) of ${#targets[@]} targets held${failed[*]:+; failed: ${failed[*]}}"
[ ${#failed[@]} -eq 0 ]
