// UCUM: whether a unit is valid, whether two can be compared, and exact conversion between them.
//
// Stateless and thread-safe; nothing here throws. Factors are exact ratios, so mg, g and ug convert without
// loss; a result that has no finite decimal is rounded at 28 significant digits. Units are case sensitive
// (the c/s variant), annotations `{…}` count as 1. Special units: Cel, [degF] and [degRe] convert; the others
// (pH, dB, …) are comparable with themselves only, and so is each arbitrary unit ([iU], [arb'U], …). The
// Unified Code for Units of Measure 2.2, https://ucum.org/ucum; the table is generated, see NOTICE.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "fhir/decimal.h"

namespace fhir_adapter::fhirpath::ucum {

bool IsValidUnit(std::string_view unit);

// Both valid and of one dimension.
bool Comparable(std::string_view a, std::string_view b);

// Nothing when the units are not comparable.
std::optional<fhir::Decimal> Convert(const fhir::Decimal& value, std::string_view from, std::string_view to);

// By value, exactly: 1 'g' and 1000 'mg' are equal. Nothing when the units are not comparable.
std::optional<std::strong_ordering> Compare(const fhir::Decimal& a, std::string_view unit_a,
                                            const fhir::Decimal& b, std::string_view unit_b);

// Whether one `a` is more than one `b`; nothing when they are not comparable.
std::optional<bool> IsLarger(std::string_view a, std::string_view b);

// The unit of a product and of a quotient: "g" and "m" give "g.m" and "g/m"; equal units divide to "1".
std::string ProductUnit(std::string_view a, std::string_view b);
std::string QuotientUnit(std::string_view a, std::string_view b);

}  // namespace fhir_adapter::fhirpath::ucum
