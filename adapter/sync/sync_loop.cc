#include "sync/sync_loop.h"

#include <algorithm>
#include <utility>

#include "core/fault_point.h"
#include "core/limits.h"
#include "core/log.h"

namespace fhir_adapter::sync {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;

SyncSettings Completed(SyncSettings settings, const FhirClient& client) {
  if (settings.endpoint.empty()) settings.endpoint = client.base_url();
  return settings;
}

AnswerClass ClassOf(const FhirAnswer& answer) {
  if (answer.transport != Transport::kAnswered) return AnswerClass::kLost;
  switch (answer.status / 100) {
    case 2:
      return AnswerClass::kSuccess;
    case 4:
      return AnswerClass::kClientError;
    case 5:
      return AnswerClass::kServerError;
    default:
      return AnswerClass::kOther;
  }
}

// Failures that speak of the server or the way to it, not of the work.
bool IsTroubleOfServer(const Classification& classification, int status) {
  switch (classification.verdict) {
    case Verdict::kRetry:
    case Verdict::kAmbiguous:
      return status != 409 && status != 423 && status != 425;
    default:
      return false;
  }
}

}  // namespace

void SyncLoop::LoopClient::Send(FhirRequest request, Done done) {
  SendOnce(std::move(request), true, std::move(done));
}

void SyncLoop::LoopClient::SendOnce(FhirRequest request, bool may_refresh, Done done) {
  FhirRequest copy = request;
  auto take = [this, request = std::move(copy), may_refresh,
               done = std::move(done)](FhirAnswer answer) mutable {
    loop_.Count(request.kind, answer);
    if (answer.status == 429 || answer.status == 503) {
      loop_.concurrency_.OnTooMuch(loop_.ports_.clock.MonotonicUs());
    } else if (answer.status >= 200 && answer.status < 300) {
      loop_.concurrency_.OnGoodAnswer();
    }
    const bool refused = answer.transport == Transport::kAnswered && answer.status == 401;
    // A request that was refused for its credentials was not carried out.
    if (refused && may_refresh && loop_.ports_.client.RefreshCredentials(answer.credentials)) {
      SendOnce(std::move(request), false, std::move(done));
      return;
    }
    done(std::move(answer));
  };
  // shared_ptr: std::function wants closures that can be copied; only the last copy runs.
  auto shared = std::make_shared<decltype(take)>(std::move(take));
  loop_.ports_.client.Send(std::move(request), [this, shared](FhirAnswer answer) {
    auto held = std::make_shared<FhirAnswer>(std::move(answer));
    loop_.mailbox_.Post([shared, held] { (*shared)(std::move(*held)); });
  });
}

bool SyncLoop::LoopClient::RefreshCredentials(std::int64_t used) {
  return loop_.ports_.client.RefreshCredentials(used);
}

void SyncLoop::LoopClient::CancelAll() {
  loop_.ports_.client.CancelAll();
}

const std::string& SyncLoop::LoopClient::base_url() const {
  return loop_.ports_.client.base_url();
}

SyncLoop::SyncLoop(const SyncPorts& ports, SyncSettings settings)
    : ports_(ports),
      settings_(Completed(std::move(settings), ports.client)),
      client_(*this),
      patients_(client_, ports.clock, {settings_.patient_identifier_system, settings_.remember_patient_us}),
      ladder_(ports.client.base_url(), settings_.rung, settings_.audit_events),
      delivery_settings_{settings_.endpoint, settings_.canonical_base, settings_.retry, settings_.pause_us,
                         settings_.client},
      breaker_(settings_.retry),
      concurrency_(settings_.connections_max) {
  statistics_.rung = ladder_.choice();
}

SyncLoop::~SyncLoop() = default;

void SyncLoop::Wake() {
  wake_ = true;
  mailbox_.Post([] {});
}

void SyncLoop::Rematch() {
  rematch_wanted_ = true;
  mailbox_.Post([] {});
}

