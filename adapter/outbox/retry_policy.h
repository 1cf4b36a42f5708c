// When to try again: full jitter (a uniform delay below an exponential ceiling), within a budget of time.
//
// A pure function; the caller owns clock and random numbers.
#pragma once

#include <cstdint>
#include <optional>

#include "core/clock.h"

namespace fhir_adapter::outbox {

struct RetryPolicy {
  std::int64_t retry_min_us = 1'000'000;
  std::int64_t retry_max_us = 300'000'000;
  std::int64_t budget_us = 168LL * 3600 * 1'000'000;  // since the first attempt
};

struct Failed {
  int attempt = 1;                             // the one that failed, from 1
  TimeUs first_attempt;                        // start of the budget
  TimeUs now;                                  // when it failed
  std::optional<std::int64_t> retry_after_us;  // the server's wish: never earlier than that
};

// The time of the next attempt; empty when the budget is used up. The ceiling is retry_min * 2^(attempt-1),
// at most retry_max; the delay is uniform in [retry_min, ceiling]. `random` is uniform over 64 bits.
std::optional<TimeUs> NextAttempt(const RetryPolicy& policy, const Failed& failed, std::uint64_t random);

}  // namespace fhir_adapter::outbox
