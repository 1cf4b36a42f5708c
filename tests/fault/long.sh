#!/usr/bin/env bash
# Delivery at full size: random histories (100,000 instead of 2,000), lost answers (100,000), order (1,000,000), an
# outage (100,000 records), the cost of a claim (10^6 waiting). The auditor's at full size: traces of random histories
# (100,000 instead of 500), mutations of the log and its store (100,000 instead of 2,000). Intake: mutations of what comes
# (100,000 instead of 5,000). A difference names the seed of its run.
#
#   tests/fault/long.sh [histories|lost|order|outage|claim|traces|mutations|intake]
#
# FHIR_ADAPTER_BUILD names the build whose tests are run (build/asan; an optimised one takes a tenth of the time).
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${FHIR_ADAPTER_BUILD:-build/asan}

case "${1:-all}" in
  all | histories | lost | order | outage | claim | traces | mutations | intake) what=${1:-all} ;;
  *) echo "long.sh: unknown figure '$1' (histories lost order outage claim traces mutations intake)" >&2; exit 2 ;;
esac
chosen() { [ "$what" = all ] || [ "$what" = "$1" ]; }
run() { "$build/tests/$1" --gtest_filter="$2"; }

if chosen histories; then FHIR_ADAPTER_HISTORIES=100000 run fault/fault 'RandomHistory.*'; fi
if chosen lost; then FHIR_ADAPTER_DELIVERIES=100000 run fault/fault 'DeliveryFigures.OneAnswer*'; fi
if chosen order; then FHIR_ADAPTER_ORDERED=1000000 run fault/fault 'DeliveryFigures.Retries*'; fi
if chosen outage; then FHIR_ADAPTER_QUEUED=100000 run fault/fault 'DeliveryFigures.ServerAway*'; fi
if chosen claim; then FHIR_ADAPTER_CLAIM_QUEUED=1000000 run contract/contract '*SqliteClaimCost*'; fi
if chosen traces; then FHIR_ADAPTER_TRACES=100000 run fault/fault 'TraceHistory.*'; fi
if chosen mutations; then FHIR_ADAPTER_AUDIT_MUTATIONS=100000 run contract/contract '*AuditMutation*:*ExportedLogMutation*'; fi
if chosen intake; then FHIR_ADAPTER_INTAKE_MUTATIONS=100000 run daemon/daemon 'IntakeMutation.*'; fi
