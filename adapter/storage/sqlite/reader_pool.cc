#include "storage/sqlite/reader_pool.h"

#include <utility>

#include "core/limits.h"
#include "storage/sqlite/queries.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::storage {

ReaderPool::ReaderPool(ConnectionSettings settings) : settings_(std::move(settings)) {}

Result<std::unique_ptr<Connection>> ReaderPool::Take() {
  {
    std::unique_lock lock(mutex_);
    given_back_.wait(lock, [&] { return in_use_ < limits::kStoreReadersMax; });
    ++in_use_;
    if (!idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  auto opened = Connection::Open(settings_);
  if (!opened) GiveBack(nullptr);
  return opened;
}

void ReaderPool::GiveBack(std::unique_ptr<Connection> connection) {
  const std::scoped_lock lock(mutex_);
  --in_use_;
  if (connection != nullptr) idle_.push_back(std::move(connection));
  given_back_.notify_one();
}

Result<void> ReaderPool::Read(const std::function<Result<void>(Snapshot&)>& read) {
  ADAPTER_TRY(auto connection, Take());
  const QuerySet& queries = ConnectionQueries();
  auto outcome = connection->Run(queries["begin"]);
  if (outcome) {
    SqliteSnapshot snapshot(*connection);
    outcome = read(snapshot);
  }
  if (connection->in_transaction() && !connection->Run(queries["rollback"])) connection.reset();
  GiveBack(std::move(connection));
  return outcome;
}

}  // namespace fhir_adapter::storage
