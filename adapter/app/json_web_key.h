// JsonWebKeySet: the public keys of an authorisation server (RFC 7517, RFC 7518), by which its tokens are
// known.
//
// RSA keys of 2,048 to 8,192 bits verify RS256 or RS384, keys on P-256 verify ES256, on P-384 ES384: each key
// the one algorithm that its `alg` or its curve says (RSA without `alg`: RS256), and no other (RFC 8725
// section 3.1). A key for something else, or without `kid`, is left out. Immutable; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

struct evp_pkey_st;

namespace fhir_adapter::app {

enum class JwtAlgorithm : std::uint8_t { kRs256, kRs384, kEs256, kEs384 };

inline constexpr JwtAlgorithm kAllJwtAlgorithms[] = {JwtAlgorithm::kRs256, JwtAlgorithm::kRs384,
                                                     JwtAlgorithm::kEs256, JwtAlgorithm::kEs384};

std::string_view Name(JwtAlgorithm algorithm);  // "RS256"

class JsonWebKey {
 public:
  JsonWebKey(std::shared_ptr<evp_pkey_st> key, JwtAlgorithm algorithm)
      : key_(std::move(key)), algorithm_(algorithm) {}

  JwtAlgorithm algorithm() const { return algorithm_; }
  // `signature` as it stands in a JWS (RFC 7515): of an elliptic curve r and s side by side.
  bool Verify(std::string_view text, std::string_view signature) const;

 private:
  std::shared_ptr<evp_pkey_st> key_;  // shared: immutable, and copies of the set are cheap
  JwtAlgorithm algorithm_;
};

class JsonWebKeySet {
 public:
  // Errors: kServerAnswer (no JSON Web Key Set, longer than limits::kJwtKeySetBytesMax, more keys than
  // limits::kJwtKeysMax, two keys of one `kid`, none that can be used).
  static Result<std::shared_ptr<const JsonWebKeySet>> Parse(std::string_view json);

  const JsonWebKey* Find(std::string_view key_id) const;  // null: not here
  std::size_t size() const { return keys_.size(); }

 private:
  std::map<std::string, JsonWebKey, std::less<>> keys_;
};

}  // namespace fhir_adapter::app
