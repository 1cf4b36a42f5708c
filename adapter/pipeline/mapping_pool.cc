#include "pipeline/mapping_pool.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/digest.h"
#include "core/limits.h"
#include "core/log.h"

namespace fhir_adapter::pipeline {
namespace {

std::vector<outbox::Reason> ReasonsOf(const Issues& issues, bool are_notes) {
  std::vector<outbox::Reason> reasons;
  for (const Issue& issue : issues) {
    if ((issue.disposition() == Disposition::kNote) != are_notes) continue;
    reasons.push_back(outbox::Reason{issue.code, issue.where.pointer, issue.message});
  }
  return reasons;
}

outbox::MappingResult ToResult(const outbox::MappingTask& task, const RecordMapper& mapper,
                               MapOutput output) {
  outbox::MappingResult result;
  result.id = task.id;
  result.facts_version = task.facts_version;
  result.map_set_sha256 = mapper.map_set_sha256();
  result.map_id = std::move(output.map_id);
  result.map_version = std::move(output.map_version);
  result.engine = mapper.engine();
  result.reasons = ReasonsOf(output.issues, false);
  result.notes = ReasonsOf(output.issues, true);
  result.sex = std::move(output.sex);
  result.birth_date = std::move(output.birth_date);
  result.recorded = std::move(output.recorded);
  result.resources = std::move(output.resources);
  result.firings = std::move(output.firings);
  result.fact = std::move(output.fact);
  for (outbox::IntendedResource& resource : result.resources) {
    if (resource.sha256.empty()) resource.sha256 = Sha256Hex(resource.json);
  }
  return result;
}

}  // namespace

struct MappingPool::Implementation {
  struct Lane {  // the work of one thread, in order
    std::deque<outbox::PendingMapping> work;
    std::thread thread;
  };

  Implementation(storage::Store& store_in, outbox::Inbox& inbox_in, Clock& clock_in, Settings settings_in)
      : store(store_in), inbox(inbox_in), clock(clock_in), settings(settings_in) {}

  // What the record becomes; nothing when it does not wait any more.
  Result<std::optional<outbox::MappingResult>> Prepare(const outbox::WorkId& id);
  Result<void> MapAndWait(const outbox::WorkId& id);
  void MapInLane(const outbox::PendingMapping& item);
  void Finish(const std::string& patient_key, const Result<void>& stored, bool is_queued);
  Result<void> StoreMapSet(const RecordMapper& with);
  Result<std::vector<outbox::PendingMapping>> FindWork();
  Result<bool> Distribute(std::unique_lock<std::mutex>& lock);
  void Scan();
  void RunLane(std::size_t number);
  void NoteFailure(const Error& error);

  storage::Store& store;
  outbox::Inbox& inbox;
  Clock& clock;
  const Settings settings;

