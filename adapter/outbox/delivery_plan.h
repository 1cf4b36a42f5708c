// What is to be on the server and what is known to be there: the value types that the queue and the sender
// share. The queue holds intended resources, not Bundles; the sender decides how they travel.
//
// Values; free to move between threads. `json` members hold clinical content and belong to erasable tables.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/error.h"

namespace fhir_adapter::outbox {

// The identity of a resource that is ours, on every server and in every revision.
struct ResourceKey {
  std::string type;    // "Observation"
  std::string system;  // identifier system; for types without identifier the system its uuid is made from
  std::string value;

  auto operator<=>(const ResourceKey&) const = default;
};

struct IntendedResource {
  ResourceKey key;
  std::string uuid;    // UUIDv5 of system|value; the fullUrl is urn:uuid:{uuid}
  std::string json;    // as `map` writes it: references by fullUrl, the patient by conditional reference
  std::string sha256;  // 64 hex digits of json
  // True: found and updated by `Type?identifier=`. False: PUT Type/{uuid} (AdverseEvent, Provenance).
  bool has_identifier_search = true;
};

// What the server last answered for one resource.
struct LedgerRow {
  std::string endpoint;
  ResourceKey key;
  std::string server_id;
  std::string version_id;
  std::string etag;
  std::string sha256;  // of the json that was sent
  std::string json;    // that was sent; empty after erasure
  // What stands there when it is more than what was sent, since somebody else added to it or a person kept
  // it: with literal references, without id, meta (but tags) and text. Empty: what was sent is all.
  std::string merged;
  std::int64_t revision = 0;
  std::string patient_key;  // whose chart it stands in
  int patient_generation = 1;
  // Already set to entered-in-error or cancelled: no longer a row that vanished.
  bool nullified = false;
};

struct PatientReference {
  std::string key;         // opaque; stands for the patient outside the erasable tables
  std::string mrn;         // to be matched on the server
  std::string sex;         // for the patient check; empty: not recorded
  std::string birth_date;  // any precision; empty: not recorded
  std::string linked_id;   // "Patient/x" set by an operator; empty: match by mrn
};

// Names a piece of work to its owner and to people. Opaque; not an order.
struct WorkId {
  std::string value;
  auto operator<=>(const WorkId&) const = default;
};

enum class WorkKind : std::uint8_t {
  kRecord,       // a revision of a record
  kIssueUpdate,  // its rules run again because the patient's other records changed
  kRepair,       // written again: found missing by reconcile, or mapped again by remap
  kObservation,  // pushed by the EHR
  kAuditEvent,   // tells the server what was written for another piece of work
};

std::string_view Name(WorkKind kind);  // "record", "issue-update", …

// Who holds the patient. Completing work needs the lease under which it was claimed: hand it back as it is.
struct Lease {
  std::string owner;
  TimeUs until;
  std::string endpoint;  // for which the work was claimed
};

struct WorkItem {
  WorkId id;
  WorkKind kind = WorkKind::kRecord;
  std::string subject_key;  // the record: {site}.{recordId} with escaped parts
  std::string site;
  std::string record_id;
  std::int64_t revision = 0;
  std::string record_status;  // "completed", "voided", …
  TimeUs received;

  PatientReference patient;
  // Not empty when an earlier revision named another patient: the resources in `ledger` with another
  // patient_key that are not nullified become entered-in-error by id. The leases of these patients are held.
  std::vector<PatientReference> former_patients;
  int patient_generation = 1;  // 2 for `.p2`, …

  // The last request of this work may have reached the server: search before sending.
  bool is_ambiguous = false;
  int attempt = 1;       // of this claim
  TimeUs first_attempt;  // start of the retry budget; the time of this claim on the first one
  int write_number = 1;  // n of Provenance {r}.{revision}.{n}: 1 for the first write of a revision
  Lease lease;

  std::vector<IntendedResource> resources;  // referenced before referring
  std::vector<LedgerRow> ledger;            // every row of this record on the endpoint, vanished ones too
};

// One resource that the server is known to hold now.
struct ResourceWrite {
  ResourceKey key;
  std::string server_id;
  std::string version_id;
  std::string etag;
  std::string json;    // as intended for the server (status and nullification included)
  std::string sha256;  // of json
  bool nullified = false;
  bool adopted = false;       // found by a search after a lost answer, not by the answer itself
  std::string merged;         // see LedgerRow
  std::string built_on;       // somebody else's version on which it was put; empty: on our own
  std::string audit_event{};  // the FHIR AuditEvent of this interaction, to be delivered; empty: none
};

// A resource that we want to change and somebody else changed, for a person to decide. All in the form of
// LedgerRow::merged but `json`.
struct ResourceConflict {
  std::string endpoint;
  ResourceKey key;
  std::string server_id;
  std::string version_id;  // of theirs; empty: they removed it
  std::string delivered;   // as we know to have left it; empty: erased
  std::string ours;
  std::string theirs;      // empty: they removed it
  std::string kept;        // what is left of theirs when ours is taken; empty: nothing
  std::string json;        // ours as the ledger will hold it
  bool nullified = false;  // ours

  bool operator==(const ResourceConflict&) const = default;
};

enum class ConflictDecision : std::uint8_t {
  kOurs,    // ours is put on their version, with what they added beside it
  kTheirs,  // theirs stays until the record says something else of the same element
};

// Why something waits, for a person. `pointer` is a JSON pointer, a FHIRPath or empty; never a value.
struct Reason {
  Code code = Code::kInternal;
  std::string pointer;
  std::string message;

  bool operator==(const Reason&) const = default;
};

enum class DeliveryOutcome : std::uint8_t {
  kDelivered,    // everything intended is on the server (also when nothing had to be sent)
  kRetry,        // failed for now; counts against the budget
  kDeferred,     // was not sent, through no fault of the work (route paused): counts nothing
  kAmbiguous,    // was sent, the answer is unknown
  kQuarantined,  // needs a person
  kHeld,         // waits by itself
};

struct DeliveryReport {
  WorkId id;
  Lease lease;  // as in the WorkItem
  DeliveryOutcome outcome = DeliveryOutcome::kDelivered;
  std::vector<Reason> reasons;              // not for kDelivered
  std::vector<ResourceWrite> writes;        // with every outcome: what is known to have been written
  std::vector<ResourceConflict> conflicts;  // only for kHeld
  std::string operation;  // "transaction", "batch", "single", "search"; empty: nothing was sent
  int http_status = 0;
  std::string request_id;            // X-Request-Id that was sent
  std::string patient;               // "Patient/x" as which the patient was found; empty: was not looked for
  std::string answer;                // the server's OperationOutcome, kept in an erasable table; may be empty
  std::string audit_event_system{};  // from which, with their values, the AuditEvents get their ids
  TimeUs next_attempt;               // for kRetry, kDeferred, kAmbiguous
};

}  // namespace fhir_adapter::outbox
