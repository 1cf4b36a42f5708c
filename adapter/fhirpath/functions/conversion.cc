// Conversion: toX() and convertsToX(). FHIRPath N1 2.0.0, section 5.5.
#include <charconv>
#include <string>

#include "fhirpath/functions/function.h"
#include "fhirpath/ucum/ucum.h"

namespace fhir_adapter::fhirpath::internal {
namespace {

using Converted = std::optional<Item>;

std::string_view DigitsOf(const Item& item, Arena& arena) {
  return item.kind() == ItemKind::kDecimal ? item.text() : arena.Copy(std::to_string(item.integer()));
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

Converted ToBoolean(const Item& item, Arena&) {
  if (item.kind() == ItemKind::kBoolean) return item;
  if (IsNumber(item)) {
    const auto number = DecimalOf(item);
    if (number && *number == fhir::Decimal(1)) return Item::Boolean(true);
    if (number && number->is_zero()) return Item::Boolean(false);
    return std::nullopt;
  }
  if (item.kind() != ItemKind::kString) return std::nullopt;
  const std::string text = Lower(item.text());
  for (const std::string_view yes : {"true", "t", "yes", "y", "1", "1.0"}) {
    if (text == yes) return Item::Boolean(true);
  }
  for (const std::string_view no : {"false", "f", "no", "n", "0", "0.0"}) {
    if (text == no) return Item::Boolean(false);
  }
  return std::nullopt;
}

std::optional<std::int64_t> ReadInteger(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Converted ToInteger(const Item& item, Arena&) {
  std::optional<std::int64_t> value;
  if (item.kind() == ItemKind::kInteger || item.kind() == ItemKind::kLong) value = item.integer();
  if (item.kind() == ItemKind::kBoolean) value = item.boolean() ? 1 : 0;
  if (item.kind() == ItemKind::kString) value = ReadInteger(item.text());
  if (!value || *value > INT32_MAX || *value < INT32_MIN) return std::nullopt;
  return Item::Integer(*value);
}

Converted ToLong(const Item& item, Arena&) {
  std::optional<std::int64_t> value;
  if (item.kind() == ItemKind::kInteger || item.kind() == ItemKind::kLong) value = item.integer();
  if (item.kind() == ItemKind::kBoolean) value = item.boolean() ? 1 : 0;
  if (item.kind() == ItemKind::kString) value = ReadInteger(item.text());
  if (!value) return std::nullopt;
  return Item::Integer(*value, ItemKind::kLong);
}

// [+-]digits[.digits]; no exponent.
std::optional<std::string_view> ReadDecimal(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with('+')) {
    rest.remove_prefix(1);
    text = rest;
  } else if (rest.starts_with('-')) {
    rest.remove_prefix(1);
  }
  std::size_t digits = 0;
  std::size_t points = 0;
  for (const char c : rest) {
    if (c >= '0' && c <= '9') {
      ++digits;
    } else if (c != '.' || ++points > 1 || digits == 0) {
      return std::nullopt;
    }
  }
  if (digits == 0 || rest.back() == '.') return std::nullopt;
  return text;
}

// Without zeros in front, as JSON and Decimal::Parse want it.
std::string_view Canonical(std::string_view digits, Arena& arena) {
  const bool negative = digits.starts_with('-');
  std::string_view rest = negative ? digits.substr(1) : digits;
  const std::size_t before = rest.size();
  while (rest.size() > 1 && rest[0] == '0' && rest[1] != '.') rest.remove_prefix(1);
  if (rest.size() == before) return digits;
  return negative ? arena.Copy("-" + std::string(rest)) : rest;
}

Converted ToDecimal(const Item& item, Arena& arena) {
  if (IsNumber(item)) return Item::Decimal(DigitsOf(item, arena));
  if (item.kind() == ItemKind::kBoolean) return Item::Decimal(item.boolean() ? "1.0" : "0.0");
  if (item.kind() != ItemKind::kString) return std::nullopt;
  const auto digits = ReadDecimal(item.text());
  if (!digits) return std::nullopt;
  return Item::Decimal(Canonical(*digits, arena));
}

std::string QuantityText(const Item& item) {
  std::string text(item.text());
  text += ' ';
  if (item.unit_kind() == UnitKind::kCalendar) return text.append(item.unit());
  return text.append("'").append(item.unit()).append("'");
}

Converted ToString(const Item& item, Arena& arena) {
  switch (item.kind()) {
    case ItemKind::kBoolean:
      return Item::String(item.boolean() ? "true" : "false");
    case ItemKind::kInteger:
    case ItemKind::kLong:
      return Item::String(DigitsOf(item, arena));
    case ItemKind::kDecimal:
    case ItemKind::kDate:
    case ItemKind::kDateTime:
    case ItemKind::kTime:
      return Item::String(item.text());
    case ItemKind::kString:
      return item;
    case ItemKind::kQuantity:
      return Item::String(arena.Copy(QuantityText(item)));
    case ItemKind::kElement:
    case ItemKind::kType:
      break;
  }
  return std::nullopt;
}

Converted ToDate(const Item& item, Arena& arena) {
  if (item.kind() == ItemKind::kDate) return item;
  if (item.kind() != ItemKind::kString && item.kind() != ItemKind::kDateTime) return std::nullopt;
  const auto temporal = fhir::Temporal::ParseDateTimeLiteral(item.text());
  if (!temporal) return std::nullopt;
  return Item::Date(arena.Copy(temporal->DateOnly().ToString()));
}

Converted ToDateTime(const Item& item, Arena&) {
  if (item.kind() == ItemKind::kDateTime) return item;
  if (item.kind() != ItemKind::kString && item.kind() != ItemKind::kDate) return std::nullopt;
  if (!fhir::Temporal::ParseDateTimeLiteral(item.text())) return std::nullopt;
  return Item::DateTime(item.text());
}

Converted ToTime(const Item& item, Arena&) {
  if (item.kind() == ItemKind::kTime) return item;
  if (item.kind() != ItemKind::kString) return std::nullopt;
  std::string_view text = item.text();
  if (text.starts_with('T')) text.remove_prefix(1);
  if (!fhir::Temporal::ParseTimeLiteral(text)) return std::nullopt;
  return Item::Time(text);
}

// number [unit]: the unit a calendar word, or UCUM in quotes.
Converted ReadQuantity(std::string_view text, Arena& arena) {
  const std::size_t end = text.find_first_not_of("+-0123456789.");
  const auto digits = ReadDecimal(text.substr(0, end));
  if (!digits) return std::nullopt;
  const std::string_view number = Canonical(*digits, arena);
  std::string_view unit = end == std::string_view::npos ? std::string_view() : text.substr(end);
  const std::size_t begin = unit.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return Item::Quantity(number, "1");
  unit.remove_prefix(begin);
  if (unit.size() >= 2 && unit.front() == '\'' && unit.back() == '\'') {
    return Item::Quantity(number, unit.substr(1, unit.size() - 2));
  }
  if (!fhir::ParseCalendarUnit(unit)) return std::nullopt;
  return Item::Quantity(number, unit, UnitKind::kCalendar);
}

Converted ToQuantity(const Item& item, Arena& arena) {
  if (item.kind() == ItemKind::kQuantity) return item;
  if (IsNumber(item)) return Item::Quantity(DigitsOf(item, arena), "1");
  if (item.kind() == ItemKind::kBoolean) return Item::Quantity(item.boolean() ? "1.0" : "0.0", "1");
  if (item.kind() == ItemKind::kString) return ReadQuantity(item.text(), arena);
  return std::nullopt;
}

template <Converted (*Convert)(const Item&, Arena&)>
bool To(Call& call) {
  std::optional<Item> item;
  if (!call.Single(item)) return false;
  if (!item) return true;
  const Converted converted = Convert(*item, call.arena());
  return !converted || call.Return(*converted);
}

template <Converted (*Convert)(const Item&, Arena&)>
bool ConvertsTo(Call& call) {
  std::optional<Item> item;
  if (!call.Single(item)) return false;
  return !item || call.ReturnBoolean(Convert(*item, call.arena()).has_value());
}

// toQuantity(unit): converted to the unit, when that can be done.
bool ToQuantityUnit(Call& call) {
  std::optional<Item> item;
  std::optional<std::string_view> unit;
  if (!call.Single(item) || (call.argument_count() == 1 && !call.TextArgument(0, unit))) return false;
  if (!item) return true;
  const Converted quantity = ToQuantity(*item, call.arena());
  if (!quantity || !unit) return !quantity || call.Return(*quantity);
  const auto value = DecimalOf(*quantity);
  const auto from =
      quantity->unit_kind() == UnitKind::kUcum ? std::optional(quantity->unit()) : DefiniteUnitOf(*quantity);
  const auto converted = value && from ? ucum::Convert(*value, *from, *unit) : std::nullopt;
  if (!converted) return true;
  return call.Return(Item::Quantity(call.arena().Copy(converted->ToString()), call.arena().Copy(*unit)));
}

constexpr FunctionInfo kFunctions[] = {
    {"toBoolean", 0, 0, To<ToBoolean>, ResultRule::kBoolean},
    {"convertsToBoolean", 0, 0, ConvertsTo<ToBoolean>, ResultRule::kBoolean},
    {"toInteger", 0, 0, To<ToInteger>, ResultRule::kInteger},
    {"convertsToInteger", 0, 0, ConvertsTo<ToInteger>, ResultRule::kBoolean},
    {"toLong", 0, 0, To<ToLong>, ResultRule::kAny},
    {"convertsToLong", 0, 0, ConvertsTo<ToLong>, ResultRule::kBoolean},
    {"toDecimal", 0, 0, To<ToDecimal>, ResultRule::kDecimal},
    {"convertsToDecimal", 0, 0, ConvertsTo<ToDecimal>, ResultRule::kBoolean},
    {"toString", 0, 0, To<ToString>, ResultRule::kString},
    {"convertsToString", 0, 0, ConvertsTo<ToString>, ResultRule::kBoolean},
    {"toDate", 0, 0, To<ToDate>, ResultRule::kDate},
    {"convertsToDate", 0, 0, ConvertsTo<ToDate>, ResultRule::kBoolean},
    {"toDateTime", 0, 0, To<ToDateTime>, ResultRule::kDateTime},
    {"convertsToDateTime", 0, 0, ConvertsTo<ToDateTime>, ResultRule::kBoolean},
    {"toTime", 0, 0, To<ToTime>, ResultRule::kTime},
    {"convertsToTime", 0, 0, ConvertsTo<ToTime>, ResultRule::kBoolean},
    {"toQuantity", 0, 1, ToQuantityUnit, ResultRule::kQuantity},
    {"convertsToQuantity", 0, 1, ConvertsTo<ToQuantity>, ResultRule::kBoolean},
};

}  // namespace

std::span<const FunctionInfo> ConversionFunctions() {
  return kFunctions;
}

}  // namespace fhir_adapter::fhirpath::internal
