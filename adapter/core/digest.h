// SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104), by OpenSSL.
//
// Pure functions; thread-safe. Hex is lower case.
#pragma once

#include <string>
#include <string_view>

namespace fhir_adapter {

std::string Sha256Hex(std::string_view bytes);
std::string HmacSha256Hex(std::string_view key, std::string_view bytes);

}  // namespace fhir_adapter
