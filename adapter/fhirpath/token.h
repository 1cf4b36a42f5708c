// Tokens of FHIRPath. A token views the source; only strings and delimited identifiers hold unescaped text.
//
// FHIRPath N1 2.0.0, section 8 (lexical elements) and the grammar's lexer rules.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fhir_adapter::fhirpath {

enum class TokenKind : std::uint8_t {
  kEnd,
  kInvalid,     // `text` says why; an error only when the parser wants to consume it
  kIdentifier,  // plain or `delimited`; keywords are identifiers too
  kDelimited,
  kString,
  kInteger,
  kLong,  // 10L
  kDecimal,
  kDate,
  kDateTime,
  kTime,
  kThis,
  kIndex,
  kTotal,
  kSymbol  // operators and punctuation, one or two characters
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::uint32_t begin = 0;  // offsets in the source
  std::uint32_t end = 0;
  std::string_view source;  // as written
  std::string text;         // unescaped string or identifier; the reason of kInvalid

  bool Is(std::string_view symbol) const { return kind == TokenKind::kSymbol && source == symbol; }
  bool IsWord(std::string_view word) const { return kind == TokenKind::kIdentifier && source == word; }
};

}  // namespace fhir_adapter::fhirpath
