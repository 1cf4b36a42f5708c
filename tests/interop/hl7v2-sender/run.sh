#!/usr/bin/env bash
# Another maker's library sends messages to a daemon of its own:
#
#   run.sh BINARY hapi     HAPI HL7v2
#   run.sh BINARY node     node-hl7-client
#
# Compares what the library says it was told with expected.txt, and asks the daemon what it holds.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/interop/cache.sh
source "$here/../cache.sh"
binary="$1"
case "$2" in
  hapi)
    # HAPI writes its last number into a file of the working directory.
    sender=(java -XX:+UseSerialGC -cp "$(interop_classpath hl7v2-sender)" org.fhiradapter.interop.Sender)
    expected="$here/expected.txt" record=R-HAPI-1
    ;;
  node)
    sender=(node "$("$here/../hl7v2-node/fetch.sh")/sender.mjs")
    expected="$here/../hl7v2-node/expected.txt" record=R-NODE-1
    ;;
  *) echo "run.sh: no such sender: $2 (hapi, node)" >&2; exit 2 ;;
esac
folder="$(mktemp -d)"
daemon=""
stop() {
  [[ -z "$daemon" ]] || kill "$daemon" 2>/dev/null || true
  wait
  rm -rf "$folder"
}
trap stop EXIT

cat >"$folder/config.toml" <<TOML
[site]
id = "pain-clinic"
time_zone = "Asia/Tokyo"
[store]
url = "sqlite:$folder/adapter.db"
[http]
listen = "127.0.0.1:0"
[mllp]
listen = "127.0.0.1:0"
TOML
mkfifo "$folder/output"
"$binary" --config "$folder/config.toml" serve >"$folder/output" 2>"$folder/log" &
daemon=$!
exec 7<"$folder/output"
http="" mllp=""
while [[ -z "$http" || -z "$mllp" ]] && read -r -t 60 -u 7 line; do
  case "$line" in
    *http://*) http="${line##* }" ;;
    *mllp://*) mllp="${line##*:}" ;;
  esac
done
if [[ -z "$mllp" ]]; then
  cat "$folder/log" >&2
  exit 1
fi

(cd "$folder" && exec "${sender[@]}" 127.0.0.1 "$mllp") >"$folder/told" 2>"$folder/sender.log" ||
  { cat "$folder/sender.log" >&2; exit 1; }
diff "$expected" "$folder/told"
state="$(curl -s --noproxy '*' "$http/records/pain-clinic/$record" | jq -r '.revisions | length')"
if [[ "$state" != 1 ]]; then
  echo "the record has $state revisions, not one" >&2
  exit 1
fi
echo "$2 was told what it should be"
