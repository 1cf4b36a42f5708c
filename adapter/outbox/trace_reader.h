// TraceReader: all that the store holds of one record, for an auditor. Changes nothing.
//
// Which entries of the audit log speak of the record says audit::TraceOfSubject. Texts and bytes are clinical
// content. Thread rules are those of storage::Snapshot. Errors: those of the store; kNotFound for an unknown
// record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "outbox/delivery_plan.h"
#include "outbox/erasures.h"
#include "outbox/work_state.h"
#include "storage/transaction.h"

namespace fhir_adapter::outbox {

enum class TraceSelectorKind : std::uint8_t {
  kRecord,      // site and record id
  kRecordId,    // of any site
  kResource,    // type and id on a server
  kIdentifier,  // system and value of a resource
  kPatient,     // number of the patient
  kReceipt,     // of a submission, or the id of other work
};

struct TraceSelector {
  TraceSelectorKind kind = TraceSelectorKind::kRecordId;
  std::string first;   // site, type or system
  std::string second;  // the id, value or number
};

// A revision that was taken.
struct TracedRevision {
  std::int64_t revision = 0;
  std::string status;
  std::string receipt;
  std::string source;  // name of the intake
  TimeUs received;
  PatientReference patient;
  std::string bytes;       // as they came; empty: erased
  std::string commitment;  // that the log holds of them
  std::int64_t audit_sequence = 0;
};

// A revision that could not be taken.
struct TracedRefusal {
  std::int64_t revision = 0;
  std::string receipt;
  std::string source;
  TimeUs received;
  std::vector<Reason> reasons;
};

struct TracedWork {
  WorkId id;
  WorkKind kind = WorkKind::kRecord;
  std::int64_t revision = 0;
  WorkState state = WorkState::kReceived;
  TimeUs received;
  int attempts = 0;
  // Empty before it was mapped.
  std::string map_id;
  std::string map_version;
  std::string map_set_sha256;
  std::string engine;
  std::string output_sha256;
  std::vector<Reason> reasons;
  std::vector<Reason> notes;
  std::vector<IntendedResource> resources;
  std::string answer;  // the server's last OperationOutcome; empty: none or erased
};

struct RecordTrace {
  std::string subject_key;
  std::string site;
  std::string record_id;
  std::vector<TracedRevision> revisions;
  std::vector<TracedRefusal> refusals;
  std::vector<TracedWork> work;                 // by revision, then in order of arrival
  std::vector<LedgerRow> ledger;                // on every server
  std::map<std::int64_t, std::string> remarks;  // what people gave as reason, by audit entry
  std::optional<Erasure> erasure;               // when and why its content was erased
  std::optional<TimeUs> expired;                // when what [retention] no longer keeps went
};

class TraceReader {
 public:
  virtual ~TraceReader() = default;

  // Keys of the records that are meant, in their order; at most `subjects_max`. Empty: none.
  virtual Result<std::vector<std::string>> Subjects(storage::Snapshot& snapshot,
                                                    const TraceSelector& selector,
                                                    std::size_t subjects_max) = 0;
  virtual Result<RecordTrace> Load(storage::Snapshot& snapshot, const std::string& subject_key) = 0;
};

}  // namespace fhir_adapter::outbox
