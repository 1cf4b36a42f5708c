#include "record/local_time.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "fhir/temporal.h"

namespace fhir_adapter::record {
namespace {

using fhir::Temporal;

struct FormRow {
  DateForm form;
  std::string_view name;
  char separator;
  std::string_view order;  // y, m, d
};
constexpr FormRow kForms[] = {{DateForm::kIso, "YYYY-MM-DD", '-', "ymd"},
                              {DateForm::kDayMonthDots, "DD.MM.YYYY", '.', "dmy"},
                              {DateForm::kDayMonthSlashes, "DD/MM/YYYY", '/', "dmy"},
                              {DateForm::kMonthDaySlashes, "MM/DD/YYYY", '/', "mdy"},
                              {DateForm::kYearSlashes, "YYYY/MM/DD", '/', "ymd"}};

const FormRow& RowOf(DateForm form) {
  for (const FormRow& row : kForms) {
    if (row.form == form) return row;
  }
  return kForms[0];
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// The digits that begin `text`, at least `least` and at most `most` of them; taken from it.
std::optional<std::string_view> TakeDigits(std::string_view& text, std::size_t least, std::size_t most) {
  std::size_t count = 0;
  while (count < text.size() && count < most && IsDigit(text[count])) ++count;
  if (count < least) return std::nullopt;
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

bool Take(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

std::string TwoDigits(std::string_view digits) {
  return (digits.size() < 2 ? "0" : "") + std::string(digits);
}

// The date that begins `text`, as YYYY-MM-DD or YYYY-MM; taken from it.
std::optional<std::string> TakeDate(std::string_view& text, const FormRow& row) {
  std::string_view rest = text;
  std::array<std::string_view, 3> parts{};  // year, month, day
  std::string_view order = row.order;
  // Two parts only: the day is not there.
  const std::string_view date_text = rest.substr(0, rest.find_first_of(" T"));
  const auto separators = std::ranges::count(date_text, row.separator);
  if (separators == 1 && row.form != DateForm::kIso) order = order == "ymd" ? "ym" : "my";
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i > 0 && !Take(rest, row.separator)) return std::nullopt;
    const bool is_year = order[i] == 'y';
    const auto digits = is_year ? TakeDigits(rest, 4, 4) : TakeDigits(rest, 1, 2);
    if (!digits) return std::nullopt;
    parts[is_year ? 0 : order[i] == 'm' ? 1 : 2] = *digits;
  }
  text = rest;
  std::string date = std::string(parts[0]) + "-" + TwoDigits(parts[1]);
  if (!parts[2].empty()) date += "-" + TwoDigits(parts[2]);
  return date;
}

// hh:mm[:ss[.fff]], the seconds filled up.
std::optional<std::string> TakeTime(std::string_view& text) {
  std::string_view rest = text;
  const auto hour = TakeDigits(rest, 1, 2);
  if (!hour || !Take(rest, ':')) return std::nullopt;
  const auto minute = TakeDigits(rest, 2, 2);
  if (!minute) return std::nullopt;
  std::string time = TwoDigits(*hour) + ":" + std::string(*minute) + ":";
  if (Take(rest, ':')) {
    const auto second = TakeDigits(rest, 2, 2);
    if (!second) return std::nullopt;
    time += *second;
    if (Take(rest, '.')) {
      const auto fraction = TakeDigits(rest, 1, 9);
      if (!fraction) return std::nullopt;
      time += "." + std::string(*fraction);
    }
  } else {
    time += "00";
  }
  text = rest;
  return time;
}

std::string OffsetText(std::int32_t seconds) {
  std::array<char, 8> text{};
  const int minutes = std::abs(seconds) / 60;
  std::snprintf(text.data(), text.size(), "%c%02d:%02d", seconds < 0 ? '-' : '+', minutes / 60 % 100,
                minutes % 60);
  return text.data();
}

std::string WithOffset(const std::string& local, const Temporal& temporal, const TimeZone& zone) {
  const std::int64_t local_s = temporal.ToEpochDay().value_or(0) * 86'400 + temporal.hour * 3'600 +
                               temporal.minute * 60 + temporal.second;
  const auto offsets = zone.OffsetsOf(local_s);
  // Offsets with seconds, of the time before there were zones, cannot be written.
  const bool is_settled = offsets.size() == 1 && offsets.front() % 60 == 0;
  return local + (is_settled ? OffsetText(offsets.front()) : "[" + zone.name() + "]");
}

bool IsFhir(std::string_view text, ValueType type) {
  switch (type) {
    case ValueType::kDate:
      return Temporal::ParseDate(text).has_value();
    case ValueType::kDateTime:
      return Temporal::ParseDateTime(text).has_value();
    default:
      return Temporal::ParseInstant(text).has_value();
  }
}

}  // namespace

std::optional<DateForm> ParseDateForm(std::string_view name) {
  for (const FormRow& row : kForms) {
    if (row.name == name) return row.form;
  }
  return std::nullopt;
}

std::string_view Name(DateForm form) {
  return RowOf(form).name;
}

std::string ToFhirTime(std::string_view text, ValueType type, DateForm form, const TimeZone* zone) {
  if (IsFhir(text, type)) return std::string(text);
  std::string_view rest = text;
  const auto date = TakeDate(rest, RowOf(form));
  if (!date) return std::string(text);
  if (rest.empty()) return *date;
  if (!Take(rest, ' ') && !Take(rest, 'T')) return std::string(text);
  const auto time = TakeTime(rest);
  if (!time) return std::string(text);
  std::string local = *date + "T" + *time;
  if (!rest.empty()) {
    Take(rest, ' ');
    return local + std::string(rest);  // with the offset that it came with
  }
  const auto temporal = Temporal::ParseDateTimeLiteral(local);
  if (!temporal || temporal->precision != fhir::TemporalPrecision::kSecond || zone == nullptr) return local;
  return WithOffset(local, *temporal, *zone);
}

bool IsUnsettledTime(std::string_view text) {
  const std::size_t bracket = text.find('[');
  if (bracket == std::string_view::npos || !text.ends_with(']') || bracket + 2 >= text.size()) return false;
  const auto temporal = Temporal::ParseDateTimeLiteral(text.substr(0, bracket));
  return temporal && temporal->precision == fhir::TemporalPrecision::kSecond && !temporal->has_offset;
}

}  // namespace fhir_adapter::record
