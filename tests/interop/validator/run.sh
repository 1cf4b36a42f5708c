#!/usr/bin/env bash
# Validates FHIR R4 JSON with the HAPI validator, offline. Exit code 1 on validation errors.
#
#   run.sh [--profiles DIR...] FILE...      "severity<TAB>location<TAB>message" a line, then the sums
#   run.sh [--profiles DIR...] --stream     a resource a line in, {"errors":[{"location","message"}],"warnings":N} out
set -euo pipefail
# shellcheck source=tests/interop/cache.sh
source "$(dirname "${BASH_SOURCE[0]}")/../cache.sh"
classpath="$(interop_classpath validator)"
exec java -Xmx1g -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Duser.timezone=UTC \
  -cp "$classpath" org.fhiradapter.interop.ValidatorMain "$@"
