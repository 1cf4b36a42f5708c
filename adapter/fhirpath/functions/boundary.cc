// Precision: lowBoundary, highBoundary, precision, comparable. FHIRPath 2.1.0, section 5.7 (additions).
//
// A value as written stands for all values that round to it. Precision counts digits: those after the point
// of a decimal; of a date or time 4 for the year, 6, 8, 10, 12, 14 down to the second and 17 for milliseconds
// (times: 2, 4, 6, 9).
#include <algorithm>
#include <string>

#include "fhirpath/functions/function.h"
#include "fhirpath/ucum/ucum.h"

namespace fhir_adapter::fhirpath::internal {
namespace {

constexpr std::int64_t kDecimalPrecisionMax = 28;

// The edge of the values that `value` may stand for, written with `digits` after the point: the lower edge of
// a positive number cut off, its upper edge rounded; negative numbers mirrored.
std::optional<std::string> DecimalBoundary(const fhir::Decimal& value, bool low, std::int64_t digits) {
  if (digits < 0 || digits > kDecimalPrecisionMax) return std::nullopt;
  const bool negative = value.is_negative();
  const fhir::Decimal size = value.Absolute();
  const auto half =
      fhir::Decimal::Parse("0." + std::string(static_cast<std::size_t>(size.scale()), '0') + "5");
  if (!half) return std::nullopt;
  const bool inward = low != negative;  // towards zero
  auto edge = inward ? Subtract(size, *half) : Add(size, *half);
  if (!edge) return std::nullopt;
  const int scale = static_cast<int>(digits);
  const auto unit = fhir::Decimal::Parse("1" + std::string(digits > 0 ? "e-" + std::to_string(digits) : ""));
  if (edge->scale() > scale && inward) {
    // Cut off: down to a multiple of the last digit.
    const auto whole = unit ? DivideWhole(*edge, *unit) : std::nullopt;
    edge = whole ? Multiply(*whole, *unit) : std::nullopt;
  } else if (edge->scale() > scale) {
    edge = edge->Rounded(scale);
  }
  if (!edge) return std::nullopt;
  std::string text = (negative ? edge->Negated() : *edge).ToString();
  if (edge->scale() < scale) {
    if (edge->scale() == 0) text += '.';
    text.append(static_cast<std::size_t>(scale - edge->scale()), '0');
  }
  return text;
}

struct Level {
  std::int64_t digits;
  fhir::TemporalPrecision precision;
  bool milliseconds;
};

std::optional<Level> LevelOf(std::int64_t digits, bool time) {
  using fhir::TemporalPrecision;
  static constexpr Level kDates[] = {
      {4, TemporalPrecision::kYear, false},    {6, TemporalPrecision::kMonth, false},
      {8, TemporalPrecision::kDay, false},     {10, TemporalPrecision::kHour, false},
      {12, TemporalPrecision::kMinute, false}, {14, TemporalPrecision::kSecond, false},
      {17, TemporalPrecision::kSecond, true}};
  for (const Level& level : kDates) {
    if (level.digits == digits + (time ? 8 : 0)) return level;
  }
  return std::nullopt;
}

std::uint8_t DaysInMonth(int year, int month) {
  static constexpr std::uint8_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? std::uint8_t{29} : kDays[month - 1];
}

// Fills the components that are not given with their first or last value.
void FillComponents(fhir::Temporal& value, bool low) {
  using fhir::TemporalPrecision;
  const TemporalPrecision given = value.precision;
  if (value.kind != fhir::TemporalKind::kTime) {
    if (given < TemporalPrecision::kMonth) value.month = low ? 1 : 12;
    if (given < TemporalPrecision::kDay) value.day = low ? 1 : DaysInMonth(value.year, value.month);
    if (given < TemporalPrecision::kHour) value.hour = low ? 0 : 23;
  }
  // FHIR has no time of an hour alone: T08 reads as T08:00.
  if (given < TemporalPrecision::kMinute) {
    value.minute = low || given == TemporalPrecision::kHour ? 0 : 59;
  }
  if (given < TemporalPrecision::kSecond) value.second = low ? 0 : 59;
  const bool whole_second = given < TemporalPrecision::kSecond || value.fraction_digits == 0;
  if (whole_second) value.nanosecond = low ? 0 : 999'000'000;
}

std::optional<std::string> TemporalBoundary(fhir::Temporal value, bool low, std::int64_t digits) {
  const bool time = value.kind == fhir::TemporalKind::kTime;
  const auto level = LevelOf(digits, time);
  if (!level) return std::nullopt;
  FillComponents(value, low);
  value.precision = level->precision;
  value.fraction_digits = level->milliseconds ? 3 : 0;
  if (!level->milliseconds) value.nanosecond = 0;
  if (level->precision < fhir::TemporalPrecision::kHour) {
    value.has_offset = false;
  } else if (!time && !value.has_offset) {
    value.has_offset = true;
    value.is_zulu = false;
    value.offset_minutes = low ? 14 * 60 : -12 * 60;  // where the day begins first and ends last
  }
  if (!time) value.kind = fhir::TemporalKind::kDateTime;
  return value.ToString();
}

std::int64_t DefaultPrecision(const Item& item) {
  switch (item.kind()) {
    case ItemKind::kDateTime:
      return 17;
    case ItemKind::kTime:
      return 9;
    default:
      return 8;
  }
}

bool Boundary(Call& call, bool low) {
  std::optional<Item> item;
  if (!call.Single(item)) return false;
  if (!item) return true;
  std::optional<std::int64_t> digits = DefaultPrecision(*item);
  if (call.argument_count() == 1) {
    digits.reset();
    if (!call.IntegerArgument(0, digits)) return false;
    if (!digits) digits = DefaultPrecision(*item);
  }
  Arena& arena = call.arena();
  if (IsTemporal(*item)) {
    const auto temporal = TemporalOf(*item);
    const auto text = temporal ? TemporalBoundary(*temporal, low, *digits) : std::nullopt;
    if (!text) return true;
    const std::string_view copy = arena.Copy(*text);
    if (item->kind() == ItemKind::kTime) return call.Return(Item::Time(copy));
    return call.Return(item->kind() == ItemKind::kDate && *digits <= 8 ? Item::Date(copy)
                                                                       : Item::DateTime(copy));
  }
  const auto number = DecimalOf(*item);
  if (!number) return call.Fail(call.node.name + "() needs a number, a quantity, a date or a time");
  const auto text = DecimalBoundary(*number, low, *digits);
  if (!text) return true;
  const std::string_view copy = arena.Copy(*text);
  return call.Return(item->kind() == ItemKind::kQuantity
                         ? Item::Quantity(copy, item->unit(), item->unit_kind())
                         : Item::Decimal(copy));
}

bool LowBoundary(Call& call) {
  return Boundary(call, true);
}
bool HighBoundary(Call& call) {
  return Boundary(call, false);
}

bool Precision(Call& call) {
  std::optional<Item> item;
  if (!call.Single(item)) return false;
  if (!item) return true;
  if (const auto temporal = IsTemporal(*item) ? TemporalOf(*item) : std::nullopt) {
    static constexpr int kDigits[] = {4, 6, 8, 10, 12, 14};
    int digits = kDigits[static_cast<std::size_t>(temporal->precision)];
    if (temporal->fraction_digits > 0) digits += temporal->fraction_digits;
    if (temporal->kind == fhir::TemporalKind::kTime) digits -= 8;
    return call.Return(Item::Integer(digits));
  }
  const auto number = DecimalOf(*item);
  return !number || call.Return(Item::Integer(number->scale()));
}

bool Comparable(Call& call) {
  std::optional<Item> item;
  std::optional<Item> other;
  if (!call.Single(item) || !call.SingleArgument(0, other)) return false;
  if (!item || !other) return true;
  if (item->kind() != ItemKind::kQuantity || other->kind() != ItemKind::kQuantity) {
    return call.ReturnBoolean(IsNumber(*item) && IsNumber(*other));
  }
  const auto code = [](const Item& quantity) {
    return quantity.unit_kind() == UnitKind::kUcum ? quantity.unit()
                                                   : DefiniteUnitOf(quantity).value_or(quantity.unit());
  };
  return call.ReturnBoolean(code(*item) == code(*other) || ucum::Comparable(code(*item), code(*other)));
}

constexpr FunctionInfo kFunctions[] = {
    {"lowBoundary", 0, 1, LowBoundary, ResultRule::kAny},
    {"highBoundary", 0, 1, HighBoundary, ResultRule::kAny},
    {"precision", 0, 0, Precision, ResultRule::kInteger},
    {"comparable", 1, 1, Comparable, ResultRule::kBoolean},
};

}  // namespace

std::span<const FunctionInfo> BoundaryFunctions() {
  return kFunctions;
}

}  // namespace fhir_adapter::fhirpath::internal