template <class T>
void SyncLoop::SubmitToStore(std::function<Result<T>(storage::Transaction&)> work,
                             std::function<void(Result<T>)> then) {
  ++pending_;
  // shared_ptr: filled by the work and read by its end, both on the writer's thread, then by the loop.
  auto value = std::make_shared<std::optional<T>>();
  ports_.store.Submit(
      [work = std::move(work), value](storage::Transaction& transaction) -> Result<void> {
        ADAPTER_TRY(T made, work(transaction));
        value->emplace(std::move(made));
        return {};
      },
      [this, value, then = std::move(then)](const Result<void>& done) {
        std::optional<Error> error;
        if (!done) error = done.error();
        mailbox_.Post([this, value, then, error] {
          --pending_;
          then(error ? Result<T>(Fail(*error)) : Result<T>(std::move(**value)));
        });
      });
}

// True when the loop can go on after a while.
bool SyncLoop::TakeStoreError(const Error& error) {
  if (error.code == Code::kStoreFailed || error.code == Code::kStoreDamaged) {
    failed_ = true;
    return false;
  }
  return error.code == Code::kDiskFull || error.code == Code::kHighWater || error.code == Code::kNotReady;
}

bool SyncLoop::EndOldLeases() {
  if (has_ended_leases_) return true;
  if (pending_ > 0) return false;
  SubmitToStore<std::int64_t>(
      [this](storage::Transaction& transaction) {
        return ports_.outbox.EndLeases(transaction, ports_.clock.Now());
      },
      [this](const Result<std::int64_t>& ended) {
        if (ended) {
          has_ended_leases_ = true;
        } else if (!TakeStoreError(ended.error())) {
          failed_ = true;
        }
      });
  return false;
}

std::int64_t SyncLoop::Step() {
  mailbox_.RunAll();
  std::erase_if(deliveries_, [](const auto& one) { return one.second.has_finished; });
  if (failed_) return settings_.scan_us;
  if (!EndOldLeases()) return kSecondUs;
  const TimeUs now = ports_.clock.Now();
  breaker_.Tick(now);
  if (rematch_wanted_.exchange(false)) {
    breaker_.ProbeNow();
    next_rematch_ = now;
    next_metadata_ = now;
    ladder_.audit_events().Forget();
    ReleaseLacking();
  }
  if (wake_.exchange(false)) claim_wanted_ = true;
  RunRetries();
  ExtendLeases();
  if (claiming_) {
    const bool is_due = breaker_.state() == RouteState::kClosed && now >= next_metadata_;
    if (is_due || breaker_.state() == RouteState::kProbing) ReadMetadata();
    if (now >= next_rematch_) RematchHeld();
    if (claim_wanted_ || now >= next_claim_) Claim();
  }
  mailbox_.RunAll();
  std::erase_if(deliveries_, [](const auto& one) { return one.second.has_finished; });
  {
    const std::lock_guard lock(statistics_mutex_);
    statistics_.in_flight = static_cast<std::int64_t>(deliveries_.size());
    statistics_.route = breaker_.state();
    statistics_.has_trouble = breaker_.has_trouble();
    statistics_.trouble = breaker_.reason();
    statistics_.rung = ladder_.choice();
    statistics_.posted = ladder_.forms().posted();
    statistics_.audit_events = ladder_.audit_events().state();
    statistics_.concurrency = static_cast<std::int64_t>(concurrency_.limit());
  }
  return UntilNext();
}

std::int64_t SyncLoop::UntilNext() {
  const TimeUs now = ports_.clock.Now();
  std::int64_t wait = settings_.scan_us;
  if (breaker_.state() == RouteState::kOpen) wait = std::min(wait, breaker_.open_until().us - now.us);
  if (claiming_ && ClaimMax() > 0) wait = std::min(wait, next_claim_.us - now.us);
  return std::max<std::int64_t>(wait, 0);
}

void SyncLoop::ReadMetadata() {
  if (is_asking_metadata_) return;
  is_asking_metadata_ = true;
  ++pending_;
  FhirRequest request;
  request.kind = RequestKind::kMetadata;
  request.path = "metadata";
  client_.Send(std::move(request), [this](const FhirAnswer& answer) {
    --pending_;
    is_asking_metadata_ = false;
    TakeMetadata(answer);
  });
}

