// Encoding and escaping: encode, decode (hex, base64, urlbase64), escape, unescape (html, json).
// FHIRPath 2.1.0, section 5.6 (additional string functions).
#include <array>
#include <optional>
#include <utility>

#include "fhirpath/functions/function.h"
#include "fhirpath/lexer.h"

namespace fhir_adapter::fhirpath::internal {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string EncodeHex(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += kHexDigits[byte >> 4];
    out += kHexDigits[byte & 15];
  }
  return out;
}

std::optional<std::string> DecodeHex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  int value = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char lower = text[i] >= 'A' && text[i] <= 'F' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
    const std::size_t digit = kHexDigits.find(lower);
    if (digit == std::string_view::npos) return std::nullopt;
    value = value * 16 + static_cast<int>(digit);
    if (i % 2 == 1) {
      out += static_cast<char>(value);
      value = 0;
    }
  }
  return out;
}

std::string EncodeBase64(std::string_view text, std::string_view alphabet) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      const bool used = i + k <= text.size();
      out += used ? alphabet[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return out;
}

std::optional<std::string> DecodeBase64(std::string_view text, std::string_view alphabet) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  std::uint32_t group = 0;
  int bits = 0;
  for (const char c : text) {
    const std::size_t value = alphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    group = (group << 6 | static_cast<std::uint32_t>(value)) & 0xFFFFFF;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>(group >> bits & 0xFF);
    }
  }
  return out;
}

struct Texts {
  std::string_view input;
  std::string_view format;
};

bool ReadTexts(Call& call, std::optional<Texts>& texts) {
  std::optional<std::string_view> input;
  std::optional<std::string_view> format;
  if (!call.SingleText(input) || !call.TextArgument(0, format)) return false;
  if (input && format) texts = Texts{*input, *format};
  return true;
}

bool Encode(Call& call) {
  std::optional<Texts> texts;
  if (!ReadTexts(call, texts)) return false;
  if (!texts) return true;
  if (texts->format == "hex") return call.ReturnText(EncodeHex(texts->input));
  if (texts->format == "base64") return call.ReturnText(EncodeBase64(texts->input, kBase64));
  if (texts->format == "urlbase64") return call.ReturnText(EncodeBase64(texts->input, kUrlBase64));
  return true;
}

bool Decode(Call& call) {
  std::optional<Texts> texts;
  if (!ReadTexts(call, texts)) return false;
  if (!texts) return true;
  std::optional<std::string> decoded;
  if (texts->format == "hex") decoded = DecodeHex(texts->input);
  if (texts->format == "base64") decoded = DecodeBase64(texts->input, kBase64);
  if (texts->format == "urlbase64") decoded = DecodeBase64(texts->input, kUrlBase64);
  return !decoded || call.ReturnText(*decoded);
}

constexpr std::array<std::pair<char, std::string_view>, 5> kHtml = {
    {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}}};

std::string EscapeHtml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    bool escaped = false;
    for (const auto& [character, entity] : kHtml) {
      if (character != c) continue;
      out += entity;
      escaped = true;
    }
    if (!escaped) out += c;
  }
  return out;
}

std::string UnescapeHtml(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    bool replaced = false;
    for (const auto& [character, entity] : kHtml) {
      if (!text.starts_with(entity)) continue;
      out += character;
      text.remove_prefix(entity.size());
      replaced = true;
      break;
    }
    if (replaced) continue;
    out += text.front();
    text.remove_prefix(1);
  }
  return out;
}

constexpr std::array<std::pair<char, char>, 7> kJson = {
    {{'"', '"'}, {'\\', '\\'}, {'\b', 'b'}, {'\f', 'f'}, {'\n', 'n'}, {'\r', 'r'}, {'\t', 't'}}};

std::string EscapeJson(std::string_view text) {
  std::string out;
  for (const char c : text) {
    bool escaped = false;
    for (const auto& [character, name] : kJson) {
      if (character != c) continue;
      out += '\\';
      out += name;
      escaped = true;
    }
    if (escaped) continue;
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20) {
      out += "\\u00";
      out += kHexDigits[byte >> 4];
      out += kHexDigits[byte & 15];
    } else {
      out += c;
    }
  }
  return out;
}

std::string UnescapeJson(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    ++i;
    bool known = false;
    for (const auto& [character, name] : kJson) {
      if (name != text[i]) continue;
      out += character;
      known = true;
    }
    if (!known && text[i] == 'u') {
      const auto unit = DecodeHex(text.substr(i + 1, 4));
      if (unit && unit->size() == 2) {
        AppendUtf8(static_cast<std::uint32_t>(static_cast<unsigned char>((*unit)[0])) << 8 |
                       static_cast<unsigned char>((*unit)[1]),
                   out);
        i += 4;
        continue;
      }
    }
    if (!known) out += text[i];
  }
  return out;
}

bool Escape(Call& call) {
  std::optional<Texts> texts;
  if (!ReadTexts(call, texts)) return false;
  if (!texts) return true;
  if (texts->format == "html") return call.ReturnText(EscapeHtml(texts->input));
  if (texts->format == "json") return call.ReturnText(EscapeJson(texts->input));
  return true;
}

bool Unescape(Call& call) {
  std::optional<Texts> texts;
  if (!ReadTexts(call, texts)) return false;
  if (!texts) return true;
  if (texts->format == "html") return call.ReturnText(UnescapeHtml(texts->input));
  if (texts->format == "json") return call.ReturnText(UnescapeJson(texts->input));
  return true;
}

constexpr auto kValue = ArgumentRule::kValue;

constexpr FunctionInfo kFunctions[] = {
    {"encode", 1, 1, Encode, ResultRule::kString, kValue, InputRule::kString},
    {"decode", 1, 1, Decode, ResultRule::kString, kValue, InputRule::kString},
    {"escape", 1, 1, Escape, ResultRule::kString, kValue, InputRule::kString},
    {"unescape", 1, 1, Unescape, ResultRule::kString, kValue, InputRule::kString},
};

}  // namespace

std::span<const FunctionInfo> EncodingFunctions() {
  return kFunctions;
}

}  // namespace fhir_adapter::fhirpath::internal
