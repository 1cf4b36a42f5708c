#include "core/digest.h"

#include <cstdlib>
#include <memory>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace fhir_adapter {
namespace {

constexpr unsigned kSha256Bytes = 32;

std::string ToHex(const unsigned char* bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(kSha256Bytes * 2);
  for (unsigned i = 0; i < kSha256Bytes; ++i) {
    hex += kDigits[bytes[i] >> 4];
    hex += kDigits[bytes[i] & 0xF];
  }
  return hex;
}

}  // namespace

std::array<std::uint8_t, kSha256Bytes> Sha256(std::initializer_list<std::string_view> parts) {
  // Made once a thread: looking the algorithm up costs more than hashing an entry.
  struct Deleter {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  thread_local const std::unique_ptr<EVP_MD_CTX, Deleter> context(EVP_MD_CTX_new());
  std::array<std::uint8_t, kSha256Bytes> digest;
  bool done = context != nullptr && EVP_DigestInit_ex2(context.get(), EVP_sha256(), nullptr) == 1;
  for (const std::string_view part : parts) {
    done = done && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
  }
  if (!done || EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1) std::abort();
  return digest;
}

std::string Sha256Hex(std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  if (EVP_Digest(bytes.data(), bytes.size(), digest, nullptr, EVP_sha256(), nullptr) != 1) std::abort();
  return ToHex(digest);
}

std::string HmacSha256Hex(std::string_view key, std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  // A null pointer as key would mean "the key of the call before".
  const char* key_bytes = key.empty() ? "" : key.data();
  if (HMAC(EVP_sha256(), key_bytes, static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest, nullptr) == nullptr) {
    std::abort();
  }
  return ToHex(digest);
}

}  // namespace fhir_adapter
