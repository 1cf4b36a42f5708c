#include "core/uuid.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace fhir_adapter {
namespace {

using Words = std::array<std::uint32_t, 5>;

// SHA-1 (FIPS 180-4), block by block. Written here because a record needs dozens of short ones and a
// library context for each would cost more than the hash.
class Sha1 {
 public:
  void Add(std::string_view bytes) {
    bytes_ += bytes.size();
    while (!bytes.empty()) {
      const std::size_t taken = std::min(bytes.size(), block_.size() - filled_);
      std::memcpy(block_.data() + filled_, bytes.data(), taken);
      filled_ += taken;
      bytes.remove_prefix(taken);
      if (filled_ == block_.size()) Mix();
    }
  }

  Words Finish() {
    const std::uint64_t bits = bytes_ * 8;
    block_[filled_++] = 0x80;
    if (filled_ > kLengthAt) {
      std::memset(block_.data() + filled_, 0, block_.size() - filled_);
      Mix();
    }
    std::memset(block_.data() + filled_, 0, kLengthAt - filled_);
    for (std::size_t i = 0; i < sizeof bits; ++i) {
      block_[kLengthAt + i] = static_cast<unsigned char>(bits >> (56 - 8 * i));
    }
    Mix();
    return state_;
  }

 private:
  static constexpr std::size_t kLengthAt = 56;

  using Word = std::uint32_t;

  // Twenty rounds. The variables change places by name, five rounds at a time.
  template <class Function>
  static void Rounds(Words& state, const Word* words, Word constant, Function function) {
    auto [a, b, c, d, e] = state;
    const auto round = [&](Word v, Word& w, Word x, Word y, Word& z, Word word) {
      z += std::rotl(v, 5) + function(w, x, y) + constant + word;
      w = std::rotl(w, 30);
    };
    for (const Word* const end = words + 20; words != end; words += 5) {
      round(a, b, c, d, e, words[0]);
      round(e, a, b, c, d, words[1]);
      round(d, e, a, b, c, words[2]);
      round(c, d, e, a, b, words[3]);
      round(b, c, d, e, a, words[4]);
    }
    state = {a, b, c, d, e};
  }

  void Mix() {
    std::array<Word, 80> words;
    for (std::size_t i = 0; i < 16; ++i) {
      const unsigned char* at = block_.data() + i * 4;
      words[i] = Word{at[0]} << 24 | Word{at[1]} << 16 | Word{at[2]} << 8 | Word{at[3]};
    }
    for (std::size_t i = 16; i < words.size(); ++i) {
      words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    }
    const auto parity = [](Word b, Word c, Word d) { return b ^ c ^ d; };
    Words state = state_;
    Rounds(state, &words[0], 0x5A827999, [](Word b, Word c, Word d) { return d ^ (b & (c ^ d)); });
    Rounds(state, &words[20], 0x6ED9EBA1, parity);
    Rounds(state, &words[40], 0x8F1BBCDC, [](Word b, Word c, Word d) { return (b & c) | (d & (b | c)); });
    Rounds(state, &words[60], 0xCA62C1D6, parity);
    for (std::size_t i = 0; i < state.size(); ++i) state_[i] += state[i];
    filled_ = 0;
  }

  Words state_ = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  std::array<unsigned char, 64> block_;
  std::size_t filled_ = 0;
  std::uint64_t bytes_ = 0;
};

constexpr std::string_view kUrlNamespace("\x6b\xa7\xb8\x11\x9d\xad\x11\xd1\x80\xb4\x00\xc0\x4f\xd4\x30\xc8",
                                         16);

}  // namespace

UuidText UuidTextOfUrl(std::string_view name) {
  Sha1 hash;
  hash.Add(kUrlNamespace);
  hash.Add(name);
  Words words = hash.Finish();
  words[1] = (words[1] & 0xFFFF0FFF) | 0x00005000;  // version 5
  words[2] = (words[2] & 0x3FFFFFFF) | 0x80000000;  // RFC 4122 variant
  static constexpr char kHex[] = "0123456789abcdef";
  UuidText text;
  char* at = text.data();
  for (std::size_t digit = 0; digit < 32; ++digit) {
    if (digit == 8 || digit == 12 || digit == 16 || digit == 20) *at++ = '-';
    *at++ = kHex[(words[digit / 8] >> (28 - 4 * (digit % 8))) & 15];
  }
  return text;
}

std::string UuidOfUrl(std::string_view name) {
  const UuidText text = UuidTextOfUrl(name);
  return {text.data(), text.size()};
}

}  // namespace fhir_adapter
