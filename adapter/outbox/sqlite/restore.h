// What is recorded in a store that was restored from a backup: the fact, and that nothing is sent until
// Outbox::ResumeSending, because the server holds newer versions than this store knows.
#pragma once

#include "audit/audit_log.h"
#include "core/result.h"
#include "outbox/outbox.h"
#include "storage/transaction.h"

namespace fhir_adapter::outbox {

// For storage::Restore's OnRestore.
Result<void> RecordRestore(storage::Transaction& transaction, audit::AuditLog& log, const Change& change);

}  // namespace fhir_adapter::outbox
