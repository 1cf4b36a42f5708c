// Copies of a live store, and the way back.
//
// A backup is one consistent file made beside a running writer, whole and checked or absent. Restoring
// installs it and records that it did: nothing is sent until an explicit command says so, because the server
// is newer than the store. Errors: kStoreDamaged and kStoreNewer for a file that cannot be used,
// kFileNotFound, kDiskFull, kStoreLocked (a daemon uses the target), kInputOutput.
#pragma once

#include <functional>
#include <string>

#include "core/result.h"
#include "storage/sqlite/schema.h"
#include "storage/transaction.h"

namespace fhir_adapter::storage {

// Copies the store at `store_path` to `backup_path`, which must not exist. From any thread or process.
Result<void> BackUp(const std::string& store_path, const std::string& backup_path, const Schema& schema);

// Proves that the file can be restored: its kind, version, pages and references.
Result<void> CheckBackup(const std::string& backup_path, const Schema& schema);

// Called in the restored store, in one transaction, before it is installed.
using OnRestore = std::function<Result<void>(Transaction&)>;

// Puts a checked copy in the place of the store at `store_path`, which no process may have open. What was
// there stays beside it as `{store_path}.before-restore`.
Result<void> Restore(const std::string& backup_path, const std::string& store_path, const Schema& schema,
                     const OnRestore& on_restore);

}  // namespace fhir_adapter::storage
