#include "core/clock.h"

#include <cstdio>
#include <cstdlib>
#include <sys/random.h>
#include <time.h>

namespace fhir_adapter {
namespace {

std::int64_t Read(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
}

class OperatingSystemClock final : public Clock {
 public:
  TimeUs Now() override { return TimeUs{Read(CLOCK_REALTIME)}; }
  std::int64_t MonotonicUs() override { return Read(CLOCK_MONOTONIC); }
};

class OperatingSystemRandom final : public Random {
 public:
  std::uint64_t Next() override {
    std::uint64_t bits = 0;
    // Reads of up to 256 bytes are never cut short once the pool is ready.
    if (getrandom(&bits, sizeof bits, 0) != sizeof bits) std::abort();
    return bits;
  }
};

}  // namespace

std::string ToString(TimeUs time) {
  std::int64_t seconds = time.us / 1'000'000;
  std::int64_t fraction = time.us % 1'000'000;
  if (fraction < 0) {
    fraction += 1'000'000;
    --seconds;
  }
  const time_t whole = static_cast<time_t>(seconds);
  tm parts{};
  gmtime_r(&whole, &parts);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%06lldZ", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<long long>(fraction));
  return text;
}

Clock& SystemClock() {
  static OperatingSystemClock clock;
  return clock;
}

Random& SystemRandom() {
  static OperatingSystemRandom random;
  return random;
}

}  // namespace fhir_adapter
