// What a JSON string cannot hold as it is: controls, the quotation mark and the backslash (RFC 8259).
//
// Pure; for the reader and the writer, which look at eight bytes at a time.
#pragma once

#include <cstdint>

namespace fhir_adapter::fhir {

inline bool NeedsEscape(unsigned char c) {
  return c < 0x20 || c == '"' || c == '\\';
}

// The lowest set bit is in the first of the eight bytes, in little-endian order, that needs an escape; 0:
// none does. Bits above it mean nothing.
inline std::uint64_t EscapesIn(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x8080808080808080;
  const auto has_zero = [](std::uint64_t x) { return (x - kOnes) & ~x & kHighs; };
  const std::uint64_t below_space = (word - kOnes * 0x20) & ~word & kHighs;
  return below_space | has_zero(word ^ (kOnes * '"')) | has_zero(word ^ (kOnes * '\\'));
}

}  // namespace fhir_adapter::fhir
