#include "database/mark.h"

#include <charconv>
#include <chrono>
#include <cstdio>
#include <limits>
#include <optional>
#include <string_view>

namespace fhir_adapter::database {
namespace {

constexpr std::int64_t kSecondsPerMinute = 60;
constexpr std::int64_t kSecondsPerDay = 86'400;

std::optional<std::int64_t> WholeNumber(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_whole = error == std::errc() && end == text.data() + text.size();
  return is_whole ? std::optional(number) : std::nullopt;
}

std::int64_t Less(std::int64_t number, std::int64_t overlap) {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  return number < kLeast + overlap ? kLeast : number - overlap;
}

// Digits at a place of the text, with what stands before them; nothing when it is otherwise.
std::optional<int> DigitsAt(std::string_view text, std::size_t at, std::size_t count, char before) {
  if (text.size() < at + count || (before != 0 && text[at - 1] != before)) return std::nullopt;
  int number = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

// How a time is written: its parts, and how much of the text they take.
struct WrittenTime {
  std::int64_t epoch_s = 0;
  std::size_t size = 10;  // of the date; 16 with minutes, 19 with seconds
  char separator = 0;
};

std::optional<WrittenTime> ReadTime(std::string_view text) {
  const auto year = DigitsAt(text, 0, 4, 0);
  const auto month = DigitsAt(text, 5, 2, '-');
  const auto day = DigitsAt(text, 8, 2, '-');
  if (!year || !month || !day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  WrittenTime time;
  time.epoch_s = std::chrono::sys_days(date).time_since_epoch().count() * kSecondsPerDay;
  if (text.size() == time.size) return time;
  time.separator = text[10];
  const auto hour = DigitsAt(text, 11, 2, time.separator);
  const auto minute = DigitsAt(text, 14, 2, ':');
  if ((time.separator != ' ' && time.separator != 'T') || !hour || !minute) return std::nullopt;
  time.epoch_s += *hour * 3'600 + *minute * kSecondsPerMinute;
  time.size = 16;
  if (text.size() == time.size || text[16] != ':') return time;
  const auto second = DigitsAt(text, 17, 2, ':');
  if (!second) return std::nullopt;
  time.epoch_s += *second;
  time.size = 19;
  return time;
}

std::string WriteTime(const WrittenTime& time, std::int64_t epoch_s) {
  const std::chrono::sys_days days =
      std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(epoch_s)));
  const std::chrono::year_month_day date(days);
  const auto of_day = static_cast<int>(epoch_s - days.time_since_epoch().count() * kSecondsPerDay);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u%c%02d:%02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                time.separator == 0 ? ' ' : time.separator, of_day / 3'600, of_day / 60 % 60, of_day % 60);
  return std::string(text).substr(0, time.size);
}

}  // namespace

Result<Cell> MarkBefore(const Cell& mark, std::int64_t overlap) {
  if (overlap == 0) return mark;
  if (const auto number = WholeNumber(mark.text)) {
    return Cell{mark.kind, std::to_string(Less(*number, overlap))};
  }
  const auto time = ReadTime(mark.text);
  if (!time) {
    return Fail(Code::kConfiguration,
                "the high-water column holds neither whole numbers nor times, so that nothing can be said of "
                "an overlap: set overlap = 0, or take another column");
  }
  // What is written in minutes or days goes back by whole ones.
  const std::int64_t unit = time->size == 10 ? kSecondsPerDay : time->size == 16 ? kSecondsPerMinute : 1;
  const std::int64_t back_s = (overlap + unit - 1) / unit * unit;
  return Cell{mark.kind, WriteTime(*time, time->epoch_s - back_s) + mark.text.substr(time->size)};
}

}  // namespace fhir_adapter::database
