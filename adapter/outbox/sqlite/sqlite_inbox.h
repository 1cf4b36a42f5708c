// Inbox in the SQLite store.
#pragma once

#include "audit/audit_log.h"
#include "core/clock.h"
#include "outbox/erasures.h"
#include "outbox/inbox.h"
#include "outbox/sqlite/key_table.h"
#include "outbox/sqlite/work_table.h"

namespace fhir_adapter::outbox {

class SqliteInbox final : public Inbox {
 public:
  SqliteInbox(audit::AuditLog& log, Random& random);

  Result<Accepted> Accept(storage::Transaction& transaction, const NewRecord& record, TimeUs now) override;
  Result<std::string> Reject(storage::Transaction& transaction, const RejectedRecord& record,
                             TimeUs now) override;
  Result<void> NoteRepeats(storage::Transaction& transaction, TimeUs before, TimeUs now) override;
  Result<std::vector<PendingMapping>> Pending(storage::Snapshot& snapshot, std::string_view after,
                                              std::size_t items_max) override;
  Result<MappingTask> LoadMapping(storage::Snapshot& snapshot, const WorkId& id) override;
  Result<PinnedMapping> LoadPinned(storage::Snapshot& snapshot, const WorkId& id) override;
  Result<MappingOutcome> CompleteMapping(storage::Transaction& transaction, const MappingResult& result,
                                         TimeUs now) override;
  Result<void> StoreMapSet(storage::Transaction& transaction, std::string_view sha256, std::string_view bytes,
                           TimeUs now) override;
  Result<std::string> LoadMapSet(storage::Snapshot& snapshot, std::string_view sha256) override;

 private:
  struct Arrival;

  // Accept: accept.cc
  Result<Accepted> RefuseErased(storage::Transaction& transaction, const NewRecord& record,
                                const Arrival& arrival, const Erasure& erasure, TimeUs now);
  Result<std::optional<Accepted>> FindKnown(storage::Transaction& transaction, const NewRecord& record,
                                            const Arrival& arrival, TimeUs now);
  Result<void> CountArrival(storage::Transaction& transaction, const NewRecord& record,
                            const Arrival& arrival, AcceptOutcome outcome, TimeUs now);
  Result<void> CountErased(storage::Transaction& transaction, const std::string& subject_key,
                           audit::Entry entry);
  Result<void> NoteArrivals(storage::Transaction& transaction, TimeUs before, TimeUs now);
  Result<void> NoteErased(storage::Transaction& transaction, TimeUs before, TimeUs now);
  Result<void> PlaceInHistory(storage::Transaction& transaction, const NewRecord& record, Arrival& arrival);
  Result<audit::Sequence> StoreRevision(storage::Transaction& transaction, const NewRecord& record,
                                        const Arrival& arrival, TimeUs now);
  Result<WorkState> StoreWork(storage::Transaction& transaction, const NewRecord& record,
                              const Arrival& arrival, audit::Sequence sequence, TimeUs now);

  // CompleteMapping: complete_mapping.cc
  Result<void> ForgetOutput(storage::Transaction& transaction, std::int64_t position);
  // Quarantined or held.
  Result<MappingOutcome> Park(storage::Transaction& transaction, WorkRow& row, const MappingResult& result,
                              TimeUs now);
  Result<void> StoreOutput(storage::Transaction& transaction, WorkRow& row, const MappingResult& result,
                           const MappingFacts& facts, TimeUs now);
  Result<bool> IsUnchanged(storage::Transaction& transaction, const WorkRow& row, const std::string& output);
  Result<void> PutInQueue(storage::Transaction& transaction, WorkRow& row, TimeUs now);
  Result<void> SupersedeLower(storage::Transaction& transaction, const WorkRow& row, TimeUs now);
  Result<void> StoreFact(storage::Transaction& transaction, const WorkRow& row, const MappingResult& result,
                         TimeUs now);
  Result<void> ReevaluateOthers(storage::Transaction& transaction, const std::string& patient_key,
                                const WorkRow& cause, TimeUs now);

  WorkTable work_;
  KeyTable keys_;
};

}  // namespace fhir_adapter::outbox
