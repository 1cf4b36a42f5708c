#!/usr/bin/env bash
# What `map` writes, judged by the HAPI validator with our profiles and code system: no error is allowed.
#
#   validate.sh PROGRAM         about 100 records in which each element path, code and status of all of them occurs
#   validate.sh PROGRAM all     all of them: the papers' cases, the golden cases, the whole cohort
set -euo pipefail
program=$1
size=${2:-sample}
root=$(cd "$(dirname "$0")/../../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# bundles OUT INPUT...: what `map` makes of them. OPTIONS go before the command.
options=()
bundles() {
  local out=$1
  shift
  "$program" "${options[@]}" map --map-dir "$root/mappings" "$@" >>"$out" 2>"$folder/notes.txt" ||
    { cat "$folder/notes.txt" >&2; exit 1; }
}
python3 "$root/fixtures/cohort/generate.py" >"$folder/cohort.ndjson"
bundles "$folder/pool.ndjson" "$folder/cohort.ndjson"
bundles "$folder/always.ndjson" "$root"/fixtures/records/*.json
for case in "$root"/mappings/*/tests/*/; do
  # Most golden cases are records that were mapped above.
  if [ -f "$root/fixtures/records/$(basename "$case").json" ] && [ ! -f "$case/config.toml" ]; then continue; fi
  if [ ! -f "$case/expected.json" ]; then continue; fi  # a case of a refusal has no output
  options=()
  if [ -f "$case/config.toml" ]; then options=(--config "$case/config.toml"); fi
  bundles "$folder/always.ndjson" "$case"/input.*
done
if [ "$size" = all ]; then
  cat "$folder/always.ndjson" "$folder/pool.ndjson" >"$folder/bundles.ndjson"
else
  "$root/tests/interop/output/choose_sample.py" "$folder/always.ndjson" "$folder/pool.ndjson" 100 "$folder/bundles.ndjson"
fi
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
