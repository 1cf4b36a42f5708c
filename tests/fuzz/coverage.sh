#!/usr/bin/env bash
# How much of its module each fuzz target runs with the committed corpus alone: prints the share of lines, and
# fails below 80 %.
#
#   tests/fuzz/coverage.sh                     every target
#   tests/fuzz/coverage.sh --files TARGET...   and the share of each file of its module
#
# A target's module is what it is for, not all that is linked to it. Headers count with the sources.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/fuzz/targets.sh
source tests/fuzz/targets.sh

lines_percent_min=80

show_files=no
case "${1:-}" in
  -h | --help) sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 0 ;;
  --files) show_files=yes; shift ;;
esac
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=("${fuzz_targets[@]}")
build_fuzz_targets "${targets[@]/#/fuzz_}"

folder=$(mktemp -d "$fuzz_build/coverage.XXXXXX")
trap 'rm -rf "$folder"' EXIT

# report TARGET: a line a file `file lines missed percent`, and the last for all.
report() {
  local -a module
  read -ra module <<<"$(fuzz_module "$1")"
  LLVM_PROFILE_FILE=$folder/$1.profraw "$fuzz_build/tests/fuzz/fuzz_$1" -runs=0 -artifact_prefix="$folder/" "fixtures/corpus/$1" >"$folder/$1.log" 2>&1 ||
    { tail -n 20 "$folder/$1.log" >&2; return 1; }
  llvm-profdata-19 merge -sparse "$folder/$1.profraw" -o "$folder/$1.profdata"
  llvm-cov-19 export -summary-only -instr-profile="$folder/$1.profdata" "$fuzz_build/tests/fuzz/fuzz_$1" "${module[@]}" |
    jq -r '.data[0] | (.files[] | [.filename, .summary.lines]), ["all", .totals.lines] |
      "\(.[0]) \(.[1].count) \(.[1].count - .[1].covered) \(.[1].percent * 10 | floor / 10)"'
}

failed=()
for target in "${targets[@]}"; do
  report "$target" >"$folder/$target.txt"
  if [ "$show_files" = yes ]; then sed "s#$PWD/##" "$folder/$target.txt"; fi
  read -r _ lines missed percent < <(tail -n 1 "$folder/$target.txt")
  printf 'coverage of %-14s %5s %% of %5d lines by %d inputs\n' "$target" "$percent" "$lines" \
    "$(find "fixtures/corpus/$target" -type f | wc -l)"
  if [ $(((lines - missed) * 100)) -lt $((lines * lines_percent_min)) ]; then failed+=("$target"); fi
done
if [ ${#failed[@]} -gt 0 ]; then
  echo "coverage.sh: below $lines_percent_min %: ${failed[*]}" >&2
  exit 1
fi
