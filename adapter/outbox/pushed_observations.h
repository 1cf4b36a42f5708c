// PushedObservations: our copies of what the EHR pushed, as the routes of the push read them. Each version
// came in through Inbox::Accept as work of the kind `observation`; this port finds them and what they speak
// of.
//
// Thread rules are those of storage::Snapshot and storage::Transaction. Errors: those of the store; kNotFound
// for an id or version that is not there, kErased for one that was erased.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "outbox/delivery_plan.h"
#include "outbox/work_state.h"
#include "storage/transaction.h"

namespace fhir_adapter::outbox {

struct PushedIdentifier {
  std::string system;
  std::string value;
};

// A token of a search: `system|value`, `|value` (no system), or `value` (any system).
struct IdentifierToken {
  std::optional<std::string> system;
  std::string value;
};

// What a reference names: a place on the server or, when that is empty, an identifier.
struct ReferenceName {
  std::string type;       // empty: not said
  std::string server_id;  // of "Type/id"
  PushedIdentifier identifier;
};

struct PushedVersion {
  std::string id;
  std::int64_t version = 0;
  std::string receipt;
  TimeUs received;
  std::string bytes;  // as stored: without id, version and our identifier
  std::string mrn;
  WorkState state = WorkState::kReceived;
  std::vector<Reason> reasons;
};

class PushedObservations {
 public:
  virtual ~PushedObservations() = default;

  // `version` 0: the newest.
  virtual Result<PushedVersion> Load(storage::Snapshot& snapshot, std::string_view site, std::string_view id,
                                     std::int64_t version) = 0;
  // Ids of the Observations whose newest version carries the identifier; two when there are more.
  virtual Result<std::vector<std::string>> Find(storage::Snapshot& snapshot, std::string_view site,
                                                const IdentifierToken& token) = 0;
  // Replaces the identifiers by which Find finds the Observation.
  virtual Result<void> SetIdentifiers(storage::Transaction& transaction, std::string_view site,
                                      std::string_view id,
                                      const std::vector<PushedIdentifier>& identifiers) = 0;

  // The MRN of "Patient/x" of the endpoint; empty when nothing of that patient was delivered or linked.
  virtual Result<std::string> MrnOfPatient(storage::Snapshot& snapshot, std::string_view endpoint,
                                           std::string_view patient) = 0;
  // The MRN of the patient in whose chart what is named stands; empty when it is not known to be there.
  virtual Result<std::string> MrnOfResource(storage::Snapshot& snapshot, std::string_view endpoint,
                                            const ReferenceName& name) = 0;
};

}  // namespace fhir_adapter::outbox
