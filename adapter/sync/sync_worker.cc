#include "sync/sync_worker.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "sync/sync_loop.h"

namespace fhir_adapter::sync {

struct SyncWorker::Thread {
  std::thread thread;
  std::atomic<bool> draining{false};
  std::atomic<std::int64_t> deadline_us{0};  // monotonic
  std::atomic<bool> was_cancelled{false};
};

SyncWorker::SyncWorker(const SyncPorts& ports, SyncSettings settings)
    : loop_(std::make_unique<SyncLoop>(ports, std::move(settings))), thread_(std::make_unique<Thread>()) {}

SyncWorker::~SyncWorker() {
  Drain(0);
}

void SyncWorker::Start() {
  if (thread_->thread.joinable()) return;
  thread_->thread = std::thread([this] {
    SyncLoop& loop = *loop_;
    Thread& state = *thread_;
    while (!state.draining) loop.Wait(loop.Step());
    loop.StopClaiming();
    for (;;) {
      const std::int64_t wait_us = loop.Step();
      if (loop.idle()) return;
      const bool late = SystemClock().MonotonicUs() >= state.deadline_us;
      if (!state.was_cancelled && (late || loop.failed())) {
        state.was_cancelled = true;
        loop.Cancel();
      }
      loop.Wait(std::min<std::int64_t>(wait_us, 50'000));
    }
  });
}

void SyncWorker::Wake() {
  loop_->Wake();
}

void SyncWorker::Rematch() {
  loop_->Rematch();
}

bool SyncWorker::Drain(std::int64_t deadline_ms) {
  if (!thread_->thread.joinable()) return true;
  thread_->deadline_us = SystemClock().MonotonicUs() + deadline_ms * 1'000;
  thread_->draining = true;
  loop_->Wake();
  thread_->thread.join();
  return !thread_->was_cancelled && loop_->idle();
}

bool SyncWorker::failed() const {
  return loop_->failed();
}

SyncStatistics SyncWorker::statistics() const {
  return loop_->statistics();
}

}  // namespace fhir_adapter::sync
