// LedgerTable: the rows of resource_ledger, and the one function that writes them with their audit entry.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/audit_log.h"
#include "core/result.h"
#include "outbox/delivery_plan.h"
#include "outbox/sqlite/key_table.h"
#include "outbox/sqlite/work_table.h"
#include "storage/transaction.h"

namespace fhir_adapter::outbox {

class LedgerTable {
 public:
  LedgerTable(audit::AuditLog& log, KeyTable& keys) : log_(log), keys_(keys) {}

  static Result<std::vector<LedgerRow>> OfSubject(storage::Snapshot& snapshot, std::string_view endpoint,
                                                  std::string_view subject_key);
  static Result<std::vector<LedgerRow>> OfSubjectEverywhere(storage::Snapshot& snapshot,
                                                            std::string_view subject_key);
  static Result<std::optional<LedgerRow>> Row(storage::Snapshot& snapshot, std::string_view endpoint,
                                              const ResourceKey& key);
  // Other patients in whose charts the record still has resources.
  static Result<std::vector<std::string>> FormerPatients(storage::Snapshot& snapshot,
                                                         std::string_view endpoint, const WorkRow& row);

  static Result<std::vector<std::string>> Subjects(storage::Snapshot& snapshot, std::string_view endpoint,
                                                   std::string_view after, std::string_view mrn,
                                                   std::optional<TimeUs> since, std::size_t subjects_max);
  static Result<std::optional<ResourceKey>> KeyOf(storage::Snapshot& snapshot, std::string_view endpoint,
                                                  std::string_view type, std::string_view server_id);

  // What was found on the server by somebody who looked: `event` is kFoundMissing (the row keeps its place,
  // without version and hash, so that the next work sends it again), kAdopted or kConflictDecided.
  Result<void> Note(storage::Transaction& transaction, const WorkRow& row, const LedgerRow& noted,
                    audit::EventKind event, std::string_view outcome, const Principal& actor, TimeUs now);

  // Returns the number of the entry that says so.
  Result<audit::Sequence> Write(storage::Transaction& transaction, const WorkRow& row,
                                const DeliveryReport& report, const ResourceWrite& write,
                                const Principal& actor, TimeUs now);

 private:
  audit::AuditLog& log_;
  KeyTable& keys_;
};

}  // namespace fhir_adapter::outbox
