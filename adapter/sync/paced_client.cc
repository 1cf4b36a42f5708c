#include "sync/paced_client.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "core/limits.h"
#include "sync/response_classifier.h"

namespace fhir_adapter::sync {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;

void SleepForReal(std::int64_t us) {
  std::this_thread::sleep_for(std::chrono::microseconds(us));
}

}  // namespace

PacedClient::PacedClient(FhirClient& client, Clock& clock, std::int64_t requests_per_second_max, Sleep sleep)
    : client_(client),
      clock_(clock),
      interval_us_(kSecondUs / requests_per_second_max),
      sleep_(sleep ? std::move(sleep) : Sleep(&SleepForReal)) {}

void PacedClient::Send(FhirRequest request, Done done) {
  SendOnce(std::move(request), 1, true, std::move(done));
}

void PacedClient::SendOnce(FhirRequest request, int attempt, bool may_refresh, Done done) {
  const std::int64_t now_us = clock_.MonotonicUs();
  if (now_us < next_us_) sleep_(next_us_ - now_us);
  next_us_ = std::max(now_us, next_us_) + interval_us_;
  ++requests_;
  FhirRequest copy = request;
  client_.Send(std::move(copy), [this, request = std::move(request), attempt, may_refresh,
                                 done = std::move(done)](FhirAnswer answer) {
    const bool is_busy = answer.status == 429 || answer.status == 503;
    if (answer.status == 401 && may_refresh && client_.RefreshCredentials(answer.credentials)) {
      return SendOnce(request, attempt, false, done);
    }
    if (is_busy && attempt < limits::kPacedAttemptsMax) {
      const auto asked_us = ParseRetryAfter(answer.retry_after, clock_.Now());
      sleep_(std::min(asked_us.value_or(kSecondUs << attempt), limits::kPacedWaitSecondsMax * kSecondUs));
      return SendOnce(request, attempt + 1, may_refresh, done);
    }
    done(std::move(answer));
  });
}

FhirAnswer PacedClient::Ask(FhirRequest request) {
  std::promise<FhirAnswer> answer;
  Send(std::move(request), [&answer](FhirAnswer given) { answer.set_value(std::move(given)); });
  return answer.get_future().get();
}

}  // namespace fhir_adapter::sync
