#include "fml/literal.h"

namespace fhir_adapter::fml {
namespace {

bool IsNumber(const Token& token) {
  return token.kind == TokenKind::kInteger || token.kind == TokenKind::kDecimal;
}

// The text of a date or time, from the token after @: the tokens that follow each other without a gap.
Result<ast::Literal> TakeDate(TokenReader& reader) {
  const ast::Position at = reader.Current().at;
  reader.Next();
  std::string text;
  std::uint32_t end = reader.Current().offset;
  const auto belongs = [](const Token& token) {
    if (IsNumber(token) || token.kind == TokenKind::kIdentifier) return true;
    return token.kind == TokenKind::kPunctuation &&
           (token.text == "-" || token.text == ":" || token.text == "+");
  };
  while (reader.Current().offset == end && belongs(reader.Current())) {
    text += reader.Current().text;
    end = reader.Current().offset + static_cast<std::uint32_t>(reader.Current().text.size());
    reader.Next();
  }
  if (text.empty()) return reader.FaultAt(at, "expected a date or time after @");
  if (text.front() == 'T') return ast::Literal{ast::LiteralKind::kTime, text.substr(1)};
  const std::size_t time = text.find('T');
  if (time == std::string::npos) return ast::Literal{ast::LiteralKind::kDate, std::move(text)};
  if (time + 1 == text.size()) text.pop_back();  // @2020T is a dateTime without time
  return ast::Literal{ast::LiteralKind::kDateTime, std::move(text)};
}

}  // namespace

bool AtLiteral(const TokenReader& reader) {
  const Token& token = reader.Current();
  switch (token.kind) {
    case TokenKind::kString:
    case TokenKind::kDoubleString:
    case TokenKind::kInteger:
    case TokenKind::kDecimal:
      return true;
    case TokenKind::kIdentifier:
      return token.text == "true" || token.text == "false";
    case TokenKind::kPunctuation:
      return token.text == "@" || ((token.text == "-" || token.text == "+") && IsNumber(reader.Peek()));
    default:
      return false;
  }
}

Result<ast::Literal> TakeLiteral(TokenReader& reader) {
  if (reader.Is("@")) return TakeDate(reader);
  std::string sign;
  if (reader.Is("-")) sign = "-";
  if (reader.Is("-") || reader.Is("+")) reader.Next();
  const Token token = reader.Current();
  switch (token.kind) {
    case TokenKind::kString:
    case TokenKind::kDoubleString:
      reader.Next();
      return ast::Literal{ast::LiteralKind::kString, Unquote(token)};
    case TokenKind::kInteger:
      reader.Next();
      return ast::Literal{ast::LiteralKind::kInteger, sign + std::string(token.text)};
    case TokenKind::kDecimal:
      reader.Next();
      return ast::Literal{ast::LiteralKind::kDecimal, sign + std::string(token.text)};
    case TokenKind::kIdentifier:
      if (token.text == "true" || token.text == "false") {
        reader.Next();
        return ast::Literal{ast::LiteralKind::kBoolean, std::string(token.text)};
      }
      break;
    default:
      break;
  }
  return reader.Expected("a literal");
}

std::string PrintText(std::string_view text, char quote) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 15];
    } else {
      out += c;
    }
  }
  return out + quote;
}

std::string PrintLiteral(const ast::Literal& literal) {
  switch (literal.kind) {
    case ast::LiteralKind::kString:
      return PrintText(literal.text);
    case ast::LiteralKind::kDate:
      return "@" + literal.text;
    case ast::LiteralKind::kDateTime:
      return "@" + literal.text + (literal.text.find('T') == std::string::npos ? "T" : "");
    case ast::LiteralKind::kTime:
      return "@T" + literal.text;
    default:
      return literal.text;
  }
}

}  // namespace fhir_adapter::fml
