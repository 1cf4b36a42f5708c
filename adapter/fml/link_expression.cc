// Variables, arguments and expressions of the linker.

#include <algorithm>

#include "fml/lexer.h"
#include "fml/linker.h"
#include "fml/literal.h"
#include "fml/suggestion.h"

namespace fhir_adapter::fml::internal {

using fhirpath::Collection;
using fhirpath::Item;
using fhirpath::ItemKind;

void Linker::Add(Severity severity, const LoadedMap& map, ast::Position at, std::string message, Code code) {
  Finding finding;
  finding.severity = severity;
  finding.code = code;
  finding.where = Location{map.path, at.line, at.column, ""};
  finding.message = std::move(message);
  // A group that is planned for several types has its faults once.
  if (std::find(findings_.begin(), findings_.end(), finding) == findings_.end()) {
    findings_.push_back(std::move(finding));
  }
}

bool Linker::Error(const Scope& scope, ast::Position at, std::string message, Code code) {
  Add(Severity::kError, *scope.map, at, std::move(message), code);
  return false;
}

void Linker::Warn(const Scope& scope, ast::Position at, std::string message) {
  Add(Severity::kWarning, *scope.map, at, std::move(message), Code::kSemantic);
}

const Linker::Variable* Linker::FindVariable(const Scope& scope, std::string_view name) const {
  for (auto it = scope.variables.rbegin(); it != scope.variables.rend(); ++it) {
    if (it->name == name) return &*it;
  }
  return nullptr;
}

std::uint32_t Linker::Declare(Scope& scope, const std::string& name, ValueType type, bool is_target) {
  const std::uint32_t slot = scope.plan->slots++;
  scope.variables.push_back(Variable{name, std::move(type), is_target, slot});
  return slot;
}

std::optional<std::uint32_t> Linker::FindGlobal(const LoadedMap& map, std::string_view name) const {
  std::optional<std::uint32_t> found;
  for (std::uint32_t i = 0; i < linked_.globals.size(); ++i) {
    if (linked_.globals[i].name != name) continue;
    if (global_maps_[i] == &map) return i;
    if (!found) found = i;
  }
  return found;
}

std::uint32_t Linker::GlobalSlot(Scope& scope, std::uint32_t global) {
  for (const plan::GlobalUse& use : scope.plan->globals) {
    if (use.global == global) return use.slot;
  }
  const std::uint32_t slot = scope.plan->slots++;
  scope.plan->globals.push_back(plan::GlobalUse{slot, global});
  return slot;
}

bool Linker::UnknownVariable(Scope& scope, std::string_view name, ast::Position at) {
  std::vector<std::string_view> names;
  for (const Variable& variable : scope.variables) names.push_back(variable.name);
  for (const plan::Global& global : linked_.globals) names.push_back(global.name);
  return Error(scope, at, "unknown variable " + std::string(name) + Suggest(name, names));
}

Item Linker::ItemOf(const ast::Literal& literal) {
  const std::string_view text = set_.arena.Copy(literal.text);
  switch (literal.kind) {
    case ast::LiteralKind::kString:
      return Item::String(text);
    case ast::LiteralKind::kInteger: {
      // Digits are kept as they are written; a number too large for an integer is a decimal.
      if (text.size() > 18) return Item::Decimal(text);
      return Item::Integer(std::stoll(std::string(text)));
    }
    case ast::LiteralKind::kDecimal:
      return Item::Decimal(text);
    case ast::LiteralKind::kBoolean:
      return Item::Boolean(text == "true");
    case ast::LiteralKind::kDate:
      return Item::Date(text);
    case ast::LiteralKind::kDateTime:
      return Item::DateTime(text);
    case ast::LiteralKind::kTime:
      return Item::Time(text);
  }
  return Item::String(text);
}

namespace {

ValueType SystemType(ItemKind kind) {
  ValueType type;
  type.path_type = fhirpath::StaticType::System(kind);
  return type;
}

}  // namespace

bool Linker::PlanArgument(const ast::Parameter& parameter, Scope& scope, const ValueType& focus,
                          plan::Argument& argument, ValueType& type, bool* is_target) {
  argument.at = parameter.at;
  if (const auto* literal = std::get_if<ast::Literal>(&parameter.value)) {
    argument.kind = plan::ArgumentKind::kConstant;
    argument.constant = ItemOf(*literal);
    type = SystemType(argument.constant.kind());
    return true;
  }
  if (const auto* name = std::get_if<ast::Name>(&parameter.value)) {
    if (const Variable* variable = FindVariable(scope, name->text)) {
      argument.kind = plan::ArgumentKind::kSlot;
      argument.slot = variable->slot;
      type = variable->type;
      if (is_target != nullptr) *is_target = variable->is_target;
      return true;
    }
    const auto global = FindGlobal(*scope.map, name->text);
    if (!global) return UnknownVariable(scope, name->text, parameter.at);
    const plan::Global& known = linked_.globals[*global];
    if (known.is_constant && known.value.size() == 1) {
      argument.kind = plan::ArgumentKind::kConstant;
      argument.constant = known.value.front();
      type = argument.constant.is_element() ? ValueType::Unknown() : SystemType(argument.constant.kind());
      return true;
    }
    argument.kind = plan::ArgumentKind::kSlot;
    argument.slot = GlobalSlot(scope, *global);
    return true;
  }
  const auto& expression = std::get<ast::Expression>(parameter.value);
  if (const auto folded = Fold(expression, scope); folded && folded->size() == 1) {
    argument.kind = plan::ArgumentKind::kConstant;
    argument.constant = folded->front();
    type = argument.constant.is_element() ? ValueType::Unknown() : SystemType(argument.constant.kind());
    return true;
  }
  argument.kind = plan::ArgumentKind::kExpression;
  argument.expression = Compile(expression, scope, focus);
  if (argument.expression == nullptr) return false;
  type.path_type = argument.expression->result_type();
  type.type =
      !type.path_type.unknown && type.path_type.types.size() == 1 ? type.path_type.types[0].fhir : nullptr;
  return true;
}

namespace {

// The oldest maps write texts in double quotes, which FHIRPath does not know.
std::string WithSingleQuotes(std::string text) {
  if (text.find('"') == std::string::npos) return text;
  const auto tokens = Tokenize(text, "");
  if (!tokens) return text;
  std::vector<std::pair<std::size_t, std::size_t>> quotes;
  for (const Token& token : *tokens) {
    if (token.kind != TokenKind::kDoubleString || token.text.find('\'') != std::string_view::npos) continue;
    quotes.emplace_back(token.offset, token.offset + token.text.size() - 1);
  }
  for (const auto& [first, last] : quotes) text[first] = text[last] = '\'';
  return text;
}

}  // namespace

const fhirpath::Expression* Linker::Compile(const ast::Expression& expression, Scope& scope,
                                            const ValueType& context) {
  const std::string text = WithSingleQuotes(expression.text);
  const Location where{scope.map->path, expression.at.line, expression.at.column, ""};
  auto parsed = fhirpath::Expression::Parse(text, where);
  const auto fail = [this, &scope, &expression](const fhir_adapter::Error& error) {
    const ast::Position at{error.where.line, error.where.column};
    Error(scope, at.line == 0 ? expression.at : at, error.message, error.code);
    return nullptr;
  };
  if (!parsed) return fail(parsed.error());
  // Constants that the text names get a slot beside the variables.
  if (const auto tokens = Tokenize(text, "")) {
    for (const Token& token : *tokens) {
      if (token.kind != TokenKind::kIdentifier && token.kind != TokenKind::kDelimited) continue;
      const std::string name = token.kind == TokenKind::kDelimited ? Unquote(token) : std::string(token.text);
      if (FindVariable(scope, name) != nullptr) continue;
      if (const auto global = FindGlobal(*scope.map, name)) GlobalSlot(scope, *global);
    }
  }
  std::vector<fhirpath::Variable> variables(scope.plan->slots);
  for (const Variable& variable : scope.variables) {
    if (FindVariable(scope, variable.name) != &variable) continue;
    variables[variable.slot] = fhirpath::Variable{variable.name, variable.type.path_type, true};
  }
  for (const plan::GlobalUse& use : scope.plan->globals) {
    const plan::Global& global = linked_.globals[use.global];
    if (FindVariable(scope, global.name) != nullptr) continue;
    fhirpath::StaticType type = fhirpath::StaticType::Any();
    if (global_maps_[use.global] == nullptr) type = fhirpath::StaticType::System(ItemKind::kString);
    variables[use.slot] = fhirpath::Variable{global.name, type, global_maps_[use.global] != nullptr};
  }
  fhirpath::Scope resolve;
  resolve.schema = set_.schema;
  resolve.context = context.path_type;
  resolve.variables = variables;
  resolve.accepts_json_names = true;
  if (auto resolved = parsed->Resolve(resolve); !resolved) return fail(resolved.error());
  const auto read = parsed->elements_read();
  linked_.elements_read.insert(read.begin(), read.end());
  set_.expressions.push_back(std::move(*parsed));
  return &set_.expressions.back();
}

bool Linker::IsClosed(const LoadedMap& map, std::string_view text) const {
  static constexpr std::string_view kWords[] = {
      "and",     "or",     "xor",     "implies",     "div",         "mod",  "in",    "contains",
      "is",      "as",     "true",    "false",       "iif",         "year", "years", "month",
      "months",  "week",   "weeks",   "day",         "days",        "hour", "hours", "minute",
      "minutes", "second", "seconds", "millisecond", "milliseconds"};
  const auto tokens = Tokenize(text, "");
  if (!tokens) return false;
  for (std::size_t i = 0; i < tokens->size(); ++i) {
    const Token& token = (*tokens)[i];
    if (token.text == "$") return false;
    if (token.kind == TokenKind::kDelimited) return false;
    if (token.kind != TokenKind::kIdentifier) continue;
    const std::string_view before = i == 0 ? std::string_view() : (*tokens)[i - 1].text;
    if (before == "." || before == "@") continue;
    if (before != "%" && std::find(std::begin(kWords), std::end(kWords), token.text) != std::end(kWords)) {
      continue;
    }
    const auto global = FindGlobal(map, token.text);
    if (!global || !linked_.globals[*global].is_constant) return false;
    if (before != "%" && global_maps_[*global] == nullptr) return false;
  }
  return true;
}

std::optional<Collection> Linker::Fold(const ast::Expression& expression, Scope& scope) {
  for (const Variable& variable : scope.variables) {
    // A variable may hide a constant of the same name.
    if (expression.text.find(variable.name) != std::string::npos && FindGlobal(*scope.map, variable.name)) {
      return std::nullopt;
    }
  }
  if (!IsClosed(*scope.map, expression.text)) return std::nullopt;
  const std::size_t findings = findings_.size();
  plan::GroupPlan scratch;
  Scope closed;
  closed.map = scope.map;
  closed.group = scope.group;
  closed.plan = &scratch;
  const fhirpath::Expression* compiled = Compile(expression, closed, ValueType::Unknown());
  if (compiled == nullptr) {
    findings_.resize(findings);  // it is reported where it is compiled for use
    return std::nullopt;
  }
  std::vector<Collection> values(scratch.slots);
  for (const plan::GlobalUse& use : scratch.globals) values[use.slot] = linked_.globals[use.global].value;
  fhirpath::EvaluationContext context;
  context.arena = &set_.arena;
  context.schema = set_.schema;
  context.variables = values;
  auto result = compiled->Evaluate(context, Collection());
  if (!result) return std::nullopt;
  return *result;
}

std::optional<std::string> Linker::ConstantText(const ast::Parameter& parameter, Scope& scope) {
  if (const auto* literal = std::get_if<ast::Literal>(&parameter.value)) return literal->text;
  ast::Expression expression;
  expression.at = parameter.at;
  if (const auto* name = std::get_if<ast::Name>(&parameter.value)) {
    if (FindVariable(scope, name->text) != nullptr) return std::nullopt;
    expression.text = name->text;
  } else {
    expression = std::get<ast::Expression>(parameter.value);
  }
  const auto folded = Fold(expression, scope);
  if (!folded || folded->size() != 1) return std::nullopt;
  const auto text = fhirpath::TextOf(folded->front(), set_.arena);
  if (!text) return std::nullopt;
  return std::string(*text);
}

}  // namespace fhir_adapter::fml::internal
