// Checks that bytes are UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
//
// Stateless; thread-safe.
#pragma once

#include <cstddef>
#include <string_view>

namespace fhir_adapter::fhir {

// The offset of the first byte of the first ill-formed sequence, or text.size() when there is none.
std::size_t FindInvalidUtf8(std::string_view text);

}  // namespace fhir_adapter::fhir
