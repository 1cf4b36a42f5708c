#!/usr/bin/env bash
# Starts HAPI, the sandbox and the sandbox that behaves like HAPI on free ports and runs compare.py on the first and
# each of the others; more arguments go to compare.py.
#
#   tests/interop/compare/run.sh BINARY [--print-differences]
#
# BINARY is the fhir-adapter program; $FHIR_ADAPTER_BINARY goes before it.
#
# Exit code: that of compare.py, or 3 when a server did not start.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
binary=${FHIR_ADAPTER_BINARY:-${1:?the path of the fhir-adapter program}}
shift
logs=$(mktemp -d)
mkfifo "$logs/hapi-input"

# shellcheck disable=SC2317 # the trap calls it
finish() {
  exec 3>&- # HAPI ends when its input closes
  if [ -n "${sandbox:-}" ]; then kill "$sandbox" 2>/dev/null || true; fi
  if [ -n "${like:-}" ]; then kill "$like" 2>/dev/null || true; fi
  wait || true
  rm -rf "$logs"
}
trap finish EXIT

"$here/../hapi-server/run.sh" --port 0 <"$logs/hapi-input" >"$logs/hapi" 2>"$logs/hapi-errors" &
hapi=$!
exec 3>"$logs/hapi-input"
"$binary" sandbox --port 0 >"$logs/sandbox" 2>"$logs/sandbox-errors" 3>&- &
sandbox=$!
"$binary" sandbox --port 0 --like hapi >"$logs/like" 2>"$logs/like-errors" 3>&- &
like=$!

# address FILE PATTERN PID: the URL in the first line that matches; gives up with the process or after 180 s.
address() {
  local i line
  for ((i = 0; i < 900; i++)); do
    line=$(grep -m 1 "$2" "$1" || true)
    if [ -n "$line" ]; then
      grep -o 'http://[^ ]*' <<<"$line"
      return 0
    fi
    if ! kill -0 "$3" 2>/dev/null; then break; fi
    sleep 0.2
  done
  cat "$1" "$1-errors" >&2
  return 1
}
hapi_url=$(address "$logs/hapi" '^READY ' "$hapi") || exit 3
sandbox_url=$(address "$logs/sandbox" '^Base URL:' "$sandbox") || exit 3
like_url=$(address "$logs/like" '^Base URL:' "$like") || exit 3
status=0
python3 "$here/compare.py" --hapi "$hapi_url" --sandbox "$sandbox_url" "$@" || status=$?
python3 "$here/compare.py" --hapi "$hapi_url" --sandbox "$like_url" --like hapi "$@" || status=$?
exit "$status"
