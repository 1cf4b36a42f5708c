// LiveReader: what a server holds now of each resource of a record, and how that differs from what was
// delivered last. Changes nothing.
//
// Reads by id. What differs is looked at again a little later, with the ledger as it is then: what is being
// sent meanwhile is not a difference. Blocking; for one thread that is not the client's. `changes` hold
// clinical content.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "fhir/json_difference.h"
#include "outbox/queue_reader.h"
#include "sync/ledger_comparison.h"
#include "sync/paced_client.h"

namespace fhir_adapter::sync {

enum class LiveState : std::uint8_t {
  kAsDelivered,       // the version and the content that were delivered last
  kSameContent,       // another version, and the same content
  kChangedByOthers,   // another version, and other content
  kStoredOtherwise,   // the version that we delivered, and other content
  kNotThere,          // 404
  kRemoved,           // 410: somebody has deleted it
  kRefused,           // the server does not let us read it
  kNothingToCompare,  // what was delivered is erased
  kNotAsked,          // the server could not be asked any more
};
std::string_view Name(LiveState state);  // "as-delivered", …

// True when the server holds something else than what was delivered last.
bool IsDifference(LiveState state);

struct LiveResource {
  outbox::ResourceKey key;
  std::string url;  // "Type/id"
  LiveState state = LiveState::kNotAsked;
  std::string delivered_version;
  std::string version;                           // that the server has now; empty: it does not say
  std::string last_updated;                      // as the server says
  int status = 0;                                // HTTP; 0: not answered
  std::vector<fhir::ElementDifference> changes;  // from delivered to now
};

struct LiveRecord {
  std::vector<LiveResource> resources;  // in key order
  std::optional<Error> failure;         // why the rest could not be asked
};

struct LiveReaderSettings {
  std::string endpoint;  // names the server in the ledger
  std::string patient_identifier_system;
  std::int64_t second_look_us = 1'000'000;
};

class LiveReader {
 public:
  using Sleep = PacedClient::Sleep;
  LiveReader(PacedClient& client, storage::Store& store, outbox::QueueReader& queue, Clock& clock,
             Sleep sleep, LiveReaderSettings settings);

  // Errors: those of the store. A server that cannot be asked is a result.
  Result<LiveRecord> Look(const std::string& subject_key);

 private:
  Result<outbox::LedgerSubject> Load(const std::string& subject_key);
  Result<LiveResource> LookAt(const outbox::LedgerSubject& subject, const outbox::LedgerRow& row);
  Result<void> Compare(const outbox::LedgerSubject& subject, const outbox::LedgerRow& row, fhir::Node& theirs,
                       LiveResource& live);
  Result<LiveRecord> LookAgain(const std::string& subject_key, LiveRecord first);

  PacedClient& client_;
  storage::Store& store_;
  outbox::QueueReader& queue_;
  const Sleep sleep_;
  const LiveReaderSettings settings_;
  LedgerComparison comparison_;
};

}  // namespace fhir_adapter::sync
