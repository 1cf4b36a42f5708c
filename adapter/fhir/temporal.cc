#include "fhir/temporal.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <tuple>

#include "core/limits.h"

namespace fhir_adapter::fhir {
namespace {

constexpr std::int64_t kSecondsPerDay = 86'400;
constexpr std::int64_t kMicrosecondsPerSecond = 1'000'000;
constexpr std::uint32_t kNanosecondsPerSecond = 1'000'000'000;
constexpr int kYearMax = 9'999;
constexpr int kOffsetMinutesMax = 14 * 60;
constexpr int kWesternmostMinutes = -12 * 60;
constexpr int kEasternmostMinutes = 14 * 60;

// FHIRPath, conversion between calendar durations.
constexpr std::int64_t kDaysPerYear = 365;
constexpr std::int64_t kDaysPerMonth = 30;

std::int64_t FloorDivide(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

bool IsLeapYear(int year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int DaysInMonth(int year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeapYear(year) ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

// Days since 1970-01-01 in the proleptic Gregorian calendar; eras of 400 years that begin in March.
std::int64_t EpochDay(int year, int month, int day) {
  const int shifted_year = month <= 2 ? year - 1 : year;
  const std::int64_t era = FloorDivide(shifted_year, 400);
  const std::int64_t year_of_era = shifted_year - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

// False outside the years 1 to 9999.
bool SetEpochDay(std::int64_t day, Temporal& value) {
  if (day < EpochDay(1, 1, 1) || day > EpochDay(kYearMax, 12, 31)) return false;
  const std::int64_t shifted = day + 719'468;
  const std::int64_t era = FloorDivide(shifted, 146'097);
  const std::int64_t day_of_era = shifted - era * 146'097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month_index = (5 * day_of_year + 2) / 153;
  value.day = static_cast<std::uint8_t>(day_of_year - (153 * month_index + 2) / 5 + 1);
  value.month = static_cast<std::uint8_t>(month_index < 10 ? month_index + 3 : month_index - 9);
  value.year = static_cast<std::int16_t>(year_of_era + era * 400 + (value.month <= 2 ? 1 : 0));
  return true;
}

void SetSecondOfDay(std::int64_t second, Temporal& value) {
  value.hour = static_cast<std::uint8_t>(second / 3'600);
  value.minute = static_cast<std::uint8_t>(second / 60 % 60);
  value.second = static_cast<std::uint8_t>(second % 60);
}

std::int64_t SecondOfDay(const Temporal& value) {
  return value.hour * 3'600 + value.minute * 60 + value.second;
}

// Reads the fixed-width pieces of a text.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }
  bool Take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  // Exactly `width` digits; -1 otherwise.
  int Digits(std::size_t width) {
    if (text_.size() < width) return -1;
    int value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      if (text_[i] < '0' || text_[i] > '9') return -1;
      value = value * 10 + (text_[i] - '0');
    }
    text_.remove_prefix(width);
    return value;
  }
  // The digits after the point of a second.
  bool Fraction(Temporal& value) {
    std::uint32_t nanosecond = 0;
    int count = 0;
    while (!text_.empty() && text_.front() >= '0' && text_.front() <= '9') {
      if (++count > limits::kFractionDigitsMax) return false;
      nanosecond = nanosecond * 10 + static_cast<std::uint32_t>(text_.front() - '0');
      text_.remove_prefix(1);
    }
    for (int i = count; i < limits::kFractionDigitsMax; ++i) nanosecond *= 10;
    value.nanosecond = nanosecond;
    value.fraction_digits = static_cast<std::uint8_t>(count);
    return count > 0;
  }

 private:
  std::string_view text_;
};

bool ReadDate(Cursor& cursor, Temporal& value) {
  const int year = cursor.Digits(4);
  if (year < 1) return false;
  value.year = static_cast<std::int16_t>(year);
  value.precision = TemporalPrecision::kYear;
  if (!cursor.Take('-')) return true;
  const int month = cursor.Digits(2);
  if (month < 1 || month > 12) return false;
  value.month = static_cast<std::uint8_t>(month);
  value.precision = TemporalPrecision::kMonth;
  if (!cursor.Take('-')) return true;
  const int day = cursor.Digits(2);
  if (day < 1 || day > DaysInMonth(year, month)) return false;
  value.day = static_cast<std::uint8_t>(day);
  value.precision = TemporalPrecision::kDay;
  return true;
}

// hh[:mm[:ss[.f]]]
bool ReadTime(Cursor& cursor, Temporal& value) {
  const int hour = cursor.Digits(2);
  if (hour < 0 || hour > 23) return false;
  value.hour = static_cast<std::uint8_t>(hour);
  value.precision = TemporalPrecision::kHour;
  if (!cursor.Take(':')) return true;
  const int minute = cursor.Digits(2);
  if (minute < 0 || minute > 59) return false;
  value.minute = static_cast<std::uint8_t>(minute);
  value.precision = TemporalPrecision::kMinute;
  if (!cursor.Take(':')) return true;
  const int second = cursor.Digits(2);
  if (second < 0 || second > 60) return false;
  value.second = static_cast<std::uint8_t>(second);
  value.precision = TemporalPrecision::kSecond;
  return !cursor.Take('.') || cursor.Fraction(value);
}

// Z, +hh:mm, -hh:mm, or nothing.
bool ReadOffset(Cursor& cursor, Temporal& value) {
  if (cursor.Take('Z')) {
    value.has_offset = value.is_zulu = true;
    return true;
  }
  const bool east = cursor.Take('+');
  if (!east && !cursor.Take('-')) return true;
  const int hours = cursor.Digits(2);
  const bool colon = cursor.Take(':');
  const int minutes = cursor.Digits(2);
  const int total = hours * 60 + minutes;
  if (hours < 0 || !colon || minutes < 0 || minutes > 59 || total > kOffsetMinutesMax) return false;
  value.has_offset = true;
  value.offset_minutes = static_cast<std::int16_t>(east ? total : -total);
  return true;
}

void AppendNumber(int number, int width, std::string& out) {
  const std::string digits = std::to_string(number);
  out.append(static_cast<std::size_t>(std::max(0, width - static_cast<int>(digits.size()))), '0');
  out += digits;
}

// The same moment at the offset 0, with the same precision. False outside the calendar.
bool MoveToUtc(Temporal& value) {
  std::int64_t second = SecondOfDay(value) - value.offset_minutes * 60;
  const std::int64_t day = EpochDay(value.year, value.month, value.day) + FloorDivide(second, kSecondsPerDay);
  second -= FloorDivide(second, kSecondsPerDay) * kSecondsPerDay;
  value.offset_minutes = 0;
  SetSecondOfDay(second, value);
  return SetEpochDay(day, value);
}

Ordering FromIntegers(std::int64_t a, std::int64_t b) {
  return a < b ? Ordering::kLess : a > b ? Ordering::kGreater : Ordering::kEqual;
}

std::int64_t ComponentAt(const Temporal& value, TemporalPrecision precision) {
  switch (precision) {
    case TemporalPrecision::kYear:
      return value.year;
    case TemporalPrecision::kMonth:
      return value.month;
    case TemporalPrecision::kDay:
      return value.day;
    case TemporalPrecision::kHour:
      return value.hour;
    case TemporalPrecision::kMinute:
      return value.minute;
    case TemporalPrecision::kSecond:
      return std::int64_t{value.second} * kNanosecondsPerSecond + value.nanosecond;
  }
  std::abort();
}

Ordering CompareComponents(const Temporal& a, const Temporal& b) {
  const auto first = a.kind == TemporalKind::kTime ? TemporalPrecision::kHour : TemporalPrecision::kYear;
  for (int level = static_cast<int>(first); level <= static_cast<int>(TemporalPrecision::kSecond); ++level) {
    const auto precision = static_cast<TemporalPrecision>(level);
    const bool a_has = a.precision >= precision;
    const bool b_has = b.precision >= precision;
    if (!a_has && !b_has) return Ordering::kEqual;
    if (a_has != b_has) return Ordering::kUnknown;
    const Ordering order = FromIntegers(ComponentAt(a, precision), ComponentAt(b, precision));
    if (order != Ordering::kEqual) return order;
  }
  return Ordering::kEqual;
}

// A duration as months, or as seconds and nanoseconds of the same sign.
struct Duration {
  std::int64_t months = 0;
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
  bool is_calendar = false;  // months
  int fraction_digits = 0;
};

std::optional<Duration> SubDayDuration(const Decimal& seconds) {
  Duration duration;
  const Decimal whole = seconds.Truncated();
  const std::optional<Decimal> fraction = Subtract(seconds, whole);
  const std::optional<std::int64_t> whole_seconds = whole.ToInt64();
  if (!fraction || !whole_seconds) return std::nullopt;
  const std::optional<Decimal> nanoseconds = Multiply(*fraction, Decimal(kNanosecondsPerSecond));
  if (!nanoseconds) return std::nullopt;
  duration.seconds = *whole_seconds;
  duration.nanoseconds = nanoseconds->Truncated().ToInt64().value_or(0);
  duration.fraction_digits = std::min(seconds.scale(), limits::kFractionDigitsMax);
  return duration;
}

std::optional<Duration> ToDuration(const Decimal& quantity, CalendarUnit unit) {
  if (unit == CalendarUnit::kSecond) return SubDayDuration(quantity);
  if (unit == CalendarUnit::kMillisecond) {
    const std::optional<Decimal> seconds = Multiply(quantity, *Decimal::Parse("0.001"));
    return seconds ? SubDayDuration(*seconds) : std::nullopt;
  }
  // Enough for every unit within 10,000 years, and far from overflow when multiplied below.
  constexpr std::int64_t kCountMax = 1'000'000'000'000;
  const std::optional<std::int64_t> count = quantity.Truncated().ToInt64();
  if (!count || *count > kCountMax || *count < -kCountMax) return std::nullopt;
  Duration duration;
  duration.is_calendar = unit == CalendarUnit::kYear || unit == CalendarUnit::kMonth;
  if (duration.is_calendar) {
    duration.months = unit == CalendarUnit::kYear ? *count * 12 : *count;
  } else {
    const std::int64_t scale = unit == CalendarUnit::kWeek   ? 7 * kSecondsPerDay
                               : unit == CalendarUnit::kDay  ? kSecondsPerDay
                               : unit == CalendarUnit::kHour ? 3'600
                                                             : 60;
    duration.seconds = *count * scale;
  }
  return duration;
}

bool AddMonths(std::int64_t months, Temporal& value) {
  const std::int64_t total = std::int64_t{value.year} * 12 + value.month - 1 + months;
  const std::int64_t year = FloorDivide(total, 12);
  if (year < 1 || year > kYearMax) return false;
  value.year = static_cast<std::int16_t>(year);
  value.month = static_cast<std::uint8_t>(total - year * 12 + 1);
  const int last = DaysInMonth(value.year, value.month);
  value.day = static_cast<std::uint8_t>(std::min<int>(value.day, last));
  return true;
}

bool AddSeconds(const Duration& duration, Temporal& value) {
  std::int64_t nanosecond = std::int64_t{value.nanosecond} + duration.nanoseconds;
  std::int64_t carry = FloorDivide(nanosecond, kNanosecondsPerSecond);
  nanosecond -= carry * kNanosecondsPerSecond;
  const std::int64_t second = SecondOfDay(value) + duration.seconds + carry;
  const std::int64_t days = FloorDivide(second, kSecondsPerDay);
  value.nanosecond = static_cast<std::uint32_t>(nanosecond);
  if (duration.nanoseconds != 0) {
    value.fraction_digits =
        static_cast<std::uint8_t>(std::max<int>(value.fraction_digits, duration.fraction_digits));
  }
  SetSecondOfDay(second - days * kSecondsPerDay, value);
  if (value.kind == TemporalKind::kTime) return true;  // wraps at midnight
  return SetEpochDay(EpochDay(value.year, value.month, value.day) + days, value);
}

// Drops what is finer than the precision of the value, towards zero.
Duration Truncate(Duration duration, TemporalPrecision precision) {
  if (precision == TemporalPrecision::kSecond) return duration;
  duration.nanoseconds = 0;
  const std::int64_t days = duration.seconds / kSecondsPerDay;
  switch (precision) {
    case TemporalPrecision::kYear:
      duration.months = duration.is_calendar ? duration.months / 12 * 12 : days / kDaysPerYear * 12;
      duration.seconds = 0;
      break;
    case TemporalPrecision::kMonth:
      if (!duration.is_calendar) duration.months = days / kDaysPerMonth;
      duration.seconds = 0;
      break;
    case TemporalPrecision::kDay:
      duration.seconds = days * kSecondsPerDay;
      break;
    case TemporalPrecision::kHour:
      duration.seconds -= duration.seconds % 3'600;
      break;
    default:
      duration.seconds -= duration.seconds % 60;
  }
  return duration;
}

}  // namespace

std::optional<CalendarUnit> ParseCalendarUnit(std::string_view name) {
  constexpr std::array<std::string_view, 8> kNames = {"year", "month",  "week",   "day",
                                                      "hour", "minute", "second", "millisecond"};
  if (name.ends_with('s')) name.remove_suffix(1);
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<CalendarUnit>(found - kNames.begin());
}

std::optional<Temporal> Temporal::ParseDate(std::string_view text) {
  Cursor cursor(text);
  Temporal value;
  value.kind = TemporalKind::kDate;
  return ReadDate(cursor, value) && cursor.at_end() ? std::optional(value) : std::nullopt;
}

std::optional<Temporal> Temporal::ParseDateTime(std::string_view text) {
  const std::optional<Temporal> value = ParseDateTimeLiteral(text);
  if (!value || text.ends_with('T')) return std::nullopt;
  const bool is_complete = value->precision == TemporalPrecision::kSecond && value->has_offset;
  return !value->has_time() || is_complete ? value : std::nullopt;
}

std::optional<Temporal> Temporal::ParseInstant(std::string_view text) {
  const std::optional<Temporal> value = ParseDateTime(text);
  return value && value->has_time() ? value : std::nullopt;
}

std::optional<Temporal> Temporal::ParseTime(std::string_view text) {
  const std::optional<Temporal> value = ParseTimeLiteral(text);
  return value && value->precision == TemporalPrecision::kSecond ? value : std::nullopt;
}

std::optional<Temporal> Temporal::ParseDateTimeLiteral(std::string_view text) {
  Cursor cursor(text);
  Temporal value;
  value.kind = TemporalKind::kDateTime;
  if (!ReadDate(cursor, value)) return std::nullopt;
  if (cursor.Take('T') && !cursor.at_end()) {
    if (value.precision != TemporalPrecision::kDay) return std::nullopt;
    if (!ReadTime(cursor, value) || !ReadOffset(cursor, value)) return std::nullopt;
  }
  return cursor.at_end() ? std::optional(value) : std::nullopt;
}

std::optional<Temporal> Temporal::ParseTimeLiteral(std::string_view text) {
  Cursor cursor(text);
  Temporal value;
  value.kind = TemporalKind::kTime;
  return ReadTime(cursor, value) && cursor.at_end() ? std::optional(value) : std::nullopt;
}

std::string Temporal::ToString() const {
  std::string text;
  text.reserve(sizeof "2026-11-26T12:00:00.000000000+01:00");
  if (kind != TemporalKind::kTime) {
    AppendNumber(year, 4, text);
    if (precision >= TemporalPrecision::kMonth) AppendNumber(month, 2, text += '-');
    if (precision >= TemporalPrecision::kDay) AppendNumber(day, 2, text += '-');
    if (has_time()) text += 'T';
  }
  if (precision >= TemporalPrecision::kHour) AppendNumber(hour, 2, text);
  if (precision >= TemporalPrecision::kMinute) AppendNumber(minute, 2, text += ':');
  if (precision >= TemporalPrecision::kSecond) AppendNumber(second, 2, text += ':');
  if (fraction_digits > 0) {
    std::string digits;
    AppendNumber(static_cast<int>(nanosecond), limits::kFractionDigitsMax, digits);
    text += '.' + digits.substr(0, fraction_digits);
  }
  if (!has_offset) return text;
  if (is_zulu) return text + 'Z';
  text += offset_minutes < 0 ? '-' : '+';
  AppendNumber(std::abs(offset_minutes) / 60, 2, text);
  AppendNumber(std::abs(offset_minutes) % 60, 2, text += ':');
  return text;
}

Temporal Temporal::DateOnly() const {
  Temporal date = *this;
  date.kind = TemporalKind::kDate;
  date.precision = std::min(precision, TemporalPrecision::kDay);
  date.hour = date.minute = date.second = date.fraction_digits = 0;
  date.nanosecond = 0;
  date.has_offset = date.is_zulu = false;
  date.offset_minutes = 0;
  return date;
}

std::optional<std::int64_t> Temporal::ToUtcMicroseconds() const {
  if (kind == TemporalKind::kTime || precision != TemporalPrecision::kSecond || !has_offset) {
    return std::nullopt;
  }
  return ToUtcInterval()->first_us;
}

std::optional<UtcInterval> Temporal::ToUtcInterval(std::optional<int> offset_minutes_assumed) const {
  if (kind == TemporalKind::kTime) return std::nullopt;
  Temporal last = *this;
  if (precision < TemporalPrecision::kMonth) last.month = 12;
  if (precision < TemporalPrecision::kDay) {
    last.day = static_cast<std::uint8_t>(DaysInMonth(last.year, last.month));
  }
  if (precision < TemporalPrecision::kHour) last.hour = 23;
  if (precision < TemporalPrecision::kMinute) last.minute = 59;
  if (precision < TemporalPrecision::kSecond) last.second = 59;
  const auto seconds = [](const Temporal& value) {
    return EpochDay(value.year, value.month, value.day) * kSecondsPerDay + SecondOfDay(value);
  };
  int east = offset_minutes;
  int west = offset_minutes;
  if (!has_offset) {
    east = offset_minutes_assumed.value_or(kEasternmostMinutes);
    west = offset_minutes_assumed.value_or(kWesternmostMinutes);
  }
  UtcInterval interval;
  interval.first_us = (seconds(*this) - east * 60) * kMicrosecondsPerSecond + nanosecond / 1'000;
  interval.last_us = (seconds(last) - west * 60) * kMicrosecondsPerSecond;
  interval.last_us +=
      precision == TemporalPrecision::kSecond ? nanosecond / 1'000 : kMicrosecondsPerSecond - 1;
  return interval;
}

std::optional<std::int64_t> Temporal::ToEpochDay() const {
  if (kind == TemporalKind::kTime || precision < TemporalPrecision::kDay) return std::nullopt;
  return EpochDay(year, month, day);
}

Temporal Temporal::FromUtcMicroseconds(std::int64_t us, int fraction_digits) {
  Temporal value;
  value.kind = TemporalKind::kDateTime;
  value.precision = TemporalPrecision::kSecond;
  value.has_offset = value.is_zulu = true;
  value.fraction_digits = static_cast<std::uint8_t>(std::clamp(fraction_digits, 0, 6));
  const std::int64_t second = FloorDivide(us, kMicrosecondsPerSecond);
  auto fraction = static_cast<std::uint32_t>(us - second * kMicrosecondsPerSecond);
  std::uint32_t unit = 1;
  for (int i = value.fraction_digits; i < 6; ++i) unit *= 10;
  fraction -= fraction % unit;
  value.nanosecond = fraction * 1'000;
  const std::int64_t day = FloorDivide(second, kSecondsPerDay);
  SetSecondOfDay(second - day * kSecondsPerDay, value);
  if (!SetEpochDay(day, value)) std::abort();  // moments come from clocks and stores
  return value;
}

std::optional<Temporal> Temporal::FromEpochDay(std::int64_t day) {
  Temporal value;
  value.precision = TemporalPrecision::kDay;
  return SetEpochDay(day, value) ? std::optional(value) : std::nullopt;
}

Ordering Compare(const Temporal& a, const Temporal& b) {
  const bool times = a.kind == TemporalKind::kTime;
  if (times != (b.kind == TemporalKind::kTime)) return Ordering::kUnknown;
  if (times || !a.has_time() || !b.has_time()) return CompareComponents(a, b);
  if (a.has_offset != b.has_offset) {
    const UtcInterval first = *a.ToUtcInterval();
    const UtcInterval second = *b.ToUtcInterval();
    if (first.last_us < second.first_us) return Ordering::kLess;
    if (first.first_us > second.last_us) return Ordering::kGreater;
    return Ordering::kUnknown;
  }
  Temporal utc_a = a;
  Temporal utc_b = b;
  if (a.has_offset && (!MoveToUtc(utc_a) || !MoveToUtc(utc_b))) {
    // At the ends of the calendar: the moments still decide, but for partial times.
    if (a.precision != TemporalPrecision::kSecond || b.precision != TemporalPrecision::kSecond) {
      return Ordering::kUnknown;
    }
    return FromIntegers(*a.ToUtcMicroseconds(), *b.ToUtcMicroseconds());
  }
  return CompareComponents(utc_a, utc_b);
}

bool AreEquivalent(const Temporal& a, const Temporal& b) {
  return a.precision == b.precision && Compare(a, b) == Ordering::kEqual;
}

std::optional<Temporal> AddDuration(const Temporal& value, const Decimal& quantity, CalendarUnit unit) {
  const bool is_time = value.kind == TemporalKind::kTime;
  if (is_time && unit < CalendarUnit::kHour) return std::nullopt;
  std::optional<Duration> duration = ToDuration(quantity, unit);
  if (!duration) return std::nullopt;
  // Beyond the calendar anyway; keeps the sums below far from overflow.
  constexpr std::int64_t kSecondsMax = std::int64_t{kYearMax} * 366 * kSecondsPerDay;
  if (!is_time && std::abs(duration->seconds) > kSecondsMax) return std::nullopt;
  if (is_time) duration->seconds %= kSecondsPerDay;
  const Duration applied = Truncate(*duration, value.precision);
  Temporal sum = value;
  if (applied.months != 0 && !AddMonths(applied.months, sum)) return std::nullopt;
  if (applied.seconds == 0 && applied.nanoseconds == 0) return sum;
  return AddSeconds(applied, sum) ? std::optional(sum) : std::nullopt;
}

}  // namespace fhir_adapter::fhir
