#include "fhir/utf8.h"

#include <cstdint>
#include <cstring>

namespace fhir_adapter::fhir {
namespace {

// The length of the well-formed sequence that begins at `bytes`, or 0 (Unicode, table 3-7).
std::size_t SequenceLength(const unsigned char* bytes, std::size_t available) {
  const unsigned char first = bytes[0];
  if (first < 0x80) return 1;
  std::size_t length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  }
  if (length == 0 || length > available || bytes[1] < low || bytes[1] > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((bytes[i] & 0xC0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

std::size_t FindInvalidUtf8(std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t at = 0;
  while (at < text.size()) {
    // Eight ASCII bytes at a time: records are nearly all ASCII.
    std::uint64_t word = 0;
    if (at + sizeof word <= text.size()) {
      std::memcpy(&word, bytes + at, sizeof word);
      if ((word & 0x8080808080808080) == 0) {
        at += sizeof word;
        continue;
      }
    }
    const std::size_t length = SequenceLength(bytes + at, text.size() - at);
    if (length == 0) return at;
    at += length;
  }
  return at;
}

}  // namespace fhir_adapter::fhir
