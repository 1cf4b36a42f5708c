// Inbox: takes records into the store and carries them to the queue.
//
// Accept and CompleteMapping each change state and append the audit entries in the caller's transaction.
// Thread rules are those of storage::Transaction. Errors: those of the store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/issue.h"
#include "core/principal.h"
#include "core/result.h"
#include "outbox/delivery_plan.h"
#include "outbox/work_state.h"
#include "storage/transaction.h"

namespace fhir_adapter::outbox {

// `{site}.{recordId}` with every byte but [A-Za-z0-9_-] of a part as ~XX.
std::string SubjectKey(std::string_view site, std::string_view record_id);

// `{site}.ehr.{id}`: the subject of an Observation that the EHR pushed, and the value of its it-observation.
std::string PushedSubjectKey(std::string_view site, std::string_view id);

// Under it stand the AuditEvents that are sent of a record, and in a line of this name they wait: apart from
// the record's own work, so that a server that does not take them keeps no record waiting. `#` is in no other
// key.
inline constexpr std::string_view kAuditKeyEnding = "#audit";
std::string AuditKey(std::string_view key);  // of a subject or patient
// The key without the ending.
std::string_view WithoutAuditEnding(std::string_view key);

// The value from which an AuditEvent gets its id: `{site}.{sequence}` of the entry that it tells of.
std::string AuditEventValue(std::string_view site, std::int64_t sequence);

// `ehr.{id}`: the record id of such an Observation, as the queue and the log show it.
inline constexpr std::string_view kPushedRecordPrefix = "ehr.";

struct NewRecord {
  WorkKind kind = WorkKind::kRecord;  // or kObservation
  std::string source;                 // name of the intake
  std::string map;                    // of the intake: name, url or path; empty: the default one
  Principal actor;
  std::string site;
  std::string record_id;  // of an Observation: kPushedRecordPrefix and the id of our copy
  std::int64_t revision = 0;
  std::string status;
  std::string mrn;
  std::string bytes;           // the record as it came; what is mapped
  std::string content_sha256;  // of the canonical content: sameness
  std::vector<Reason> notes;
};

enum class AcceptOutcome : std::uint8_t {
  kNew,
  kKnown,     // same id, revision and content: the first receipt again
  kConflict,  // same id and revision, other content: nothing stored but a count, an alarm in the log
  kErased,    // the record was erased: no revision of it is taken again, nothing stored but the refusal
};

struct Accepted {
  AcceptOutcome outcome = AcceptOutcome::kNew;
  std::string receipt;  // of the first one; for kConflict that of the record it conflicts with
  WorkState state = WorkState::kReceived;
  std::string message;  // for kErased: when it was
};

struct RejectedRecord {
  std::string source;
  Principal actor;
  std::string site;  // empty when it could not be read; so the next two
  std::string record_id;
  std::int64_t revision = 0;
  std::string bytes;
  Issues issues;
};

// Work that waits to be mapped, in the order it came. `cursor` continues after the last one.
struct PendingMapping {
  WorkId id;
  std::string patient_key;  // map one patient's records one after the other
  std::string cursor;
};

// An issue of the rules that fired for this record before.
struct Firing {
  std::string issue;     // value of the DetectedIssue's identifier
  std::string recorded;  // `recorded` of the revision on which it first fired
};

// What the map reads beside the record. Pinned with the mapped revision, so that it can be replayed.
struct MappingFacts {
  int patient_generation = 1;
  std::vector<Firing> firings;
  std::vector<std::string> other_records;  // facts that the patient's other records gave, by subject
  // For an Observation: what of the patient's records is on a server, each as the JSON object
  // {endpoint, type, system, value, id, nullified, part, start, end}.
  std::vector<std::string> delivered;
  std::string mrn;  // for an Observation: of its patient
  // Not pinned: they are the revision's own.
  std::int64_t revision = 0;
  TimeUs received;
};

struct MappingTask {
  WorkId id;
  WorkKind kind = WorkKind::kRecord;
  WorkState state = WorkState::kReceived;
  std::string subject_key;
  std::int64_t revision = 0;
  std::string map;  // as NewRecord named it
  std::string bytes;
  MappingFacts facts;
  std::int64_t facts_version = 0;  // give it back: stale facts are mapped again
};

struct MappingResult {
  WorkId id;
  std::int64_t facts_version = 0;
  std::string map_set_sha256;
  std::string map_id;
  std::string map_version;
  std::string engine;           // its name and semantics version
  std::vector<Reason> reasons;  // not empty: quarantined, or held when that is the first one's class
  std::vector<Reason> notes;
  std::string sex;         // of the patient as recorded, for the patient check
  std::string birth_date;  // likewise
  std::string recorded;    // instant of the revision
  std::vector<IntendedResource> resources;
  std::vector<std::string> firings;  // identifier values of the DetectedIssues that fire now
  std::string fact;                  // what the patient's other records may know of this one; empty: nothing
};

enum class MappingOutcome : std::uint8_t {
  kQueued,
  kQuarantined,
  kHeld,
  kSuperseded,  // a higher revision came meanwhile
  kUnchanged,   // rules ran again and nothing is different: nothing to send
  kStale,       // the facts changed meanwhile: map again
  kGone,        // no longer waits to be mapped
};

// Everything a mapped revision was made from, to make it again.
struct PinnedMapping {
  std::string bytes;
  MappingFacts facts;
  std::string map_set_sha256;
  std::string map_id;  // url of the map in the set
  std::string engine;
  std::string output_sha256;  // see OutputHash
  bool lacks_facts = false;   // those of a record that was erased: the output may come out another
};

// One hash over the intended resources: their keys and contents, in order.
std::string OutputHash(const std::vector<IntendedResource>& resources);

class Inbox {
 public:
  virtual ~Inbox() = default;

  virtual Result<Accepted> Accept(storage::Transaction& transaction, const NewRecord& record, TimeUs now) = 0;
  // Keeps bytes and reasons; returns the receipt. Of a record that was erased only the refusal is logged, and
  // there is no receipt.
  virtual Result<std::string> Reject(storage::Transaction& transaction, const RejectedRecord& record,
                                     TimeUs now) = 0;

  // Of what came again an entry for each record and hour is written, and the rest is counted: writes the
  // count of records whose last entry is not newer than `before`, as the `attempt` of one entry each.
  virtual Result<void> NoteRepeats(storage::Transaction& transaction, TimeUs before, TimeUs now) = 0;

  virtual Result<std::vector<PendingMapping>> Pending(storage::Snapshot& snapshot, std::string_view after,
                                                      std::size_t items_max) = 0;
  virtual Result<MappingTask> LoadMapping(storage::Snapshot& snapshot, const WorkId& id) = 0;
  // kNotFound before it was mapped and after erasure.
  virtual Result<PinnedMapping> LoadPinned(storage::Snapshot& snapshot, const WorkId& id) = 0;
  virtual Result<MappingOutcome> CompleteMapping(storage::Transaction& transaction,
                                                 const MappingResult& result, TimeUs now) = 0;

  // Stores the bytes of a map set at first use.
  virtual Result<void> StoreMapSet(storage::Transaction& transaction, std::string_view sha256,
                                   std::string_view bytes, TimeUs now) = 0;
  virtual Result<std::string> LoadMapSet(storage::Snapshot& snapshot, std::string_view sha256) = 0;
};

}  // namespace fhir_adapter::outbox
