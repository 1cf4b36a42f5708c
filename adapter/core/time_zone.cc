#include "core/time_zone.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace fhir_adapter {
namespace {

constexpr std::size_t kHeaderBytes = 44;
constexpr std::int32_t kSecondsPerHour = 3'600;
constexpr std::int64_t kSecondsPerDay = 86'400;
// The Gregorian calendar repeats after 400 years, and no zone is further than a day from Greenwich.
constexpr std::int64_t kZoneSecondsMax = 2 * kSecondsPerDay;

std::int64_t DaysTo(std::int64_t year, unsigned month, unsigned day) {
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(year)}, std::chrono::month{month},
                                         std::chrono::day{day}};
  return std::chrono::sys_days(date).time_since_epoch().count();
}

std::int64_t YearOf(std::int64_t second) {
  const auto day =
      std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(second)));
  return static_cast<int>(std::chrono::year_month_day(day).year());
}

bool IsLeap(std::int64_t year) {
  return std::chrono::year{static_cast<int>(year)}.is_leap();
}

}  // namespace

// Takes the numbers of a TZif file from its bytes.
class TimeZone::DataReader {
 public:
  explicit DataReader(std::string_view bytes) : bytes_(bytes) {}

  // False: the bytes end too early or say what cannot be.
  bool Read(TimeZone& zone) {
    Counts counts;
    if (!ReadHeader(counts) || version_ < '2') return false;
    if (!Skip(counts.BytesOf(4))) return false;  // the block of 32 bits, for readers of old
    if (!ReadHeader(counts) || counts.times > bytes_.size()) return false;
    if (counts.types == 0 || counts.types > 256) return false;
    std::vector<std::int64_t> times(counts.times);
    for (std::int64_t& time : times) time = static_cast<std::int64_t>(Number(8));
    std::vector<std::size_t> kinds(counts.times);
    for (std::size_t& kind : kinds) kind = static_cast<std::size_t>(Number(1));
    std::vector<std::int32_t> offsets(counts.types);
    for (std::int32_t& offset : offsets) {
      offset = static_cast<std::int32_t>(static_cast<std::uint32_t>(Number(4)));
      Number(2);  // is it summer time, and its abbreviation
    }
    if (!Skip(counts.abbreviations + counts.leaps * 12 + counts.standard + counts.utc) || is_short_)
      return false;
    if (!std::ranges::is_sorted(times)) return false;
    zone.first_offset_s_ = offsets.front();
    for (std::size_t i = 0; i < times.size(); ++i) {
      if (kinds[i] >= offsets.size()) return false;
      zone.transitions_.push_back({times[i], offsets[kinds[i]]});
    }
    return true;
  }

  std::string_view rest() const { return bytes_; }

 private:
  struct Counts {
    std::size_t utc = 0;
    std::size_t standard = 0;
    std::size_t leaps = 0;
    std::size_t times = 0;
    std::size_t types = 0;
    std::size_t abbreviations = 0;

    std::size_t BytesOf(std::size_t time_bytes) const {
      return times * (time_bytes + 1) + types * 6 + abbreviations + leaps * (time_bytes + 4) + standard + utc;
    }
  };

  bool ReadHeader(Counts& counts) {
    if (bytes_.size() < kHeaderBytes || !bytes_.starts_with("TZif")) return false;
    version_ = bytes_[4];
    bytes_.remove_prefix(20);
    for (std::size_t* count : {&counts.utc, &counts.standard, &counts.leaps, &counts.times, &counts.types,
                               &counts.abbreviations}) {
      *count = static_cast<std::size_t>(Number(4));
    }
    return true;
  }

  std::uint64_t Number(std::size_t count) {
    std::uint64_t number = 0;
    if (bytes_.size() < count) {
      is_short_ = true;
      return 0;
    }
    for (const char byte : bytes_.substr(0, count)) number = number << 8U | static_cast<unsigned char>(byte);
    bytes_.remove_prefix(count);
    return number;
  }

  bool Skip(std::size_t count) {
    if (bytes_.size() < count) return false;
    bytes_.remove_prefix(count);
    return true;
  }

  std::string_view bytes_;
  char version_ = 0;
  bool is_short_ = false;
};

// The footer: a TZ string of POSIX, "CET-1CEST,M3.5.0,M10.5.0/3". Its offsets count west of Greenwich.
class TimeZone::FooterReader {
 public:
  explicit FooterReader(std::string_view text) : text_(text) {}

  bool Read(Footer& footer) {
    footer.is_there = true;
    if (!SkipName()) return false;
    const auto standard = Time();
    if (!standard) return false;
    footer.standard_s = -*standard;
    if (text_.empty()) return true;
    footer.has_summer = true;
    if (!SkipName()) return false;
    footer.summer_s = footer.standard_s + kSecondsPerHour;
    if (!text_.starts_with(',')) {
      const auto summer = Time();
      if (!summer) return false;
      footer.summer_s = -*summer;
    }
    return Day(footer.begin) && Day(footer.end) && text_.empty();
  }

 private:
  bool Take(char wanted) {
    if (!text_.starts_with(wanted)) return false;
    text_.remove_prefix(1);
    return true;
  }

  bool SkipName() {
    const bool is_quoted = Take('<');
    const std::size_t end = is_quoted ? text_.find('>') : text_.find_first_of("+-0123456789,");
    if (end == std::string_view::npos || end < 3) return false;
    text_.remove_prefix(end + (is_quoted ? 1 : 0));
    return true;
  }

