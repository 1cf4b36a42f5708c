#!/usr/bin/env bash
# Fetches the official FHIRPath and mapping suites (Maven org.hl7.fhir.testcases:fhir-test-cases), and the official UCUM
# definitions (Maven org.fhir:ucum) into the cache, and turns the suites into JSON for the runner. A second run does
# nothing. Nothing of the suites is part of this project.
#
#   fetch.sh
#
# Cache: $FHIR_ADAPTER_CACHE, else ${XDG_CACHE_HOME:-~/.cache}/fhir-adapter; the suites lie in its folder
# conformance/fhir-test-cases, with ucum-essence.xml beside them. HAPI's parser comes with the validator of
# tests/interop.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/interop/cache.sh
source "$here/../interop/cache.sh"

suites="org.hl7.fhir.testcases:fhir-test-cases:1.7.69"
suites_checksum=827a559099ae3297c3f96ab5749b419a24600d74b6a09e23620881a9c17df741
ucum="org.fhir:ucum:1.0.10"
ucum_checksum=784fb5ba7d74726962fb67624d0f98231e513124a83507a09c2862bbc2b4f3bd
cache="${FHIR_ADAPTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/fhir-adapter}/conformance"
target="$cache/fhir-test-cases"
stamp="$suites $ucum $(cd "$here" && interop_hash SuiteConverter.java)"

"$here/../interop/fetch.sh" validator
mkdir -p "$cache"
exec 7>"$cache/.lock"
flock 7
if [[ -f "$target/.stamp" && "$(<"$target/.stamp")" == "$stamp" ]]; then
  exit 0
fi

partial="$(mktemp -d "$cache/.partial.XXXXXX")"
trap 'rm -rf "$partial"' EXIT

# fetch_jar COORDINATE CHECKSUM: prints the path of the jar.
fetch_jar() {
  local coordinate="$1" checksum="$2" jar attempt
  for attempt in 1 2 3 4; do
    if mvn -B -ntp -q org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
      -Dartifact="$coordinate" -DoutputDirectory="$partial" >"$partial/maven.log" 2>&1; then
      break
    fi
    if ((attempt == 4)); then
      tail -n 20 "$partial/maven.log" >&2
      echo "fetch.sh: $coordinate is not available" >&2
      return 1
    fi
    sleep $((attempt * 5))
  done
  jar="$partial/$(cut -d : -f 2 <<<"$coordinate")-${coordinate##*:}.jar"
  if [[ "$(sha256sum <"$jar" | cut -d ' ' -f 1)" != "$checksum" ]]; then
    echo "fetch.sh: $coordinate is not the file that was pinned" >&2
    return 1
  fi
  echo "$jar"
}

suites_jar="$(fetch_jar "$suites" "$suites_checksum")"
ucum_jar="$(fetch_jar "$ucum" "$ucum_checksum")"
java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$(interop_classpath validator)" \
  "$here/SuiteConverter.java" "$suites_jar" "$ucum_jar" "$partial/suite" >&2
echo "$stamp" >"$partial/suite/.stamp"
rm -rf "$target"
mv "$partial/suite" "$target"
