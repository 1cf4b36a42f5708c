// The limits of what often happens and is noted in the audit log, so that nobody can fill the disk with it.
// Each has a test at the limit and one above it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fhir_adapter::limits {

inline constexpr std::size_t kNotedReadsMax = 10'000;     // of an hour, by readers and records; then counted
inline constexpr std::size_t kNotedRefusalsMax = 100;     // of an hour, by addresses and kinds; then counted
inline constexpr std::size_t kNotedTokenUsesMax = 1'000;  // of a day, by tokens and addresses; then counted
inline constexpr std::int64_t kRepeatWindowSeconds = 3'600;  // in which a resent record has one entry

}  // namespace fhir_adapter::limits