  std::optional<int> Number() {
    int number = 0;
    std::size_t digits = 0;
    while (digits < text_.size() && digits < 4 && text_[digits] >= '0' && text_[digits] <= '9')
      number = number * 10 + (text_[digits++] - '0');
    if (digits == 0) return std::nullopt;
    text_.remove_prefix(digits);
    return number;
  }

  // [+-]hh[:mm[:ss]] in seconds.
  std::optional<std::int32_t> Time() {
    const int sign = Take('-') ? -1 : 1;
    if (sign == 1) Take('+');
    std::int32_t seconds = 0;
    std::int32_t unit = kSecondsPerHour;
    do {
      const auto number = Number();
      if (!number) return std::nullopt;
      seconds += *number * unit;
      unit /= 60;
    } while (unit > 0 && Take(':'));
    return sign * seconds;
  }

  bool Day(RuleDay& rule) {
    if (!Take(',')) return false;
    if (Take('M')) {
      rule.month = Number().value_or(0);
      rule.week = Take('.') ? Number().value_or(0) : 0;
      rule.day = Take('.') ? Number().value_or(-1) : -1;
      if (rule.month < 1 || rule.month > 12 || rule.week < 1 || rule.week > 5 || rule.day < 0 || rule.day > 6)
        return false;
    } else {
      rule.kind = Take('J') ? RuleDay::Kind::kJulian : RuleDay::Kind::kZeroBased;
      const auto day = Number();
      if (!day || *day > 365) return false;
      rule.day = *day;
    }
    if (!Take('/')) return true;
    const auto second = Time();
    if (second) rule.second = *second;
    return second.has_value();
  }

  std::string_view text_;
};

Result<TimeZone> TimeZone::Parse(std::string_view bytes, std::string name) {
  TimeZone zone;
  zone.name_ = std::move(name);
  DataReader data(bytes);
  bool is_good = data.Read(zone);
  std::string_view footer = data.rest();
  if (is_good && footer.starts_with('\n') && footer.size() > 2) {
    footer.remove_prefix(1);
    footer = footer.substr(0, footer.find('\n'));
    is_good = FooterReader(footer).Read(zone.footer_);
  }
  if (!is_good) return Fail(Code::kConfiguration, "not the data of a time zone (TZif, RFC 8536)");
  return zone;
}

// The second of the year's local clock at which the rule's day and time come.
std::int64_t TimeZone::RuleSecond(const RuleDay& rule, std::int64_t year) {
  std::int64_t day = 0;
  switch (rule.kind) {
    case RuleDay::Kind::kZeroBased:
      day = DaysTo(year, 1, 1) + rule.day;
      break;
    case RuleDay::Kind::kJulian:  // 29 February is not counted
      day = DaysTo(year, 1, 1) + rule.day - 1 + (IsLeap(year) && rule.day >= 60 ? 1 : 0);
      break;
    case RuleDay::Kind::kMonthWeekDay: {
      const auto month = static_cast<unsigned>(rule.month);
      const std::int64_t first = DaysTo(year, month, 1);
      const std::int64_t next = rule.month == 12 ? DaysTo(year + 1, 1, 1) : DaysTo(year, month + 1, 1);
      const std::int64_t weekday = ((first + 4) % 7 + 7) % 7;  // 1970-01-01 was a Thursday
      day = first + (rule.day - weekday + 7) % 7 + (rule.week - 1) * 7;
      while (day >= next) day -= 7;  // week 5: the last one
      break;
    }
  }
  return day * kSecondsPerDay + rule.second;
}

std::int32_t TimeZone::FooterOffsetAt(std::int64_t utc_s) const {
  if (!footer_.has_summer) return footer_.standard_s;
  const std::int64_t year = YearOf(utc_s + footer_.standard_s);
  const std::int64_t begin = RuleSecond(footer_.begin, year) - footer_.standard_s;
  const std::int64_t end = RuleSecond(footer_.end, year) - footer_.summer_s;
  const bool is_summer = begin < end ? utc_s >= begin && utc_s < end : utc_s >= begin || utc_s < end;
  return is_summer ? footer_.summer_s : footer_.standard_s;
}

std::int32_t TimeZone::OffsetAt(std::int64_t utc_s) const {
  const auto next = std::ranges::upper_bound(transitions_, utc_s, {}, &Transition::utc_s);
  if (next == transitions_.end() && footer_.is_there) return FooterOffsetAt(utc_s);
  return next == transitions_.begin() ? first_offset_s_ : std::prev(next)->offset_s;
}

std::vector<std::int32_t> TimeZone::OffsetsOf(std::int64_t local_s) const {
  std::vector<std::int32_t> offsets;
  // The offsets of the days around: the clock shows `local_s` with each that holds at the moment it gives.
  const auto consider = [&](std::int32_t offset) {
    if (OffsetAt(local_s - offset) == offset && std::ranges::find(offsets, offset) == offsets.end())
      offsets.push_back(offset);
  };
  consider(OffsetAt(local_s - kZoneSecondsMax));
  consider(OffsetAt(local_s + kZoneSecondsMax));
  for (const Transition& transition : transitions_) {
    const std::int64_t distance = transition.utc_s - local_s;
    if (distance >= -kZoneSecondsMax && distance <= kZoneSecondsMax) consider(transition.offset_s);
  }
  std::ranges::sort(offsets, std::ranges::greater());  // further east: earlier
  return offsets;
}

}  // namespace fhir_adapter
