// SyncWorker: carries what waits in the outbox to the server. Claims work under leases, several patients at a
// time, and reports each end to the outbox; it keeps no queue of its own.
//
// One thread of its own plus the client's. Start, Wake, Rematch, Drain and statistics may be called from any
// thread; the notifications of the store arrive on the writer's thread and only wake it. Clock and random
// numbers are ports. Owns nothing that it is given; all of it must outlive the worker.
//
// A process that starts ends all leases (there is one writer process), so what the last one was sending is
// looked up before it is sent again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"
#include "outbox/outbox.h"
#include "outbox/queue_reader.h"
#include "outbox/retry_policy.h"
#include "sync/fhir_client.h"
#include "sync/sync_statistics.h"

namespace fhir_adapter::sync {

struct SyncSettings {
  std::string owner;     // names this sender in leases; random for each run
  std::string endpoint;  // names the server in the ledger; empty: the client's base URL
  std::string canonical_base;
  std::string patient_identifier_system;
  outbox::RetryPolicy retry;
  std::size_t connections_max = 8;  // patients at a time
  std::optional<Rung> rung;         // nothing: by what the server says and does
  bool audit_events = false;        // to be sent, if the server takes them
  std::string client;               // this machine's name, for them
  std::int64_t rematch_us = 60'000'000;
  std::int64_t metadata_us = 3'600'000'000;  // the server is asked what it can do at least that often
  std::int64_t lease_us = 120'000'000;
  std::int64_t pause_us = 60'000'000;  // after refused credentials and the like
  std::int64_t remember_patient_us = 300'000'000;
  std::int64_t scan_us = 1'000'000;  // looks for due work at least that often
};

struct SyncPorts {
  storage::Store& store;
  outbox::Outbox& outbox;
  outbox::QueueReader& queue;
  FhirClient& client;
  Clock& clock;
  Random& random;
};

class SyncLoop;

class SyncWorker {
 public:
  SyncWorker(const SyncPorts& ports, SyncSettings settings);
  ~SyncWorker();  // drains without waiting
  SyncWorker(const SyncWorker&) = delete;
  SyncWorker& operator=(const SyncWorker&) = delete;

  void Start();
  // Work may be due.
  void Wake();
  // Looks for held patients at once, asks the server what it can do and tries again what it lacked, reads
  // refused credentials again, tries a paused route (SIGHUP).
  void Rematch();
  // Takes no more work and waits for what is under way; at the deadline that is broken off and will be looked
  // up at the next start. True when nothing had to be broken off.
  bool Drain(std::int64_t deadline_ms);

  // The store failed: the process has to stop.
  bool failed() const;
  SyncStatistics statistics() const;

 private:
  struct Thread;
  std::unique_ptr<SyncLoop> loop_;
  std::unique_ptr<Thread> thread_;
};

}  // namespace fhir_adapter::sync
