// QueueReader: what stands in the queue, for people, metrics and the sender. Changes nothing.
//
// Thread rules are those of storage::Snapshot. Errors: those of the store; kNotFound for an unknown id.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "outbox/delivery_plan.h"
#include "outbox/work_state.h"
#include "storage/transaction.h"

namespace fhir_adapter::outbox {

struct QueueStatistics {
  std::array<std::int64_t, kWorkStates> by_state{};  // index: WorkState
  std::optional<TimeUs> oldest_waiting;              // received time of the oldest work that is under way
  bool sending_stopped = false;                      // since a restore
  std::int64_t held_audit_events = 0;                // of the held: that wait for a server that takes them

  std::int64_t Count(WorkState state) const { return by_state[static_cast<std::size_t>(state)]; }
  std::int64_t undelivered() const;  // what retention must not touch and high water counts
};

struct QueueEntry {
  WorkId id;
  WorkKind kind = WorkKind::kRecord;
  std::string site;
  std::string record_id;
  std::int64_t revision = 0;
  WorkState state = WorkState::kReceived;
  std::vector<Reason> reasons;
  TimeUs received;
  std::optional<TimeUs> next_attempt;
  int attempts = 0;
};

struct QueueFilter {
  std::optional<WorkState> state;
  std::string after;  // cursor of the page before; empty: from the beginning
  std::size_t entries_max = 100;
};

struct QueuePage {
  std::vector<QueueEntry> entries;  // oldest first
  std::string next;                 // cursor; empty: no more
};

struct QueueDetail {
  QueueEntry entry;
  std::string map_set_sha256;  // empty before it was mapped
  std::vector<IntendedResource> resources;
  std::vector<LedgerRow> ledger;
  std::string answer;                       // the server's last OperationOutcome; empty: none or erased
  std::vector<ResourceConflict> conflicts;  // of held work: what a person has to decide
  std::vector<std::string> remarks;         // reasons that people gave, oldest first; erased ones left out
};

struct RevisionState {
  std::int64_t revision = 0;
  WorkState state = WorkState::kReceived;  // kRejected for a record that never entered the queue
  std::string receipt;
  std::vector<Reason> reasons;
  std::vector<LedgerRow> resources;  // of the record on the server, when this revision was delivered
};

struct HeldPatient {
  PatientReference patient;
  Code reason = Code::kPatientNotFound;
  std::int64_t items = 0;
};

// Everything that is known to be on a server of one record.
struct LedgerSubject {
  std::string subject_key;
  std::vector<LedgerRow> rows;             // in key order
  std::vector<PatientReference> patients;  // in whose charts they stand
};

struct LedgerFilter {
  std::string endpoint;
  std::string after;            // subject key of the last one before; empty: from the beginning
  std::string mrn;              // only records of this patient; empty: of all
  std::optional<TimeUs> since;  // only records of which something came in since then
  std::size_t subjects_max = 100;
};

class QueueReader {
 public:
  virtual ~QueueReader() = default;

  virtual Result<QueueStatistics> Statistics(storage::Snapshot& snapshot) = 0;
  // What Statistics would say is undelivered, for a fraction of the work: asked for every record that comes
  // in.
  virtual Result<std::int64_t> Undelivered(storage::Snapshot& snapshot) = 0;
  virtual Result<QueuePage> List(storage::Snapshot& snapshot, const QueueFilter& filter) = 0;
  virtual Result<QueueDetail> Show(storage::Snapshot& snapshot, const WorkId& id) = 0;
  // By revision, lowest first; empty for an unknown record.
  virtual Result<std::vector<RevisionState>> Revisions(storage::Snapshot& snapshot, std::string_view site,
                                                       std::string_view record_id) = 0;
  // Patients for whose sake work is held, to be matched again, in the order of their keys; `after` is the
  // last key of the page before, empty for the first.
  virtual Result<std::vector<HeldPatient>> HeldPatients(storage::Snapshot& snapshot, std::string_view after,
                                                        std::size_t patients_max) = 0;
  // When the next claim can give something; empty: not before something else changes.
  virtual Result<std::optional<TimeUs>> NextDue(storage::Snapshot& snapshot) = 0;
  // Every ledger row of a record on an endpoint, in key order.
  virtual Result<std::vector<LedgerRow>> LedgerOfSubject(storage::Snapshot& snapshot,
                                                         std::string_view endpoint,
                                                         std::string_view subject_key) = 0;
  virtual Result<std::optional<LedgerRow>> LedgerRowOf(storage::Snapshot& snapshot, std::string_view endpoint,
                                                       const ResourceKey& key) = 0;
  // The records of the ledger in the order of their keys, a page at a time.
  virtual Result<std::vector<LedgerSubject>> LedgerSubjects(storage::Snapshot& snapshot,
                                                            const LedgerFilter& filter) = 0;
  // One record of the ledger; without rows when it has none.
  virtual Result<LedgerSubject> LedgerSubjectOf(storage::Snapshot& snapshot, std::string_view endpoint,
                                                std::string_view subject_key) = 0;
  // Which resource "type/server_id" of this endpoint is; empty: none of the ledger.
  virtual Result<std::optional<ResourceKey>> LedgerKeyOf(storage::Snapshot& snapshot,
                                                         std::string_view endpoint, std::string_view type,
                                                         std::string_view server_id) = 0;
};

}  // namespace fhir_adapter::outbox
