// Which configuration the program runs with, in the log: an entry when it is not the one of the last start.
#pragma once

#include <string_view>

#include "audit/audit_log.h"
#include "core/clock.h"
#include "core/result.h"
#include "storage/transaction.h"

namespace fhir_adapter::outbox {

// `sha256` names the configuration. Errors: those of the store.
Result<void> RecordConfiguration(storage::Transaction& transaction, audit::AuditLog& log,
                                 std::string_view sha256, TimeUs now);

}  // namespace fhir_adapter::outbox
