// TimeZone: what a local clock of a place means, from the IANA data base.
//
// Made from the bytes of a TZif file (RFC 8536, version 2 or later; the footer says what holds after the last
// transition). Immutable; free to be shared by threads. It reads no file and knows no present time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace fhir_adapter {

class TimeZone {
 public:
  // `name` only names the zone ("Europe/Berlin"). kConfiguration: these are not the bytes of a zone.
  static Result<TimeZone> Parse(std::string_view bytes, std::string name);

  const std::string& name() const { return name_; }

  // Seconds east of Greenwich at a moment (seconds since 1970-01-01 UTC).
  std::int32_t OffsetAt(std::int64_t utc_s) const;

  // The offsets with which a clock of this place showed `local_s` (seconds since 1970-01-01 as the clock
  // counts). One; none for an hour that was skipped; two, the earlier moment first, for one that came twice.
  std::vector<std::int32_t> OffsetsOf(std::int64_t local_s) const;

 private:
  struct Transition {
    std::int64_t utc_s = 0;
    std::int32_t offset_s = 0;  // from then on
  };
  // A day of the footer's rule: Mm.w.d, Jn or n, and the second of that day (on the clock before it).
  struct RuleDay {
    enum class Kind : std::uint8_t { kMonthWeekDay, kJulian, kZeroBased } kind = Kind::kMonthWeekDay;
    int month = 0;
    int week = 0;
    int day = 0;
    std::int32_t second = 7'200;
  };
  struct Footer {
    bool is_there = false;
    bool has_summer = false;
    std::int32_t standard_s = 0;
    std::int32_t summer_s = 0;
    RuleDay begin;
    RuleDay end;
  };
  class DataReader;
  class FooterReader;

  TimeZone() = default;
  std::int32_t FooterOffsetAt(std::int64_t utc_s) const;
  static std::int64_t RuleSecond(const RuleDay& rule, std::int64_t year);

  std::string name_;
  std::int32_t first_offset_s_ = 0;  // before the first transition
  std::vector<Transition> transitions_;
  Footer footer_;
};

}  // namespace fhir_adapter