void SyncLoop::TakeMetadata(const FhirAnswer& answer) {
  auto read = ReadCapabilities(answer.body);
  AnswerFacts facts;
  facts.kind = RequestKind::kMetadata;
  facts.transport = answer.transport;
  facts.failure = answer.failure;
  facts.status = answer.status;
  facts.body_is_readable = read.has_value();
  const Classification classification = Classify(facts);
  const TimeUs now = ports_.clock.Now();
  next_metadata_ = TimeUs{now.us + settings_.metadata_us};
  if (classification.verdict == Verdict::kSucceeded) {
    const bool is_news = !capabilities_ || *capabilities_ != *read;
    capabilities_ = std::move(read).value();
    ladder_.Learn(*capabilities_);
    if (is_news) {
      LogEvent(capabilities_->is_r4() ? LogLevel::kInfo : LogLevel::kWarning, "server-capabilities",
               {{"fhirVersion", capabilities_->fhir_version},
                {"software", capabilities_->software},
                {"rung", Name(ladder_.choice().rung)},
                {"rungReason", Name(ladder_.choice().reason)}});
      ReleaseLacking();
      const std::lock_guard lock(statistics_mutex_);
      statistics_.server_software = capabilities_->software;
    }
    breaker_.OnProbeSuccess();
    claim_wanted_ = true;
    next_rematch_ = std::max(next_rematch_, now);
    return;
  }
  if (breaker_.state() == RouteState::kClosed) return;  // what is sent tells how the server is
  const bool lasting = classification.verdict == Verdict::kPauseRoute ||
                       classification.verdict == Verdict::kRefreshCredentials;
  const std::int64_t asked_us = ParseRetryAfter(answer.retry_after, now).value_or(0);
  if (lasting || asked_us > 0) {
    const std::int64_t pause_us = std::max(asked_us, lasting ? settings_.pause_us : 0);
    return NoteTrouble(breaker_.Open(classification.code, now, TimeUs{now.us + pause_us}));
  }
  NoteTrouble(breaker_.OnFailure(classification.code, now, ports_.random.Next()));
}

void SyncLoop::NoteTrouble(bool is_new) {
  if (!is_new) return;
  const std::lock_guard lock(statistics_mutex_);
  ++statistics_.troubles;
}

// The server may have what it lacked: what is held for that is tried again.
void SyncLoop::ReleaseLacking() {
  SubmitToStore<std::int64_t>(
      [this](storage::Transaction& transaction) {
        const outbox::Change change{SystemPrincipal(), {}, ports_.clock.Now()};
        return ports_.outbox.ReleaseHeldFor(transaction, Code::kServerLacks, change);
      },
      [this](const Result<std::int64_t>& released) {
        if (!released) return;
        claim_wanted_ = true;
        const std::lock_guard lock(statistics_mutex_);
        statistics_.lacking_released += *released;
      });
}

std::size_t SyncLoop::ClaimMax() const {
  std::size_t places = 0;
  if (breaker_.state() == RouteState::kClosed) places = concurrency_.limit();
  if (breaker_.state() == RouteState::kHalfOpen) places = 1;
  return places > deliveries_.size() ? places - deliveries_.size() : 0;
}

void SyncLoop::Claim() {
  const std::size_t items_max = ClaimMax();
  if (items_max == 0 || is_claiming_) return;
  is_claiming_ = true;
  claim_wanted_ = false;
  next_claim_ = TimeUs{ports_.clock.Now().us + settings_.scan_us};
  SubmitToStore<std::vector<outbox::WorkItem>>(
      [this, items_max](storage::Transaction& transaction) {
        outbox::ClaimRequest request;
        request.owner = settings_.owner;
        request.endpoint = settings_.endpoint;
        request.now = ports_.clock.Now();
        request.lease_us = settings_.lease_us;
        request.items_max = items_max;
        return ports_.outbox.Claim(transaction, request);
      },
      [this](Result<std::vector<outbox::WorkItem>> claimed) { TakeClaim(std::move(claimed)); });
}

void SyncLoop::TakeClaim(Result<std::vector<outbox::WorkItem>> claimed) {
  is_claiming_ = false;
  if (!claimed) {
    if (!TakeStoreError(claimed.error())) {
      LogEvent(LogLevel::kError, "claim-failed", {{"code", Name(claimed.error().code)}});
    }
    return;
  }
  for (outbox::WorkItem& item : *claimed) StartDelivery(std::move(item));
  if (!claimed->empty()) return;
  // Nothing to send now: sleep until something is due.
  std::optional<TimeUs> due;
  const Result<void> read = ports_.store.Read([&](storage::Snapshot& snapshot) -> Result<void> {
    ADAPTER_TRY(due, ports_.queue.NextDue(snapshot));
    return {};
  });
  const TimeUs now = ports_.clock.Now();
  if (read && due && *due > now) next_claim_ = std::min(next_claim_, *due);
  // Nothing waits to be tried: the answer to /metadata has to do.
  const bool is_all_done = read.has_value() && !due && deliveries_.empty();
  if (is_all_done && breaker_.state() == RouteState::kHalfOpen) breaker_.OnSuccess();
}

