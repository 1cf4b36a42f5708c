// JSON Web Tokens (RFC 7519) as access tokens (RFC 9068): read, verified, and nothing of them believed
// before.
//
// Pure functions; thread-safe. The rules of RFC 8725: the key is found by `kid` alone and brings its one
// algorithm; what a token says of other keys (`jku`, `jwk`, `x5u`, `x5c`) is not looked at; `crit` is
// refused; issuer and audience are compared as they are; `exp` is needed. No error holds anything of the
// token.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/json_web_key.h"
#include "core/result.h"

namespace fhir_adapter::app {

struct JwtExpectation {
  std::string issuer;
  std::string audience;  // ours; a token may name others beside it
};

struct JwtClaims {
  std::string subject;              // visible ASCII, at most limits::kJwtSubjectBytesMax
  std::vector<std::string> scopes;  // RFC 8693 section 4.2
  // RFC 8705 section 3.1: the client certificate that the token may be used with, lower-case hex; empty: any.
  std::string certificate_sha256;
};

// The claims of a token that is good at `now_s`. Errors: kUnauthorized (what is wrong), kNotFound (no key of
// its `kid`: it may be a new one).
Result<JwtClaims> VerifyJwt(std::string_view token, const JsonWebKeySet& keys,
                            const JwtExpectation& expectation, std::int64_t now_s);

// Its `kid`, unverified, to remember which were looked for; empty when it has none.
std::string UnverifiedKeyId(std::string_view token);

}  // namespace fhir_adapter::app
