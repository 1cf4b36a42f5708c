#!/usr/bin/env bash
# Logs across makers: what Tessera (transparency-dev) writes is verified by `audit verify`, and what `audit export` writes by
# Tessera's fsck; a changed one by neither.
#
#   tests/interop/audit/tessera.sh      FHIR_ADAPTER_BINARY names the program (default: the release build)
#
# The versions of Tessera's programs are pinned here, their bytes by Go's checksum database.
set -euo pipefail
# shellcheck source=tests/interop/cache.sh
source "$(dirname "${BASH_SOURCE[0]}")/../cache.sh"
root=$(cd "$interop_root/../.." && pwd)
program=${FHIR_ADAPTER_BINARY:-$root/build/release/adapter/fhir-adapter}
version=v1.0.4
tools=$interop_cache/tessera-$version
if [ ! -x "$tools/fsck" ] || [ ! -x "$tools/posix-oneshot" ]; then
  mkdir -p "$tools"
  GOBIN=$tools CGO_ENABLED=0 go install "github.com/transparency-dev/tessera/cmd/examples/posix-oneshot@$version" \
    "github.com/transparency-dev/tessera/cmd/fsck@$version"
fi
witness=$("$interop_root/audit/build.sh" witness)  # makes keys, too

folder=$(mktemp -d)
daemon=
finish() {
  if [ -n "$daemon" ]; then kill "$daemon" 2>/dev/null || true; fi
  rm -rf "$folder"
}
trap finish EXIT
fail() { echo "tessera.sh: $*" >&2; exit 1; }
# verified FOLDER KEY: the exit code of `audit verify`.
verified() { "$program" audit verify --folder "$1" --key "$2" >"$folder/out.txt" 2>&1 && echo 0 || echo $?; }

# A partial tile, a whole one, one behind a whole one, and a second level.
for size in 1 256 257 700; do
  mkdir -p "$folder/keys-$size" "$folder/entries-$size"
  "$witness" keys "tessera.example/$size" "$folder/keys-$size"
  for i in $(seq "$size"); do printf 'entry %s of another maker' "$i" >"$folder/entries-$size/$(printf %04d "$i")"; done
  log=$folder/log-$size
  "$tools/posix-oneshot" --storage_dir "$log" --private_key "$folder/keys-$size/key" \
    --entries "$folder/entries-$size/*" >"$folder/oneshot.txt" 2>&1 || { cat "$folder/oneshot.txt" >&2; exit 1; }
  [ "$(verified "$log" "$folder/keys-$size/vkey")" = 0 ] || { cat "$folder/out.txt" >&2; fail "size $size is not verified"; }
  grep -q "good: $size entries" "$folder/out.txt" || fail "size $size: $(cat "$folder/out.txt")"
  for file in $(find "$log/tile" "$log/checkpoint" -type f | sort); do
    cp -p "$file" "$folder/kept"
    chmod u+w "$file"
    python3 - "$file" <<'P'
import sys
path = sys.argv[1]
data = bytearray(open(path, "rb").read())
data[len(data) // 2] ^= 0x04
open(path, "wb").write(data)
P
    [ "$(verified "$log" "$folder/keys-$size/vkey")" != 0 ] || fail "size $size: a change of ${file#"$log"/} is not seen"
    cp -p "$folder/kept" "$file"
  done
  [ "$(verified "$log" "$folder/keys-$size/vkey")" = 0 ] || fail "size $size is not as it was"
  echo "Tessera's log of $size: verified, and each changed file is seen"
done

# Ours, of more than 256 entries.
cat >"$folder/config.toml" <<T
[site]
id = "pain-clinic"
[store]
url = "sqlite:$folder/adapter.db"
[http]
listen = "127.0.0.1:0"
T
"$program" --config "$folder/config.toml" serve >"$folder/serve.txt" 2>&1 &
daemon=$!
for _ in $(seq 300); do
  url=$(grep -oE 'http://127\.0\.0\.1:[0-9]+' "$folder/serve.txt" | head -n 1 || true)
  [ -z "$url" ] || break
  sleep 0.2
done
[ -n "$url" ] || { cat "$folder/serve.txt" >&2; fail "the program does not listen"; }
for i in $(seq 100); do
  sed "s/\"MG-1\"/\"MG-1-$i\"/" "$root/fixtures/records/mg-1.json" >"$folder/record-$i.json"
done
"$program" --config "$folder/config.toml" submit --to "$url" "$folder"/record-*.json >/dev/null
kill "$daemon"
wait "$daemon" || true
daemon=
"$program" --config "$folder/config.toml" audit export "$folder/ours"
fsck() { timeout "$1" "$tools/fsck" --storage_url="file://$folder/ours/" --public_key="$folder/ours/vkey" --ui=false; }
fsck 120 >"$folder/fsck.txt" 2>&1 || { tail "$folder/fsck.txt" >&2; fail "fsck does not accept what we export"; }
echo "our log of $(sed -n 2p "$folder/ours/checkpoint") entries: accepted by fsck"
file=$(find "$folder/ours/tile/entries" -type f | sort | head -n 1)
printf 'x' | dd of="$file" bs=1 seek=100 conv=notrunc status=none
# This version does not end on a bad log.
if fsck 15 >"$folder/fsck.txt" 2>&1; then fail "fsck accepts a changed entry"; fi
echo "a changed entry: not accepted by fsck"
