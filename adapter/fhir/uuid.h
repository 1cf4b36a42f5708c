// UUIDs of version 5 (RFC 4122 section 4.3): the same name gives the same UUID everywhere.
//
// Stateless; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace fhir_adapter::fhir {

// In the URL namespace: lower case, 36 characters. Identities of resources are made from `system|value`.
std::string UuidOfUrl(std::string_view name);

}  // namespace fhir_adapter::fhir
