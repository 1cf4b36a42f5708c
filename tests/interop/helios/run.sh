#!/usr/bin/env bash
# Starts the Helios FHIR R4 server, empty, on 127.0.0.1; prints "READY http://127.0.0.1:PORT" when it serves.
#
#   run.sh [--port P]        0, or nothing: any free port
#
# tests/interop/helios/long.sh brings it. Ends when its standard input closes; its data go with it.
set -euo pipefail
# shellcheck source=tests/interop/helios/version.sh
source "$(dirname "${BASH_SOURCE[0]}")/version.sh"

port=0
case "${1:-}" in
  --port) port=${2:?"--port needs a number"} ;;
  "") ;;
  *) echo "usage: run.sh [--port P]" >&2; exit 2 ;;
esac
if [ ! -x "$helios_binary" ]; then
  echo "run.sh: Helios is not built: tests/interop/helios/long.sh builds it" >&2
  exit 3
fi
if [ "$port" = 0 ]; then
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
fi
data=$(mktemp -d)
server=""
# shellcheck disable=SC2317 # called by the trap
ended() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$data"
}
trap ended EXIT
trap 'exit 143' INT TERM
cp "$helios_search_parameters" "$data/search-parameters-r4.json"
HFS_DATABASE_URL="$data/fhir.db" HFS_DATA_DIR="$data" RUST_LOG="${INTEROP_LOG:-error}" \
  "$helios_binary" --host 127.0.0.1 --port "$port" --base-url "http://127.0.0.1:$port" </dev/null >"$data/log" 2>&1 &
server=$!
until curl --silent --fail --output /dev/null --max-time 5 "http://127.0.0.1:$port/metadata"; do
  kill -0 "$server" 2>/dev/null || { cat "$data/log" >&2; echo "run.sh: Helios ended" >&2; exit 1; }
  sleep 0.2
done
echo "READY http://127.0.0.1:$port"
cat >/dev/null
