#include "fhirpath/lexer.h"

#include <array>
#include <optional>
#include <utility>

namespace fhir_adapter::fhirpath {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsNameStart(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}
bool IsName(char c) {
  return IsNameStart(c) || IsDigit(c);
}

std::optional<std::uint32_t> HexValue(char c) {
  if (IsDigit(c)) return static_cast<std::uint32_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint32_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<std::uint32_t>(c - 'A' + 10);
  return std::nullopt;
}

}  // namespace

void AppendUtf8(std::uint32_t code_point, std::string& out) {
  const auto byte = [&out](std::uint32_t value) { out.push_back(static_cast<char>(value)); };
  if (code_point < 0x80) {
    byte(code_point);
  } else if (code_point < 0x800) {
    byte(0xC0 | (code_point >> 6));
    byte(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    byte(0xE0 | (code_point >> 12));
    byte(0x80 | ((code_point >> 6) & 0x3F));
    byte(0x80 | (code_point & 0x3F));
  } else {
    byte(0xF0 | (code_point >> 18));
    byte(0x80 | ((code_point >> 12) & 0x3F));
    byte(0x80 | ((code_point >> 6) & 0x3F));
    byte(0x80 | (code_point & 0x3F));
  }
}

Token Lexer::Finish(TokenKind kind, std::size_t begin) {
  Token token;
  token.kind = kind;
  token.begin = static_cast<std::uint32_t>(begin);
  token.end = static_cast<std::uint32_t>(position_);
  token.source = text_.substr(begin, position_ - begin);
  return token;
}

Token Lexer::Invalid(std::size_t begin, std::string reason) {
  if (position_ == begin && position_ < text_.size()) ++position_;
  Token token = Finish(TokenKind::kInvalid, begin);
  token.text = std::move(reason);
  return token;
}

// False with an invalid token when a comment does not end.
bool Lexer::SkipBlanks(Token& token) {
  while (position_ < text_.size()) {
    const char c = text_[position_];
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      ++position_;
    } else if (c == '/' && At(position_ + 1) == '/') {
      while (position_ < text_.size() && text_[position_] != '\n' && text_[position_] != '\r') ++position_;
    } else if (c == '/' && At(position_ + 1) == '*') {
      const std::size_t begin = position_;
      const std::size_t close = text_.find("*/", position_ + 2);
      if (close == std::string_view::npos) {
        position_ = text_.size();
        token = Invalid(begin, "the comment is not closed");
        return false;
      }
      position_ = close + 2;
    } else {
      break;
    }
  }
  return true;
}

Token Lexer::Next() {
  Token unfinished;
  if (!SkipBlanks(unfinished)) return unfinished;
  const std::size_t begin = position_;
  if (position_ >= text_.size()) return Finish(TokenKind::kEnd, begin);
  const char c = text_[position_];
  if (IsNameStart(c)) {
    while (IsName(At(position_))) ++position_;
    Token token = Finish(TokenKind::kIdentifier, begin);
    token.text = token.source;
    return token;
  }
  if (IsDigit(c)) return ReadNumber();
  switch (c) {
    case '\'':
      return ReadQuoted('\'', TokenKind::kString);
    case '`':
      return ReadQuoted('`', TokenKind::kDelimited);
    case '"':
      return ReadQuoted('"', TokenKind::kString);
    case '@':
      return ReadTemporal();
    case '$':
      return ReadDollar();
    default:
      return ReadSymbol();
  }
}

std::size_t Lexer::DigitsAt(std::size_t position) const {
  std::size_t count = 0;
  while (IsDigit(At(position + count))) ++count;
  return count;
}

Token Lexer::ReadNumber() {
  const std::size_t begin = position_;
  position_ += DigitsAt(position_);
  if (At(position_) == '.' && IsDigit(At(position_ + 1))) {
    ++position_;
    position_ += DigitsAt(position_);
    return Finish(TokenKind::kDecimal, begin);
  }
  Token token;
  if (At(position_) == 'L' && !IsName(At(position_ + 1))) {
    token = Finish(TokenKind::kLong, begin);
    ++position_;
    token.end = static_cast<std::uint32_t>(position_);
    return token;
  }
  return Finish(TokenKind::kInteger, begin);
}

