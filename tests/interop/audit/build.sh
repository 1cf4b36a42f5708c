#!/usr/bin/env bash
# Builds a peer that shares no code with the program into the cache and prints its path: the verifier, or with
# `witness` the witness. A second run does nothing. Modules' versions are pinned by go.mod, their bytes by go.sum.
set -euo pipefail
# shellcheck source=tests/interop/cache.sh
source "$(dirname "${BASH_SOURCE[0]}")/../cache.sh"
if ! command -v go >/dev/null; then
  echo "build.sh: 'go' is missing: install the package golang-go" >&2
  exit 3
fi
case "${1:-verifier}" in
  verifier) cd "$interop_root/audit" ;;
  witness) cd "$interop_root/audit/witness" ;;
  *)
    echo "usage: build.sh [verifier|witness]" >&2
    exit 2
    ;;
esac
target="$interop_cache/audit-${1:-verifier}-$(interop_hash go.mod go.sum main.go)"
mkdir -p "$interop_cache"
exec 8>"$interop_cache/.audit-lock"
flock 8
if [[ ! -x "$target" ]]; then
  CGO_ENABLED=0 go build -mod=readonly -trimpath -o "$target.partial" . >&2
  mv "$target.partial" "$target"
fi
echo "$target"
