#include "sync/circuit_breaker.h"

namespace fhir_adapter::sync {

std::string_view Name(RouteState state) {
  switch (state) {
    case RouteState::kClosed:
      return "closed";
    case RouteState::kOpen:
      return "open";
    case RouteState::kProbing:
      return "probing";
    case RouteState::kHalfOpen:
      return "half-open";
  }
  return "";
}

void CircuitBreaker::Tick(TimeUs now) {
  if (state_ == RouteState::kOpen && now >= open_until_) state_ = RouteState::kProbing;
}

bool CircuitBreaker::OnSuccess() {
  failures_ = 0;
  if (state_ != RouteState::kClosed && state_ != RouteState::kHalfOpen)
    return false;  // late news of older work
  state_ = RouteState::kClosed;
  openings_ = 0;
  const bool recovered = has_trouble_;
  has_trouble_ = false;
  return recovered;
}

bool CircuitBreaker::OnFailure(Code reason, TimeUs now, std::uint64_t random) {
  if (state_ == RouteState::kOpen) return false;
  ++failures_;
  if (state_ == RouteState::kClosed && failures_ < failures_max_) return false;
  outbox::RetryPolicy endless = policy_;
  endless.budget_us = INT64_MAX / 4;
  const auto until = outbox::NextAttempt(endless, {openings_ + 1, now, now, {}}, random);
  return Open(reason, now, until.value_or(TimeUs{now.us + policy_.retry_max_us}));
}

bool CircuitBreaker::Open(Code reason, TimeUs now, TimeUs until) {
  state_ = RouteState::kOpen;
  reason_ = reason;
  open_until_ = until > now ? until : now;
  failures_ = 0;
  ++openings_;
  const bool is_new = !has_trouble_;
  has_trouble_ = true;
  return is_new;
}

void CircuitBreaker::OnProbeSuccess() {
  if (state_ == RouteState::kProbing) state_ = RouteState::kHalfOpen;
}

void CircuitBreaker::ProbeNow() {
  if (state_ == RouteState::kOpen) state_ = RouteState::kProbing;
}

}  // namespace fhir_adapter::sync
