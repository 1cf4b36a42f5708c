// Opens the audit log of the daemon: its key, its comparison with the checkpoints, and what signs new ones.
#pragma once

#include <memory>

#include "app/checkpoint_thread.h"
#include "app/configuration.h"
#include "outbox/sqlite/sqlite_backend.h"

namespace fhir_adapter::app {

// kIntegrity when the log is not what was signed: then nothing may start. Not started yet when it returns.
Result<std::unique_ptr<CheckpointThread>> OpenAuditLog(const Configuration& configuration,
                                                       outbox::SqliteBackend& backend);

}  // namespace fhir_adapter::app
