// SHA-256 (FIPS 180-4), for the identity of contents: map sets, records, the ledger.
//
// Stateless; thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace fhir_adapter::fhir {

using Sha256Digest = std::array<std::uint8_t, 32>;

Sha256Digest Sha256(std::string_view bytes);
std::string Sha256Hex(std::string_view bytes);  // 64 lower-case digits

}  // namespace fhir_adapter::fhir
