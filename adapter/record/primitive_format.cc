#include "record/primitive_format.h"

#include <charconv>
#include <cstdint>

#include "core/limits.h"

namespace fhir_adapter::record {
namespace {

bool IsDigit(char character) {
  return character >= '0' && character <= '9';
}

// Takes `count` digits and gives their value, or -1.
int TakeDigits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return -1;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!IsDigit(text[i])) return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool Take(std::string_view& text, char character) {
  if (text.empty() || text.front() != character) return false;
  text.remove_prefix(1);
  return true;
}

int DaysOf(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[month - 1];
}

enum class Precision : std::uint8_t { kNone, kYear, kMonth, kDay };

Precision TakeDate(std::string_view& text) {
  const int year = TakeDigits(text, 4);
  if (year <= 0) return Precision::kNone;
  if (!Take(text, '-')) return Precision::kYear;
  const int month = TakeDigits(text, 2);
  if (month < 1 || month > 12) return Precision::kNone;
  if (!Take(text, '-')) return Precision::kMonth;
  const int day = TakeDigits(text, 2);
  return day < 1 || day > DaysOf(year, month) ? Precision::kNone : Precision::kDay;
}

bool TakeTime(std::string_view& text) {
  const int hour = TakeDigits(text, 2);
  if (hour < 0 || hour > 23 || !Take(text, ':')) return false;
  const int minute = TakeDigits(text, 2);
  if (minute < 0 || minute > 59 || !Take(text, ':')) return false;
  const int second = TakeDigits(text, 2);
  if (second < 0 || second > 60) return false;  // FHIR takes a leap second
  if (!Take(text, '.')) return true;
  if (text.empty() || !IsDigit(text.front())) return false;
  while (!text.empty() && IsDigit(text.front())) text.remove_prefix(1);
  return true;
}

bool TakeOffset(std::string_view& text) {
  if (Take(text, 'Z')) return true;
  if (!Take(text, '+') && !Take(text, '-')) return false;
  const int hour = TakeDigits(text, 2);
  if (hour < 0 || hour > 14 || !Take(text, ':')) return false;
  const int minute = TakeDigits(text, 2);
  return minute >= 0 && minute <= (hour == 14 ? 0 : 59);
}

}  // namespace

bool IsDate(std::string_view text) {
  return TakeDate(text) != Precision::kNone && text.empty();
}

bool IsInstant(std::string_view text) {
  return TakeDate(text) == Precision::kDay && Take(text, 'T') && TakeTime(text) && TakeOffset(text) &&
         text.empty();
}

bool IsDateTime(std::string_view text) {
  return IsDate(text) || IsInstant(text);
}

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
