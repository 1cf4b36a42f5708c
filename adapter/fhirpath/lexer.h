// Lexer: reads one token at a time from a text, so that an expression inside a map can end where its grammar
// ends and the rest is never looked at.
//
// A value that views the text. Never fails: what cannot be a token comes as kInvalid with the reason.
// Comments (// and /* */) and white space are skipped. FHIRPath N1 2.0.0, section 8.
#pragma once

#include <cstddef>
#include <string_view>

#include "fhirpath/token.h"

namespace fhir_adapter::fhirpath {

class Lexer {
 public:
  Lexer(std::string_view text, std::size_t offset) : text_(text), position_(offset) {}

  Token Next();

 private:
  bool SkipBlanks(Token& token);
  Token ReadNumber();
  Token ReadTemporal();
  Token ReadQuoted(char quote, TokenKind kind);
  Token ReadDollar();
  Token ReadSymbol();
  Token Finish(TokenKind kind, std::size_t begin);
  Token Invalid(std::size_t begin, std::string reason);
  bool ReadEscape(std::string& out, std::string& reason);
  bool ReadUnicodeEscape(std::string& out, std::string& reason);
  std::size_t DigitsAt(std::size_t position) const;
  char At(std::size_t position) const { return position < text_.size() ? text_[position] : '\0'; }

  std::string_view text_;
  std::size_t position_;
};

// Appends the UTF-8 of a code point.
void AppendUtf8(std::uint32_t code_point, std::string& out);

}  // namespace fhir_adapter::fhirpath
