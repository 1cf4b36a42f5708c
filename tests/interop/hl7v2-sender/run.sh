#!/usr/bin/env bash
# HAPI HL7v2 sends messages to a daemon of its own: run.sh BINARY. Prints what HAPI was told, compares it with
# expected.txt, and asks the daemon what it holds.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/interop/cache.sh
source "$here/../cache.sh"
binary="$1"
classpath="$(interop_classpath hl7v2-sender)"
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

# HAPI writes its last number into a file of the working directory.
(cd "$folder" && exec java -XX:+UseSerialGC -cp "$classpath" org.fhiradapter.interop.Sender 127.0.0.1 "$mllp") \
  >"$folder/told" 2>"$folder/java.log" || { cat "$folder/java.log" >&2; exit 1; }
diff "$here/expected.txt" "$folder/told"
state="$(curl -s --noproxy '*' "$http/records/pain-clinic/R-HAPI-1" | jq -r '.revisions | length')"
if [[ "$state" != 1 ]]; then
  echo "the record has $state revisions, not one" >&2
  exit 1
fi
echo "HAPI HL7v2 was told what it should be"
