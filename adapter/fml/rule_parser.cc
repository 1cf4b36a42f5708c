#include "fml/rule_parser.h"

#include <charconv>
#include <optional>
#include <utility>

#include "core/limits.h"
#include "fml/literal.h"

namespace fhir_adapter::fml {
namespace {

bool IsOpening(std::string_view sign) {
  return sign == "(" || sign == "[" || sign == "{";
}
bool IsClosing(std::string_view sign) {
  return sign == ")" || sign == "]" || sign == "}";
}

std::optional<ast::SourceListMode> SourceListModeOf(std::string_view word) {
  if (word == "first") return ast::SourceListMode::kFirst;
  if (word == "not_first") return ast::SourceListMode::kNotFirst;
  if (word == "last") return ast::SourceListMode::kLast;
  if (word == "not_last") return ast::SourceListMode::kNotLast;
  if (word == "only_one") return ast::SourceListMode::kOnlyOne;
  return std::nullopt;
}

bool IsCalendarUnit(std::string_view word) {
  static constexpr std::string_view kUnits[] = {
      "year",  "month",  "week",  "day",  "hour",  "minute",  "second",  "millisecond",
      "years", "months", "weeks", "days", "hours", "minutes", "seconds", "milliseconds"};
  for (const std::string_view unit : kUnits) {
    if (word == unit) return true;
  }
  return false;
}

}  // namespace

Result<std::vector<ast::Rule>> RuleParser::Block() {
  if (++nesting_ > limits::kMapNestingMax) {
    return reader_.FaultAt(reader_.Current().at, "rules are nested deeper than kMapNestingMax");
  }
  ADAPTER_CHECK(reader_.Take("{"));
  std::vector<ast::Rule> rules;
  while (!reader_.Is("}")) {
    if (reader_.Current().kind == TokenKind::kEnd) return reader_.Expected("} or a rule");
    ADAPTER_TRY(ast::Rule rule, Rule());
    rules.push_back(std::move(rule));
  }
  reader_.Next();
  --nesting_;
  return rules;
}

Result<ast::Rule> RuleParser::Rule() {
  ast::Rule rule;
  rule.at = reader_.Current().at;
  do {
    ADAPTER_TRY(ast::Source source, Source());
    rule.sources.push_back(std::move(source));
  } while (reader_.TakeIf(","));
  if (reader_.TakeIf("->")) ADAPTER_CHECK(Targets(rule));
  if (reader_.TakeIfWord("then")) ADAPTER_CHECK(Dependents(rule));
  if (reader_.Current().kind == TokenKind::kDoubleString) {
    rule.name = Unquote(reader_.Current());
    reader_.Next();
  }
  ADAPTER_CHECK(reader_.Take(";"));
  return rule;
}

Result<std::vector<std::string>> RuleParser::Path(std::string_view what) {
  std::vector<std::string> parts;
  do {
    ADAPTER_TRY(std::string part, reader_.TakeName(what));
    // `value[x]` is how a definition names a choice; the element is `value`.
    if (reader_.Is("[") && reader_.Peek().text == "x") {
      reader_.Next();
      reader_.Next();
      ADAPTER_CHECK(reader_.Take("]"));
    }
    parts.push_back(std::move(part));
  } while (reader_.TakeIf("."));
  return parts;
}

Result<ast::Source> RuleParser::Source() {
  ast::Source source;
  source.at = reader_.Current().at;
  source.path_at = reader_.Peek().text == "." ? reader_.Peek(2).at : source.at;
  ADAPTER_TRY(std::vector<std::string> path, Path("the context of a source"));
  source.context = std::move(path.front());
  path.erase(path.begin());
  source.path = std::move(path);
  ADAPTER_CHECK(SourceClauses(source));
  return source;
}

Result<void> RuleParser::SourceClauses(ast::Source& source) {
  if (reader_.TakeIf(":")) {
    ADAPTER_TRY(source.type, reader_.TakeDottedName("a type"));
  }
  if (reader_.Current().kind == TokenKind::kInteger) ADAPTER_CHECK(Cardinality(source));
  if (reader_.TakeIfWord("default")) ADAPTER_CHECK(Default(source));
  if (reader_.Current().kind == TokenKind::kIdentifier) {
    if (const auto mode = SourceListModeOf(reader_.Current().text)) {
      source.list_mode = *mode;
      reader_.Next();
    }
  }
  if (reader_.TakeIfWord("as")) {
    source.alias_at = reader_.Current().at;
    ADAPTER_TRY(source.alias, reader_.TakeName("the name of a variable"));
  }
  if (reader_.TakeIfWord("where")) {
    ADAPTER_TRY(source.where, ExpressionUntil({"check", "log", "->", ",", ";", "then"}));
  }
  if (reader_.TakeIfWord("check")) {
    ADAPTER_TRY(source.check, ExpressionUntil({"log", "->", ",", ";", "then"}));
  }
  if (reader_.TakeIfWord("log")) {
    ADAPTER_TRY(source.log, ExpressionUntil({"->", ",", ";", "then"}));
  }
  return {};
}

Result<void> RuleParser::Cardinality(ast::Source& source) {
  ast::Cardinality cardinality;
  const auto number = [this](std::uint32_t& value) -> Result<void> {
    const std::string_view text = reader_.Current().text;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return reader_.Expected("a number");
    reader_.Next();
    return {};
  };
  ADAPTER_CHECK(number(cardinality.min));
  ADAPTER_CHECK(reader_.Take(".."));
  if (!reader_.TakeIf("*")) ADAPTER_CHECK(number(cardinality.max));
  source.cardinality = cardinality;
  return {};
}

Result<void> RuleParser::Default(ast::Source& source) {
  if (reader_.Is("(")) {
    ADAPTER_TRY(source.default_value, Parenthesised());
    return {};
  }
  const ast::Position at = reader_.Current().at;
  ADAPTER_TRY(const ast::Literal literal, TakeLiteral(reader_));
  source.default_value = ast::Expression{PrintLiteral(literal), at};
  return {};
}

ast::Expression RuleParser::Between(const Token& first, const Token& last) const {
  const std::size_t end = last.offset + last.text.size();
  return ast::Expression{std::string(text_.substr(first.offset, end - first.offset)), first.at};
}

Result<ast::Expression> RuleParser::Parenthesised() {
  const ast::Position open = reader_.Current().at;
  ADAPTER_CHECK(reader_.Take("("));
  const Token first = reader_.Current();
  Token last = first;
  std::size_t depth = 1;
  if (reader_.Is(")")) return reader_.Expected("an expression");
  while (true) {
    const Token& token = reader_.Current();
    if (token.kind == TokenKind::kEnd) return reader_.FaultAt(open, "this ( is not closed");
    if (token.kind == TokenKind::kPunctuation) {
      // An expression holds no rule: the parenthesis was forgotten, and here is where to look.
      if (token.text == ";" || token.text == "->") return reader_.FaultAt(open, "this ( is not closed");
      if (IsOpening(token.text)) ++depth;
      if (IsClosing(token.text) && --depth == 0) break;
    }
    last = token;
    reader_.Next();
  }
  ADAPTER_CHECK(reader_.Take(")"));
  return Between(first, last);
}

bool RuleParser::AtRuleName() const {
  return reader_.Current().kind == TokenKind::kDoubleString && reader_.Peek().text == ";";
}

Result<ast::Expression> RuleParser::ExpressionUntil(std::initializer_list<std::string_view> stops,
                                                    bool before_rule_name) {
  const Token first = reader_.Current();
  Token last = first;
  std::size_t depth = 0;
  std::size_t tokens = 0;
  bool wholly_inside = first.text == "(";
  bool after_dot = false;
  const auto stops_here = [&stops, &after_dot](const Token& token) {
    if (token.kind != TokenKind::kIdentifier && token.kind != TokenKind::kPunctuation) return false;
    for (const std::string_view stop : stops) {
      if (token.text == stop) return !(after_dot && token.kind == TokenKind::kIdentifier);
    }
    return false;
  };
  while (true) {
    const Token& token = reader_.Current();
    if (token.kind == TokenKind::kEnd) break;
    if (depth == 0 && ((before_rule_name && AtRuleName()) || stops_here(token))) break;
    if (depth > 0 && (token.text == ";" || token.text == "->") && token.kind == TokenKind::kPunctuation) {
      return reader_.FaultAt(first.at, "a parenthesis of this expression is not closed");
    }
    if (depth == 0 && tokens > 0) wholly_inside = false;
    if (token.kind == TokenKind::kPunctuation) {
      if (IsOpening(token.text)) ++depth;
      if (IsClosing(token.text)) {
        if (depth == 0) break;
        --depth;
      }
    }
    after_dot = token.text == ".";
    last = token;
    ++tokens;
    reader_.Next();
  }
  if (tokens == 0) return reader_.Expected("an expression");
  if (tokens == 2 && first.text == "(" && last.text == ")") {
    return reader_.FaultAt(first.at, "expected an expression in the parentheses");
  }
  ast::Expression expression = Between(first, last);
  if (wholly_inside && tokens > 2 && last.text == ")") {
    std::size_t start = 1;
    while (expression.text[start] == ' ' || expression.text[start] == '\t') ++start;
    const bool same_line = expression.text[start] != '\n' && expression.text[start] != '\r';
    if (same_line) {
      expression.at.column += static_cast<std::uint32_t>(start);
      expression.text = expression.text.substr(start, expression.text.size() - start - 1);
      while (expression.text.ends_with(' ') || expression.text.ends_with('\n') ||
             expression.text.ends_with('\r') || expression.text.ends_with('\t')) {
        expression.text.pop_back();
      }
    }
  }
  return expression;
}

bool RuleParser::AtIdentityFields() const {
  std::size_t ahead = 0;
  while (reader_.Peek(ahead).kind == TokenKind::kIdentifier ||
         reader_.Peek(ahead).kind == TokenKind::kDelimited) {
    const std::string_view next = reader_.Peek(ahead + 1).text;
    if (next == ":") return true;
    if (next != ".") return false;
    ahead += 2;
  }
  return false;
}

Result<void> RuleParser::Targets(ast::Rule& rule) {
  if (AtIdentityFields()) {
    ast::Target target;
    target.at = reader_.Current().at;
    target.path_at = target.at;
    ADAPTER_TRY(std::vector<std::string> path, Path("the context of a target"));
    target.context = std::move(path.front());
    path.erase(path.begin());
    target.path = std::move(path);
    rule.targets.push_back(std::move(target));
    ADAPTER_CHECK(reader_.Take(":"));
    do {
      ADAPTER_TRY(std::string field, reader_.TakeName("the name of an element"));
      rule.identity_fields.push_back(std::move(field));
    } while (reader_.TakeIf(","));
    return {};
  }
  do {
    ADAPTER_TRY(ast::Target target, Target());
    rule.targets.push_back(std::move(target));
  } while (reader_.TakeIf(","));
  return {};
}

Result<ast::Target> RuleParser::Target() {
  ast::Target target;
  target.at = reader_.Current().at;
  target.path_at = target.at;
  if (reader_.Is("(")) {
    ast::Transform transform{"evaluate", {}, true, target.at};
    ADAPTER_TRY(ast::Expression expression, Parenthesised());
    const ast::Position at = expression.at;
    transform.parameters.push_back(ast::Parameter{std::move(expression), at});
    target.transform = std::move(transform);
  } else if (reader_.IsName() && reader_.Peek().text == "(") {
    ADAPTER_TRY(target.transform, Call());
  } else {
    if (reader_.Peek().text == ".") target.path_at = reader_.Peek(2).at;
    ADAPTER_TRY(std::vector<std::string> path, Path("the context of a target"));
    target.context = std::move(path.front());
    path.erase(path.begin());
    target.path = std::move(path);
    if (reader_.TakeIf("=")) {
      ADAPTER_TRY(target.transform, Transform());
    }
  }
  ADAPTER_CHECK(TargetSuffix(target));
  return target;
}

Result<void> RuleParser::TargetSuffix(ast::Target& target) {
  if (reader_.TakeIfWord("as")) {
    target.alias_at = reader_.Current().at;
    ADAPTER_TRY(target.alias, reader_.TakeName("the name of a variable"));
  }
  if (reader_.TakeIfWord("first")) {
    target.list_mode = ast::TargetListMode::kFirst;
  } else if (reader_.TakeIfWord("last")) {
    target.list_mode = ast::TargetListMode::kLast;
  } else if (reader_.TakeIfWord("single") || reader_.TakeIfWord("collate")) {
    target.list_mode = ast::TargetListMode::kSingle;
  } else if (reader_.TakeIfWord("share")) {
    target.list_mode = ast::TargetListMode::kShare;
    if (reader_.Current().kind == TokenKind::kDoubleString || reader_.Current().kind == TokenKind::kString) {
      ADAPTER_TRY(target.share_id, reader_.TakeText("the id of a shared list"));
    } else {
      ADAPTER_TRY(target.share_id, reader_.TakeName("the id of a shared list"));
    }
  }
  return {};
}

Result<ast::Transform> RuleParser::Transform() {
  const ast::Position at = reader_.Current().at;
  if (reader_.Is("(")) {
    ast::Transform transform{"evaluate", {}, true, at};
    ADAPTER_TRY(ast::Expression expression, Parenthesised());
    const ast::Position expression_at = expression.at;
    transform.parameters.push_back(ast::Parameter{std::move(expression), expression_at});
    return transform;
  }
  if (AtLiteral(reader_)) {
    const Token first = reader_.Current();
    ADAPTER_TRY(ast::Literal literal, TakeLiteral(reader_));
    const Token& unit = reader_.Current();
    const bool is_number =
        literal.kind == ast::LiteralKind::kInteger || literal.kind == ast::LiteralKind::kDecimal;
    if (is_number && (unit.kind == TokenKind::kString ||
                      (unit.kind == TokenKind::kIdentifier && IsCalendarUnit(unit.text)))) {
      const ast::Expression quantity = Between(first, unit);
      reader_.Next();
      return ast::Transform{"evaluate", {ast::Parameter{quantity, at}}, true, at};
    }
    return ast::Transform{"copy", {ast::Parameter{std::move(literal), at}}, true, at};
  }
  if (!reader_.IsName()) return reader_.Expected("a literal, a variable, a transform or (an expression)");
  if (reader_.Peek().text == "(") return Call();
  if (reader_.Peek().text == ".") return DottedCopy();
  ADAPTER_TRY(std::string name, reader_.TakeName("a variable"));
  return ast::Transform{"copy", {ast::Parameter{ast::Name{std::move(name)}, at}}, true, at};
}

// `= src.name.given`: a path is an expression.
Result<ast::Transform> RuleParser::DottedCopy() {
  const Token first = reader_.Current();
  Token last = first;
  reader_.Next();
  while (reader_.Is(".")) {
    reader_.Next();
    last = reader_.Current();
    if (auto part = reader_.TakeName("the name of an element"); !part) return Fail(part.error());
    if (!reader_.Is("(")) continue;
    std::size_t depth = 0;
    do {
      if (reader_.Current().kind == TokenKind::kEnd) return reader_.Expected(")");
      if (IsOpening(reader_.Current().text)) ++depth;
      if (IsClosing(reader_.Current().text)) --depth;
      last = reader_.Current();
      reader_.Next();
    } while (depth > 0);
  }
  return ast::Transform{"evaluate", {ast::Parameter{Between(first, last), first.at}}, true, first.at};
}

Result<ast::Transform> RuleParser::Call() {
  ast::Transform transform;
  transform.at = reader_.Current().at;
  ADAPTER_TRY(transform.name, reader_.TakeName("the name of a transform"));
  ADAPTER_TRY(transform.parameters, Parameters());
  return transform;
}

Result<std::vector<ast::Parameter>> RuleParser::Parameters() {
  std::vector<ast::Parameter> parameters;
  ADAPTER_CHECK(reader_.Take("("));
  if (reader_.TakeIf(")")) return parameters;
  do {
    ADAPTER_TRY(ast::Parameter parameter, Parameter());
    parameters.push_back(std::move(parameter));
  } while (reader_.TakeIf(","));
  ADAPTER_CHECK(reader_.Take(")"));
  return parameters;
}

Result<ast::Parameter> RuleParser::Parameter() {
  ast::Parameter parameter;
  parameter.at = reader_.Current().at;
  const auto ends = [](const Token& token) {
    return token.kind == TokenKind::kPunctuation && (token.text == "," || token.text == ")");
  };
  if (AtLiteral(reader_) && !reader_.Is("@")) {
    const bool is_signed = reader_.Is("-") || reader_.Is("+");
    if (ends(reader_.Peek(is_signed ? 2 : 1))) {
      ADAPTER_TRY(parameter.value, TakeLiteral(reader_));
      return parameter;
    }
  } else if (reader_.IsName() && ends(reader_.Peek())) {
    ADAPTER_TRY(std::string name, reader_.TakeName("a variable"));
    parameter.value = ast::Name{std::move(name)};
    return parameter;
  }
  ADAPTER_TRY(parameter.value, ExpressionUntil({",", ")", ";", "->"}, false));
  return parameter;
}

Result<void> RuleParser::Dependents(ast::Rule& rule) {
  if (!reader_.Is("{")) {
    do {
      ast::GroupCall call;
      call.at = reader_.Current().at;
      ADAPTER_TRY(call.group, reader_.TakeName("a group or {"));
      ADAPTER_TRY(call.parameters, Parameters());
      rule.calls.push_back(std::move(call));
    } while (reader_.TakeIf(","));
  }
  if (reader_.Is("{")) {
    rule.has_block = true;
    ADAPTER_TRY(rule.rules, Block());
  }
  return {};
}

}  // namespace fhir_adapter::fml
