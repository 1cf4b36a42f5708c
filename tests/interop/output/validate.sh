#!/usr/bin/env bash
# What `map` writes, judged by the HAPI validator with our profiles and code system: no error is allowed.
#
#   validate.sh PROGRAM         the cases and every seventh record of the cohort
#   validate.sh PROGRAM all     the cases and the whole cohort
set -euo pipefail
program=$1
size=${2:-sample}
root=$(cd "$(dirname "$0")/../../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 "$root/fixtures/cohort/generate.py" >"$folder/cohort.ndjson"
if [ "$size" != all ]; then
  awk 'NR % 7 == 1' "$folder/cohort.ndjson" >"$folder/sample.ndjson"
  mv "$folder/sample.ndjson" "$folder/cohort.ndjson"
fi
"$program" map --map-dir "$root/mappings" "$root"/fixtures/records/*.json "$folder/cohort.ndjson" \
  >"$folder/bundles.ndjson" 2>"$folder/notes.txt" || { cat "$folder/notes.txt" >&2; exit 1; }
count=$(wc -l <"$folder/bundles.ndjson")
echo "$count Bundles to validate"
[ "$count" -ge 100 ]
"$root/tests/interop/validator/run.sh" --profiles "$root/mappings/profiles" "$root/mappings/terminology" \
  "$folder/bundles.ndjson" >"$folder/report.txt" || { grep -E '^error' "$folder/report.txt" >&2; tail -n 1 "$folder/report.txt" >&2; exit 1; }
tail -n 1 "$folder/report.txt"

# The control: the same output with one wrong code must be refused.
head -n 1 "$folder/bundles.ndjson" | sed 's/"status":"completed"/"status":"finished-somehow"/' >"$folder/broken.ndjson"
if "$root/tests/interop/validator/run.sh" --profiles "$root/mappings/profiles" "$root/mappings/terminology" \
  "$folder/broken.ndjson" >/dev/null; then
  echo "the validator accepts a wrong status: it judges nothing" >&2
  exit 1
fi
echo "a wrong status is refused"
