#include "rules/record_functions.h"

#include <optional>
#include <string>
#include <vector>

#include "fhir/decimal.h"
#include "fhir/temporal.h"
#include "fhirpath/ucum/ucum.h"

namespace fhir_adapter::rules {
namespace {

using fhirpath::Collection;
using fhirpath::EvaluationContext;
using fhirpath::Item;

Failure NotOneItem(std::string_view function) {
  return Fail(Code::kExecution, std::string(function) + "() needs one item");
}

Result<Collection> IsUcumUnit(const EvaluationContext& context, const Collection& input,
                              std::span<const Collection>) {
  if (input.empty()) return Collection();
  if (input.size() != 1) return NotOneItem("isUcumUnit");
  const auto unit = fhirpath::TextOf(input.front(), *context.arena);
  if (!unit) return NotOneItem("isUcumUnit");
  return Collection(Item::Boolean(fhirpath::ucum::IsValidUnit(*unit)));
}

Result<Collection> InUnit(const EvaluationContext& context, const Collection& input,
                          std::span<const Collection> arguments) {
  if (input.empty() || arguments[0].empty()) return Collection();
  if (input.size() != 1 || arguments[0].size() != 1) return NotOneItem("inUnit");
  const auto target = fhirpath::TextOf(arguments[0].front(), *context.arena);
  if (!target || !input.front().is_element() || input.front().element().node == nullptr)
    return NotOneItem("inUnit");
  const fhir::Node& quantity = *input.front().element().node;
  const fhir::Node* value = quantity.Find("value");
  const fhir::Node* unit = quantity.Find("unit");
  if (value == nullptr || unit == nullptr) return Collection();
  const std::optional<fhir::Decimal> number = fhir::Decimal::Parse(value->text);
  if (!number) return Collection();
  const std::optional<fhir::Decimal> converted = fhirpath::ucum::Convert(*number, unit->text, *target);
  if (!converted) return Collection();
  return Collection(Item::Decimal(context.arena->Copy(converted->ToShortestString())));
}

// The date part of a date or dateTime as it was written: calendar days do not move with the offset.
std::optional<fhir::Temporal> DateOf(const Item& item, Arena& arena) {
  const auto text = fhirpath::TextOf(item, arena);
  if (!text) return std::nullopt;
  return fhir::Temporal::ParseDate(text->substr(0, text->find('T')));
}

int DaysInMonth(const fhir::Temporal& date) {
  for (const std::uint8_t day : {std::uint8_t{31}, std::uint8_t{30}, std::uint8_t{29}}) {
    fhir::Temporal candidate = date;
    candidate.day = day;
    candidate.precision = fhir::TemporalPrecision::kDay;
    if (fhir::Temporal::ParseDate(candidate.ToString())) return day;
  }
  return 28;
}

std::optional<std::int64_t> FirstDay(fhir::Temporal date) {
  if (date.precision < fhir::TemporalPrecision::kMonth) date.month = 1;
  if (date.precision < fhir::TemporalPrecision::kDay) date.day = 1;
  date.precision = fhir::TemporalPrecision::kDay;
  return date.ToEpochDay();
}

std::optional<std::int64_t> LastDay(fhir::Temporal date) {
  if (date.precision < fhir::TemporalPrecision::kMonth) date.month = 12;
  if (date.precision < fhir::TemporalPrecision::kDay) date.day = static_cast<std::uint8_t>(DaysInMonth(date));
  date.precision = fhir::TemporalPrecision::kDay;
  return date.ToEpochDay();
}

Result<Collection> LongestCalendarDaysSince(const EvaluationContext& context, const Collection& input,
                                            std::span<const Collection> arguments) {
  if (input.empty() || arguments[0].empty()) return Collection();
  if (input.size() != 1 || arguments[0].size() != 1) return NotOneItem("longestCalendarDaysSince");
  const auto later = DateOf(input.front(), *context.arena);
  const auto earlier = DateOf(arguments[0].front(), *context.arena);
  if (!later || !earlier) return Fail(Code::kExecution, "longestCalendarDaysSince() needs dates");
  const auto last = LastDay(*later);
  const auto first = FirstDay(*earlier);
  if (!last || !first) return Collection();
  return Collection(Item::Integer(*last - *first));
}

}  // namespace

std::span<const fhirpath::HostFunction> RecordFunctions() {
  static const std::vector<fhirpath::HostFunction> functions = [] {
    const auto standard = fhirpath::AdapterFunctions();
    std::vector<fhirpath::HostFunction> all(standard.begin(), standard.end());
    using fhirpath::ItemKind;
    using fhirpath::StaticType;
    all.push_back({"isUcumUnit", 0, 0, IsUcumUnit, StaticType::System(ItemKind::kBoolean)});
    all.push_back({"inUnit", 1, 1, InUnit, StaticType::System(ItemKind::kDecimal)});
    all.push_back(
        {"longestCalendarDaysSince", 1, 1, LongestCalendarDaysSince, StaticType::System(ItemKind::kInteger)});
    return all;
  }();
  return functions;
}

}  // namespace fhir_adapter::rules
