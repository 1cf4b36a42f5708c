// Dates and times: toDateTime, toDate, toTime with the format codes of the language, and unixTo….

#include <array>
#include <charconv>
#include <cstdio>
#include <string>

#include "fhir/temporal.h"
#include "fml/transforms.h"

namespace fhir_adapter::fml {
namespace {

using plan::TransformKind;

constexpr std::array<std::string_view, 12> kMonths = {"January",   "February", "March",    "April",
                                                      "May",       "June",     "July",     "August",
                                                      "September", "October",  "November", "December"};

// What a text said; -1: nothing.
struct Parts {
  int year = -1, month = -1, day = -1, hour = -1, minute = -1, second = -1;
  bool is_twelve_hours = false;
  bool is_afternoon = false;
  std::string_view fraction;
  std::string offset;
};

// A run of one letter is a code; everything else stands for itself.
std::string_view NextCode(std::string_view format) {
  std::size_t length = 1;
  while (length < format.size() && format[length] == format[0]) ++length;
  const bool is_letter = (format[0] >= 'a' && format[0] <= 'z') || (format[0] >= 'A' && format[0] <= 'Z');
  return format.substr(0, is_letter && format[0] != 'T' ? length : 1);
}

bool IsCode(std::string_view code) {
  static constexpr std::string_view kCodes[] = {"yyyy", "yy", "MMMM", "MMM", "MM", "M",  "dd", "d", "hh",
                                                "h",    "HH", "H",    "mm",  "m",  "ss", "s",  "a", "Z"};
  for (const std::string_view known : kCodes) {
    if (code == known) return true;
  }
  return code[0] == 'S';
}

class FormatReader {
 public:
  FormatReader(std::string_view text, std::string_view format) : text_(text), format_(format) {}

  bool Read(Parts& parts) {
    while (!format_.empty()) {
      const std::string_view code = NextCode(format_);
      format_.remove_prefix(code.size());
      if (!ReadCode(code, parts)) return false;
    }
    return text_.empty();
  }

 private:
  bool Digits(std::size_t least, std::size_t most, int& value) {
    std::size_t count = 0;
    while (count < most && count < text_.size() && text_[count] >= '0' && text_[count] <= '9') ++count;
    if (count < least) return false;
    const std::string_view digits = text_.substr(0, count);
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    text_.remove_prefix(count);
    return true;
  }

  bool ReadCode(std::string_view code, Parts& parts) {
    if (!IsCode(code)) {
      if (!text_.starts_with(code)) return false;
      text_.remove_prefix(code.size());
      return true;
    }
    const std::size_t least = code.size();
    switch (code[0]) {
      case 'y':
        if (!Digits(least, least, parts.year)) return false;
        if (least == 2) parts.year += parts.year < 50 ? 2000 : 1900;
        return true;
      case 'M':
        return least > 2 ? ReadMonthName(least == 3, parts) : Digits(least, 2, parts.month);
      case 'd':
        return Digits(least, 2, parts.day);
      case 'h':
        parts.is_twelve_hours = true;
        return Digits(least, 2, parts.hour);
      case 'H':
        return Digits(least, 2, parts.hour);
      case 'm':
        return Digits(least, 2, parts.minute);
      case 's':
        return Digits(least, 2, parts.second);
      case 'S':
        return ReadFraction(least, parts);
      case 'a':
        return ReadHalfOfDay(parts);
      default:
        return ReadOffset(parts);
    }
  }

  bool ReadMonthName(bool is_short, Parts& parts) {
    for (std::size_t i = 0; i < kMonths.size(); ++i) {
      const std::string_view name = is_short ? kMonths[i].substr(0, 3) : kMonths[i];
      if (!text_.starts_with(name)) continue;
      parts.month = static_cast<int>(i) + 1;
      text_.remove_prefix(name.size());
      return true;
    }
    return false;
  }

  bool ReadFraction(std::size_t digits, Parts& parts) {
    if (text_.size() < digits) return false;
    for (std::size_t i = 0; i < digits; ++i) {
      if (text_[i] < '0' || text_[i] > '9') return false;
    }
    parts.fraction = text_.substr(0, digits);
    text_.remove_prefix(digits);
    return true;
  }

  bool ReadHalfOfDay(Parts& parts) {
    if (text_.empty()) return false;
    const char c = text_[0];
    if (c != 'A' && c != 'a' && c != 'P' && c != 'p') return false;
    parts.is_afternoon = c == 'P' || c == 'p';
    text_.remove_prefix(1);
    if (text_.starts_with('M') || text_.starts_with('m')) text_.remove_prefix(1);
    return true;
  }

  bool ReadOffset(Parts& parts) {
    if (text_.starts_with('Z')) {
      parts.offset = "Z";
      text_.remove_prefix(1);
      return true;
    }
    if (!text_.starts_with('+') && !text_.starts_with('-')) return false;
    const char sign = text_[0];
    text_.remove_prefix(1);
    int hours = 0;
    int minutes = 0;
    if (!Digits(2, 2, hours)) return false;
    if (text_.starts_with(':')) text_.remove_prefix(1);
    if (!Digits(2, 2, minutes)) return false;
    std::array<char, 16> out;
    std::snprintf(out.data(), out.size(), "%c%02d:%02d", sign, hours, minutes);
    parts.offset = out.data();
    return true;
  }

