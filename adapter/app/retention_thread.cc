#include "app/retention_thread.h"

#include <chrono>
#include <utility>

#include "core/log.h"
#include "intake/done_files.h"

namespace fhir_adapter::app {
namespace {

constexpr std::chrono::seconds kLook{1};
constexpr std::int64_t kPassIntervalUs = 3'600'000'000;
constexpr std::int64_t kMeasureIntervalUs = 300'000'000;
constexpr std::int64_t kDayUs = 86'400'000'000;
// Of one piece of work of the store: some milliseconds.
constexpr std::size_t kSubmissionsPerBatch = 100;
constexpr std::size_t kFilesPerBatch = 1'000;

TimeUs DaysBefore(TimeUs now, std::int64_t days) {
  return TimeUs{now.us - days * kDayUs};
}

}  // namespace

RetentionThread::RetentionThread(storage::Store& store, outbox::Retention& retention, Clock& clock,
                                 RetentionSettings settings)
    : store_(store),
      retention_(retention),
      clock_(clock),
      settings_(std::move(settings)),
      next_pass_us_(clock.MonotonicUs()),
      next_measure_us_(next_pass_us_) {}

RetentionThread::~RetentionThread() {
  Stop();
}

void RetentionThread::Start() {
  thread_ = std::thread([this] { Run(); });
}

void RetentionThread::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void RetentionThread::Run() {
  do {
    Look();
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, kLook, [this] { return stopping_; });
  } while (!is_stopping());
}

bool RetentionThread::is_stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

DiskUse RetentionThread::disk_use() const {
  const std::lock_guard lock(mutex_);
  return disk_use_;
}

void RetentionThread::Look() {
  const std::int64_t now_us = clock_.MonotonicUs();
  if (now_us >= next_pass_us_) {
    next_pass_us_ = now_us + kPassIntervalUs;
    Pass();
  }
  if (now_us < next_measure_us_) return;
  next_measure_us_ = now_us + kMeasureIntervalUs;
  const auto use = MeasureDisk(store_, settings_.places);
  if (!use) {
    LogEvent(LogLevel::kWarning, "disk-not-measured", {{"message", ToString(use.error())}});
    return;
  }
  const std::lock_guard lock(mutex_);
  disk_use_ = *use;
}

void RetentionThread::Pass() {
  const auto tell = [](const Result<void>& done) {
    if (!done) LogEvent(LogLevel::kError, "retention-failed", {{"message", ToString(done.error())}});
  };
  if (settings_.record_days > 0) tell(ExpireRecords());
  if (settings_.done_days <= 0) return;
  for (const std::string& source : settings_.places.sources) tell(ExpireFiles(source + "/done"));
}

Result<void> RetentionThread::ExpireRecords() {
  outbox::ExpiryRequest request;
  request.now = clock_.Now();
  request.before = DaysBefore(request.now, settings_.record_days);
  request.submissions_max = kSubmissionsPerBatch;
  std::int64_t records = 0;
  do {
    ADAPTER_TRY(const outbox::ExpiryBatch batch,
                storage::WriteValue<outbox::ExpiryBatch>(store_, [&](storage::Transaction& transaction) {
                  return retention_.Expire(transaction, request);
                }));
    records += batch.records;
    request.after = batch.next;
  } while (!request.after.empty() && !is_stopping());
  if (records > 0) LogEvent(LogLevel::kInfo, "records-expired", {{"records", records}});
  return {};
}

// The entry first: nothing is taken away that the log does not know.
Result<void> RetentionThread::ExpireFiles(const std::string& folder) {
  const TimeUs now = clock_.Now();
  while (!is_stopping()) {
    ADAPTER_TRY(const std::vector<std::string> names,
                intake::OldFiles(folder, DaysBefore(now, settings_.done_days), kFilesPerBatch));
    if (names.empty()) return {};
    const std::string what = "retention: " + std::to_string(names.size()) + " files of " + folder;
    ADAPTER_CHECK(storage::Write(store_, [&](storage::Transaction& transaction) {
      return retention_.NoteFiles(transaction, what, now);
    }));
    ADAPTER_CHECK(intake::RemoveFiles(folder, names));
    LogEvent(LogLevel::kInfo, "files-expired", {{"folder", folder}, {"files", names.size()}});
  }
  return {};
}

}  // namespace fhir_adapter::app
