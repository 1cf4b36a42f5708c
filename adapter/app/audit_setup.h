// Opens the audit log of the daemon: its key, its comparison with the checkpoints, and what signs new ones.
#pragma once

#include <memory>
#include <optional>

#include "app/checkpoint_thread.h"
#include "app/configuration.h"
#include "app/witness_thread.h"
#include "outbox/sqlite/sqlite_backend.h"

namespace fhir_adapter::app {

// kIntegrity when the log is not what was signed: then nothing may start. Not started yet when it returns.
Result<std::unique_ptr<CheckpointThread>> OpenAuditLog(const Configuration& configuration,
                                                       outbox::SqliteBackend& backend);

// What has checkpoints cosigned; none when no witness over HTTP is configured. After OpenAuditLog. Not
// started yet.
Result<std::unique_ptr<WitnessThread>> OpenWitness(const Configuration& configuration,
                                                   outbox::SqliteBackend& backend);
// The key that `configuration` has; nothing when there is none. The configuration was checked before.
std::optional<audit::WitnessKey> WitnessKeyOf(const Configuration& configuration);
// The verifier key beside the store.
Result<audit::VerifierKey> ReadVerifierKey(const Configuration& configuration);

}  // namespace fhir_adapter::app