// @YYYY[-MM[-DD]][T[hh[:mm[:ss[.f+]]]][Z|±hh:mm]] or @Thh[:mm[:ss[.f+]]]. `source` is without the @ (and T).
Token Lexer::ReadTemporal() {
  const std::size_t begin = position_;
  ++position_;
  const auto read_time = [this] {
    if (DigitsAt(position_) != 2) return false;
    position_ += 2;
    for (int part = 0; part < 2; ++part) {
      if (At(position_) != ':') return true;
      if (DigitsAt(position_ + 1) != 2) return false;
      position_ += 3;
    }
    if (At(position_) == '.' && IsDigit(At(position_ + 1))) position_ += 1 + DigitsAt(position_ + 1);
    return true;
  };
  const auto finish = [&](TokenKind kind, std::size_t skipped) {
    Token token = Finish(kind, begin);
    token.source.remove_prefix(skipped);
    return token;
  };
  if (At(position_) == 'T') {
    ++position_;
    if (!read_time()) return Invalid(begin, "a time is written @Thh:mm:ss");
    return finish(TokenKind::kTime, 2);
  }
  if (DigitsAt(position_) != 4) return Invalid(begin, "a date is written @YYYY-MM-DD");
  position_ += 4;
  for (int part = 0; part < 2 && At(position_) == '-' && DigitsAt(position_ + 1) == 2; ++part) position_ += 3;
  if (At(position_) != 'T') return finish(TokenKind::kDate, 1);
  ++position_;
  if (!IsDigit(At(position_))) {  // "@2015T": a dateTime of that precision
    Token token = finish(TokenKind::kDateTime, 1);
    token.source.remove_suffix(1);
    return token;
  }
  if (!read_time()) return Invalid(begin, "a time is written Thh:mm:ss");
  if (At(position_) == 'Z') {
    ++position_;
  } else if ((At(position_) == '+' || At(position_) == '-') && DigitsAt(position_ + 1) == 2 &&
             At(position_ + 3) == ':' && DigitsAt(position_ + 4) == 2) {
    position_ += 6;
  }
  return finish(TokenKind::kDateTime, 1);
}

bool Lexer::ReadUnicodeEscape(std::string& out, std::string& reason) {
  const auto read_unit = [this](std::uint32_t& unit) {
    unit = 0;
    for (int i = 0; i < 4; ++i) {
      const auto digit = HexValue(At(position_));
      if (!digit) return false;
      unit = unit * 16 + *digit;
      ++position_;
    }
    return true;
  };
  std::uint32_t unit = 0;
  if (!read_unit(unit)) {
    reason = "\\u needs four hexadecimal digits";
    return false;
  }
  if (unit >= 0xD800 && unit < 0xDC00 && At(position_) == '\\' && At(position_ + 1) == 'u') {
    position_ += 2;
    std::uint32_t low = 0;
    if (!read_unit(low) || low < 0xDC00 || low > 0xDFFF) {
      reason = "a high surrogate must be followed by a low one";
      return false;
    }
    unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
  }
  if (unit >= 0xD800 && unit <= 0xDFFF) {
    reason = "a lone surrogate is not a character";
    return false;
  }
  AppendUtf8(unit, out);
  return true;
}

bool Lexer::ReadEscape(std::string& out, std::string& reason) {
  const char escape = At(position_);
  ++position_;
  static constexpr std::array<std::pair<char, char>, 9> kEscapes = {{{'\'', '\''},
                                                                     {'"', '"'},
                                                                     {'`', '`'},
                                                                     {'r', '\r'},
                                                                     {'n', '\n'},
                                                                     {'t', '\t'},
                                                                     {'f', '\f'},
                                                                     {'\\', '\\'},
                                                                     {'/', '/'}}};
  for (const auto& [name, character] : kEscapes) {
    if (name == escape) {
      out.push_back(character);
      return true;
    }
  }
  if (escape == 'u') return ReadUnicodeEscape(out, reason);
  reason = "unknown escape in a string; known are \\' \\\" \\` \\r \\n \\t \\f \\\\ \\/ \\uXXXX";
  return false;
}

Token Lexer::ReadQuoted(char quote, TokenKind kind) {
  const std::size_t begin = position_;
  ++position_;
  std::string text;
  while (true) {
    if (position_ >= text_.size()) {
      return Invalid(begin,
                     quote == '`' ? "the delimited identifier is not closed" : "the string is not closed");
    }
    const char c = text_[position_++];
    if (c == quote) break;
    if (c != '\\') {
      text.push_back(c);
      continue;
    }
    std::string reason;
    if (!ReadEscape(text, reason)) {
      if (position_ > text_.size()) position_ = text_.size();
      return Invalid(begin, std::move(reason));
    }
  }
  Token token = Finish(kind, begin);
  token.text = std::move(text);
  return token;
}

Token Lexer::ReadDollar() {
  const std::size_t begin = position_;
  ++position_;
  while (IsName(At(position_))) ++position_;
  const std::string_view name = text_.substr(begin, position_ - begin);
  if (name == "$this") return Finish(TokenKind::kThis, begin);
  if (name == "$index") return Finish(TokenKind::kIndex, begin);
  if (name == "$total") return Finish(TokenKind::kTotal, begin);
  return Invalid(begin, "after $ only this, index and total are known");
}

Token Lexer::ReadSymbol() {
  const std::size_t begin = position_;
  const char c = text_[position_];
  const char next = At(position_ + 1);
  const bool two = (c == '!' && (next == '=' || next == '~')) || (c == '<' && next == '=') ||
                   (c == '>' && next == '=') || (c == '-' && next == '>');
  static constexpr std::string_view kSingle = ".[](){},+-*/&|=~<>%";
  if (!two && kSingle.find(c) == std::string_view::npos) {
    return Invalid(begin, "a character that has no meaning in an expression");
  }
  position_ += two ? 2 : 1;
  return Finish(TokenKind::kSymbol, begin);
}

}  // namespace fhir_adapter::fhirpath
