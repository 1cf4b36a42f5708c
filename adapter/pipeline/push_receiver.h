// PushReceiver: takes what the EHR pushes into the store. The conditions of a request (If-None-Exist,
// If-Match, a search by identifier) are decided in the transaction that stores it, so that two clients cannot
// both be first.
//
// Push may be called from any thread and does not block; `done` runs on the writer's thread after the commit,
// or at once with kDiskFull, kHighWater, kNotReady, kStoreFailed. All requests of one call become durable
// together or not at all. Owns nothing; what it refers to must outlive it. FHIR R4 http.html#create, #update,
// #transaction.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/principal.h"
#include "core/result.h"
#include "outbox/inbox.h"
#include "outbox/pushed_observations.h"
#include "outbox/queue_reader.h"
#include "pipeline/pushed_observation.h"
#include "storage/transaction.h"

namespace fhir_adapter::pipeline {

struct PushRequest {
  std::string source = "fhir";  // name of the intake
  bool is_update = false;       // PUT
  std::string id;               // of an update; empty: by `identifier`
  // If-None-Exist of a create, the search of an update.
  std::optional<outbox::IdentifierToken> identifier;
  std::optional<std::int64_t> if_match;  // version
  PushedObservation observation;         // without issues
};

struct PushAnswer {
  bool is_created = false;  // 201; else it was there (200)
  outbox::PushedVersion version;
};

class PushReceiver {
 public:
  struct Settings {
    std::string site;
    std::string endpoint;
    std::int64_t high_water = 1'000'000;
  };
  struct Ports {
    storage::Store& store;
    outbox::Inbox& inbox;
    outbox::PushedObservations& pushed;
    outbox::QueueReader& queue;
    Clock& clock;
    Random& random;
  };

  PushReceiver(const Ports& ports, Settings settings);

  // An error's location has the FHIRPath of what is wrong as pointer, and the number of the request as line
  // (from 1).
  using Done = std::function<void(Result<std::vector<PushAnswer>>)>;
  void Push(std::vector<PushRequest> requests, Principal actor, Done done);

  // One request, in a transaction of the caller, who has looked at the high-water mark.
  Result<PushAnswer> Take(storage::Transaction& transaction, const PushRequest& request,
                          const Principal& actor);

  // Called (on the writer's thread) after something became durable: wakes the mapping pool.
  void OnAccepted(std::function<void()> notify) { notify_ = std::move(notify); }

  const Settings& settings() const { return settings_; }

 private:
  struct Target;
  Result<Target> FindTarget(storage::Transaction& transaction, const PushRequest& request);
  Result<std::string> ReadMrn(storage::Transaction& transaction, const PushedObservation& observation);
  Result<void> CheckAbout(storage::Transaction& transaction, const PushedObservation& observation,
                          const std::string& mrn);
  Result<PushAnswer> Store(storage::Transaction& transaction, const PushRequest& request,
                           const Principal& actor, const Target& target, const std::string& mrn);
  std::string NewId();

  const Ports ports_;
  const Settings settings_;
  std::function<void()> notify_;
};

}  // namespace fhir_adapter::pipeline
