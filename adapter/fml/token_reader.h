// The parsers' view of the tokens: what stands here, take it, or say what was expected.
//
// Internal to adapter/fml. Views the text of the map.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "fml/lexer.h"

namespace fhir_adapter::fml {

class TokenReader {
 public:
  TokenReader(std::vector<Token> tokens, std::string_view file) : tokens_(std::move(tokens)), file_(file) {}

  const Token& Current() const { return tokens_[index_]; }
  const Token& Peek(std::size_t ahead = 1) const {
    return tokens_[index_ + ahead < tokens_.size() ? index_ + ahead : tokens_.size() - 1];
  }
  void Next() {
    if (index_ + 1 < tokens_.size()) ++index_;
  }

  bool Is(std::string_view punctuation) const {
    return Current().kind == TokenKind::kPunctuation && Current().text == punctuation;
  }
  bool IsWord(std::string_view word) const {
    return Current().kind == TokenKind::kIdentifier && Current().text == word;
  }
  bool IsName() const {
    return Current().kind == TokenKind::kIdentifier || Current().kind == TokenKind::kDelimited;
  }
  bool TakeIf(std::string_view punctuation) {
    if (!Is(punctuation)) return false;
    Next();
    return true;
  }
  bool TakeIfWord(std::string_view word) {
    if (!IsWord(word)) return false;
    Next();
    return true;
  }

  Result<void> Take(std::string_view punctuation);
  Result<void> TakeWord(std::string_view word);
  Result<std::string> TakeName(std::string_view what);        // identifier or `…`
  Result<std::string> TakeDottedName(std::string_view what);  // a.b.c
  Result<std::string> TakeText(std::string_view what);        // '…' or "…"
  Failure Expected(std::string_view what) const;
  Failure FaultAt(ast::Position at, std::string message) const;

 private:
  std::vector<Token> tokens_;
  std::string file_;
  std::size_t index_ = 0;
};

}  // namespace fhir_adapter::fml
