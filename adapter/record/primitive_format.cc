#include "record/primitive_format.h"

#include <charconv>
#include <cstdint>

#include "core/limits.h"

namespace fhir_adapter::record {
namespace {

bool Take(std::string_view& text, char character) {
  if (text.empty() || text.front() != character) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

bool IsInteger(std::string_view text) {
  std::int32_t value = 0;
  const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc() && rest == text.data() + text.size() && text != "-0";
}

bool IsBoundedDecimal(std::string_view text) {
  if (text.size() > limits::kRecordNumberCharactersMax) return false;
  const std::size_t mark = text.find_first_of("eE");
  if (mark == std::string_view::npos) return true;
  std::string_view digits = text.substr(mark + 1);
  if (!Take(digits, '+')) Take(digits, '-');
  int exponent = 0;
  const auto [rest, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
  return failure == std::errc() && rest == digits.data() + digits.size() &&
         exponent <= limits::kRecordExponentMax;
}

bool IsCode(std::string_view text) {
  bool after_blank = true;
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20 || byte == 0x7F) return false;
    if (character == ' ' && after_blank) return false;
    after_blank = character == ' ';
  }
  return !after_blank;
}

bool IsString(std::string_view text) {
  if (text.empty()) return false;
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20 && character != '\t' && character != '\n' && character != '\r') return false;
  }
  return true;
}

}  // namespace fhir_adapter::record
