// ConcurrencyLimit: how many patients are sent at a time to a server that says when it is too much (429,
// 503).
//
// Additive increase: one more after as many good answers as are let through at a time. Multiplicative
// decrease: half of it, down to one, at most once for the requests that were under way when it said so. Pure
// but for its own state. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>

#include "core/clock.h"

namespace fhir_adapter::sync {

class ConcurrencyLimit {
 public:
  // Begins with the maximum. `settle_us`: what is refused so soon after a decrease was sent before it.
  explicit ConcurrencyLimit(std::size_t most, std::int64_t settle_us = 1'000'000)
      : most_(std::max<std::size_t>(most, 1)), settle_us_(settle_us), limit_(most_) {}

  std::size_t limit() const { return limit_; }

  void OnGoodAnswer() {
    if (limit_ >= most_ || ++good_answers_ < limit_) return;
    good_answers_ = 0;
    ++limit_;
  }

  // `now_us` is monotonic.
  void OnTooMuch(std::int64_t now_us) {
    good_answers_ = 0;
    if (has_decreased_ && now_us - decreased_us_ < settle_us_) return;
    has_decreased_ = true;
    decreased_us_ = now_us;
    limit_ = std::max<std::size_t>(limit_ / 2, 1);
  }

 private:
  const std::size_t most_;
  const std::int64_t settle_us_;
  std::size_t limit_;
  std::size_t good_answers_ = 0;  // since the limit changed last
  std::int64_t decreased_us_ = 0;
  bool has_decreased_ = false;
};

}  // namespace fhir_adapter::sync
