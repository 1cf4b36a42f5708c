// Time: now, today, timeOfDay, and the components of dates and times. FHIRPath N1 2.0.0, section 5.9
// (utility); yearOf() and its kin: 3.0.0 draft.
#include "fhirpath/functions/function.h"

namespace fhir_adapter::fhirpath::internal {
namespace {

const Moment* MomentOf(Call& call) {
  const Moment* moment = call.evaluator.context().moment;
  if (moment == nullptr) call.Fail(call.node.name + "() has no clock here");
  return moment;
}

bool Now(Call& call) {
  const Moment* moment = MomentOf(call);
  return moment != nullptr && call.Return(Item::DateTime(call.arena().Copy(moment->now)));
}
bool Today(Call& call) {
  const Moment* moment = MomentOf(call);
  return moment != nullptr && call.Return(Item::Date(call.arena().Copy(moment->today)));
}
bool TimeOfDay(Call& call) {
  const Moment* moment = MomentOf(call);
  return moment != nullptr && call.Return(Item::Time(call.arena().Copy(moment->time_of_day)));
}

bool ReadTemporal(Call& call, std::optional<fhir::Temporal>& temporal) {
  std::optional<Item> item;
  if (!call.Single(item)) return false;
  if (!item) return true;
  if (!IsTemporal(*item)) return call.Fail(call.node.name + "() needs a date or time");
  temporal = TemporalOf(*item);
  return true;
}

// A component that is given, or nothing.
bool Component(Call& call, fhir::TemporalPrecision needed, bool of_date, int (*read)(const fhir::Temporal&)) {
  std::optional<fhir::Temporal> temporal;
  if (!ReadTemporal(call, temporal)) return false;
  if (!temporal || temporal->precision < needed) return true;
  if (of_date && temporal->kind == fhir::TemporalKind::kTime) return true;
  return call.Return(Item::Integer(read(*temporal)));
}

using fhir::TemporalPrecision;

bool YearOf(Call& call) {
  return Component(call, TemporalPrecision::kYear, true, [](const fhir::Temporal& t) { return int{t.year}; });
}
bool MonthOf(Call& call) {
  return Component(call, TemporalPrecision::kMonth, true,
                   [](const fhir::Temporal& t) { return int{t.month}; });
}
bool DayOf(Call& call) {
  return Component(call, TemporalPrecision::kDay, true, [](const fhir::Temporal& t) { return int{t.day}; });
}
bool HourOf(Call& call) {
  return Component(call, TemporalPrecision::kHour, false,
                   [](const fhir::Temporal& t) { return int{t.hour}; });
}
bool MinuteOf(Call& call) {
  return Component(call, TemporalPrecision::kMinute, false,
                   [](const fhir::Temporal& t) { return int{t.minute}; });
}
bool SecondOf(Call& call) {
  return Component(call, TemporalPrecision::kSecond, false,
                   [](const fhir::Temporal& t) { return int{t.second}; });
}
bool MillisecondOf(Call& call) {
  return Component(call, TemporalPrecision::kSecond, false,
                   [](const fhir::Temporal& t) { return static_cast<int>(t.nanosecond / 1'000'000); });
}

bool TimezoneOffsetOf(Call& call) {
  std::optional<fhir::Temporal> temporal;
  if (!ReadTemporal(call, temporal)) return false;
  if (!temporal || !temporal->has_offset) return true;
  const auto hours = Divide(fhir::Decimal(temporal->offset_minutes), fhir::Decimal(60));
  return !hours || call.Return(Item::Decimal(call.arena().Copy(hours->ToString())));
}

bool DateOf(Call& call) {
  std::optional<fhir::Temporal> temporal;
  if (!ReadTemporal(call, temporal)) return false;
  if (!temporal || temporal->kind == fhir::TemporalKind::kTime) return true;
  return call.Return(Item::Date(call.arena().Copy(temporal->DateOnly().ToString())));
}

bool TimeOf(Call& call) {
  std::optional<fhir::Temporal> temporal;
  if (!ReadTemporal(call, temporal)) return false;
  if (!temporal || !temporal->has_time()) return true;
  fhir::Temporal time = *temporal;
  time.kind = fhir::TemporalKind::kTime;
  time.has_offset = false;
  return call.Return(Item::Time(call.arena().Copy(time.ToString())));
}

constexpr FunctionInfo kFunctions[] = {
    {"now", 0, 0, Now, ResultRule::kDateTime},
    {"today", 0, 0, Today, ResultRule::kDate},
    {"timeOfDay", 0, 0, TimeOfDay, ResultRule::kTime},
    {"yearOf", 0, 0, YearOf, ResultRule::kInteger},
    {"monthOf", 0, 0, MonthOf, ResultRule::kInteger},
    {"dayOf", 0, 0, DayOf, ResultRule::kInteger},
    {"hourOf", 0, 0, HourOf, ResultRule::kInteger},
    {"minuteOf", 0, 0, MinuteOf, ResultRule::kInteger},
    {"secondOf", 0, 0, SecondOf, ResultRule::kInteger},
    {"millisecondOf", 0, 0, MillisecondOf, ResultRule::kInteger},
    {"timezoneOffsetOf", 0, 0, TimezoneOffsetOf, ResultRule::kDecimal},
    {"dateOf", 0, 0, DateOf, ResultRule::kDate},
    {"timeOf", 0, 0, TimeOf, ResultRule::kTime},
};

}  // namespace

std::span<const FunctionInfo> TemporalFunctions() {
  return kFunctions;
}

}  // namespace fhir_adapter::fhirpath::internal
