#!/usr/bin/env bash
# The random histories at full size: 100,000 instead of 2,000. A difference names the seed of its run.
set -euo pipefail
cd "$(dirname "$0")/../.."
FHIR_ADAPTER_HISTORIES=100000 exec build/asan/tests/fault/fault --gtest_filter='RandomHistory.*'
