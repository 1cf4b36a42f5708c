// The FHIRPath functions that constraints and plausibility rules add to the standard ones.
//
//   isUcumUnit()                     input: a text; whether it is a UCUM unit
//   inUnit(unit)                     input: an object with members value and unit; the value in `unit`,
//                                    converted exactly; nothing when the units are of different kinds
//   longestCalendarDaysSince(other)  input and argument: a date or dateTime of any precision; days from the
//                                    earliest day that `other` may mean to the latest that the input may mean
//
// Each gives nothing for an empty input. Stateless; thread-safe.
#pragma once

#include <span>

#include "fhirpath/fhirpath.h"

namespace fhir_adapter::rules {

// The functions above after fhirpath::AdapterFunctions(). Static storage.
std::span<const fhirpath::HostFunction> RecordFunctions();

}  // namespace fhir_adapter::rules
