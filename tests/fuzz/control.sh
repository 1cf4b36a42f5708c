#!/usr/bin/env bash
# Shows that the fuzzing finds something: an overflow planted behind a prefix that no seed has must be found
# within 60 seconds. Exit 1 when it is not. Inputs are kept short and begin from nothing: at random places of
# long seeds the prefix would take longer than that.
set -euo pipefail
cd "$(dirname "$0")/../.."

# shellcheck source=tests/fuzz/targets.sh
source tests/fuzz/targets.sh
build_fuzz_targets fuzz_json_reader_planted

folder=$(mktemp -d "$fuzz_build/control.XXXXXX")
trap 'rm -rf "$folder"' EXIT
begin=$SECONDS
status=0
mkdir "$folder/corpus"
"$fuzz_build/tests/fuzz/fuzz_json_reader_planted" -max_total_time=60 -timeout=10 -rss_limit_mb=2048 -seed=1 \
  -max_len=64 -artifact_prefix="$folder/" "$folder/corpus" >"$folder/log" 2>&1 || status=$?
if [ "$status" -ne 0 ] && grep -q 'heap-buffer-overflow' "$folder/log" && grep -q 'PlantedOverflow' "$folder/log"; then
  echo "control: the planted overflow was found after $((SECONDS - begin)) s"
else
  tail -n 20 "$folder/log"
  echo "control: the planted overflow was NOT found (exit $status)"
  exit 1
fi
