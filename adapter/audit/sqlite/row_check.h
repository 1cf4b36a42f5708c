// Compares the rows of the store with the entries of the log that they name: so that a changed row shows as
// well as a changed entry. Raw records are compared with their commitments while their keys exist.
//
// Reads everything; memory does not grow with the store.
#pragma once

#include "audit/log_verifier.h"
#include "core/result.h"
#include "storage/transaction.h"

namespace fhir_adapter::audit {

// Adds what does not fit to the report.
Result<void> CheckRows(storage::Snapshot& snapshot, VerifyReport& report);

}  // namespace fhir_adapter::audit