  std::string_view text_;
  std::string_view format_;
};

std::string DateText(const Parts& parts) {
  std::array<char, 32> out{};
  if (parts.day >= 0) {
    std::snprintf(out.data(), out.size(), "%04d-%02d-%02d", parts.year, parts.month, parts.day);
  } else if (parts.month >= 0) {
    std::snprintf(out.data(), out.size(), "%04d-%02d", parts.year, parts.month);
  } else {
    std::snprintf(out.data(), out.size(), "%04d", parts.year);
  }
  return out.data();
}

std::string TimeText(const Parts& parts) {
  int hour = parts.hour;
  if (parts.is_twelve_hours) hour = hour % 12 + (parts.is_afternoon ? 12 : 0);
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), "%02d:%02d:%02d", hour, parts.minute < 0 ? 0 : parts.minute,
                parts.second < 0 ? 0 : parts.second);
  std::string text = out.data();
  if (!parts.fraction.empty()) text += "." + std::string(parts.fraction);
  return text;
}

// The FHIR text, or nothing when the parts are no such date or time.
std::string TextOf(const Parts& parts, TransformKind kind) {
  if (kind == TransformKind::kToTime) {
    const std::string time = parts.hour < 0 ? "" : TimeText(parts);
    return fhir::Temporal::ParseTime(time) ? time : "";
  }
  if (parts.year < 0 || (parts.day >= 0 && parts.month < 0)) return "";
  std::string date = DateText(parts);
  if (!fhir::Temporal::ParseDate(date)) return "";
  if (kind == TransformKind::kToDate || parts.hour < 0) return date;
  const std::string time = TimeText(parts);
  if (parts.day < 0 || !fhir::Temporal::ParseTime(time)) return "";
  return date + "T" + time + parts.offset;
}

bool IsPlainForm(std::string_view text, TransformKind kind) {
  switch (kind) {
    case TransformKind::kToDate:
      return fhir::Temporal::ParseDate(text).has_value();
    case TransformKind::kToTime:
      return fhir::Temporal::ParseTime(text).has_value();
    default:
      return fhir::Temporal::ParseDateTime(text).has_value();
  }
}

std::string_view TypeOf(TransformKind kind) {
  switch (kind) {
    case TransformKind::kToDate:
    case TransformKind::kUnixToDate:
      return "date";
    case TransformKind::kToTime:
    case TransformKind::kUnixToTime:
      return "time";
    default:
      return "dateTime";
  }
}

// ±hh:mm or Z in minutes.
std::optional<int> OffsetMinutes(std::string_view text) {
  if (text == "Z") return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  int hours = 0;
  int minutes = 0;
  const auto first = std::from_chars(text.data() + 1, text.data() + 3, hours);
  const auto second = std::from_chars(text.data() + 4, text.data() + 6, minutes);
  if (first.ptr != text.data() + 3 || second.ptr != text.data() + 6 || hours > 14 || minutes > 59) {
    return std::nullopt;
  }
  return (text[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
}

}  // namespace

std::string CheckTimeFormat(std::string_view format) {
  while (!format.empty()) {
    const std::string_view code = NextCode(format);
    format.remove_prefix(code.size());
    const char c = code[0];
    const bool is_letter = ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) && c != 'T';
    if (is_letter && code == "z") return "names of time zones (z) are not supported; use Z for an offset";
    if (is_letter && !IsCode(code)) return "unknown format code " + std::string(code);
  }
  return "";
}

bool ParseTime(const TransformCall& call) {
  const auto text = call.Text(0);
  if (!text) return true;
  const TransformKind kind = call.transform.kind;
  const std::string_view type = TypeOf(kind);
  const auto format = call.Text(1);
  std::string result;
  if (!format) {
    if (IsPlainForm(*text, kind)) result = *text;
  } else {
    if (const std::string fault = CheckTimeFormat(*format); !fault.empty()) {
      return call.Stop(Code::kMapFailed, fault);
    }
    Parts parts;
    if (FormatReader(*text, *format).Read(parts)) result = TextOf(parts, kind);
  }
  if (result.empty()) {
    return call.Stop(Code::kMapFailed, "the text is not a " + std::string(type) + " of this format");
  }
  call.Give(MakeText(call.machine.arena().Copy(result), call.machine.arena()), type);
  return true;
}

bool FromUnixTime(const TransformCall& call) {
  const auto text = call.Text(0);
  if (!text) return true;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seconds);
  if (error != std::errc() || end != text->data() + text->size() || seconds < -62135596800 ||
      seconds > 253402300799) {
    return call.Stop(Code::kMapFailed, "the value is not a number of seconds since 1970");
  }
  const std::string_view offset = call.Text(1).value_or("Z");
  const auto minutes = OffsetMinutes(offset);
  if (!minutes) return call.Stop(Code::kMapFailed, "the time zone is not an offset such as +09:00 or Z");
  const auto local = fhir::Temporal::FromUtcMicroseconds((seconds + *minutes * 60) * 1'000'000, 0);
  const Parts parts{local.year,   local.month, local.day, local.hour, local.minute,
                    local.second, false,       false,     {},         {}};
  std::string result;
  switch (call.transform.kind) {
    case TransformKind::kUnixToDate:
      result = DateText(parts);
      break;
    case TransformKind::kUnixToTime:
      result = TimeText(parts);
      break;
    default:
      result = DateText(parts) + "T" + TimeText(parts) + std::string(*minutes == 0 ? "Z" : offset);
  }
  call.Give(MakeText(call.machine.arena().Copy(result), call.machine.arena()), TypeOf(call.transform.kind));
  return true;
}

}  // namespace fhir_adapter::fml
