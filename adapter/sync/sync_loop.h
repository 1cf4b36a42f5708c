// SyncLoop: what the worker's thread runs, without the thread, so that tests drive it step by step.
//
// All methods but Post, Wake, Rematch, statistics and failed belong to one thread.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "sync/circuit_breaker.h"
#include "sync/concurrency_limit.h"
#include "sync/delivery.h"
#include "sync/delivery_ladder.h"
#include "sync/mailbox.h"
#include "sync/patient_matcher.h"
#include "sync/server_capabilities.h"
#include "sync/sync_worker.h"

namespace fhir_adapter::sync {

class SyncLoop {
 public:
  SyncLoop(const SyncPorts& ports, SyncSettings settings);
  ~SyncLoop();  // what is under way must have ended: see Cancel
  SyncLoop(const SyncLoop&) = delete;
  SyncLoop& operator=(const SyncLoop&) = delete;

  // Runs what has arrived and what is due. Returns how long nothing need be done, in microseconds.
  std::int64_t Step();
  void Wait(std::int64_t timeout_us) { mailbox_.Wait(timeout_us); }

  void Post(std::function<void()> task) { mailbox_.Post(std::move(task)); }
  void Wake();
  void Rematch();

  void StopClaiming() { claiming_ = false; }
  // Nothing is under way: no request, no report on its way into the store.
  bool idle() const { return deliveries_.empty() && pending_ == 0; }
  void Cancel() { ports_.client.CancelAll(); }

  bool failed() const { return failed_; }
  SyncStatistics statistics() const;

 private:
  // The client as deliveries see it: answers arrive on the loop's thread, refused credentials are read again
  // once, and everything is counted.
  class LoopClient final : public FhirClient {
   public:
    explicit LoopClient(SyncLoop& loop) : loop_(loop) {}
    void Send(FhirRequest request, Done done) override;
    bool RefreshCredentials(std::int64_t used) override;
    void CancelAll() override;
    const std::string& base_url() const override;

   private:
    void SendOnce(FhirRequest request, bool may_refresh, Done done);
    SyncLoop& loop_;
  };

  struct Active {
    std::unique_ptr<Delivery> delivery;
    TimeUs lease_until;
    bool is_extending = false;
    bool has_finished = false;
    std::optional<outbox::DeliveryReport> report;  // ended while its lease was being extended
  };

  // Work for the store's writer; `then` runs on the loop's thread with its result.
  template <class T>
  void SubmitToStore(std::function<Result<T>(storage::Transaction&)> work,
                     std::function<void(Result<T>)> then);

  bool EndOldLeases();
  void ReadMetadata();
  void TakeMetadata(const FhirAnswer& answer);
  void Claim();
  void TakeClaim(Result<std::vector<outbox::WorkItem>> claimed);
  void StartDelivery(outbox::WorkItem item);
  void Finished(Delivery& delivery);
  void Judge(const Delivery& delivery, const outbox::DeliveryReport& report);
  void Complete(outbox::DeliveryReport report);
  void ExtendLeases();
  void ReleaseLacking();
  void RematchHeld();
  void RematchNext();
  void NoteTrouble(bool is_new);
  void RunRetries();
  std::int64_t UntilNext();
  std::size_t ClaimMax() const;
  bool TakeStoreError(const Error& error);
  void Count(RequestKind kind, const FhirAnswer& answer);

  const SyncPorts ports_;
  const SyncSettings settings_;
  Mailbox mailbox_;
  LoopClient client_;
  PatientMatcher patients_;
  DeliveryLadder ladder_;
  const DeliverySettings delivery_settings_;
  CircuitBreaker breaker_;
  ConcurrencyLimit concurrency_;
  std::map<std::string, Active> deliveries_;       // by WorkId
  std::vector<outbox::DeliveryReport> unwritten_;  // the store did not take them: again a little later
  TimeUs unwritten_due_;
  std::vector<outbox::HeldPatient> to_rematch_;
  std::string rematched_up_to_;  // the last patient of the round before; empty: from the first
  std::optional<ServerCapabilities> capabilities_;
  bool has_ended_leases_ = false;
  bool is_asking_metadata_ = false;
  bool is_claiming_ = false;  // a claim is on its way
  bool is_rematching_ = false;
  bool claim_wanted_ = true;
  bool claiming_ = true;
  std::int64_t pending_ = 0;  // requests of the loop itself and works at the store
  TimeUs next_rematch_;
  TimeUs next_metadata_;
  TimeUs next_claim_;
  std::atomic<bool> wake_{false};
  std::atomic<bool> rematch_wanted_{false};
  std::atomic<bool> failed_{false};
  mutable std::mutex statistics_mutex_;
  SyncStatistics statistics_;
};

}  // namespace fhir_adapter::sync
