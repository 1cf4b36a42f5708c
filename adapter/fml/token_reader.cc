#include "fml/token_reader.h"

namespace fhir_adapter::fml {

Failure TokenReader::FaultAt(ast::Position at, std::string message) const {
  return Fail(Code::kSyntax, std::move(message), Location{file_, at.line, at.column, ""});
}

Failure TokenReader::Expected(std::string_view what) const {
  const Token& token = Current();
  const std::string found =
      token.kind == TokenKind::kEnd ? "the end of the file" : "\"" + std::string(token.text) + "\"";
  return FaultAt(token.at, "expected " + std::string(what) + ", found " + found);
}

Result<void> TokenReader::Take(std::string_view punctuation) {
  if (TakeIf(punctuation)) return {};
  // What is missing belongs after the token before: that is the line to look at.
  if (index_ > 0 && (punctuation == ";" || punctuation == ")") &&
      Current().at.line != tokens_[index_ - 1].at.line) {
    const Token& last = tokens_[index_ - 1];
    const ast::Position end{last.at.line, last.at.column + static_cast<std::uint32_t>(last.text.size())};
    return FaultAt(end, "expected " + std::string(punctuation) + " before the end of the line");
  }
  return Expected(punctuation);
}

Result<void> TokenReader::TakeWord(std::string_view word) {
  if (TakeIfWord(word)) return {};
  return Expected(word);
}

Result<std::string> TokenReader::TakeName(std::string_view what) {
  if (!IsName()) return Expected(what);
  std::string name =
      Current().kind == TokenKind::kDelimited ? Unquote(Current()) : std::string(Current().text);
  Next();
  return name;
}

Result<std::string> TokenReader::TakeDottedName(std::string_view what) {
  ADAPTER_TRY(std::string name, TakeName(what));
  while (Is(".")) {
    Next();
    ADAPTER_TRY(const std::string part, TakeName(what));
    name += "." + part;
  }
  return name;
}

Result<std::string> TokenReader::TakeText(std::string_view what) {
  if (Current().kind != TokenKind::kString && Current().kind != TokenKind::kDoubleString)
    return Expected(what);
  std::string text = Unquote(Current());
  Next();
  return text;
}

}  // namespace fhir_adapter::fml
