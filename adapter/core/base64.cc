#include "core/base64.h"

#include <cstdint>

namespace fhir_adapter {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kGroupBytes = 3;
constexpr std::size_t kGroupCharacters = 4;

}  // namespace

std::string ToBase64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + kGroupBytes - 1) / kGroupBytes * kGroupCharacters);
  for (std::size_t i = 0; i < bytes.size(); i += kGroupBytes) {
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < kGroupBytes; ++j) {
      bits = (bits << 8) | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    }
    const std::size_t characters = bytes.size() - i >= kGroupBytes ? kGroupCharacters : bytes.size() - i + 1;
    for (std::size_t j = 0; j < kGroupCharacters; ++j) {
      text += j < characters ? kAlphabet[(bits >> (6 * (kGroupCharacters - 1 - j))) & 0x3F] : '=';
    }
  }
  return text;
}

std::optional<std::string> FromBase64(std::string_view text) {
  if (text.size() % kGroupCharacters != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / kGroupCharacters * kGroupBytes);
  std::uint32_t bits = 0;
  unsigned count = 0;
  std::size_t end = text.size();
  while (end > 0 && end + 2 > text.size() && text[end - 1] == '=') --end;
  for (const char character : text.substr(0, end)) {
    const std::size_t value = kAlphabet.find(character);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>((bits >> count) & 0xFF);
    }
  }
  if (ToBase64(bytes) != text) return std::nullopt;
  return bytes;
}

std::string ToBase64Url(std::string_view bytes) {
  std::string text = ToBase64(bytes);
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

std::optional<std::string> FromBase64Url(std::string_view text) {
  if (text.find_first_of("+/=") != std::string_view::npos) return std::nullopt;
  std::string padded(text);
  for (char& c : padded) c = c == '-' ? '+' : c == '_' ? '/' : c;
  padded.append((kGroupCharacters - padded.size() % kGroupCharacters) % kGroupCharacters, '=');
  return FromBase64(padded);
}

}  // namespace fhir_adapter
