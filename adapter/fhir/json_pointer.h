// Pieces of JSON pointers (RFC 6901).
//
// Stateless; thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fhir_adapter::fhir {

// Appends "/" and the member name with ~ and / escaped.
void AppendPointerToken(std::string_view name, std::string& pointer);
// Appends "/" and the index of an item.
void AppendPointerIndex(std::size_t index, std::string& pointer);

}  // namespace fhir_adapter::fhir
