// Has checkpoints cosigned by a witness over HTTP (c2sp.org/tlog-witness): who keeps the witness can tell
// that a store was put back to an older state, or shown in two versions. What it cosigns goes to
// `{store}.cosigned`.
//
// Owns its thread; nothing else waits for it. A witness that cannot be reached, or does not cosign, is a
// trouble that is told once and tried again, more and more seldom; the next cosignature covers what was
// missed.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "app/http_call.h"
#include "audit/checkpointer.h"
#include "audit/cosignature.h"
#include "core/clock.h"

namespace fhir_adapter::app {

struct WitnessSettings {
  std::string url;  // without `/add-checkpoint`
  audit::WitnessKey key;
  std::string authority_file;  // CA certificates; empty: those of the system
};

class WitnessThread {
 public:
  WitnessThread(audit::LogPorts ports, audit::VerifierKey log, WitnessSettings settings,
                audit::CheckpointFile cosigned, Clock& clock);
  ~WitnessThread();
  WitnessThread(const WitnessThread&) = delete;
  WitnessThread& operator=(const WitnessThread&) = delete;

  void Start();
  // Ends the thread; when there is no trouble, the last checkpoint is offered first.
  void Stop();

  // The last attempt failed. From any thread.
  bool has_failed() const;

  // Offers the last checkpoint, unless it is cosigned. Errors: kUnreachable and the like; kIntegrity when the
  // witness knows another history of the log, or answers what it did not sign.
  Result<void> Offer();

 private:
  struct Offered {
    std::string note;
    audit::Checkpoint checkpoint;
    std::string proof;  // lines
  };
  Result<Offered> Prepare();
  Result<void> TakeCosignature(const Offered& offered, std::string_view lines);
  Result<void> TakeConflict(const Offered& offered, std::string_view body);
  void Run();
  void Look();

  const audit::LogPorts ports_;
  const audit::VerifierKey log_;
  const WitnessSettings settings_;
  const audit::CheckpointFile cosigned_;
  Clock& clock_;
  std::uint64_t known_size_ = 0;  // that the witness cosigned last
  std::string cosigned_note_;     // its text; empty: none is known
  std::int64_t next_us_ = 0;      // monotonic
  std::int64_t wait_us_ = 0;

  mutable std::mutex mutex_;  // guards the next two
  std::condition_variable wake_;
  bool stopping_ = false;
  bool has_failed_ = false;
  std::thread thread_;
};

}  // namespace fhir_adapter::app
