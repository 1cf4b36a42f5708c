// The number of times that this program has asked for memory (operator new) since it began.
//
// Counts the whole program: linking allocation_count.cc replaces operator new. Not thread-safe.
#pragma once

#include <cstdint>

namespace fhir_adapter::bench {

std::uint64_t AllocationCount();

}  // namespace fhir_adapter::bench
