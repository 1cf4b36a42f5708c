#include "fhirpath/functions/letter_case.h"

#include <cstdint>

#include "fhirpath/lexer.h"

namespace fhir_adapter::fhirpath::internal {
namespace {

// Capitals first … last whose small letters stand `distance` behind; step 2: capitals and small letters
// alternate.
struct Range {
  std::uint32_t first;
  std::uint32_t last;
  std::uint32_t distance;
  std::uint32_t step;
};

constexpr Range kRanges[] = {{0x41, 0x5A, 32, 1},   {0xC0, 0xD6, 32, 1},    {0xD8, 0xDE, 32, 1},
                             {0x100, 0x12E, 1, 2},  {0x132, 0x136, 1, 2},   {0x139, 0x147, 1, 2},
                             {0x14A, 0x176, 1, 2},  {0x179, 0x17D, 1, 2},   {0x391, 0x3A1, 32, 1},
                             {0x3A3, 0x3AB, 32, 1}, {0x400, 0x40F, 80, 1},  {0x410, 0x42F, 32, 1},
                             {0x460, 0x480, 1, 2},  {0x48A, 0x4BE, 1, 2},   {0x4D0, 0x52E, 1, 2},
                             {0x531, 0x556, 48, 1}, {0x1E00, 0x1E94, 1, 2}, {0x1EA0, 0x1EFE, 1, 2}};

std::uint32_t Upper(std::uint32_t c) {
  if (c == 0xFF) return 0x178;   // ÿ
  if (c == 0x3C2) return 0x3A3;  // ς
  for (const Range& range : kRanges) {
    if (c < range.first + range.distance || c > range.last + range.distance) continue;
    if ((c - range.first - range.distance) % range.step == 0) return c - range.distance;
  }
  return c;
}

std::uint32_t Lower(std::uint32_t c) {
  if (c == 0x178) return 0xFF;
  for (const Range& range : kRanges) {
    if (c >= range.first && c <= range.last && (c - range.first) % range.step == 0) return c + range.distance;
  }
  return c;
}

// Reads one character; bytes that are no UTF-8 pass as they are.
std::uint32_t Next(std::string_view& text, std::size_t& size) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  const std::uint32_t first = byte(0);
  size = first < 0xC0 ? 1 : (first < 0xE0 ? 2 : (first < 0xF0 ? 3 : 4));
  if (size > text.size()) size = 1;
  if (size == 2) return (first & 0x1F) << 6 | (byte(1) & 0x3F);
  if (size == 3) return (first & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
  return first;
}

std::string Change(std::string_view text, std::uint32_t (*change)(std::uint32_t)) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    std::size_t size = 1;
    const std::uint32_t c = Next(text, size);
    const bool letter = (size == 1 && c < 0x80) || size == 2 || size == 3;
    const std::uint32_t changed = letter ? change(c) : c;
    if (changed == c) {
      out += text.substr(0, size);
    } else {
      AppendUtf8(changed, out);
    }
    text.remove_prefix(size);
  }
  return out;
}

}  // namespace

std::string ToUpperCase(std::string_view text) {
  return Change(text, Upper);
}

std::string ToLowerCase(std::string_view text) {
  return Change(text, Lower);
}

}  // namespace fhir_adapter::fhirpath::internal
