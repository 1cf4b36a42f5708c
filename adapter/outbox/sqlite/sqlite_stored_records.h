// StoredRecords in the SQLite store.
#pragma once

#include "outbox/sqlite/key_table.h"
#include "outbox/sqlite/sqlite_inbox.h"
#include "outbox/sqlite/work_table.h"
#include "outbox/stored_records.h"

namespace fhir_adapter::outbox {

class SqliteStoredRecords final : public StoredRecords {
 public:
  SqliteStoredRecords(audit::AuditLog& log, Random& random, SqliteInbox& inbox)
      : work_(log), keys_(random), inbox_(inbox) {}

  Result<StoredRecordPage> List(storage::Snapshot& snapshot, const StoredRecordFilter& filter) override;
  Result<void> Remap(storage::Transaction& transaction, std::string_view subject_key, std::int64_t revision,
                     const Change& change) override;

 private:
  Result<std::optional<WorkRow>> LastWork(storage::Snapshot& snapshot, std::string_view subject_key);
  Result<StoredRecord> LoadRecord(storage::Snapshot& snapshot, const WorkRow& last);
  Result<void> MapAgainInPlace(storage::Transaction& transaction, WorkRow& row, const Change& change);
  Result<void> QueueBehind(storage::Transaction& transaction, const WorkRow& last, const Change& change);

  WorkTable work_;
  KeyTable keys_;
  SqliteInbox& inbox_;
};

}  // namespace fhir_adapter::outbox
