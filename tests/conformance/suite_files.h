// Where tests/conformance/fetch.sh keeps the official suites, and the lists of tests that we do not pass.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace fhir_adapter::conformance {

std::string CacheDirectory();
std::optional<std::string> ReadFile(const std::string& path);
// By number; lines `NUMBER reason`, those with # are left out.
std::map<std::string, std::string> ReadExceptions(const std::string& path);

}  // namespace fhir_adapter::conformance