void SyncLoop::StartDelivery(outbox::WorkItem item) {
  const std::string id = item.id.value;
  const auto before = deliveries_.find(id);
  if (before != deliveries_.end()) {
    // Its lease was lost while it was on its way: the new one runs out by itself, and is looked up then.
    if (!before->second.has_finished) return;
    deliveries_.erase(before);
  }
  Active& active = deliveries_[id];
  active.lease_until = item.lease.until;
  const DeliveryServices services{client_,      patients_,     ladder_,
                                  ports_.clock, ports_.random, delivery_settings_};
  active.delivery = std::make_unique<Delivery>(std::move(item), services,
                                               [this](Delivery& delivery) { Finished(delivery); });
  active.delivery->Start();
}

// Called from inside the delivery: it goes when the step ends.
void SyncLoop::Finished(Delivery& delivery) {
  outbox::DeliveryReport report = delivery.TakeReport();
  Judge(delivery, report);
  Active& active = deliveries_.at(delivery.item().id.value);
  {
    const std::lock_guard lock(statistics_mutex_);
    ++statistics_.outcomes[static_cast<std::size_t>(report.outcome)];
    for (const outbox::ResourceWrite& write : report.writes) {
      ++(write.adopted ? statistics_.resources_adopted : statistics_.resources_written);
    }
  }
  ADAPTER_FAULT_POINT("answer-received");
  if (active.is_extending) {
    active.report = std::move(report);  // completing takes the lease as it will be then
    return;
  }
  active.has_finished = true;
  Complete(std::move(report));
}

void SyncLoop::Judge(const Delivery& delivery, const outbox::DeliveryReport& report) {
  const TimeUs now = ports_.clock.Now();
  const Classification& classification = delivery.classification();
  if (report.outcome == outbox::DeliveryOutcome::kDeferred) {
    NoteTrouble(breaker_.Open(classification.code, now, report.next_attempt));
  } else if (IsTroubleOfServer(classification, report.http_status)) {
    // A server that fails at these need not fail at anything else.
    if (delivery.item().kind == outbox::WorkKind::kAuditEvent) return;
    NoteTrouble(breaker_.OnFailure(classification.code, now, ports_.random.Next()));
  } else if (!report.operation.empty()) {
    breaker_.OnSuccess();
  }
}

void SyncLoop::Complete(outbox::DeliveryReport report) {
  // shared_ptr: needed by the work, and again when the store does not take it.
  auto shared = std::make_shared<outbox::DeliveryReport>(std::move(report));
  SubmitToStore<outbox::WorkState>(
      [this, shared](storage::Transaction& transaction) {
        return ports_.outbox.Complete(transaction, *shared, ports_.clock.Now());
      },
      [this, shared](const Result<outbox::WorkState>& state) {
        claim_wanted_ = true;
        if (state) {
          ADAPTER_FAULT_POINT("delivery-completed");
          return;
        }
        if (TakeStoreError(state.error())) {
          unwritten_.push_back(std::move(*shared));
          unwritten_due_ = TimeUs{ports_.clock.Now().us + kSecondUs};
        } else if (!failed_) {
          // Another owner has the patient now, and will look at the server before it sends.
          LogEvent(LogLevel::kWarning, "lease-lost",
                   {{"work", shared->id.value}, {"code", Name(state.error().code)}});
          const std::lock_guard lock(statistics_mutex_);
          ++statistics_.leases_lost;
        }
      });
}

void SyncLoop::RunRetries() {
  if (unwritten_.empty() || ports_.clock.Now() < unwritten_due_) return;
  std::vector<outbox::DeliveryReport> reports;
  reports.swap(unwritten_);
  for (outbox::DeliveryReport& report : reports) Complete(std::move(report));
}

