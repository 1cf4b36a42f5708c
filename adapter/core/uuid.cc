#include "core/uuid.h"

#include <array>
#include <bit>
#include <cstdint>

namespace fhir_adapter {
namespace {

using Words = std::array<std::uint32_t, 5>;

// SHA-1 (FIPS 180-4), block by block. Written here because a record needs dozens of short ones and a
// library context for each would cost more than the hash.
class Sha1 {
 public:
  void Add(unsigned char byte) {
    block_[filled_++] = byte;
    ++bytes_;
    if (filled_ == block_.size()) Mix();
  }

  Words Finish() {
    const std::uint64_t bits = bytes_ * 8;
    Add(0x80);
    while (filled_ != 56) Add(0);
    for (int shift = 56; shift >= 0; shift -= 8) Add(static_cast<unsigned char>(bits >> shift));
    return state_;
  }

 private:
  void Mix() {
    std::array<std::uint32_t, 80> words;
    for (std::size_t i = 0; i < 16; ++i) {
      words[i] = static_cast<std::uint32_t>(block_[i * 4]) << 24 |
                 static_cast<std::uint32_t>(block_[i * 4 + 1]) << 16 |
                 static_cast<std::uint32_t>(block_[i * 4 + 2]) << 8 | block_[i * 4 + 3];
    }
    for (std::size_t i = 16; i < 80; ++i) {
      words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    }
    auto [a, b, c, d, e] = state_;
    for (std::size_t i = 0; i < 80; ++i) {
      std::uint32_t f = b ^ c ^ d;
      std::uint32_t k = 0xCA62C1D6;
      if (i < 20) {
        f = (b & c) | (~b & d);
        k = 0x5A827999;
      } else if (i < 40) {
        k = 0x6ED9EBA1;
      } else if (i < 60) {
        f = (b & c) | (b & d) | (c & d);
        k = 0x8F1BBCDC;
      }
      const std::uint32_t next = std::rotl(a, 5) + f + e + k + words[i];
      e = d;
      d = c;
      c = std::rotl(b, 30);
      b = a;
      a = next;
    }
    state_[0] += a;
    state_[1] += b;
    state_[2] += c;
    state_[3] += d;
    state_[4] += e;
    filled_ = 0;
  }

  Words state_ = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  std::array<unsigned char, 64> block_{};
  std::size_t filled_ = 0;
  std::uint64_t bytes_ = 0;
};

constexpr std::array<unsigned char, 16> kUrlNamespace = {0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1,
                                                         0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8};

}  // namespace

std::string UuidOfUrl(std::string_view name) {
  Sha1 hash;
  for (const unsigned char byte : kUrlNamespace) hash.Add(byte);
  for (const char c : name) hash.Add(static_cast<unsigned char>(c));
  const Words words = hash.Finish();
  std::array<unsigned char, 16> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<unsigned char>(words[i / 4] >> (24 - 8 * (i % 4)));
  }
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0F) | 0x50);  // version 5
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3F) | 0x80);  // RFC 4122 variant
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kHex[bytes[i] >> 4];
    text += kHex[bytes[i] & 15];
  }
  return text;
}

}  // namespace fhir_adapter
