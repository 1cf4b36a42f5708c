#!/usr/bin/env bash
# Starts the HAPI FHIR R4 server on 127.0.0.1; prints "READY http://127.0.0.1:PORT/fhir" when it serves.
#
#   run.sh [--port P] [--validate] [--postgres JDBC-URL]
#
# Ends when its standard input closes. INTEROP_LOG (default ERROR) sets what it logs on standard error.
set -euo pipefail
# shellcheck source=tests/interop/cache.sh
source "$(dirname "${BASH_SOURCE[0]}")/../cache.sh"
classpath="$(interop_classpath hapi-server)"
exec java -Xmx768m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Duser.timezone=UTC \
  -Dinterop.log="${INTEROP_LOG:-ERROR}" -cp "$classpath" org.fhiradapter.interop.HapiServer "$@"
