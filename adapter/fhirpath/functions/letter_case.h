// Upper and lower case of the letters that names and units use: Latin with its accents, Greek, Cyrillic,
// Armenian. One letter for one letter (ß stays), whatever the locale. Stateless.
#pragma once

#include <string>
#include <string_view>

namespace fhir_adapter::fhirpath::internal {

std::string ToUpperCase(std::string_view text);
std::string ToLowerCase(std::string_view text);

}  // namespace fhir_adapter::fhirpath::internal
