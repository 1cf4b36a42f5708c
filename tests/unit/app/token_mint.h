// Signs tokens as an authorisation server would, and also as one that cheats. OpenSSL alone, none of our own
// code.
#pragma once

#include <memory>
#include <openssl/evp.h>
#include <string>

namespace fhir_adapter::app {

class SigningKey {
 public:
  // "RS256", "RS384", "ES256" or "ES384"; `bits` of an RSA key.
  explicit SigningKey(std::string algorithm, unsigned bits = 2'048);

  const std::string& algorithm() const { return algorithm_; }
  // The public key as a JSON Web Key, with `more` members: `"kid":"a","alg":"RS256"`.
  std::string Jwk(const std::string& more) const;
  // The public key in PEM form, which an attacker may use as an HMAC key.
  std::string Pem() const;
  std::string Sign(const std::string& text) const;

 private:
  std::string algorithm_;
  std::shared_ptr<EVP_PKEY> key_;
};

std::string Base64Url(const std::string& bytes);

// Header and claims as JSON text, signed with the key.
std::string Token(const std::string& header, const std::string& claims, const SigningKey& key);
std::string HmacToken(const std::string& header, const std::string& claims, const std::string& secret);
std::string UnsignedToken(const std::string& header, const std::string& claims);  // with an empty signature

}  // namespace fhir_adapter::app
