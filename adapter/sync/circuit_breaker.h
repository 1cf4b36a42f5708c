// CircuitBreaker: whether the endpoint is worth trying. After several failures in a row, or one that no other
// work can escape (credentials, certificate, address), nothing is sent for a while; then one probe decides.
//
//   closed ──failures──▶ open ──time──▶ probing ──success──▶ half-open ──success──▶ closed
//      ▲                  ▲                │                     │
//      └──────────────────┴────failure─────┴─────────────────────┘
//
// Pure but for its own state; the caller owns clock and random numbers. Not thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/clock.h"
#include "core/error.h"
#include "outbox/retry_policy.h"

namespace fhir_adapter::sync {

enum class RouteState : std::uint8_t { kClosed, kOpen, kProbing, kHalfOpen };

std::string_view Name(RouteState state);

class CircuitBreaker {
 public:
  // Begins probing: nothing is known of the server yet.
  explicit CircuitBreaker(outbox::RetryPolicy policy, int failures_max = 5)
      : policy_(policy), failures_max_(failures_max) {}

  RouteState state() const { return state_; }
  Code reason() const { return reason_; }  // of the last opening
  TimeUs open_until() const { return open_until_; }

  // Turns open into probing when the time has come.
  void Tick(TimeUs now);
  // Whether a state with trouble was left: true once for each trouble.
  bool OnSuccess();
  // True when it opened from a state without trouble: once for each trouble.
  bool OnFailure(Code reason, TimeUs now, std::uint64_t random);
  bool Open(Code reason, TimeUs now, TimeUs until);
  // The probe went well: one piece of work may go.
  void OnProbeSuccess();
  void ProbeNow();
  bool has_trouble() const { return has_trouble_; }

 private:
  const outbox::RetryPolicy policy_;
  const int failures_max_;
  RouteState state_ = RouteState::kProbing;
  Code reason_ = Code::kInternal;
  TimeUs open_until_;
  int failures_ = 0;
  int openings_ = 0;
  bool has_trouble_ = false;
};

}  // namespace fhir_adapter::sync
