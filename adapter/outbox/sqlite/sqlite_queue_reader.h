// QueueReader in the SQLite store.
#pragma once

#include "audit/audit_log.h"
#include "outbox/queue_reader.h"
#include "outbox/sqlite/work_table.h"

namespace fhir_adapter::outbox {

class SqliteQueueReader final : public QueueReader {
 public:
  explicit SqliteQueueReader(audit::AuditLog& log) : work_(log) {}

  Result<QueueStatistics> Statistics(storage::Snapshot& snapshot) override;
  Result<std::int64_t> Undelivered(storage::Snapshot& snapshot) override;
  Result<QueuePage> List(storage::Snapshot& snapshot, const QueueFilter& filter) override;
  Result<QueueDetail> Show(storage::Snapshot& snapshot, const WorkId& id) override;
  Result<std::vector<RevisionState>> Revisions(storage::Snapshot& snapshot, std::string_view site,
                                               std::string_view record_id) override;
  Result<std::vector<HeldPatient>> HeldPatients(storage::Snapshot& snapshot, std::string_view after,
                                                std::size_t patients_max) override;
  Result<std::optional<TimeUs>> NextDue(storage::Snapshot& snapshot) override;
  Result<std::vector<LedgerRow>> LedgerOfSubject(storage::Snapshot& snapshot, std::string_view endpoint,
                                                 std::string_view subject_key) override;
  Result<std::optional<LedgerRow>> LedgerRowOf(storage::Snapshot& snapshot, std::string_view endpoint,
                                               const ResourceKey& key) override;
  Result<std::vector<LedgerSubject>> LedgerSubjects(storage::Snapshot& snapshot,
                                                    const LedgerFilter& filter) override;
  Result<LedgerSubject> LedgerSubjectOf(storage::Snapshot& snapshot, std::string_view endpoint,
                                        std::string_view subject_key) override;
  Result<std::optional<ResourceKey>> LedgerKeyOf(storage::Snapshot& snapshot, std::string_view endpoint,
                                                 std::string_view type, std::string_view server_id) override;

 private:
  static Result<QueueStatistics> Counts(storage::Snapshot& snapshot);
  Result<QueueEntry> LoadEntry(storage::Snapshot& snapshot, const WorkRow& row);

  WorkTable work_;
};

}  // namespace fhir_adapter::outbox
