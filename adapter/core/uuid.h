// UUIDs made from names (RFC 4122 version 5), so that the same name always gives the same id.
//
// Pure functions; thread-safe. Lower case with hyphens.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace fhir_adapter {

// The 36 characters of a UUID.
using UuidText = std::array<char, 36>;

// In the URL namespace 6ba7b811-9dad-11d1-80b4-00c04fd430c8.
UuidText UuidTextOfUrl(std::string_view name);
std::string UuidOfUrl(std::string_view name);

}  // namespace fhir_adapter
