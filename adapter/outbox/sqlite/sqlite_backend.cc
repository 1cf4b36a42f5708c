#include "outbox/sqlite/sqlite_backend.h"

#include <utility>

namespace fhir_adapter::outbox {

Result<std::unique_ptr<SqliteBackend>> OpenSqliteBackend(storage::SqliteStoreSettings settings,
                                                         Random& random) {
  auto backend = std::make_unique<SqliteBackend>(random);
  ADAPTER_TRY(backend->store, storage::SqliteStore::Open(std::move(settings)));
  return backend;
}

Result<std::unique_ptr<SqliteBackend>> OpenSqliteBackendReadOnly(const storage::SqliteStoreSettings& settings,
                                                                 Random& random) {
  auto backend = std::make_unique<SqliteBackend>(random);
  ADAPTER_TRY(backend->store, storage::SqliteStore::OpenReadOnly(settings));
  return backend;
}

}  // namespace fhir_adapter::outbox
