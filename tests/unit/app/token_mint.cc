#include "token_mint.h"

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <vector>

namespace fhir_adapter::app {
namespace {

std::string Bytes(const std::vector<unsigned char>& bytes) {
  return {bytes.begin(), bytes.end()};
}

std::string NumberOf(EVP_PKEY* key, const char* name, int size) {
  BIGNUM* number = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key, name, &number), 1);
  std::vector<unsigned char> bytes(static_cast<std::size_t>(size > 0 ? size : BN_num_bytes(number)));
  BN_bn2binpad(number, bytes.data(), static_cast<int>(bytes.size()));
  BN_free(number);
  return Bytes(bytes);
}

}  // namespace

std::string Base64Url(const std::string& bytes) {
  std::vector<unsigned char> out(4 * ((bytes.size() + 2) / 3) + 1);
  const int size = EVP_EncodeBlock(out.data(), reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  std::string text(out.begin(), out.begin() + size);
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

SigningKey::SigningKey(std::string algorithm, unsigned bits) : algorithm_(std::move(algorithm)) {
  EVP_PKEY* key = algorithm_.starts_with("RS") ? EVP_RSA_gen(bits)
                  : algorithm_ == "ES256"      ? EVP_EC_gen("P-256")
                                               : EVP_EC_gen("P-384");
  key_ = std::shared_ptr<EVP_PKEY>(key, &EVP_PKEY_free);
}

std::string SigningKey::Jwk(const std::string& more) const {
  std::string jwk = "{" + more + (more.empty() ? "" : ",");
  if (algorithm_.starts_with("RS")) {
    return jwk + R"("kty":"RSA","n":")" + Base64Url(NumberOf(key_.get(), OSSL_PKEY_PARAM_RSA_N, 0)) +
           R"(","e":")" + Base64Url(NumberOf(key_.get(), OSSL_PKEY_PARAM_RSA_E, 0)) + "\"}";
  }
  const bool is_256 = algorithm_ == "ES256";
  const int size = is_256 ? 32 : 48;
  return jwk + R"("kty":"EC","crv":")" + (is_256 ? "P-256" : "P-384") + R"(","x":")" +
         Base64Url(NumberOf(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, size)) + R"(","y":")" +
         Base64Url(NumberOf(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, size)) + "\"}";
}

std::string SigningKey::Pem() const {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), &BIO_free);
  EXPECT_EQ(PEM_write_bio_PUBKEY(bio.get(), key_.get()), 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string SigningKey::Sign(const std::string& text) const {
  const EVP_MD* digest = algorithm_.ends_with("256") ? EVP_sha256() : EVP_sha384();
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t size = 0;
  EXPECT_EQ(EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key_.get()), 1);
  EXPECT_EQ(EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()), 1);
  std::vector<unsigned char> signature(size);
  EXPECT_EQ(EVP_DigestSign(context.get(), signature.data(), &size, bytes, text.size()), 1);
  signature.resize(size);
  if (algorithm_.starts_with("RS")) return Bytes(signature);
  const unsigned char* begin = signature.data();
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(
      d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(signature.size())), &ECDSA_SIG_free);
  const int coordinate = algorithm_ == "ES256" ? 32 : 48;
  std::vector<unsigned char> both(static_cast<std::size_t>(2 * coordinate));
  BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), both.data(), coordinate);
  BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), both.data() + coordinate, coordinate);
  return Bytes(both);
}

std::string Token(const std::string& header, const std::string& claims, const SigningKey& key) {
  const std::string text = Base64Url(header) + "." + Base64Url(claims);
  return text + "." + Base64Url(key.Sign(text));
}

std::string HmacToken(const std::string& header, const std::string& claims, const std::string& secret) {
  const std::string text = Base64Url(header) + "." + Base64Url(claims);
  unsigned int size = 0;
  std::vector<unsigned char> hash(EVP_MAX_MD_SIZE);
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data(), &size);
  hash.resize(size);
  return text + "." + Base64Url(Bytes(hash));
}

std::string UnsignedToken(const std::string& header, const std::string& claims) {
  return Base64Url(header) + "." + Base64Url(claims) + ".";
}

}  // namespace fhir_adapter::app
