#include "record/text_encoding.h"

#include <algorithm>
#include <array>
#include <utility>

#include "fhir/utf8.h"

namespace fhir_adapter::record {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

constexpr std::pair<std::string_view, TextEncoding> kNames[] = {{"utf-8", TextEncoding::kUtf8},
                                                                {"windows-1252", TextEncoding::kWindows1252},
                                                                {"iso-8859-1", TextEncoding::kLatin1}};

// 80 to 9F of Windows-1252 (unicode.org, CP1252.TXT); 0: not defined.
constexpr std::array<char16_t, 32> kWindows1252 = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

void AppendUtf8(char16_t character, std::string& out) {
  if (character < 0x80) {
    out += static_cast<char>(character);
  } else if (character < 0x800) {
    out += static_cast<char>(0xC0 | character >> 6);
    out += static_cast<char>(0x80 | (character & 0x3F));
  } else {
    out += static_cast<char>(0xE0 | character >> 12);
    out += static_cast<char>(0x80 | (character >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (character & 0x3F));
  }
}

DecodedText DecodeUtf8(std::string bytes) {
  DecodedText decoded;
  const std::size_t bad_at = fhir::FindInvalidUtf8(bytes);
  if (bad_at < bytes.size()) {
    decoded.bad_at = bad_at;
    decoded.why = "this byte is not UTF-8; name another encoding if the table is in one";
  }
  decoded.text = std::move(bytes);
  return decoded;
}

DecodedText DecodeSingleBytes(std::string_view bytes, TextEncoding encoding) {
  DecodedText decoded;
  decoded.text.reserve(bytes.size() + bytes.size() / 8);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    char16_t character = byte;
    if (byte >= 0x80 && byte < 0xA0)
      character = encoding == TextEncoding::kLatin1 ? 0 : kWindows1252[byte - 0x80U];
    if (character == 0 && byte != 0) {
      decoded.bad_at = i;
      decoded.why = encoding == TextEncoding::kLatin1
                        ? "this byte is no character of ISO-8859-1; the table may be in windows-1252"
                        : "this byte is no character of Windows-1252";
      return decoded;
    }
    AppendUtf8(character, decoded.text);
  }
  return decoded;
}

}  // namespace

std::optional<TextEncoding> ParseTextEncoding(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  for (const auto& [known, encoding] : kNames) {
    if (known == lower) return encoding;
  }
  return std::nullopt;
}

DecodedText DecodeText(std::string bytes, TextEncoding encoding) {
  if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) {
    return DecodedText{{}, 0, "the table is in UTF-16; export it as UTF-8"};
  }
  if (bytes.starts_with(kByteOrderMark)) {
    bytes.erase(0, kByteOrderMark.size());
    encoding = TextEncoding::kUtf8;
  }
  return encoding == TextEncoding::kUtf8 ? DecodeUtf8(std::move(bytes)) : DecodeSingleBytes(bytes, encoding);
}

}  // namespace fhir_adapter::record
