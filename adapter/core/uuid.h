// UUIDs made from names (RFC 4122 version 5), so that the same name always gives the same id.
//
// Pure functions; thread-safe. Lower case with hyphens.
#pragma once

#include <string>
#include <string_view>

namespace fhir_adapter {

// In the URL namespace 6ba7b811-9dad-11d1-80b4-00c04fd430c8.
std::string UuidOfUrl(std::string_view name);

}  // namespace fhir_adapter
