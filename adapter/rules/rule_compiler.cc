#include "rules/rule_compiler.h"

#include <algorithm>
#include <utility>

#include "rules/record_functions.h"

namespace fhir_adapter::rules::internal {
namespace {

using fhir::Node;
using fhir::NodeKind;
using fhirpath::Collection;
using fhirpath::Item;
using fhirpath::ItemKind;
using fhirpath::StaticType;

std::string_view KindName(NodeKind kind) {
  switch (kind) {
    case NodeKind::kString:
      return "a text";
    case NodeKind::kArray:
      return "an array";
    case NodeKind::kObject:
      return "an object";
    default:
      return "a value";
  }
}

StaticType One(StaticType type) {
  type.repeats = false;
  return type;
}

bool IsWhole(std::string_view number) {
  return number.find_first_of(".eE") == std::string_view::npos && number.size() <= 9;
}

}  // namespace

Failure RuleCompiler::Wrong(const Node& node, std::string message) const {
  return Fail(Code::kConfiguration, std::move(message), Location{file_, node.line, node.column, {}});
}

Result<const Node*> RuleCompiler::Member(const Node& node, std::string_view name, NodeKind kind) const {
  const Node* value = node.Find(name);
  if (value == nullptr || value->kind != kind) {
    return Wrong(value != nullptr ? *value : node,
                 std::string(name) + " must be " + std::string(KindName(kind)));
  }
  return value;
}

Result<std::string> RuleCompiler::Text(const Node& node, std::string_view name) const {
  ADAPTER_TRY(const Node* value, Member(node, name, NodeKind::kString));
  return std::string(value->text);
}

Result<void> RuleCompiler::OnlyMembers(const Node& node,
                                       std::initializer_list<std::string_view> names) const {
  if (!node.is_object()) return Wrong(node, "an object is expected");
  for (const fhir::Member& member : node.members()) {
    if (std::find(names.begin(), names.end(), member.name) != names.end()) continue;
    std::string message = std::string(member.name) + " is not known here; known:";
    for (const std::string_view name : names) message += " " + std::string(name);
    return Wrong(*member.value, std::move(message));
  }
  return {};
}

Result<Expression> RuleCompiler::Compile(const Node& text, const StaticType& context,
                                         const Variables& variables) const {
  if (!text.is_string()) return Wrong(text, "an expression must be a text");
  auto expression = Expression::Parse(text.text);
  if (!expression) return Wrong(text, expression.error().message);
  fhirpath::Scope scope;
  scope.schema = compiled_.schema;
  scope.context = context;
  scope.variables = variables;
  scope.functions = RecordFunctions();
  if (const auto resolved = expression->Resolve(scope); !resolved)
    return Wrong(text, resolved.error().message);
  return expression;
}

Result<Expression> RuleCompiler::CompileMember(const Node& node, std::string_view name,
                                               const StaticType& context, const Variables& variables) const {
  ADAPTER_TRY(const Node* text, Member(node, name, NodeKind::kString));
  return Compile(*text, context, variables);
}

Result<std::vector<Binding>> RuleCompiler::CompileBindings(const Node* list, const StaticType& context,
                                                           Variables& variables) const {
  std::vector<Binding> bindings;
  if (list == nullptr) return bindings;
  if (!list->is_array()) return Wrong(*list, "an array is expected");
  for (const Node* node : list->items()) {
    ADAPTER_CHECK(OnlyMembers(*node, {"name", "value"}));
    ADAPTER_TRY(std::string name, Text(*node, "name"));
    for (const fhirpath::Variable& variable : variables) {
      if (variable.name == name) return Wrong(*node, "%" + name + " is defined twice");
    }
    ADAPTER_TRY(Expression value, CompileMember(*node, "value", context, variables));
    variables.push_back(fhirpath::Variable{name, value.result_type(), false});
    bindings.push_back(Binding{std::move(name), std::move(value)});
  }
  return bindings;
}

Result<void> RuleCompiler::CompileSettings(const Node& settings, const std::string& file) {
  file_ = file;
  ADAPTER_CHECK(OnlyMembers(settings, {"kind", "version", "runsWhen", "variables", "fact", "targets"}));
  compiled_.record_type = compiled_.schema->FindType(record_type_);
  if (compiled_.record_type == nullptr)
    return Wrong(settings, "the schema has no type " + std::string(record_type_));
  record_context_ = StaticType::Of(*compiled_.record_type);
  ADAPTER_TRY(const Node* fact, Member(settings, "fact", NodeKind::kObject));
  ADAPTER_TRY(const std::string fact_type, Text(*fact, "type"));
  compiled_.fact.type = compiled_.schema->FindType(fact_type);
  if (compiled_.fact.type == nullptr) return Wrong(*fact, "the schema has no type " + fact_type);

  shared_.push_back({"record", record_context_, false});
  shared_.push_back({"recordKey", StaticType::System(ItemKind::kString), false});
  shared_.push_back({"patientSuffix", StaticType::System(ItemKind::kString), false});
  shared_.push_back({"others", StaticType::Of(*compiled_.fact.type, true), false});
  ADAPTER_TRY(compiled_.runs_when, CompileMember(settings, "runsWhen", record_context_, shared_));
  ADAPTER_TRY(compiled_.settings, CompileBindings(settings.Find("variables"), record_context_, shared_));
  ADAPTER_CHECK(CompileFact(*fact));
  return ReadTargets(settings);
}

Result<void> RuleCompiler::CompileFact(const Node& fact) {
  ADAPTER_CHECK(OnlyMembers(fact, {"when", "type", "rows", "members"}));
  ADAPTER_TRY(compiled_.fact.when, CompileMember(fact, "when", record_context_, shared_));
  ADAPTER_TRY(compiled_.fact.rows, CompileMember(fact, "rows", record_context_, shared_));
  ADAPTER_TRY(const Node* members, Member(fact, "members", NodeKind::kArray));
  const StaticType row = One(compiled_.fact.rows.result_type());
  for (const Node* member : members->items()) {
    ADAPTER_CHECK(OnlyMembers(*member, {"name", "value"}));
    ADAPTER_TRY(std::string name, Text(*member, "name"));
    if (compiled_.schema->FindElement(*compiled_.fact.type, name) == nullptr) {
      return Wrong(*member, std::string(compiled_.fact.type->name) + " has no element " + name);
    }
    ADAPTER_TRY(Expression value, CompileMember(*member, "value", row, shared_));
    compiled_.fact.members.push_back(Binding{std::move(name), std::move(value)});
  }
  return {};
}

Result<void> RuleCompiler::ReadTargets(const Node& settings) {
  ADAPTER_TRY(const Node* targets, Member(settings, "targets", NodeKind::kArray));
  for (const Node* node : targets->items()) {
    ADAPTER_CHECK(OnlyMembers(*node, {"name", "resource", "system", "value"}));
    TargetTemplate target;
    ADAPTER_TRY(target.name, Text(*node, "name"));
    ADAPTER_TRY(target.resource, Text(*node, "resource"));
    ADAPTER_TRY(target.system, Text(*node, "system"));
    ADAPTER_TRY(target.value, Member(*node, "value", NodeKind::kString));
    targets_.push_back(std::move(target));
  }
  return {};
}

Result<Collection> RuleCompiler::ParameterValue(const Node& value, StaticType& type) {
  Arena& arena = compiled_.arena;
  if (value.is_string()) {
    type = StaticType::System(ItemKind::kString);
    return Collection(Item::String(arena.Copy(value.text)));
  }
  if (value.is_number()) {
    const bool whole = IsWhole(value.text);
    type = StaticType::System(whole ? ItemKind::kInteger : ItemKind::kDecimal);
    if (!whole) return Collection(Item::Decimal(arena.Copy(value.text)));
    std::int64_t number = 0;
    for (const char digit : value.text) {
      if (digit != '-') number = number * 10 + (digit - '0');
    }
    return Collection(Item::Integer(value.text.front() == '-' ? -number : number));
  }
  if (!value.is_array()) return Wrong(value, "a parameter is a number, a text or an array of them");
  Collection collection;
  for (const Node* item : value.items()) {
    if (item->is_array()) return Wrong(*item, "a parameter is a number, a text or an array of them");
    ADAPTER_TRY(const Collection one, ParameterValue(*item, type));
    collection.Append(one, arena);
  }
  type.repeats = true;
  return collection;
}

Result<void> RuleCompiler::CompileParameters(const Node& rule, Rule& compiled, Variables& variables) {
  const Node* parameters = rule.Find("parameters");
  if (parameters == nullptr) return {};
  if (!parameters->is_object()) return Wrong(*parameters, "parameters must be an object");
  for (const fhir::Member& member : parameters->members()) {
    StaticType type;
    ADAPTER_TRY(Collection value, ParameterValue(*member.value, type));
    compiled.parameters.push_back(std::move(value));
    variables.push_back({std::string(member.name), type, false});
  }
  return {};
}

Result<void> RuleCompiler::CompileRule(const Node& rule, const std::string& file) {
  file_ = file;
  ADAPTER_CHECK(
      OnlyMembers(rule, {"kind", "id", "version", "title", "basis", "parameters", "needs", "checks"}));
  Rule compiled;
  ADAPTER_TRY(compiled.info.id, Text(rule, "id"));
  ADAPTER_TRY(compiled.info.version, Text(rule, "version"));
  ADAPTER_TRY(compiled.info.title, Text(rule, "title"));
  for (const Rule& other : compiled_.rules) {
    if (other.info.id == compiled.info.id)
      return Wrong(rule, "another file has the rule " + compiled.info.id);
  }
  Variables variables = shared_;
  ADAPTER_CHECK(CompileParameters(rule, compiled, variables));
  if (const Node* needs = rule.Find("needs"); needs != nullptr) {
    ADAPTER_CHECK(OnlyMembers(*needs, {"others"}));
    ADAPTER_TRY(compiled.needs_others, CompileMember(*needs, "others", record_context_, shared_));
  }
  ADAPTER_TRY(const Node* checks, Member(rule, "checks", NodeKind::kArray));
  if (checks->size == 0) return Wrong(*checks, "a rule needs a check");
  for (const Node* check : checks->items()) {
    ADAPTER_TRY(Check one, CompileCheck(*check, rule.Find("parameters"), variables));
    compiled.checks.push_back(std::move(one));
  }
  compiled_.rules.push_back(std::move(compiled));
  return {};
}

Result<Check> RuleCompiler::CompileCheck(const Node& node, const Node* parameters,
                                         Variables variables) const {
  ADAPTER_CHECK(
      OnlyMembers(node, {"for", "let", "when", "skip", "cases", "suffix", "implicated", "evidence"}));
  Check check;
  StaticType context = record_context_;
  if (node.Find("for") != nullptr) {
    ADAPTER_TRY(check.each, CompileMember(node, "for", record_context_, variables));
    context = One(check.each->result_type());
  }
  ADAPTER_TRY(check.lets, CompileBindings(node.Find("let"), context, variables));
  if (node.Find("when") != nullptr) {
    ADAPTER_TRY(check.when, CompileMember(node, "when", context, variables));
  }
  if (const Node* skips = node.Find("skip"); skips != nullptr) {
    for (const Node* skip : skips->items()) {
      ADAPTER_CHECK(OnlyMembers(*skip, {"when", "reason", "at"}));
      Skip one;
      ADAPTER_TRY(one.when, CompileMember(*skip, "when", context, variables));
      ADAPTER_TRY(one.reason, Text(*skip, "reason"));
      ADAPTER_TRY(one.at, CompileMember(*skip, "at", context, variables));
      check.skips.push_back(std::move(one));
    }
  }
  ADAPTER_TRY(const Node* cases, Member(node, "cases", NodeKind::kArray));
  if (cases->size == 0) return Wrong(*cases, "a check needs a case");
  for (const Node* item : cases->items()) {
    ADAPTER_TRY(Case one, CompileCase(*item, parameters, context, variables));
    check.cases.push_back(std::move(one));
  }
  if (node.Find("suffix") != nullptr) {
    ADAPTER_TRY(check.suffix, CompileMember(node, "suffix", context, variables));
  }
  ADAPTER_TRY(check.implicated, CompileTargets(node.Find("implicated"), context, variables));
  ADAPTER_TRY(check.evidence, CompileTargets(node.Find("evidence"), context, variables));
  return check;
}

Result<Case> RuleCompiler::CompileCase(const Node& node, const Node* parameters, const StaticType& context,
                                       const Variables& variables) const {
  ADAPTER_CHECK(OnlyMembers(node, {"when", "system", "code", "severity", "text"}));
  Case one;
  ADAPTER_TRY(one.when, CompileMember(node, "when", context, variables));
  if (node.Find("system") != nullptr) {
    ADAPTER_TRY(one.system, Text(node, "system"));
  }
  ADAPTER_TRY(one.code, Text(node, "code"));
  ADAPTER_TRY(one.severity, Text(node, "severity"));
  if (one.severity != "high" && one.severity != "moderate" && one.severity != "low") {
    return Wrong(*node.Find("severity"), "severity must be high, moderate or low");
  }
  ADAPTER_TRY(const Node* text, Member(node, "text", NodeKind::kString));
  ADAPTER_TRY(one.text, FillText(*text, parameters));
  return one;
}

// Thresholds stand in the text as {name}, so that text and condition cannot differ.
Result<std::string> RuleCompiler::FillText(const Node& text, const Node* parameters) const {
  std::string filled;
  std::string_view rest = text.text;
  while (true) {
    const std::size_t open = rest.find('{');
    filled += rest.substr(0, open);
    if (open == std::string_view::npos) return filled;
    const std::size_t close = rest.find('}', open);
    if (close == std::string_view::npos) return Wrong(text, "a { has no }");
    const std::string_view name = rest.substr(open + 1, close - open - 1);
    const Node* value = parameters != nullptr ? parameters->Find(name) : nullptr;
    if (value == nullptr || value->is_array())
      return Wrong(text, "the rule has no parameter " + std::string(name));
    filled += value->text;
    rest = rest.substr(close + 1);
  }
}

Result<std::vector<Target>> RuleCompiler::CompileTargets(const Node* list, const StaticType& context,
                                                         const Variables& variables) const {
  std::vector<Target> targets;
  if (list == nullptr) return targets;
  if (!list->is_array()) return Wrong(*list, "an array is expected");
  for (const Node* node : list->items()) {
    std::string name(node->text);
    Target target;
    StaticType item = context;
    if (!node->is_string()) {
      ADAPTER_CHECK(OnlyMembers(*node, {"target", "of"}));
      ADAPTER_TRY(name, Text(*node, "target"));
      ADAPTER_TRY(target.of, CompileMember(*node, "of", context, variables));
      item = One(target.of->result_type());
    }
    const auto found = std::find_if(targets_.begin(), targets_.end(),
                                    [&](const TargetTemplate& one) { return one.name == name; });
    if (found == targets_.end()) return Wrong(*node, "the settings have no target " + name);
    target.resource = found->resource;
    target.system = found->system;
    auto value = Compile(*found->value, item, variables);
    if (!value) return Wrong(*node, "target " + name + ": " + value.error().message);
    target.value = std::move(value).value();
    targets.push_back(std::move(target));
  }
  return targets;
}

}  // namespace fhir_adapter::rules::internal
