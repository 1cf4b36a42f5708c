#include "fml/structure_map_decoder.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "fml/literal.h"
#include "fml/structure_map_encoder.h"

namespace fhir_adapter::fml::internal {
namespace {

using fhir::Node;

constexpr std::string_view kConstantExtension =
    "http://hl7.org/fhir/5.0/StructureDefinition/extension-StructureMap.const";

// `value[x]` is how a definition names a choice; the element is `value`.
std::vector<std::string> SplitPath(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t dot = path.find('.');
    std::string_view part = path.substr(0, dot);
    if (part.ends_with("[x]")) part.remove_suffix(3);
    parts.emplace_back(part);
    if (dot == std::string_view::npos) break;
    path.remove_prefix(dot + 1);
  }
  return parts;
}

// The index of `name` in `names`, or their number.
template <std::size_t N>
std::size_t IndexOf(const std::array<std::string_view, N>& names, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
}

std::optional<ast::Expression> ExpressionMember(const Node& node, std::string_view name) {
  const Node* value = node.Find(name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return ast::Expression{std::string(value->text), PositionOf(*value)};
}

// A name for a code system: letters of its own, numbered.
std::string PrefixFor(const std::string& system, std::string_view letter,
                      ast::InlineConceptMap& concept_map) {
  for (const ast::ConceptMapPrefix& known : concept_map.prefixes) {
    if (known.system == system && known.name.starts_with(letter)) return known.name;
  }
  std::string name = std::string(letter) + std::to_string(concept_map.prefixes.size() + 1);
  concept_map.prefixes.push_back({name, system, {}});
  return name;
}

std::string PolicyOf(const Node& unmapped) {
  for (const Node* extension : ItemsOf(unmapped, "extension")) {
    if (TextMember(*extension, "url").ends_with("/StructureDefinition/unmapped-policy")) {
      return TextMember(*extension, "valueCode");
    }
  }
  return "";
}

}  // namespace

std::string TextMember(const Node& node, std::string_view name) {
  const Node* value = node.Find(name);
  return value != nullptr && value->is_string() ? std::string(value->text) : std::string();
}

ast::Position PositionOf(const Node& node) {
  return {node.line, node.column};
}

std::vector<const Node*> ItemsOf(const Node& node, std::string_view name) {
  const Node* list = node.Find(name);
  if (list == nullptr) return {};
  if (!list->is_array()) return {list};
  return {list->items().begin(), list->items().end()};
}

Failure StructureMapDecoder::FaultAt(const Node& node, std::string message) const {
  return Fail(Code::kSemantic, std::move(message), Location{file_, node.line, node.column, ""});
}

Result<void> StructureMapDecoder::Head(const Node& node, ast::Map& map) const {
  map.url = TextMember(node, "url");
  map.name = TextMember(node, "name");
  for (const fhir::Member& member : node.members()) {
    if (!IsMetadataElement(member.name)) continue;
    const Node& value = *member.value;
    if (!value.is_string() && value.kind != fhir::NodeKind::kBoolean) {
      return FaultAt(value, std::string(member.name) + " is not a text");
    }
    ast::Metadata metadata;
    metadata.path = member.name;
    metadata.at = PositionOf(value);
    metadata.is_markdown = value.is_string() && value.text.find('\n') != std::string_view::npos;
    metadata.value = value.is_string()
                         ? ast::Literal{ast::LiteralKind::kString, std::string(value.text)}
                         : ast::Literal{ast::LiteralKind::kBoolean, value.boolean ? "true" : "false"};
    map.metadata.push_back(std::move(metadata));
  }
  return {};
}

Result<void> StructureMapDecoder::Models(const Node& node, ast::Map& map) const {
  static constexpr std::array<std::string_view, 4> kModes = {"source", "queried", "target", "produced"};
  for (const Node* structure : ItemsOf(node, "structure")) {
    ast::Uses uses;
    uses.url = TextMember(*structure, "url");
    uses.alias = TextMember(*structure, "alias");
    uses.at = PositionOf(*structure);
    const std::size_t mode = IndexOf(kModes, TextMember(*structure, "mode"));
    if (mode == kModes.size()) {
      return FaultAt(*structure, "structure.mode is source, queried, target or produced");
    }
    uses.mode = static_cast<ast::ModelMode>(mode);
    map.uses.push_back(std::move(uses));
  }
  for (const Node* import : ItemsOf(node, "import")) {
    if (!import->is_string()) return FaultAt(*import, "import is the url of a map");
    map.imports.push_back({std::string(import->text), PositionOf(*import)});
  }
  return {};
}

Result<void> StructureMapDecoder::Constants(const Node& node, ast::Map& map) const {
  for (const Node* item : ItemsOf(node, "const")) {
    const auto value = ExpressionMember(*item, "value");
    if (!value) return FaultAt(*item, "const needs a name and a value");
    ast::Constant constant{TextMember(*item, "name"), *value, PositionOf(*item)};
    if (constant.name.empty() || constant.value.text.empty()) {
      return FaultAt(*item, "a constant needs a name and a value");
    }
    map.constants.push_back(std::move(constant));
  }
  for (const Node* extension : ItemsOf(node, "extension")) {
    if (TextMember(*extension, "url") != kConstantExtension) continue;
    ast::Constant constant;
    constant.at = PositionOf(*extension);
    for (const Node* part : ItemsOf(*extension, "extension")) {
      if (TextMember(*part, "url") == "name") constant.name = TextMember(*part, "valueId");
      if (TextMember(*part, "url") != "value") continue;
      if (const auto value = ExpressionMember(*part, "valueString")) constant.value = *value;
    }
    if (constant.name.empty() || constant.value.text.empty()) {
      return FaultAt(*extension, "a constant needs a name and a value");
    }
    map.constants.push_back(std::move(constant));
  }
  return {};
}

Result<ast::Group> StructureMapDecoder::GroupHead(const Node& node) const {
  static constexpr std::array<std::string_view, 3> kTypeModes = {"none", "types", "type-and-types"};
  ast::Group group;
  group.at = PositionOf(node);
  group.name = TextMember(node, "name");
  if (group.name.empty()) return FaultAt(node, "a group needs a name");
  group.extends = TextMember(node, "extends");
  group.extends_at = group.at;
  if (const std::string mode = TextMember(node, "typeMode"); !mode.empty()) {
    const std::size_t index = IndexOf(kTypeModes, mode);
    if (index == kTypeModes.size()) return FaultAt(node, "typeMode is none, types or type-and-types");
    group.type_mode = static_cast<ast::TypeMode>(index);
  }
  for (const Node* input : ItemsOf(node, "input")) {
    ast::GroupParameter parameter;
    const std::string mode = TextMember(*input, "mode");
    if (mode != "source" && mode != "target") return FaultAt(*input, "input.mode is source or target");
    parameter.mode = mode == "source" ? ast::ParameterMode::kSource : ast::ParameterMode::kTarget;
    parameter.name = TextMember(*input, "name");
    if (parameter.name.empty()) return FaultAt(*input, "an input needs a name");
    parameter.type = TextMember(*input, "type");
    parameter.at = PositionOf(*input);
    parameter.type_at = parameter.at;
    group.parameters.push_back(std::move(parameter));
  }
  if (group.parameters.empty()) return FaultAt(node, "a group needs an input");
  return group;
}

Result<ast::Rule> StructureMapDecoder::RuleHead(const Node& node) const {
  ast::Rule rule;
  rule.at = PositionOf(node);
  rule.name = TextMember(node, "name");
  for (const Node* item : ItemsOf(node, "source")) {
    ADAPTER_TRY(ast::Source source, Source(*item));
    rule.sources.push_back(std::move(source));
  }
  if (rule.sources.empty()) return FaultAt(node, "a rule needs a source");
  for (const Node* item : ItemsOf(node, "target")) {
    ADAPTER_TRY(ast::Target target, Target(*item));
    rule.targets.push_back(std::move(target));
  }
  for (const Node* item : ItemsOf(node, "dependent")) {
    ADAPTER_TRY(ast::GroupCall call, Dependent(*item));
    rule.calls.push_back(std::move(call));
  }
  rule.has_block = node.Find("rule") != nullptr;
  return rule;
}

Result<ast::Source> StructureMapDecoder::Source(const Node& node) const {
  static constexpr std::array<std::string_view, 6> kModes = {"",     "first",    "not_first",
                                                             "last", "not_last", "only_one"};
  ast::Source source;
  source.at = PositionOf(node);
  source.path_at = source.at;
  source.context = TextMember(node, "context");
  if (source.context.empty()) return FaultAt(node, "a source needs a context");
  source.path = SplitPath(TextMember(node, "element"));
  source.type = TextMember(node, "type");
  source.alias = TextMember(node, "variable");
  const std::size_t mode = IndexOf(kModes, TextMember(node, "listMode"));
  if (mode == kModes.size()) {
    return FaultAt(node, "source.listMode is first, not_first, last, not_last or only_one");
  }
  source.list_mode = static_cast<ast::SourceListMode>(mode);
  const Node* min = node.Find("min");
  const std::string max = TextMember(node, "max");
  if (min != nullptr || !max.empty()) {
    const auto number = [](std::string_view text, std::uint32_t& value) {
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      return error == std::errc() && end == text.data() + text.size();
    };
    ast::Cardinality cardinality;
    if (min != nullptr && !number(min->text, cardinality.min)) return FaultAt(*min, "min is not a number");
    if (!max.empty() && max != "*" && !number(max, cardinality.max)) {
      return FaultAt(node, "max is a number or *");
    }
    source.cardinality = cardinality;
  }
  source.where = ExpressionMember(node, "condition");
  source.check = ExpressionMember(node, "check");
  source.log = ExpressionMember(node, "logMessage");
  ADAPTER_CHECK(DefaultValue(node, source));
  return source;
}

Result<void> StructureMapDecoder::DefaultValue(const Node& node, ast::Source& source) const {
  source.default_value = ExpressionMember(node, "defaultValue");
  for (const fhir::Member& member : node.members()) {
    if (!member.name.starts_with("defaultValue") || member.name == "defaultValue") continue;
    const Node& value = *member.value;
    ast::Expression expression{"", PositionOf(value)};
    if (value.is_string()) expression.text = PrintText(value.text);
    if (value.is_number()) expression.text = value.text;
    if (value.kind == fhir::NodeKind::kBoolean) expression.text = value.boolean ? "true" : "false";
    if (expression.text.empty()) {
      return FaultAt(value, "a default value that is not a text, number or Boolean cannot be mapped");
    }
    source.default_value = std::move(expression);
  }
  return {};
}

Result<ast::Target> StructureMapDecoder::Target(const Node& node) const {
  static constexpr std::array<std::string_view, 5> kModes = {"", "first", "last", "single", "share"};
  ast::Target target;
  target.at = PositionOf(node);
  target.path_at = target.at;
  target.context = TextMember(node, "context");
  target.path = SplitPath(TextMember(node, "element"));
  target.alias = TextMember(node, "variable");
  target.share_id = TextMember(node, "listRuleId");
  if (TextMember(node, "contextType") == "type") {
    return FaultAt(node, "a context that is a type is not defined by the specification");
  }
  for (const Node* item : ItemsOf(node, "listMode")) {
    const std::string_view name = item->text == "collate" ? "single" : item->text;
    const std::size_t mode = IndexOf(kModes, name);
    if (mode == kModes.size() || target.list_mode != ast::TargetListMode::kNormal) {
      return FaultAt(*item, "target.listMode is one of first, last, single (collate), share");
    }
    target.list_mode = static_cast<ast::TargetListMode>(mode);
  }
  if (target.list_mode == ast::TargetListMode::kShare && target.share_id.empty()) {
    return FaultAt(node, "listMode share needs a listRuleId");
  }
  const std::string name = TextMember(node, "transform");
  if (name.empty()) {
    if (target.context.empty()) return FaultAt(node, "a target needs a context or a transform");
    return target;
  }
  ast::Transform transform;
  transform.name = name;
  transform.at = target.at;
  for (const Node* item : ItemsOf(node, "parameter")) {
    ADAPTER_TRY(ast::Parameter parameter, Parameter(*item, name == "evaluate"));
    transform.parameters.push_back(std::move(parameter));
  }
  const bool is_single = transform.parameters.size() == 1;
  const bool is_expression =
      is_single && std::holds_alternative<ast::Expression>(transform.parameters.front().value);
  transform.is_short = is_single && (name == "copy" || (name == "evaluate" && is_expression));
  target.transform = std::move(transform);
  return target;
}

Result<ast::GroupCall> StructureMapDecoder::Dependent(const Node& node) const {
  ast::GroupCall call;
  call.at = PositionOf(node);
  call.group = TextMember(node, "name");
  if (call.group.empty()) return FaultAt(node, "a dependent needs the name of a group");
  for (const Node* item : ItemsOf(node, "variable")) {
    call.parameters.push_back({ast::Name{std::string(item->text)}, PositionOf(*item)});
  }
  for (const Node* item : ItemsOf(node, "parameter")) {
    ADAPTER_TRY(ast::Parameter parameter, Parameter(*item, false));
    call.parameters.push_back(std::move(parameter));
  }
  return call;
}

Result<ast::Parameter> StructureMapDecoder::Parameter(const Node& node, bool is_expression) const {
  using Kind = ast::LiteralKind;
  static constexpr std::array<std::pair<std::string_view, Kind>, 7> kValues = {
      {{"valueString", Kind::kString},
       {"valueInteger", Kind::kInteger},
       {"valueDecimal", Kind::kDecimal},
       {"valueBoolean", Kind::kBoolean},
       {"valueDate", Kind::kDate},
       {"valueDateTime", Kind::kDateTime},
       {"valueTime", Kind::kTime}}};
  ast::Parameter parameter;
  parameter.at = PositionOf(node);
  if (const Node* id = node.Find("valueId")) {
    parameter.value = ast::Name{std::string(id->text)};
    return parameter;
  }
  for (const auto& [name, kind] : kValues) {
    const Node* value = node.Find(name);
    if (value == nullptr) continue;
    if (const std::string_view problem = LiteralProblem(kind, *value); !problem.empty())
      return FaultAt(*value, std::string(name) + " is " + std::string(problem));
    const std::string text(kind != Kind::kBoolean ? value->text : value->boolean ? "true" : "false");
    if (kind == Kind::kString && is_expression) {
      parameter.value = ast::Expression{text, PositionOf(*value)};
    } else {
      parameter.value = ast::Literal{kind, text};
    }
    return parameter;
  }
  return FaultAt(node, "a parameter is an id, text, number, Boolean, date or time");
}

Result<ast::InlineConceptMap> StructureMapDecoder::ConceptMap(const Node& node) const {
  ast::InlineConceptMap concept_map;
  concept_map.at = PositionOf(node);
  concept_map.name = TextMember(node, "id");
  if (concept_map.name.empty()) return FaultAt(node, "a contained ConceptMap needs an id");
  for (const Node* group : ItemsOf(node, "group")) ADAPTER_CHECK(ConceptGroup(*group, concept_map));
  return concept_map;
}

Result<void> StructureMapDecoder::ConceptGroup(const Node& node, ast::InlineConceptMap& concept_map) const {
  const std::string source = PrefixFor(TextMember(node, "source"), "s", concept_map);
  const std::string target = PrefixFor(TextMember(node, "target"), "t", concept_map);
  static constexpr std::array<std::string_view, 8> kSigns = {"-", "=", "==", "!=", "<=", "<-", ">=", "~"};
  for (const Node* element : ItemsOf(node, "element")) {
    for (const Node* item : ItemsOf(*element, "target")) {
      ast::ConceptMapRow row;
      row.at = PositionOf(*item);
      row.source_prefix = source;
      row.source_code = TextMember(*element, "code");
      row.target_prefix = target;
      row.target_code = TextMember(*item, "code");
      const std::string equivalence = TextMember(*item, "equivalence");
      const std::string relationship = TextMember(*item, "relationship");
      row.relation = equivalence == "unmatched" ? "!=" : "-";
      for (const std::string_view sign : kSigns) {
        if (equivalence.empty() ? RelationshipOf(sign) != relationship : EquivalenceOf(sign) != equivalence) {
          continue;
        }
        row.relation = sign;
        break;
      }
      concept_map.rows.push_back(std::move(row));
    }
  }
  const Node* unmapped = node.Find("unmapped");
  return unmapped == nullptr ? Result<void>() : Unmapped(*unmapped, source, target, concept_map);
}

Result<void> StructureMapDecoder::Unmapped(const Node& node, const std::string& source,
                                           const std::string& target,
                                           ast::InlineConceptMap& concept_map) const {
  ast::ConceptMapUnmapped unmapped;
  unmapped.at = PositionOf(node);
  unmapped.source_prefix = source;
  unmapped.mode = PolicyOf(node);
  const std::string mode = TextMember(node, "mode");
  if (unmapped.mode.empty() && (mode == "provided" || mode == "use-source-code")) unmapped.mode = "provided";
  if (unmapped.mode.empty() && mode == "fixed") {
    unmapped.target_prefix = target;
    unmapped.code = TextMember(node, "code");
  }
  if (unmapped.mode.empty() && unmapped.code.empty()) {
    return FaultAt(node, "unmapped of a contained ConceptMap is provided or fixed");
  }
  concept_map.unmapped.push_back(std::move(unmapped));
  return {};
}

}  // namespace fhir_adapter::fml::internal
