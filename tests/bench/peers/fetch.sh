#!/usr/bin/env bash
# Fetches the engines that the mapping benchmark is compared with: Medplum's and fhirpath.js by npm (package-lock.json pins
# them with checksums), HL7's Java engine by tests/interop/fetch.sh. A second run does nothing. Prints the npm folder.
#
#   fetch.sh
#
# Cache: $FHIR_ADAPTER_CACHE, else ${XDG_CACHE_HOME:-~/.cache}/fhir-adapter.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cache="${FHIR_ADAPTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/fhir-adapter}"
"$here/../../interop/fetch.sh" java-engine >&2
target="$cache/bench-peers-$(cat "$here/package.json" "$here/package-lock.json" | sha256sum | cut -c 1-16)"
if [[ ! -d "$target" ]]; then
  mkdir -p "$cache"
  partial="$(mktemp -d "$cache/.partial.XXXXXX")"
  trap 'rm -rf "$partial"' EXIT
  cp "$here/package.json" "$here/package-lock.json" "$partial"
  (cd "$partial" && npm ci --ignore-scripts --no-audit --no-fund --silent) >&2
  chmod 755 "$partial"
  mv "$partial" "$target"
  trap - EXIT
fi
echo "$target"
