// Notices that the wall clock was set back: it went on less than the monotonic clock did.
#pragma once

#include <cstdint>
#include <optional>

#include "audit/audit_log.h"
#include "core/clock.h"

namespace fhir_adapter::audit {

struct LogPorts;

class ClockWatch {
 public:
  // More than a second back since the call before. Slewing and rounding stay below that.
  bool HasGoneBack(TimeUs now, std::int64_t monotonic_us);

 private:
  std::optional<std::int64_t> offset_us_;  // wall clock minus monotonic clock
};

// The entry about it. Numbers, not times, order the log, so that nothing else has to change.
Result<void> AppendClockSetBack(const LogPorts& ports, TimeUs now);

// The time of an entry in its stored form; nothing when it has none.
std::optional<std::string_view> TimeTextOf(std::string_view entry);

// The same after a restart: the last entry is of a time that has not come yet.
Result<bool> IsBehindLog(const LogPorts& ports, TimeUs now);

}  // namespace fhir_adapter::audit
