// Local times of a clinic's system as FHIR texts.
//
// Stateless; thread-safe. The precision stays as it came, but that a time to the minute gets `:00`, which
// FHIR R4 demands of a dateTime ("may be zero-filled").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/time_zone.h"
#include "record/record_model.h"

namespace fhir_adapter::record {

// In what order the parts of a date stand, and what is between them.
enum class DateForm : std::uint8_t { kIso, kDayMonthDots, kDayMonthSlashes, kMonthDaySlashes, kYearSlashes };

// "YYYY-MM-DD", "DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY", "YYYY/MM/DD".
std::optional<DateForm> ParseDateForm(std::string_view name);
std::string_view Name(DateForm form);

// `text` as the date, dateTime or instant (`type`) that it is: as FHIR writes it, or in `form`, alone
// (03.2014 too) or with hh:mm[:ss[.fff]] after a blank or T, and perhaps an offset. Without an offset the
// time is that of `zone`; a local time that its zone skipped or had twice becomes
// `2014-10-26T02:30:00[Europe/Berlin]`, for IsUnsettledTime to find. Without a zone the offset stays away,
// and what cannot be read stays as it is: the record model refuses it.
std::string ToFhirTime(std::string_view text, ValueType type, DateForm form, const TimeZone* zone);

// A local time with the zone that does not settle it.
bool IsUnsettledTime(std::string_view text);

}  // namespace fhir_adapter::record
