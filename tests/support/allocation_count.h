// The number of times that the calling thread has asked for memory (operator new) since it began.
//
// A program that calls this gets its operator new from allocation_count.cc.
#pragma once

#include <cstdint>

namespace fhir_adapter::test {

std::uint64_t AllocationCount();

}  // namespace fhir_adapter::test