  std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::shared_ptr<const RecordMapper> mapper;  // shared: a record in hand keeps the one it began with
  std::string stored_map_set;
  std::function<void()> on_queued;
  std::vector<Lane> lanes;
  std::size_t busy = 0;                // records in lanes and in hand
  std::set<std::string> being_stored;  // patients of records that are mapped and not yet durable
  bool woken = true;
  bool has_stalled = false;  // something could not be stored now
  bool stopping = false;
  bool is_failed = false;
  std::thread scanner;
};

void MappingPool::Implementation::NoteFailure(const Error& error) {
  const bool is_fatal = Describe(error.code).disposition == Disposition::kFatal;
  if (is_fatal) {
    LogEvent(LogLevel::kError, "mapping-failed", {{"code", Name(error.code)}, {"message", error.message}});
  }
  const std::scoped_lock lock(mutex);
  // Otherwise (disk full, a full queue) the record stays received and the next scan finds it again.
  has_stalled = true;
  is_failed = is_failed || is_fatal;
  changed.notify_all();
}

Result<void> MappingPool::Implementation::StoreMapSet(const RecordMapper& with) {
  const std::string sha256 = with.map_set_sha256();
  {
    const std::scoped_lock lock(mutex);
    if (stored_map_set == sha256) return {};
  }
  const std::string bytes = with.map_set_bytes();
  ADAPTER_CHECK(storage::Write(store, [&](storage::Transaction& transaction) {
    return inbox.StoreMapSet(transaction, sha256, bytes, clock.Now());
  }));
  const std::scoped_lock lock(mutex);
  stored_map_set = sha256;
  return {};
}

Result<std::optional<outbox::MappingResult>> MappingPool::Implementation::Prepare(const outbox::WorkId& id) {
  std::shared_ptr<const RecordMapper> with;
  {
    const std::scoped_lock lock(mutex);
    with = mapper;
  }
  if (with == nullptr) return Fail(Code::kNotReady, "there are no maps yet");
  ADAPTER_CHECK(StoreMapSet(*with));
  ADAPTER_TRY(const outbox::MappingTask task,
              storage::ReadValue<outbox::MappingTask>(
                  store, [&](storage::Snapshot& snapshot) { return inbox.LoadMapping(snapshot, id); }));
  if (task.state != outbox::WorkState::kReceived) return std::optional<outbox::MappingResult>();
  const bool is_pushed = task.kind == outbox::WorkKind::kObservation;
  return std::optional(ToResult(task, *with,
                                is_pushed ? with->MapObservation(task.subject_key, task.bytes, task.facts)
                                          : with->Map(task.map, task.bytes, task.facts)));
}

Result<void> MappingPool::Implementation::MapAndWait(const outbox::WorkId& id) {
  ADAPTER_TRY(const auto result, Prepare(id));
  if (!result) return {};
  return storage::Write(store, [&](storage::Transaction& transaction) -> Result<void> {
    ADAPTER_CHECK(inbox.CompleteMapping(transaction, *result, clock.Now()));
    return {};
  });
}

// Waits while the patient's record before is being stored, since its facts are wanted; otherwise the next
// record is mapped while this one becomes durable, so that several share a commit.
void MappingPool::Implementation::MapInLane(const outbox::PendingMapping& item) {
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] {
      return being_stored.size() < limits::kMappingInFlightMax && !being_stored.contains(item.patient_key);
    });
    being_stored.insert(item.patient_key);
  }
  auto prepared = Prepare(item.id);
  if (!prepared || !*prepared) {
    Finish(item.patient_key, prepared ? Result<void>() : Fail(prepared.error()), false);
    return;
  }
  // Shared by the work and by what is done after it: std::function copies what it holds.
  struct Step {
    outbox::MappingResult result;
    outbox::MappingOutcome outcome = outbox::MappingOutcome::kGone;
  };
  auto step = std::make_shared<Step>();
  step->result = std::move(**prepared);
  store.Submit(
      [this, step](storage::Transaction& transaction) -> Result<void> {
        ADAPTER_TRY(step->outcome, inbox.CompleteMapping(transaction, step->result, clock.Now()));
        return {};
      },
      [this, step, patient_key = item.patient_key](const Result<void>& stored) {
        Finish(patient_key, stored, step->outcome == outbox::MappingOutcome::kQueued);
      });
}

void MappingPool::Implementation::Finish(const std::string& patient_key, const Result<void>& stored,
                                         bool is_queued) {
  if (!stored) NoteFailure(stored.error());
  std::function<void()> notify;
  {
    const std::scoped_lock lock(mutex);
    if (stored && is_queued) notify = on_queued;
  }
  if (notify) notify();
  // Last, under the lock: who waits for it may destroy the pool.
  const std::scoped_lock lock(mutex);
  being_stored.erase(patient_key);
  --busy;
  changed.notify_all();
}

Result<std::vector<outbox::PendingMapping>> MappingPool::Implementation::FindWork() {
  return storage::ReadValue<std::vector<outbox::PendingMapping>>(store, [&](storage::Snapshot& snapshot) {
    return inbox.Pending(snapshot, {}, limits::kMappingBatchMax);
  });
}

