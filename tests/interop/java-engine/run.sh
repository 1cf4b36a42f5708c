#!/usr/bin/env bash
# Runs the HL7 Java mapping and FHIRPath engines over the R4 definitions: a job a line in, an answer a line out
# (src/main/java/org/fhiradapter/interop/EngineMain.java). Loading takes about 10 s: give it all jobs at once.
set -euo pipefail
# shellcheck source=tests/interop/cache.sh
source "$(dirname "${BASH_SOURCE[0]}")/../cache.sh"
classpath="$(interop_classpath java-engine)"
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
java -Xmx1500m -XX:+UseSerialGC -Duser.timezone=UTC -cp "$classpath" org.fhiradapter.interop.EngineMain 2>"$log" ||
  { tail -n 20 "$log" >&2; exit 1; }
