// The formats of numbers and texts as they stand in a record. FHIR R4 datatypes, section 2.24.0.1; dates and
// times: fhir/temporal.h.
//
// Pure functions; thread-safe.
#pragma once

#include <string_view>

namespace fhir_adapter::record {

// 32 bits, no fraction, no exponent.
bool IsInteger(std::string_view text);
// A JSON number is a decimal. False when it is too long, or its exponent too large, to calculate with
// (limits::kRecordNumberCharactersMax, limits::kRecordExponentMax).
bool IsBoundedDecimal(std::string_view text);
// No white space at either end, and none but single blanks inside.
bool IsCode(std::string_view text);
// At least one character, no control characters but tab, carriage return and line feed.
bool IsString(std::string_view text);

}  // namespace fhir_adapter::record
