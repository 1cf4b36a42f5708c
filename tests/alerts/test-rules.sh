#!/usr/bin/env bash
# The rules of deploy/alerts.yml fire when they should and only then, by promtool; and a changed rule is found.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v promtool >/dev/null || { echo "test-rules.sh: promtool is not there: deploy/packages.sh test brings it" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp deploy/alerts.yml tests/alerts/alerts_test.yml "$folder"
promtool check rules "$folder/alerts.yml"
promtool test rules "$folder/alerts_test.yml"

# Each rule that looks at another kind than its own is found.
for kind in intake endpoint stalled quarantined held audit certificate source; do
  sed "s/{kind=\"$kind\"}/{kind=\"no-$kind\"}/" deploy/alerts.yml >"$folder/alerts.yml"
  if promtool test rules "$folder/alerts_test.yml" >"$folder/output" 2>&1; then
    echo "test-rules.sh: the tests pass without a rule for $kind" >&2
    exit 1
  fi
done
echo "the rules are good; each one that is missing is found"
