#!/usr/bin/env bash
# Builds the verifier that shares no code with the program into the cache and prints its path. A second run does
# nothing. The module's version is pinned by go.mod, its bytes by go.sum.
set -euo pipefail
# shellcheck source=tests/interop/cache.sh
source "$(dirname "${BASH_SOURCE[0]}")/../cache.sh"
if ! command -v go >/dev/null; then
  echo "build.sh: 'go' is missing: install the package golang-go" >&2
  exit 3
fi
cd "$interop_root/audit"
target="$interop_cache/audit-verifier-$(interop_hash go.mod go.sum main.go)"
mkdir -p "$interop_cache"
exec 8>"$interop_cache/.audit-lock"
flock 8
if [[ ! -x "$target" ]]; then
  CGO_ENABLED=0 go build -mod=readonly -trimpath -o "$target.partial" . >&2
  mv "$target.partial" "$target"
fi
echo "$target"
