// SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104), by OpenSSL.
//
// Pure functions; thread-safe. Hex is lower case.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace fhir_adapter {

// Of the parts, one after the other.
std::array<std::uint8_t, 32> Sha256(std::initializer_list<std::string_view> parts);
std::string Sha256Hex(std::string_view bytes);
std::string HmacSha256Hex(std::string_view key, std::string_view bytes);

}  // namespace fhir_adapter
