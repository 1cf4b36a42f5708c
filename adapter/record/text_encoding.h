// The character sets in which tables come, and their texts as UTF-8.
//
// Stateless; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fhir_adapter::record {

enum class TextEncoding : std::uint8_t { kUtf8, kWindows1252, kLatin1 };

// By its name as MIME has it ("utf-8", "windows-1252", "iso-8859-1"), whatever the case of its letters.
std::optional<TextEncoding> ParseTextEncoding(std::string_view name);

struct DecodedText {
  std::string text;                   // UTF-8, without byte order mark
  std::optional<std::size_t> bad_at;  // the offset of the first byte that is no character
  const char* why = "";               // for a person, when there is one
};

// A byte order mark of UTF-8 goes before `encoding`. A byte order mark of UTF-16, a byte that Windows-1252
// does not define, and a control character of ISO-8859-1 above 7F (which is Windows-1252 under a wrong name)
// are no characters.
DecodedText DecodeText(std::string bytes, TextEncoding encoding);

}  // namespace fhir_adapter::record
