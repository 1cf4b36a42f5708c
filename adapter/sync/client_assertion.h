// The signed statement by which a SMART backend service names itself to a token server: a JWT (RFC 7523)
// under RS384 or ES384, as the key is RSA (2048 bits or more) or on the curve P-384.
//
// Pure functions; thread-safe. HL7 SMART App Launch 2, "Client Authentication: Asymmetric"; RFC 7515, RFC
// 7518.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace fhir_adapter::sync {

struct AssertionClaims {
  std::string client_id;  // iss and sub
  std::string audience;   // the token server's URL, as it is called
  std::string key_id;
  std::string unique_id;  // jti: never the same twice
  std::int64_t issued_s = 0;
  std::int64_t lifetime_s = 0;
};

// Error kConfiguration: not a private key in PEM form without passphrase, or of another kind.
Result<std::string> SignAssertion(const AssertionClaims& claims, std::string_view private_key_pem);

}  // namespace fhir_adapter::sync
