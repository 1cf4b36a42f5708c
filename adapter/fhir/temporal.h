// Temporal: dates, times and moments of FHIR and FHIRPath with the precision they were written in.
//
// Values; thread-safe; no clock and no time zone data base: offsets are those that are written. Moments are
// UTC microseconds since 1970-01-01 (leap seconds: 60 is read, and counts as the second that follows).
// FHIR R4 date, dateTime, instant, time; FHIRPath 2.0.0 sections 6.1, 6.2 (comparison) and 6.7 (arithmetic).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fhir/decimal.h"

namespace fhir_adapter::fhir {

enum class TemporalKind : std::uint8_t { kDate, kDateTime, kTime };

// The last component that is given. Seconds and their fraction are one precision (FHIRPath).
enum class TemporalPrecision : std::uint8_t { kYear, kMonth, kDay, kHour, kMinute, kSecond };

// The calendar units of FHIRPath; weeks are seven days.
enum class CalendarUnit : std::uint8_t { kYear, kMonth, kWeek, kDay, kHour, kMinute, kSecond, kMillisecond };

// "year", "years", …, "millisecond(s)". UCUM codes are not among them.
std::optional<CalendarUnit> ParseCalendarUnit(std::string_view name);

enum class Ordering : std::uint8_t { kLess, kEqual, kGreater, kUnknown };

// The moments a value may mean, both included.
struct UtcInterval {
  std::int64_t first_us = 0;
  std::int64_t last_us = 0;
};

struct Temporal {
  TemporalKind kind = TemporalKind::kDate;
  TemporalPrecision precision = TemporalPrecision::kYear;
  std::int16_t year = 0;  // 1..9999; 0 for a time
  std::uint8_t month = 1;
  std::uint8_t day = 1;
  std::uint8_t hour = 0;
  std::uint8_t minute = 0;
  std::uint8_t second = 0;
  std::uint8_t fraction_digits = 0;  // of the second, as written; at most limits::kFractionDigitsMax
  std::uint32_t nanosecond = 0;
  bool has_offset = false;
  bool is_zulu = false;             // the offset was written as Z
  std::int16_t offset_minutes = 0;  // east of Greenwich

  // FHIR primitives: the formats of R4 and the calendar (2026-02-29 is none). No value for anything else.
  static std::optional<Temporal> ParseDate(std::string_view text);
  static std::optional<Temporal> ParseDateTime(std::string_view text);  // an offset with every time
  static std::optional<Temporal> ParseInstant(std::string_view text);   // full, with offset
  static std::optional<Temporal> ParseTime(std::string_view text);      // hh:mm:ss, no offset
  // FHIRPath literals without the `@` (and without the `T` of a time): partial times, offset optional.
  // "2015T" and "2015-02-04T" are dateTimes.
  static std::optional<Temporal> ParseDateTimeLiteral(std::string_view text);
  static std::optional<Temporal> ParseTimeLiteral(std::string_view text);

  // As it was written, but for -00:00, which becomes +00:00, and the `T` of a literal without time.
  std::string ToString() const;

  bool has_time() const { return precision >= TemporalPrecision::kHour; }
  // The date or dateTime with precision no finer than `precision`; a kDate when it has no time.
  Temporal DateOnly() const;

  // The moment; none unless it has seconds and an offset.
  std::optional<std::int64_t> ToUtcMicroseconds() const;
  // The moments it may mean. Where no offset is written all offsets from -12:00 to +14:00 are taken, unless
  // `offset_minutes` says which one holds. None for a time.
  std::optional<UtcInterval> ToUtcInterval(std::optional<int> offset_minutes_assumed = std::nullopt) const;
  // Days since 1970-01-01 of its (local) calendar date; none with less than day precision, or for a time.
  std::optional<std::int64_t> ToEpochDay() const;

  static Temporal FromUtcMicroseconds(std::int64_t us, int fraction_digits = 3);
  static std::optional<Temporal> FromEpochDay(std::int64_t day);
};

// FHIRPath <, > and =: component by component; kUnknown where one ends before they differ, and for a time
// against a date. Two times with offsets are compared in UTC; where only one has an offset the answer is
// kUnknown unless every offset gives the same. For = kEqual is true, kUnknown empty, the others false.
Ordering Compare(const Temporal& a, const Temporal& b);
// FHIRPath ~: the same components and precision (fractions by value), both moved to UTC when both have an
// offset.
bool AreEquivalent(const Temporal& a, const Temporal& b);

// FHIRPath + and -: the fraction of the quantity is ignored above seconds; 31 January + 1 month is the last
// of February; for partial values the quantity is converted to the unit of the precision and truncated. A
// time wraps at midnight. No value outside the years 1 to 9999.
std::optional<Temporal> AddDuration(const Temporal& value, const Decimal& quantity, CalendarUnit unit);

}  // namespace fhir_adapter::fhir
