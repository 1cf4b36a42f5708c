#!/usr/bin/env bash
# All fixtures and corrections to the Helios FHIR server, the second real one, by the tests that deliver to HAPI.
#
#   tests/interop/helios/long.sh [GTEST-FILTER]
#
# Builds Helios first when it is not there: a Rust crate, with a cargo that knows edition 2024, 20 to 60 minutes. Its
# last result stands in adapter/sync/README.md. FHIR_ADAPTER_BUILD names the build whose tests are run (build/asan).
set -euo pipefail
cd "$(dirname "$0")/../../.."
# shellcheck source=tests/interop/helios/version.sh
source tests/interop/helios/version.sh
build=${FHIR_ADAPTER_BUILD:-build/asan}

if [ ! -x "$helios_binary" ]; then
  command -v cargo >/dev/null || { echo "long.sh: cargo is missing: install Rust" >&2; exit 3; }
  echo "long.sh: building Helios $helios_version in $helios_root"
  cargo install helios-hfs --version "$helios_version" --no-default-features --features R4,sqlite --debug \
    --root "$helios_root"
fi
if [ ! -f "$helios_search_parameters" ]; then
  tests/interop/fetch.sh validator
  jars=(
    "$(interop_jars validator)"/hapi-fhir-validation-resources-r4-*.jar
  )
  unzip -p "${jars[0]}" org/hl7/fhir/r4/model/sp/search-parameters.json >"$helios_search_parameters.partial"
  mv "$helios_search_parameters.partial" "$helios_search_parameters"
fi
export FHIR_ADAPTER_INTEROP_SERVER=$PWD/tests/interop/helios/run.sh
exec "$build/tests/interop/delivery/interop_delivery" --gtest_filter="${1:-DeliveryToHapi.*}"
