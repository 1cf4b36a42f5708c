// Changes of the queue that a person asks for: retry, release, quarantine of entries, link and unlink of
// their patients, and resume of sending after a restore. One implementation for the daemon's control socket
// and for the command that finds no daemon.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/principal.h"
#include "core/result.h"
#include "outbox/outbox.h"
#include "storage/transaction.h"

namespace fhir_adapter::app {

struct QueueChange {
  std::string action;            // retry, release, quarantine, link, unlink, resume
  std::vector<std::string> ids;  // none for resume
  std::string reason;
  std::string patient;   // link: "Patient/x"
  std::string decision;  // release: "ours" or "theirs" of a conflict; empty: there is none
};

struct QueueChangeResult {
  std::string id;
  bool done = false;
  std::string message;  // why not
};

// Whether `queue` takes the action; "resume" is `reconcile`'s.
bool IsQueueChange(const std::string& action);

// Resume speaks of the whole queue and takes no ids; its one result is called "sending".
inline constexpr const char* kResume = "resume";

// Each id is a work of its own, so that one that cannot be changed does not undo the others. Does not block:
// `done` is called once, on the writer's thread (or at once when the store refuses work). `store` and
// `outbox` must outlive it.
using QueueChangeDone = std::function<void(std::vector<QueueChangeResult>)>;
struct NamedWork {
  std::string id;
  std::function<Result<void>(storage::Transaction&)> apply;
};
void SubmitEach(std::vector<NamedWork> works, storage::Store& store, QueueChangeDone done);
void ApplyQueueChange(const QueueChange& change, const Principal& actor, TimeUs now, storage::Store& store,
                      outbox::Outbox& outbox, QueueChangeDone done);

// JSON for the control socket, both ways.
std::string ToJson(const QueueChange& change);
Result<QueueChange> ParseQueueChange(std::string_view json);
std::string ToJson(const std::vector<QueueChangeResult>& results);
Result<std::vector<QueueChangeResult>> ParseQueueChangeResults(std::string_view json);

}  // namespace fhir_adapter::app
