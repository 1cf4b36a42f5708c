// How a command changes the store: through the control socket of the daemon that owns it or, when none runs,
// with the store's lock.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "app/configuration.h"
#include "app/queue_changes.h"
#include "app/streams.h"
#include "outbox/sqlite/sqlite_backend.h"

namespace fhir_adapter::app {

storage::SqliteStoreSettings StoreSettings(const Configuration& configuration);

// Posts `body` to `path` of the daemon, or calls `apply` with the open store.
using ApplyChange = std::function<void(outbox::SqliteBackend& backend, QueueChangeDone done)>;
Result<std::vector<QueueChangeResult>> MakeChange(const Configuration& configuration, const std::string& path,
                                                  const std::string& body, const ApplyChange& apply);
Result<std::vector<QueueChangeResult>> MakeChange(const Configuration& configuration,
                                                  const QueueChange& change);

// Tells each that was not made on `err`. True when all were.
bool ReportFailed(const std::vector<QueueChangeResult>& results, const Streams& streams);

}  // namespace fhir_adapter::app