void MappingPool::Implementation::RunLane(std::size_t number) {
  std::unique_lock lock(mutex);
  while (true) {
    std::deque<outbox::PendingMapping>& work = lanes[number].work;
    changed.wait(lock, [&] { return stopping || is_failed || !work.empty(); });
    if (stopping || is_failed) {
      busy -= work.size();
      work.clear();
      changed.notify_all();
      return;
    }
    const outbox::PendingMapping item = std::move(work.front());
    work.pop_front();
    lock.unlock();
    MapInLane(item);
    lock.lock();
  }
}

// Gives out what waits; true when there was something. Called when nothing is in the lanes or in hand, so
// that nothing is given out twice.
Result<bool> MappingPool::Implementation::Distribute(std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  auto found = FindWork();
  lock.lock();
  if (!found) return Fail(std::move(found).error());
  if (stopping || is_failed) return false;  // the lanes may be gone
  for (outbox::PendingMapping& item : *found) {
    const std::size_t lane = std::hash<std::string>()(item.patient_key) % lanes.size();
    lanes[lane].work.push_back(std::move(item));
    ++busy;
  }
  changed.notify_all();
  return !found->empty();
}

void MappingPool::Implementation::Scan() {
  std::unique_lock lock(mutex);
  const auto is_over = [&] { return stopping || is_failed; };
  while (!is_over()) {
    changed.wait_for(lock, std::chrono::milliseconds(settings.scan_ms), [&] { return woken || is_over(); });
    changed.wait(lock, [&] { return busy == 0 || is_over(); });
    const bool may_work = !is_over() && mapper != nullptr && !has_stalled;
    woken = false;
    has_stalled = false;
    if (!may_work) continue;
    auto found = Distribute(lock);
    if (!found) {
      lock.unlock();
      NoteFailure(found.error());
      lock.lock();
    } else if (*found) {
      woken = true;  // there may be more than one batch, and rules to run again
    }
  }
}

MappingPool::MappingPool(storage::Store& store, outbox::Inbox& inbox, Clock& clock, Settings settings)
    : implementation_(std::make_unique<Implementation>(store, inbox, clock, settings)) {}

MappingPool::~MappingPool() {
  Stop();
}

void MappingPool::SetMapper(std::shared_ptr<const RecordMapper> mapper) {
  const std::scoped_lock lock(implementation_->mutex);
  implementation_->mapper = std::move(mapper);
  implementation_->woken = true;
  implementation_->changed.notify_all();
}

void MappingPool::OnQueued(std::function<void()> notify) {
  const std::scoped_lock lock(implementation_->mutex);
  implementation_->on_queued = std::move(notify);
}

void MappingPool::Start() {
  Implementation& pool = *implementation_;
  const std::scoped_lock lock(pool.mutex);
  pool.lanes.resize(std::max<std::size_t>(1, pool.settings.threads));
  for (std::size_t number = 0; number < pool.lanes.size(); ++number) {
    pool.lanes[number].thread = std::thread([&pool, number] { pool.RunLane(number); });
  }
  pool.scanner = std::thread([&pool] { pool.Scan(); });
}

void MappingPool::Wake() {
  const std::scoped_lock lock(implementation_->mutex);
  implementation_->woken = true;
  implementation_->changed.notify_all();
}

void MappingPool::Stop() {
  Implementation& pool = *implementation_;
  {
    const std::scoped_lock lock(pool.mutex);
    pool.stopping = true;
    pool.changed.notify_all();
  }
  if (pool.scanner.joinable()) pool.scanner.join();
  for (Implementation::Lane& lane : pool.lanes) {
    if (lane.thread.joinable()) lane.thread.join();
  }
  std::unique_lock lock(pool.mutex);
  pool.changed.wait(lock, [&] { return pool.busy == 0; });
}

Result<void> MappingPool::Drain() {
  while (true) {
    ADAPTER_TRY(const auto found, implementation_->FindWork());
    if (found.empty()) return {};
    for (const outbox::PendingMapping& item : found) ADAPTER_CHECK(implementation_->MapAndWait(item.id));
  }
}

bool MappingPool::failed() const {
  const std::scoped_lock lock(implementation_->mutex);
  return implementation_->is_failed;
}

}  // namespace fhir_adapter::pipeline
