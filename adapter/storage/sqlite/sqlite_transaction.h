// The SQLite side of Snapshot and Transaction: how a backend gets at the connection behind them.
#pragma once

#include "storage/sqlite/connection.h"
#include "storage/transaction.h"

namespace fhir_adapter::storage {

class SqliteSnapshot final : public Snapshot {
 public:
  explicit SqliteSnapshot(Connection& connection) : connection_(connection) {}
  Connection& connection() { return connection_; }

 private:
  Connection& connection_;
};

class SqliteTransaction final : public Transaction {
 public:
  explicit SqliteTransaction(Connection& connection) : connection_(connection) {}
  Connection& connection() { return connection_; }

 private:
  Connection& connection_;
};

// Aborts for a snapshot of another backend: a defect of the composition.
Connection& ConnectionOf(Snapshot& snapshot);

}  // namespace fhir_adapter::storage
