#include "storage/sqlite/sqlite_transaction.h"

#include <cstdlib>

namespace fhir_adapter::storage {

Connection& ConnectionOf(Snapshot& snapshot) {
  if (auto* transaction = dynamic_cast<SqliteTransaction*>(&snapshot)) return transaction->connection();
  if (auto* read = dynamic_cast<SqliteSnapshot*>(&snapshot)) return read->connection();
  std::abort();
}

}  // namespace fhir_adapter::storage
