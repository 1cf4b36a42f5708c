#include "pipeline/push_receiver.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "core/arena.h"
#include "core/fault_point.h"
#include "fhir/json_reader.h"
#include "record/content_hash.h"

namespace fhir_adapter::pipeline {
namespace {

constexpr int kIdWords = 2;  // of 60 bits

Failure FailAt(Code code, std::string message, std::string place) {
  return Fail(code, std::move(message), Location{{}, 0, 0, std::move(place)});
}

// What is stored says the same as what came.
bool IsSame(const outbox::PushedVersion& stored, const PushedObservation& observation) {
  Arena arena;
  const auto read = fhir::ReadJson(stored.bytes, arena);
  return read && record::ContentHash(**read) == observation.content_sha256;
}

}  // namespace

// What a request is about: nothing yet, or the newest version of one that is there.
struct PushReceiver::Target {
  std::optional<outbox::PushedVersion> known;
  bool is_found_only = false;  // a conditional create that found it: nothing is stored
};

PushReceiver::PushReceiver(const Ports& ports, Settings settings)
    : ports_(ports), settings_(std::move(settings)) {}

std::string PushReceiver::NewId() {
  static constexpr char kAlphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";  // Crockford's, lower case
  std::string id;
  for (int word = 0; word < kIdWords; ++word) {
    std::uint64_t bits = ports_.random.Next();
    for (int i = 0; i < 12; ++i, bits >>= 5) id += kAlphabet[bits & 31];
  }
  return id;
}

Result<PushReceiver::Target> PushReceiver::FindTarget(storage::Transaction& transaction,
                                                      const PushRequest& request) {
  Target target;
  std::string id = request.id;
  if (request.identifier) {
    ADAPTER_TRY(const std::vector<std::string> ids,
                ports_.pushed.Find(transaction, settings_.site, *request.identifier));
    if (ids.size() > 1) {
      return FailAt(Code::kMultipleMatches, "more than one Observation has this identifier", {});
    }
    if (!ids.empty()) id = ids.front();
    target.is_found_only = !request.is_update && !ids.empty();
  }
  if (id.empty()) {
    if (request.if_match) return FailAt(Code::kPreconditionFailed, "there is no version to match", {});
    return target;
  }
  if (request.is_update && !request.observation.body_id.empty() && request.observation.body_id != id) {
    return FailAt(Code::kUsage, "the id of the body is not that of the Observation found", "Observation.id");
  }
  auto known = ports_.pushed.Load(transaction, settings_.site, id, 0);
  if (!known && known.error().code == Code::kNotFound) {
    return FailAt(Code::kNotCreatable, known.error().message, {});
  }
  if (!known) return Fail(std::move(known).error());
  if (request.if_match && *request.if_match != known->version) {
    return FailAt(Code::kPreconditionFailed, "the Observation has another version", {});
  }
  target.known = std::move(*known);
  return target;
}

Result<std::string> PushReceiver::ReadMrn(storage::Transaction& transaction,
                                          const PushedObservation& observation) {
  if (!observation.mrn.empty()) return observation.mrn;
  ADAPTER_TRY(std::string mrn,
              ports_.pushed.MrnOfPatient(transaction, settings_.endpoint, observation.patient));
  if (!mrn.empty()) return mrn;
  return FailAt(Code::kPatientUnknown,
                "nothing of this patient was delivered yet: name the patient by an identifier of the "
                "configured system",
                "Observation.subject");
}

Result<void> PushReceiver::CheckAbout(storage::Transaction& transaction, const PushedObservation& observation,
                                      const std::string& mrn) {
  for (const outbox::ReferenceName& name : observation.about) {
    ADAPTER_TRY(const std::string owner, ports_.pushed.MrnOfResource(transaction, settings_.endpoint, name));
    if (owner.empty() || owner == mrn) continue;
    return FailAt(Code::kOtherPatient, "what it speaks of stands in the chart of another patient",
                  "Observation.focus");
  }
  return {};
}

Result<PushAnswer> PushReceiver::Store(storage::Transaction& transaction, const PushRequest& request,
                                       const Principal& actor, const Target& target, const std::string& mrn) {
  outbox::NewRecord record;
  record.kind = outbox::WorkKind::kObservation;
  record.source = request.source;
  record.actor = actor;
  record.site = settings_.site;
  const std::string id = target.known ? target.known->id : NewId();
  record.record_id = std::string(outbox::kPushedRecordPrefix) + id;
  record.revision = target.known ? target.known->version + 1 : 1;
  record.status = request.observation.status;
  record.mrn = mrn;
  record.bytes = request.observation.bytes;
  record.content_sha256 = request.observation.content_sha256;
  const TimeUs now = ports_.clock.Now();
  ADAPTER_CHECK(ports_.inbox.Accept(transaction, record, now));
  ADAPTER_CHECK(
      ports_.pushed.SetIdentifiers(transaction, settings_.site, id, request.observation.identifiers));
  PushAnswer answer;
  answer.is_created = !target.known;
  ADAPTER_TRY(answer.version, ports_.pushed.Load(transaction, settings_.site, id, 0));
  return answer;
}

Result<PushAnswer> PushReceiver::Take(storage::Transaction& transaction, const PushRequest& request,
                                      const Principal& actor) {
  ADAPTER_TRY(Target target, FindTarget(transaction, request));
  if (target.is_found_only) return PushAnswer{false, std::move(*target.known)};
  ADAPTER_TRY(const std::string mrn, ReadMrn(transaction, request.observation));
  if (target.known && target.known->mrn != mrn) {
    return FailAt(
        Code::kOtherPatient,
        "the version before is of another patient: push that one as entered-in-error, and this one anew",
        "Observation.subject");
  }
  ADAPTER_CHECK(CheckAbout(transaction, request.observation, mrn));
  if (target.known && IsSame(*target.known, request.observation)) {
    return PushAnswer{false, std::move(*target.known)};
  }
  return Store(transaction, request, actor, target, mrn);
}

void PushReceiver::Push(std::vector<PushRequest> requests, Principal actor, Done done) {
  struct Passage {
    std::vector<PushRequest> requests;
    Principal actor;
    std::vector<PushAnswer> answers;
    Done done;
  };
  // Shared by the work and by what is done after it: std::function copies what it holds.
  auto passage =
      std::make_shared<Passage>(Passage{std::move(requests), std::move(actor), {}, std::move(done)});
  ports_.store.Submit(
      [this, passage](storage::Transaction& transaction) -> Result<void> {
        ADAPTER_TRY(const std::int64_t undelivered, ports_.queue.Undelivered(transaction));
        if (undelivered >= settings_.high_water) {
          return Fail(Code::kHighWater, "the queue has reached its high-water mark");
        }
        passage->answers.clear();
        std::uint32_t number = 0;
        for (const PushRequest& request : passage->requests) {
          ++number;
          auto answer = Take(transaction, request, passage->actor);
          if (!answer) {
            Error error = std::move(answer).error();
            error.where.line = number;
            return Fail(std::move(error));
          }
          passage->answers.push_back(std::move(*answer));
        }
        return {};
      },
      [this, passage](const Result<void>& stored) {
        if (!stored) return passage->done(Fail(stored.error()));
        if (notify_) notify_();
        ADAPTER_FAULT_POINT("before-acknowledgement");
        passage->done(std::move(passage->answers));
      });
}

}  // namespace fhir_adapter::pipeline
