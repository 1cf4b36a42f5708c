// What a resource says, in one line for a person.
#pragma once

#include <string>
#include <string_view>

namespace fhir_adapter::app {

// Empty for what is no resource. The full content stands elsewhere; this is only to be found quickly.
std::string SummaryOf(std::string_view resource_json);

}  // namespace fhir_adapter::app
