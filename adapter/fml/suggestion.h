// "Did you mean …": the nearest of the names that would have been right.
//
// Pure; thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fhir_adapter::fml {

// `; did you mean X?`, or nothing when none is near.
std::string Suggest(std::string_view wrong, const std::vector<std::string_view>& candidates);

}  // namespace fhir_adapter::fml
