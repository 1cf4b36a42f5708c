#include "core/digest.h"

#include <cstdlib>
#include <memory>
#include <openssl/evp.h>

namespace fhir_adapter {
namespace {

constexpr std::size_t kSha256Bytes = 32;
constexpr std::size_t kSha256BlockBytes = 64;

using Digest = std::array<std::uint8_t, kSha256Bytes>;

struct ContextFreer {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
struct AlgorithmFreer {
  void operator()(EVP_MD* algorithm) const { EVP_MD_free(algorithm); }
};

std::string_view View(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string ToHex(const Digest& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex(kSha256Bytes * 2, '\0');
  for (std::size_t i = 0; i < kSha256Bytes; ++i) {
    hex[2 * i] = kDigits[digest[i] >> 4];
    hex[2 * i + 1] = kDigits[digest[i] & 0xF];
  }
  return hex;
}

}  // namespace

// The algorithm is looked up once and the context made once a thread: both cost more than hashing an entry.
Digest Sha256(std::initializer_list<std::string_view> parts) {
  static const std::unique_ptr<EVP_MD, AlgorithmFreer> algorithm(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  thread_local const std::unique_ptr<EVP_MD_CTX, ContextFreer> context(EVP_MD_CTX_new());
  Digest digest;
  bool done = context != nullptr && EVP_DigestInit_ex2(context.get(), algorithm.get(), nullptr) == 1;
  for (const std::string_view part : parts) {
    done = done && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
  }
  if (!done || EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1) std::abort();
  return digest;
}

std::string Sha256Hex(std::string_view bytes) {
  return ToHex(Sha256({bytes}));
}

// RFC 2104 section 2. OpenSSL's own call looks its algorithms up anew each time.
std::string HmacSha256Hex(std::string_view key, std::string_view bytes) {
  const Digest short_key = key.size() > kSha256BlockBytes ? Sha256({key}) : Digest{};
  const std::string_view used = key.size() > kSha256BlockBytes ? View(short_key) : key;
  std::string inner(kSha256BlockBytes, '\x36');
  std::string outer(kSha256BlockBytes, '\x5c');
  for (std::size_t i = 0; i < used.size(); ++i) {
    inner[i] = static_cast<char>(inner[i] ^ used[i]);
    outer[i] = static_cast<char>(outer[i] ^ used[i]);
  }
  const Digest first = Sha256({inner, bytes});
  return ToHex(Sha256({outer, View(first)}));
}

}  // namespace fhir_adapter
