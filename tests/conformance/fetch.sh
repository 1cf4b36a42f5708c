#!/usr/bin/env bash
# Fetches the official FHIRPath suites, R4 and R5 (Maven org.hl7.fhir.testcases:fhir-test-cases), into the cache and
# turns them into JSON for the runner. A second run does nothing. Nothing of them is part of this project.
#
#   fetch.sh
#
# Cache: $FHIR_ADAPTER_CACHE, else ${XDG_CACHE_HOME:-~/.cache}/fhir-adapter; the suites lie in its folder
# conformance/fhir-test-cases. HAPI's parser comes with the validator of tests/interop.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/interop/cache.sh
source "$here/../interop/cache.sh"

version=1.7.69
checksum=827a559099ae3297c3f96ab5749b419a24600d74b6a09e23620881a9c17df741
cache="${FHIR_ADAPTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/fhir-adapter}/conformance"
target="$cache/fhir-test-cases"
stamp="$version $(cd "$here" && interop_hash SuiteConverter.java)"

"$here/../interop/fetch.sh" validator
mkdir -p "$cache"
exec 7>"$cache/.lock"
flock 7
if [[ -f "$target/.stamp" && "$(<"$target/.stamp")" == "$stamp" ]]; then
  exit 0
fi

partial="$(mktemp -d "$cache/.partial.XXXXXX")"
trap 'rm -rf "$partial"' EXIT
for attempt in 1 2 3 4; do
  if mvn -B -ntp -q org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
    -Dartifact="org.hl7.fhir.testcases:fhir-test-cases:$version" -DoutputDirectory="$partial" \
    >"$partial/maven.log" 2>&1; then
    break
  fi
  if ((attempt == 4)); then
    tail -n 20 "$partial/maven.log" >&2
    echo "fetch.sh: the suite is not available" >&2
    exit 1
  fi
  sleep $((attempt * 5))
done
jar="$partial/fhir-test-cases-$version.jar"
if [[ "$(sha256sum <"$jar" | cut -d ' ' -f 1)" != "$checksum" ]]; then
  echo "fetch.sh: fhir-test-cases-$version.jar is not the file that was pinned" >&2
  exit 1
fi
java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$(interop_classpath validator)" \
  "$here/SuiteConverter.java" "$jar" "$partial/suite" >&2
echo "$stamp" >"$partial/suite/.stamp"
rm -rf "$target"
mv "$partial/suite" "$target"
