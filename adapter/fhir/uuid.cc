#include "fhir/uuid.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <openssl/evp.h>

namespace fhir_adapter::fhir {

std::string UuidOfUrl(std::string_view name) {
  // 6ba7b811-9dad-11d1-80b4-00c04fd430c8, RFC 4122 appendix C.
  constexpr std::string_view kUrlNamespace("\x6b\xa7\xb8\x11\x9d\xad\x11\xd1\x80\xb4\x00\xc0\x4f\xd4\x30\xc8",
                                           16);
  std::string input(kUrlNamespace);
  input += name;
  std::array<std::uint8_t, 20> digest{};
  if (EVP_Digest(input.data(), input.size(), digest.data(), nullptr, EVP_sha1(), nullptr) != 1) std::abort();
  digest[6] = static_cast<std::uint8_t>((digest[6] & 0x0F) | 0x50);
  digest[8] = static_cast<std::uint8_t>((digest[8] & 0x3F) | 0x80);
  constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
    text.push_back(kHex[digest[i] >> 4]);
    text.push_back(kHex[digest[i] & 0xF]);
  }
  return text;
}

}  // namespace fhir_adapter::fhir
