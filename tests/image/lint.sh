#!/usr/bin/env bash
# The Dockerfile has no finding of hadolint, the compose file none of docker-compose; and both tools refuse a bad one.
set -euo pipefail
cd "$(dirname "$0")/../.."
hadolint=$(tests/image/fetch.sh --path)
[ -x "$hadolint" ] || { echo "lint.sh: hadolint is not there: tests/image/fetch.sh brings it" >&2; exit 1; }
"$hadolint" --no-color deploy/Dockerfile
docker-compose -f deploy/compose.yml config --quiet

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# No tag, a shell form, a package without a version: what a container must not have.
printf 'FROM debian\nRUN apt-get install -y curl\nCMD curl\n' >"$folder/Dockerfile"
if "$hadolint" --no-color "$folder/Dockerfile" >"$folder/findings"; then
  echo "lint.sh: hadolint finds nothing in a bad Dockerfile" >&2
  exit 1
fi
grep -q DL3006 "$folder/findings"
sed 's/^    image: /    imagee: /' deploy/compose.yml >"$folder/compose.yml"
if docker-compose -f "$folder/compose.yml" config --quiet 2>"$folder/findings"; then
  echo "lint.sh: docker-compose accepts an unknown key" >&2
  exit 1
fi
grep -q imagee "$folder/findings"
echo "Dockerfile and compose file: no finding; bad ones are refused"
