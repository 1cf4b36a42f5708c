#include "app/queue_changes.h"

#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include "core/arena.h"
#include "fhir/json_reader.h"
#include "net/http_message.h"

namespace fhir_adapter::app {
namespace {

using net::JsonString;

Result<void> Apply(const QueueChange& change, const std::string& id, const outbox::Change& why,
                   storage::Transaction& transaction, outbox::Outbox& outbox) {
  if (change.action == kResume) return outbox.ResumeSending(transaction, why);
  const outbox::WorkId work{id};
  if (change.action == "retry") return outbox.Retry(transaction, work, why);
  if (change.action == "link") {
    const auto released = outbox.LinkPatient(transaction, work, change.patient, why);
    return released ? Result<void>() : Result<void>(Fail(released.error()));
  }
  if (change.action == "unlink") return outbox.UnlinkPatient(transaction, work, why);
  if (change.action == "release" && !change.decision.empty()) {
    const auto decision =
        change.decision == "ours" ? outbox::ConflictDecision::kOurs : outbox::ConflictDecision::kTheirs;
    return outbox.Decide(transaction, work, decision, why);
  }
  if (change.action == "release") return outbox.Release(transaction, work, why);
  return outbox.Quarantine(transaction, work, why);
}

}  // namespace

bool IsQueueChange(const std::string& action) {
  static const std::set<std::string> changes = {"retry", "release", "quarantine", "link", "unlink"};
  return changes.contains(action);
}

void SubmitEach(std::vector<NamedWork> works, storage::Store& store, QueueChangeDone done) {
  struct Pending {
    std::vector<NamedWork> works;
    QueueChangeDone done;
    std::mutex
        mutex;  // guards the two below: works are refused on the caller's thread and done on the writer's
    std::vector<QueueChangeResult> results;
    std::size_t left = 0;
  };
  // shared_ptr: each work that is under way holds it.
  const auto pending = std::make_shared<Pending>();
  pending->works = std::move(works);
  pending->done = std::move(done);
  const std::size_t count = pending->works.size();
  pending->left = count;
  for (const NamedWork& work : pending->works) pending->results.push_back({work.id, false, ""});
  for (std::size_t i = 0; i < count; ++i) {
    const auto work = [pending, i](storage::Transaction& transaction) {
      return pending->works[i].apply(transaction);
    };
    store.Submit(work, [pending, i](const Result<void>& changed) {
      bool last = false;
      {
        const std::lock_guard lock(pending->mutex);
        pending->results[i].done = changed.has_value();
        if (!changed) pending->results[i].message = ToString(changed.error());
        last = --pending->left == 0;
      }
      if (last) pending->done(std::move(pending->results));
    });
  }
}

void ApplyQueueChange(const QueueChange& change, const Principal& actor, TimeUs now, storage::Store& store,
                      outbox::Outbox& outbox, QueueChangeDone done) {
  const outbox::Change why{actor, change.reason, now};
  std::vector<std::string> ids = change.ids;
  if (change.action == kResume) ids = {"sending"};
  std::vector<NamedWork> works;
  for (std::string& id : ids) {
    works.push_back({id, [change, id, why, &outbox](storage::Transaction& transaction) {
                       return Apply(change, id, why, transaction, outbox);
                     }});
  }
  SubmitEach(std::move(works), store, std::move(done));
}

std::string ToJson(const QueueChange& change) {
  std::string json = "{\"action\":" + JsonString(change.action) + ",\"reason\":" + JsonString(change.reason) +
                     ",\"patient\":" + JsonString(change.patient) +
                     ",\"decision\":" + JsonString(change.decision) + ",\"ids\":[";
  for (std::size_t i = 0; i < change.ids.size(); ++i) json += (i == 0 ? "" : ",") + JsonString(change.ids[i]);
  return json + "]}";
}

Result<QueueChange> ParseQueueChange(std::string_view json) {
  Arena arena;
  ADAPTER_TRY(const fhir::Node* root, fhir::ReadJson(json, arena));
  QueueChange change{MemberString(*root, "action"),
                     {},
                     MemberString(*root, "reason"),
                     MemberString(*root, "patient"),
                     MemberString(*root, "decision")};
  if (!IsQueueChange(change.action) && change.action != kResume)
    return Fail(Code::kUsage, "action is retry, release, quarantine, link, unlink or resume");
  if (change.reason.empty()) return Fail(Code::kUsage, "a change needs a reason");
  if (!change.decision.empty() && change.decision != "ours" && change.decision != "theirs") {
    return Fail(Code::kUsage, "decision is ours or theirs");
  }
  const fhir::Node* ids = root->Find("ids");
  for (const fhir::Node* id : ids ? ids->items() : std::span<fhir::Node*>())
    change.ids.emplace_back(id->text);
  if (change.ids.empty() && change.action != kResume) return Fail(Code::kUsage, "a change needs ids");
  return change;
}

std::string ToJson(const std::vector<QueueChangeResult>& results) {
  std::string json = "{\"results\":[";
  for (std::size_t i = 0; i < results.size(); ++i) {
    json += (i == 0 ? "{\"id\":" : ",{\"id\":") + JsonString(results[i].id) +
            ",\"done\":" + (results[i].done ? "true" : "false") +
            ",\"message\":" + JsonString(results[i].message) + "}";
  }
  return json + "]}";
}

Result<std::vector<QueueChangeResult>> ParseQueueChangeResults(std::string_view json) {
  Arena arena;
  ADAPTER_TRY(const fhir::Node* root, fhir::ReadJson(json, arena));
  std::vector<QueueChangeResult> results;
  const fhir::Node* list = root->Find("results");
  if (list == nullptr)
    return Fail(Code::kServerAnswer, "the daemon refused: " + MemberString(*root, "detail"));
  for (const fhir::Node* item : list->items()) {
    const fhir::Node* done = item->Find("done");
    results.push_back(
        {MemberString(*item, "id"), done != nullptr && done->boolean, MemberString(*item, "message")});
  }
  return results;
}

}  // namespace fhir_adapter::app
