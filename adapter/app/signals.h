// Signals as events for the main thread: SIGTERM and SIGINT ask to stop, SIGHUP to look again.
#pragma once

#include <cstdint>
#include <optional>

namespace fhir_adapter::app {

// Blocks the signals for this and all later threads. Call before any thread starts.
void BlockSignals();

// Waits for one of them, at most so long; nothing at the deadline.
std::optional<int> WaitForSignal(std::int64_t timeout_ms);

}  // namespace fhir_adapter::app