void SyncLoop::ExtendLeases() {
  const TimeUs now = ports_.clock.Now();
  for (auto& [id, active] : deliveries_) {
    if (active.is_extending || active.has_finished || active.report) continue;
    if (active.lease_until.us - now.us > settings_.lease_us / 2) continue;
    active.is_extending = true;
    const outbox::WorkId work{id};
    const outbox::Lease lease = active.delivery->item().lease;
    SubmitToStore<outbox::Lease>(
        [this, work, lease](storage::Transaction& transaction) {
          const TimeUs until{ports_.clock.Now().us + settings_.lease_us};
          return ports_.outbox.Extend(transaction, work, lease, until);
        },
        [this, work](Result<outbox::Lease> extended) {
          const auto found = deliveries_.find(work.value);
          if (found == deliveries_.end() || found->second.has_finished) return;
          Active& extended_work = found->second;
          extended_work.is_extending = false;
          if (extended) {
            extended_work.lease_until = extended->until;
            extended_work.delivery->set_lease(*extended);
          } else {
            TakeStoreError(extended.error());
          }
          if (!extended_work.report) return;
          outbox::DeliveryReport report = std::move(*extended_work.report);
          report.lease = extended_work.delivery->item().lease;
          extended_work.has_finished = true;
          Complete(std::move(report));
        });
  }
}

void SyncLoop::RematchHeld() {
  if (is_rematching_ || breaker_.state() != RouteState::kClosed) return;
  next_rematch_ = TimeUs{ports_.clock.Now().us + settings_.rematch_us};
  to_rematch_.clear();
  const Result<void> read = ports_.store.Read([this](storage::Snapshot& snapshot) -> Result<void> {
    ADAPTER_TRY(to_rematch_,
                ports_.queue.HeldPatients(snapshot, rematched_up_to_, limits::kRematchPatientsMax));
    return {};
  });
  if (!read) to_rematch_.clear();
  // The next round goes on after this one: patients who stay unknown do not keep the others from their turn.
  const bool was_last = to_rematch_.size() < limits::kRematchPatientsMax;
  rematched_up_to_ = was_last ? std::string() : to_rematch_.back().patient.key;
  std::reverse(to_rematch_.begin(), to_rematch_.end());  // taken from the end
  RematchNext();
}

void SyncLoop::RematchNext() {
  is_rematching_ = !to_rematch_.empty() && claiming_;
  if (!is_rematching_) return;
  const outbox::PatientReference patient = std::move(to_rematch_.back().patient);
  to_rematch_.pop_back();
  ++pending_;
  patients_.Match(patient, {}, [this, key = patient.key](const PatientMatch& match) {
    --pending_;
    if (match.outcome == PatientMatch::Outcome::kFailed) {
      to_rematch_.clear();
      is_rematching_ = false;
      return;
    }
    if (match.outcome == PatientMatch::Outcome::kFound) {
      SubmitToStore<std::int64_t>(
          [this, key](storage::Transaction& transaction) {
            const outbox::Change change{SystemPrincipal(), {}, ports_.clock.Now()};
            return ports_.outbox.ReleasePatient(transaction, key, change);
          },
          [this](const Result<std::int64_t>& released) {
            if (!released) return;
            claim_wanted_ = true;
            const std::lock_guard lock(statistics_mutex_);
            statistics_.patients_released += *released;
          });
    }
    // Not from inside the answer: a remembered patient answers at once, and a thousand of them would pile up.
    mailbox_.Post([this] { RematchNext(); });
  });
}

void SyncLoop::Count(RequestKind kind, const FhirAnswer& answer) {
  const std::lock_guard lock(statistics_mutex_);
  RequestStatistics& counts = statistics_.requests[static_cast<std::size_t>(kind)];
  ++counts.answers[static_cast<std::size_t>(ClassOf(answer))];
  std::size_t bucket = 0;
  while (bucket < kDurationBoundsUs.size() && answer.duration_us > kDurationBoundsUs[bucket]) ++bucket;
  ++counts.durations[bucket];
  counts.duration_sum_us += answer.duration_us;
}

SyncStatistics SyncLoop::statistics() const {
  const std::lock_guard lock(statistics_mutex_);
  return statistics_;
}

}  // namespace fhir_adapter::sync
