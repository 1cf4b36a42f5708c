#include "app/queue_changes.h"

#include <memory>
#include <mutex>
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
  if (change.action == "release") return outbox.Release(transaction, work, why);
  return outbox.Quarantine(transaction, work, why);
}

std::string Text(const fhir::Node& object, std::string_view name) {
  const fhir::Node* member = object.Find(name);
  return member != nullptr && member->is_string() ? std::string(member->text) : "";
}

}  // namespace

bool IsQueueChange(const std::string& action) {
  return action == "retry" || action == "release" || action == "quarantine" || action == kResume;
}

void ApplyQueueChange(const QueueChange& change, const Principal& actor, TimeUs now, storage::Store& store,
                      outbox::Outbox& outbox, QueueChangeDone done) {
  struct Pending {
    QueueChange change;
    outbox::Change why;
    QueueChangeDone done;
    std::mutex
        mutex;  // guards the two below: works are refused on the caller's thread and done on the writer's
    std::vector<QueueChangeResult> results;
    std::size_t left = 0;
  };
  // shared_ptr: each work that is under way holds it.
  const auto pending = std::make_shared<Pending>();
  pending->change = change;
  if (change.action == kResume) pending->change.ids = {"sending"};
  pending->why = outbox::Change{actor, change.reason, now};
  pending->done = std::move(done);
  const std::size_t works = pending->change.ids.size();
  pending->left = works;
  for (const std::string& id : pending->change.ids) pending->results.push_back({id, false, ""});
  for (std::size_t i = 0; i < works; ++i) {
    const auto work = [pending, i, &outbox](storage::Transaction& transaction) {
      return Apply(pending->change, pending->change.ids[i], pending->why, transaction, outbox);
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

std::string ToJson(const QueueChange& change) {
  std::string json =
      "{\"action\":" + JsonString(change.action) + ",\"reason\":" + JsonString(change.reason) + ",\"ids\":[";
  for (std::size_t i = 0; i < change.ids.size(); ++i) json += (i == 0 ? "" : ",") + JsonString(change.ids[i]);
  return json + "]}";
}

Result<QueueChange> ParseQueueChange(std::string_view json) {
  Arena arena;
  ADAPTER_TRY(const fhir::Node* root, fhir::ReadJson(json, arena));
  QueueChange change{Text(*root, "action"), {}, Text(*root, "reason")};
  if (!IsQueueChange(change.action))
    return Fail(Code::kUsage, "action is retry, release, quarantine or resume");
  if (change.reason.empty()) return Fail(Code::kUsage, "a change needs a reason");
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
  if (list == nullptr) return Fail(Code::kServerAnswer, "the daemon refused: " + Text(*root, "detail"));
  for (const fhir::Node* item : list->items()) {
    const fhir::Node* done = item->Find("done");
    results.push_back({Text(*item, "id"), done != nullptr && done->boolean, Text(*item, "message")});
  }
  return results;
}

}  // namespace fhir_adapter::app
