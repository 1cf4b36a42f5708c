#include "app/checkpoint_thread.h"

#include <chrono>
#include <utility>

#include "core/limits.h"
#include "core/log.h"

namespace fhir_adapter::app {
namespace {

constexpr std::chrono::seconds kLook{1};
constexpr std::int64_t kMicrosecondsPerMillisecond = 1'000;

}  // namespace

CheckpointThread::CheckpointThread(audit::LogPorts ports, audit::Checkpointer checkpointer, Clock& clock)
    : ports_(ports), checkpointer_(std::move(checkpointer)), clock_(clock), last_us_(clock.MonotonicUs()) {}

CheckpointThread::~CheckpointThread() {
  static_cast<void>(Stop().has_value());  // told in the log already
}

void CheckpointThread::Start() {
  thread_ = std::thread([this] { Run(); });
}

Result<void> CheckpointThread::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (!thread_.joinable()) return {};
  thread_.join();
  const auto signed_last = checkpointer_.Advance();
  if (!signed_last) {
    LogEvent(LogLevel::kError, "audit-checkpoint-failed", {{"message", ToString(signed_last.error())}});
    return Fail(signed_last.error());
  }
  return {};
}

void CheckpointThread::Run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, kLook, [this] { return stopping_; })) {
    lock.unlock();
    Look();
    lock.lock();
  }
}

void CheckpointThread::Look() {
  const std::int64_t now_us = clock_.MonotonicUs();
  if (watch_.HasGoneBack(clock_.Now(), now_us)) {
    const auto noted = audit::AppendClockSetBack(ports_, clock_.Now());
    LogEvent(LogLevel::kWarning, "clock-set-back", {{"noted", noted ? "yes" : "no"}});
  }
  const auto uncovered = checkpointer_.Uncovered();
  if (!uncovered || *uncovered == 0) return;
  const bool is_due = now_us - last_us_ >= limits::kCheckpointIntervalMs * kMicrosecondsPerMillisecond ||
                      *uncovered >= static_cast<std::uint64_t>(limits::kCheckpointEntriesMax);
  if (!is_due) return;
  const auto signed_now = checkpointer_.Advance();
  if (!signed_now && !has_failed_) {
    LogEvent(LogLevel::kError, "audit-checkpoint-failed", {{"message", ToString(signed_now.error())}});
  }
  has_failed_ = !signed_now;
  if (signed_now) last_us_ = now_us;
}

}  // namespace fhir_adapter::app
