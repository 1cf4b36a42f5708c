// Base 64 (RFC 4648 section 4): with padding, no line breaks.
//
// Pure functions; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fhir_adapter {

std::string ToBase64(std::string_view bytes);

// Nothing for any text that ToBase64 would not write: other characters, missing padding, bits beyond the end.
std::optional<std::string> FromBase64(std::string_view text);

}  // namespace fhir_adapter
