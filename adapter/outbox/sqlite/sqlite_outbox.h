// Outbox in the SQLite store.
//
// Claiming never scans: patients with due work stand in an index by time, and the head of each patient's line
// in an index by patient.
#pragma once

#include "audit/audit_log.h"
#include "core/clock.h"
#include "outbox/outbox.h"
#include "outbox/sqlite/key_table.h"
#include "outbox/sqlite/ledger_table.h"
#include "outbox/sqlite/work_table.h"

namespace fhir_adapter::outbox {

class SqliteOutbox final : public Outbox {
 public:
  SqliteOutbox(audit::AuditLog& log, Random& random);

  Result<std::vector<WorkItem>> Claim(storage::Transaction& transaction,
                                      const ClaimRequest& request) override;
  Result<Lease> Extend(storage::Transaction& transaction, const WorkId& id, const Lease& lease,
                       TimeUs until) override;
  Result<WorkState> Complete(storage::Transaction& transaction, const DeliveryReport& report,
                             TimeUs now) override;
  Result<std::int64_t> EndLeases(storage::Transaction& transaction, TimeUs now) override;
  Result<void> Retry(storage::Transaction& transaction, const WorkId& id, const Change& change) override;
  Result<void> Release(storage::Transaction& transaction, const WorkId& id, const Change& change) override;
  Result<void> Decide(storage::Transaction& transaction, const WorkId& id, ConflictDecision decision,
                      const Change& change) override;
  Result<std::int64_t> ReleaseHeldFor(storage::Transaction& transaction, Code reason,
                                      const Change& change) override;
  Result<void> Quarantine(storage::Transaction& transaction, const WorkId& id, const Change& change) override;
  Result<std::int64_t> ReleasePatient(storage::Transaction& transaction, std::string_view patient_key,
                                      const Change& change) override;
  Result<std::int64_t> LinkPatient(storage::Transaction& transaction, const WorkId& id,
                                   std::string_view patient, const Change& change) override;
  Result<void> UnlinkPatient(storage::Transaction& transaction, const WorkId& id,
                             const Change& change) override;
  Result<void> QueueRepair(storage::Transaction& transaction, const Repair& repair,
                           const Change& change) override;
  Result<void> Adopt(storage::Transaction& transaction, const Adoption& adoption,
                     const Change& change) override;
  Result<void> ResumeSending(storage::Transaction& transaction, const Change& change) override;

 private:
  Result<std::optional<WorkItem>> ClaimOfPatient(storage::Transaction& transaction,
                                                 const std::string& patient_key, const ClaimRequest& request);
  Result<bool> TakeOutOfLine(storage::Transaction& transaction, WorkRow& row, TimeUs now);
  Result<bool> HasToWait(storage::Transaction& transaction, const WorkRow& row,
                         const std::vector<std::string>& former, TimeUs now);
  Result<WorkItem> Take(storage::Transaction& transaction, WorkRow& row,
                        const std::vector<std::string>& former, const ClaimRequest& request);
  Result<void> EndExpired(storage::Transaction& transaction, const std::string& patient_key, TimeUs now);
  Result<void> MakeAmbiguous(storage::Transaction& transaction, std::int64_t position, TimeUs now);
  Result<void> StoreConflicts(storage::Transaction& transaction, const WorkRow& row,
                              const std::vector<ResourceConflict>& conflicts, const Principal& actor,
                              TimeUs now);
  Result<void> EndLease(storage::Transaction& transaction, const std::string& owner, TimeUs now);
  Result<void> Settle(storage::Transaction& transaction, WorkRow& row, const DeliveryReport& report,
                      const Principal& actor, TimeUs now);
  Result<void> ReleaseDependents(storage::Transaction& transaction, const WorkRow& row, TimeUs now);
  Result<void> LookForLinks(storage::Transaction& transaction, const std::string& patient_key,
                            const Change& change);
  Result<void> ToReceived(storage::Transaction& transaction, WorkRow& row, audit::EventKind event,
                          const Change& change);
  Result<void> ToQueued(storage::Transaction& transaction, WorkRow& row, audit::EventKind event,
                        const Principal& actor, TimeUs now);
  // In a line of their own: see AuditKey.
  Result<void> QueueAuditEvents(storage::Transaction& transaction, const WorkRow& cause,
                                const std::vector<IntendedResource>& events, TimeUs now);
  Result<void> QueueRepairWork(storage::Transaction& transaction, const WorkRow& delivered, bool is_conflict,
                               const Change& change);
  Result<WorkRow> LoadForChange(storage::Transaction& transaction, const WorkId& id, const Change& change);
  Result<void> Remark(storage::Transaction& transaction, audit::Sequence sequence,
                      std::optional<std::int64_t> position, const Change& change);

  WorkTable work_;
  KeyTable keys_;
  LedgerTable ledger_;
};

// The AuditEvent of what was written for `row` as the entry `sequence` says.
IntendedResource AuditEventOf(const WorkRow& row, const DeliveryReport& report, const ResourceWrite& write,
                              audit::Sequence sequence);
Result<std::vector<ResourceConflict>> LoadConflicts(storage::Snapshot& snapshot, std::int64_t position);

}  // namespace fhir_adapter::outbox
