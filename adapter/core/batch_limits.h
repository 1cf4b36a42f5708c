// Limits of what is read, or changed, as a whole: samples that maps are begun from, stored records mapped
// again. As those of core/limits.h: each has a test at N and N + 1.
#pragma once

#include <cstddef>

namespace fhir_adapter::limits {

// Samples (adapter/app).
inline constexpr std::size_t kSampleBytesMax = 10'000'000;
inline constexpr std::size_t kSampleDepthMax = 12;
inline constexpr std::size_t kSampleElementsMax = 1'000;

// Stored records (adapter/outbox, adapter/app).
inline constexpr std::size_t kStoredRecordsPageMax = 100;  // looked at, and queued, together

}  // namespace fhir_adapter::limits
