// Clock and random numbers as ports, so that tests say what time it is.
//
// Implementations are thread-safe unless they say otherwise.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace fhir_adapter {

// A moment in UTC microseconds since 1970-01-01, as it stands in the store.
struct TimeUs {
  std::int64_t us = 0;
  auto operator<=>(const TimeUs&) const = default;
};

// RFC 3339 in UTC with microseconds: 2026-03-01T12:00:00.000000Z.
std::string ToString(TimeUs time);

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimeUs Now() = 0;                // wall clock, may jump
  virtual std::int64_t MonotonicUs() = 0;  // never goes back; only differences mean something
};

class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t Next() = 0;  // uniform over 64 bits
};

// The operating system's. SystemRandom is suitable for keys and tokens.
Clock& SystemClock();
Random& SystemRandom();

}  // namespace fhir_adapter
