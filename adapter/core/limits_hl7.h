// Limits of HL7 v2 messages and of MLLP (adapter/intake, adapter/pipeline), as core/limits.h has the others.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fhir_adapter::limits {

inline constexpr std::size_t kHl7BatchMessagesMax = 1'000;    // of a batch, in one frame
inline constexpr std::size_t kHl7ErrorsMax = 20;              // ERR segments of an acknowledgement
inline constexpr std::size_t kHl7HeaderFieldBytesMax = 250;   // of a field of MSH that is given back
inline constexpr std::size_t kHl7ObservationsMax = 200;       // of a message
inline constexpr std::size_t kMllpBytesPerSecondMin = 1'000;  // of a frame, on average
inline constexpr std::size_t kMllpConnectionsMax = 64;
inline constexpr std::int64_t kMllpIdleTimeoutMs = 60'000;  // between frames
inline constexpr std::size_t kMllpMessageBytesMax = 10'000'000;

}  // namespace fhir_adapter::limits
