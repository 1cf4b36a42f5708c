#include "fml/lexer.h"

#include "fhirpath/lexer.h"

namespace fhir_adapter::fml {
namespace {

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

class Lexer {
 public:
  Lexer(std::string_view text, std::string_view file) : text_(text), file_(file) {}

  Result<std::vector<Token>> Run() {
    if (text_.starts_with("\xEF\xBB\xBF")) offset_ = 3;
    while (true) {
      ADAPTER_CHECK(SkipBlanks());
      if (offset_ >= text_.size()) break;
      ADAPTER_CHECK(Next());
    }
    tokens_.push_back(Token{TokenKind::kEnd, {}, static_cast<std::uint32_t>(offset_), Here()});
    return std::move(tokens_);
  }

 private:
  char At(std::size_t ahead = 0) const {
    return offset_ + ahead < text_.size() ? text_[offset_ + ahead] : '\0';
  }
  bool StartsWith(std::string_view prefix) const { return text_.substr(offset_).starts_with(prefix); }
  ast::Position Here() const { return {line_, static_cast<std::uint32_t>(offset_ - line_start_ + 1)}; }
  void Advance(std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i, ++offset_) {
      if (text_[offset_] != '\n') continue;
      ++line_;
      line_start_ = offset_ + 1;
    }
  }
  Failure Fault(ast::Position at, std::string message) const {
    return Fail(Code::kSyntax, std::move(message), Location{std::string(file_), at.line, at.column, ""});
  }

  // Only a map's head has metadata: later `///` begins a comment like `//`.
  bool AtMetadata() const { return in_head_ && StartsWith("///") && At(3) != '/'; }

  Result<void> SkipBlanks() {
    while (offset_ < text_.size()) {
      const char c = At();
      if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        Advance(1);
      } else if (StartsWith("\xC2\xA0")) {  // no-break space
        Advance(2);
      } else if (StartsWith("/*")) {
        const ast::Position start = Here();
        const std::size_t end = text_.find("*/", offset_ + 2);
        if (end == std::string_view::npos) return Fault(start, "a comment is not closed: expected */");
        Advance(end + 2 - offset_);
      } else if (StartsWith("//") && !AtMetadata()) {
        const std::size_t end = text_.find('\n', offset_);
        Advance((end == std::string_view::npos ? text_.size() : end) - offset_);
      } else {
        break;
      }
    }
    return {};
  }

  void Push(TokenKind kind, std::size_t bytes) {
    tokens_.push_back(Token{kind, text_.substr(offset_, bytes), static_cast<std::uint32_t>(offset_), Here()});
    Advance(bytes);
  }

  Result<void> PushQuoted(TokenKind kind, char quote, std::string_view name) {
    std::size_t end = offset_ + 1;
    while (end < text_.size() && text_[end] != quote && text_[end] != '\n') end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size() || text_[end] == '\n')
      return Fault(Here(), std::string(name) + " is not closed on its line");
    Push(kind, end + 1 - offset_);
    return {};
  }

  Result<void> PushTriple() {
    const std::size_t end = text_.find("\"\"\"", offset_ + 3);
    if (end == std::string_view::npos) return Fault(Here(), "a \"\"\" text is not closed");
    Push(TokenKind::kTripleString, end + 3 - offset_);
    return {};
  }

  void PushNumber() {
    std::size_t bytes = 0;
    while (IsDigit(At(bytes))) ++bytes;
    if (At(bytes) == '.' && IsDigit(At(bytes + 1))) {
      ++bytes;
      while (IsDigit(At(bytes))) ++bytes;
      Push(TokenKind::kDecimal, bytes);
    } else {
      Push(TokenKind::kInteger, bytes);
    }
  }

  Result<void> PushPunctuation() {
    static constexpr std::string_view kLong[] = {"->", "..", "<<", ">>", "<=", ">=", "==", "!=", "!~"};
    for (const std::string_view sign : kLong) {
      if (StartsWith(sign)) {
        Push(TokenKind::kPunctuation, sign.size());
        return {};
      }
    }
    static constexpr std::string_view kShort = "(){}[].,;:=<>+-*/&|~!%$@^";
    if (kShort.find(At()) == std::string_view::npos) {
      return Fault(Here(), "a character that has no meaning here");
    }
    Push(TokenKind::kPunctuation, 1);
    return {};
  }

  Result<void> Next() {
    const char c = At();
    if (AtMetadata()) {
      Push(TokenKind::kMetadata, 3);
      return {};
    }
    if (IsLetter(c)) {
      std::size_t bytes = 1;
      while (IsLetter(At(bytes)) || IsDigit(At(bytes))) ++bytes;
      LeaveHeadAt(text_.substr(offset_, bytes));
      Push(TokenKind::kIdentifier, bytes);
      return {};
    }
    if (IsDigit(c)) {
      PushNumber();
      return {};
    }
    if (StartsWith("\"\"\"")) return PushTriple();
    if (c == '"') return PushQuoted(TokenKind::kDoubleString, '"', "a text in double quotes");
    if (c == '\'') return PushQuoted(TokenKind::kString, '\'', "a text in single quotes");
    if (c == '`') return PushQuoted(TokenKind::kDelimited, '`', "a name in backticks");
    return PushPunctuation();
  }

  void LeaveHeadAt(std::string_view word) {
    if (!in_head_) return;
    const bool starts_line = tokens_.empty() || tokens_.back().at.line != line_ || tokens_.back().text == ";";
    const bool is_section = word == "group" || word == "uses" || word == "imports" || word == "let" ||
                            word == "conceptmap" || word == "map";
    if (starts_line && is_section) in_head_ = false;
  }

  std::string_view text_;
  std::string_view file_;
  std::size_t offset_ = 0;
  std::size_t line_start_ = 0;
  std::uint32_t line_ = 1;
  bool in_head_ = true;
  std::vector<Token> tokens_;
};

std::uint32_t ReadHex4(std::string_view text, std::size_t offset) {
  std::uint32_t value = 0;
  for (std::size_t i = offset; i < offset + 4 && i < text.size(); ++i) {
    const char c = text[i];
    const std::uint32_t digit = IsDigit(c)               ? static_cast<std::uint32_t>(c - '0')
                                : (c >= 'a' && c <= 'f') ? static_cast<std::uint32_t>(c - 'a' + 10)
                                : (c >= 'A' && c <= 'F') ? static_cast<std::uint32_t>(c - 'A' + 10)
                                                         : 0;
    value = value * 16 + digit;
  }
  return value;
}

}  // namespace

Result<std::vector<Token>> Tokenize(std::string_view text, std::string_view file) {
  return Lexer(text, file).Run();
}

std::string Unquote(const Token& token) {
  if (token.kind == TokenKind::kTripleString) return std::string(token.text.substr(3, token.text.size() - 6));
  if (token.text.size() < 2) return std::string(token.text);
  const std::string_view body = token.text.substr(1, token.text.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (body[i] != '\\' || i + 1 >= body.size()) {
      out += body[i];
      continue;
    }
    const char c = body[++i];
    switch (c) {
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case 'f':
        out += '\f';
        break;
      case 'u': {
        std::uint32_t code = ReadHex4(body, i + 1);
        i += 4;
        if (code >= 0xD800 && code < 0xDC00 && body.substr(i + 1).starts_with("\\u")) {
          code = 0x10000 + ((code - 0xD800) << 10) + (ReadHex4(body, i + 3) - 0xDC00);
          i += 6;
        }
        fhirpath::AppendUtf8(code, out);
        break;
      }
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace fhir_adapter::fml
