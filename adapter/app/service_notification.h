// Tells systemd how the service does: ready, stopping, alive (sd_notify protocol over NOTIFY_SOCKET).
//
// Without NOTIFY_SOCKET in the environment nothing happens. Thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

namespace fhir_adapter::app {

void NotifyService(std::string_view state);  // "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=…"

// How often the watchdog wants to hear from us, in microseconds; 0: not at all. systemd.service(5),
// WatchdogSec.
std::int64_t WatchdogIntervalUs();

}  // namespace fhir_adapter::app
