#!/usr/bin/env bash
# Builds the fuzz targets with libFuzzer (clang 19) and runs each for a while, two at a time.
#
#   tests/fuzz/run.sh                        a fixed number of inputs each, about 20 seconds, from a fixed seed:
#                                            the same inputs on every machine
#   tests/fuzz/run.sh SECONDS [TARGET...]    for a while, from a new seed; targets: those of targets.sh
#
# Begins with the committed corpus (fixtures/corpus/TARGET); for a while also with what earlier runs found on this
# machine. An input that crashes, hangs for 60 s, takes 4 GB or breaks the target's property is left in
# FOLDER/found and named, with the seed in the log; then the exit code is 1. FOLDER is FHIR_ADAPTER_FUZZ_BUILD,
# else build/fuzz.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/fuzz/targets.sh
source tests/fuzz/targets.sh

runs_at_a_time=2

case "${1:-}" in -h | --help) sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 0 ;; esac
seconds=${1:-}
[[ ${seconds:-1} =~ ^[0-9]+$ ]] || { echo "run.sh: '$seconds' is not a number of seconds" >&2; exit 2; }
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || targets=("${fuzz_targets[@]}")
build_fuzz_targets "${targets[@]/#/fuzz_}"
mkdir -p "$fuzz_build/found"

# fuzz TARGET: a committed corpus shall not grow by itself, so new inputs go to the first folder.
fuzz() {
  local target=$1 corpus=fixtures/corpus/$1 log=$fuzz_build/$1.log status=0 grown extent
  [ -n "$(ls "$corpus")" ] || { echo "run.sh: $corpus is empty" >&2; return 1; }
  if [ -n "$seconds" ]; then
    grown=$fuzz_build/corpus/$target
    extent=(-max_total_time="$seconds")
  else
    grown=$fuzz_build/corpus-fixed/$target
    extent=(-seed=1 -runs="$(fuzz_inputs "$target")")
    rm -rf "$grown"
  fi
  mkdir -p "$grown"
  "$fuzz_build/tests/fuzz/fuzz_$target" "${extent[@]}" -timeout=60 -rss_limit_mb=4096 \
    -print_final_stats=1 -artifact_prefix="$fuzz_build/found/$target-" "$grown" "$corpus" \
    >"$log" 2>&1 || status=$?
  if [ "$status" -eq 0 ]; then
    echo "$target: $(grep -oE 'DONE.*' "$log")"
  else
    echo "$target: FAILED (exit $status), $log:"
    grep -E 'property does not hold|ERROR|SUMMARY|runtime error|Test unit written' "$log" || tail -n 20 "$log"
  fi
  return "$status"
}

failed=()
for ((at = 0; at < ${#targets[@]}; at += runs_at_a_time)); do
  pids=()
  group=("${targets[@]:at:runs_at_a_time}")
  for target in "${group[@]}"; do
    fuzz "$target" &
    pids+=($!)
  done
  for i in "${!pids[@]}"; do wait "${pids[$i]}" || failed+=("${group[$i]}"); done
done
echo "fuzzing: $((${#targets[@]} - ${#failed[@]})) of ${#targets[@]} targets held${failed[*]:+; failed: ${failed[*]}}"
[ ${#failed[@]} -eq 0 ]
