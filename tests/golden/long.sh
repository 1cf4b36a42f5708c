#!/usr/bin/env bash
# Every mutant of the shipped maps and code tables, instead of the ordinary number: each must fail a case.
set -euo pipefail
cd "$(dirname "$0")/../.."
FHIR_ADAPTER_MUTANTS=all exec build/asan/tests/golden/golden --gtest_filter='MapMutants.*'
