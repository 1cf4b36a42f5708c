#!/usr/bin/env bash
# Would compare.py notice? Two sandboxes take the places of HAPI and sandbox; one of them lies about one search.
#
#   tests/interop/compare/control.sh BINARY
#
# Exit code 0 when compare.py passes equals, and fails both for an unlisted difference and for a listed one that
# does not happen.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
binary=${FHIR_ADAPTER_BINARY:-${1:?the path of the fhir-adapter program}}
logs=$(mktemp -d)
servers=()
trap 'kill "${servers[@]}" 2>/dev/null || true; rm -rf "$logs"' EXIT

# start NAME ARGUMENT...: sets url.
start() {
  local i
  "$binary" sandbox --port 0 "${@:2}" >"$logs/$1" 2>/dev/null &
  servers+=("$!")
  for ((i = 0; i < 300; i++)); do
    url=$(grep -m 1 '^Base URL:' "$logs/$1" | grep -o 'http://[^ ]*' || true)
    if [ -n "$url" ]; then return 0; fi
    sleep 0.1
  done
  echo "the sandbox does not start" >&2
  exit 3
}
# expect STATUS TEXT ARGUMENT...: runs compare.py.
expect() {
  local status=0
  python3 "$here/compare.py" "${@:3}" >"$logs/out" 2>&1 || status=$?
  if [ "$status" -ne "$1" ] || ! grep -q "$2" "$logs/out"; then
    echo "exit $status instead of $1, or no line with \"$2\":" >&2
    cat "$logs/out" >&2
    exit 1
  fi
}

start one; one=$url
start two; two=$url
start liar --fault 'status:503:1:GET /Provenance'; liar=$url
echo '[]' >"$logs/none.json"
expect 0 ' 0 differences' --hapi "$one" --sandbox "$two" --differences "$logs/none.json"
expect 1 'not listed: read-versioned: status: HAPI 200, sandbox 503' \
  --hapi "$one" --sandbox "$liar" --differences "$logs/none.json"
expect 1 'listed, but does not happen: if-match-stale: status' --hapi "$one" --sandbox "$two"
start like-hapi --like hapi; like=$url
expect 1 'not listed: if-match-stale: status: HAPI 409, sandbox 412' --hapi "$like" --sandbox "$one" --like hapi
