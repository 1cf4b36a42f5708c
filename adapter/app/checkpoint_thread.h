// Signs checkpoints while the daemon runs: after kCheckpointEntriesMax entries or kCheckpointIntervalMs,
// whichever comes first, and at the end. Notices a wall clock that was set back, which becomes an entry of
// its own.
//
// Owns its thread. Start once; Stop may be called from any thread and is what the destructor does too.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "audit/checkpointer.h"
#include "audit/clock_watch.h"
#include "core/clock.h"

namespace fhir_adapter::app {

class CheckpointThread {
 public:
  CheckpointThread(audit::LogPorts ports, audit::Checkpointer checkpointer, Clock& clock);
  ~CheckpointThread();

  void Start();
  // Ends the thread and signs what was appended last.
  Result<void> Stop();

  // The last checkpoint that was due could not be signed. From any thread.
  bool has_failed() const { return has_failed_; }

 private:
  void Run();
  void Look();

  const audit::LogPorts ports_;
  audit::Checkpointer checkpointer_;
  Clock& clock_;
  audit::ClockWatch watch_;
  std::int64_t last_us_ = 0;             // monotonic, of the last checkpoint
  std::atomic<bool> has_failed_{false};  // told once until it works again

  std::mutex mutex_;  // guards stopping_
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace fhir_adapter::app
