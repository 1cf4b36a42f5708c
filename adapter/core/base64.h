// Base 64 (RFC 4648): section 4 with padding, or section 5 for URLs and JSON Web Tokens without; no line
// breaks.
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

std::string ToBase64Url(std::string_view bytes);
std::optional<std::string> FromBase64Url(std::string_view text);  // as FromBase64; padding is refused

}  // namespace fhir_adapter
