#!/usr/bin/env bash
# Brings node-hl7-client into the cache and prints the folder. A second run does nothing. Version and bytes are pinned by
# package-lock.json.
set -euo pipefail
# shellcheck source=tests/interop/cache.sh
source "$(dirname "${BASH_SOURCE[0]}")/../cache.sh"
if ! command -v npm >/dev/null; then
  echo "fetch.sh: 'npm' is missing: install the packages nodejs and npm" >&2
  exit 3
fi
cd "$interop_root/hl7v2-node"
target="$interop_cache/hl7v2-node-$(interop_hash package.json package-lock.json sender.mjs)"
mkdir -p "$interop_cache"
exec 8>"$interop_cache/.hl7v2-node-lock"
flock 8
if [[ ! -d "$target" ]]; then
  partial="$(mktemp -d "$interop_cache/.partial.XXXXXX")"
  trap 'rm -rf "$partial"' EXIT
  cp package.json package-lock.json sender.mjs "$partial/"
  npm ci --prefix "$partial" --ignore-scripts --no-audit --no-fund --loglevel=error >&2
  chmod 755 "$partial"
  mv "$partial" "$target"
fi
echo "$target"
