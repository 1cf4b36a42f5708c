// Turns the text of a map into tokens: all three dialects, FHIRPath inside them included.
//
// Tokens view the text. A fault (unclosed string, comment or backtick; a byte that cannot stand there) is an
// Error `syntax` with line and column; nothing is skipped in silence.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "fml/ast.h"

namespace fhir_adapter::fml {

enum class TokenKind : std::uint8_t {
  kIdentifier,    // keywords too: which word is one depends on the place
  kDelimited,     // `…`
  kString,        // '…'
  kDoubleString,  // "…"
  kTripleString,  // """…"""
  kInteger,
  kDecimal,
  kMetadata,  // ///
  kPunctuation,
  kEnd
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;  // with its quotes
  std::uint32_t offset = 0;
  ast::Position at;
};

// Ends with a kEnd token. `file` is for errors.
Result<std::vector<Token>> Tokenize(std::string_view text, std::string_view file);

// The content of a quoted token, with its escapes resolved.
std::string Unquote(const Token& token);

}  // namespace fhir_adapter::fml
