// ReaderPool: read-only connections, one for each read under way.
//
// Thread-safe. Opens connections when they are needed, keeps them, and waits when kStoreReadersMax are in
// use.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "core/result.h"
#include "storage/sqlite/connection.h"
#include "storage/transaction.h"

namespace fhir_adapter::storage {

class ReaderPool {
 public:
  explicit ReaderPool(ConnectionSettings settings);

  // One snapshot from the first statement to the end of `read`.
  Result<void> Read(const std::function<Result<void>(Snapshot&)>& read);

 private:
  Result<std::unique_ptr<Connection>> Take();
  void GiveBack(std::unique_ptr<Connection> connection);  // null: it was given up

  const ConnectionSettings settings_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable given_back_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::size_t in_use_ = 0;
};

}  // namespace fhir_adapter::storage
