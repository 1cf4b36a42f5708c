// Erasures in the SQLite store.
#pragma once

#include <vector>

#include "outbox/erasures.h"
#include "outbox/sqlite/work_table.h"

namespace fhir_adapter::outbox {

class SqliteErasures final : public Erasures {
 public:
  explicit SqliteErasures(audit::AuditLog& log) : work_(log) {}

  Result<ErasedRecord> Erase(storage::Transaction& transaction, const std::string& subject_key,
                             const Change& change) override;
  Result<void> Finish(storage::Transaction& transaction, std::string_view subject_key, TimeUs now) override;
  Result<std::vector<UnfinishedErasure>> Unfinished(storage::Snapshot& snapshot) override;
  Result<std::optional<Erasure>> Find(storage::Snapshot& snapshot, std::string_view subject_key) override;

 private:
  Result<std::vector<WorkRow>> LoadSettled(storage::Transaction& transaction, const std::string& subject_key);
  Result<void> Note(storage::Transaction& transaction, const std::string& subject_key,
                    const std::vector<std::string>& patients, const Change& change, ErasedRecord& erased);
  Result<void> EraseWork(storage::Transaction& transaction, std::vector<WorkRow>& rows,
                         const ErasedRecord& erased, const Change& change);

  WorkTable work_;
};

// Also for those who take records in.
Result<std::optional<Erasure>> FindErasure(storage::Snapshot& snapshot, std::string_view subject_key);
// When it was, for who sends the record again. Why it was is for those who may read the trace.
std::string ErasedMessage(const Erasure& erasure);
// In the log: what became of a submission of a record that was erased.
inline constexpr std::string_view kErasedOutcome = "erased";

}  // namespace fhir_adapter::outbox
