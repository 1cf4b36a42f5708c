#include "fml/structure_map_encoder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "fhir/primitive_format.h"
#include "fml/literal.h"

namespace fhir_adapter::fml::internal {
namespace {

using fhir::Node;

constexpr std::array<std::string_view, 13> kMetadataElements = {
    "id",           "language", "url",       "version",     "name",    "title",    "status",
    "experimental", "date",     "publisher", "description", "purpose", "copyright"};

struct Relation {
  std::string_view sign;
  std::string_view equivalence;   // R4
  std::string_view relationship;  // R5
};

// The first row with a code is what that code is read as.
constexpr std::array<Relation, 10> kRelations = {{{"-", "relatedto", "related-to"},
                                                  {"=", "equal", "equivalent"},
                                                  {"==", "equivalent", "equivalent"},
                                                  {"!=", "disjoint", "not-related-to"},
                                                  {"<=", "wider", "source-is-narrower-than-target"},
                                                  {"<-", "subsumes", "source-is-narrower-than-target"},
                                                  {"<", "subsumes", "source-is-narrower-than-target"},
                                                  {">=", "narrower", "source-is-broader-than-target"},
                                                  {">", "specializes", "source-is-broader-than-target"},
                                                  {"~", "inexact", "related-to"}}};

const Relation& RelationOf(std::string_view sign) {
  const auto found = std::ranges::find(kRelations, sign, &Relation::sign);
  return found == kRelations.end() ? kRelations.front() : *found;
}

std::string JoinPath(const std::vector<std::string>& path, std::size_t first = 0) {
  std::string out;
  for (std::size_t i = first; i < path.size(); ++i) out += (i > first ? "." : "") + path[i];
  return out;
}

std::string_view ListMode(ast::SourceListMode mode) {
  static constexpr std::array<std::string_view, 6> kNames = {"",     "first",    "not_first",
                                                             "last", "not_last", "only_one"};
  return kNames[static_cast<std::size_t>(mode)];
}

std::string_view ModeName(ast::ModelMode mode) {
  static constexpr std::array<std::string_view, 4> kNames = {"source", "queried", "target", "produced"};
  return kNames[static_cast<std::size_t>(mode)];
}

std::string_view SystemOf(const ast::InlineConceptMap& concept_map, std::string_view prefix) {
  const auto found = std::ranges::find(concept_map.prefixes, prefix, &ast::ConceptMapPrefix::name);
  return found == concept_map.prefixes.end() ? prefix : std::string_view(found->system);
}

// The text of a FHIRPath string literal; false: it is none.
bool IsTextLiteral(std::string_view expression, std::string& text) {
  if (expression.size() < 2 || expression.front() != '\'' || expression.back() != '\'') return false;
  text = expression.substr(1, expression.size() - 2);
  return PrintText(text) == expression;
}

// Where a literal of each kind stands in a parameter, and as what type; as ast::LiteralKind counts.
struct LiteralMember {
  std::string_view name;
  std::string_view type;
};
constexpr std::array<LiteralMember, 7> kLiteralMembers = {{{"valueString", "string"},
                                                           {"valueInteger", "integer"},
                                                           {"valueDecimal", "decimal"},
                                                           {"valueBoolean", "boolean"},
                                                           {"valueDate", "date"},
                                                           {"valueDateTime", "dateTime"},
                                                           {"valueTime", "time"}}};

}  // namespace

bool IsMetadataElement(std::string_view path) {
  return std::ranges::find(kMetadataElements, path) != kMetadataElements.end();
}
std::string_view EquivalenceOf(std::string_view relation) {
  return RelationOf(relation).equivalence;
}
std::string_view RelationshipOf(std::string_view relation) {
  return RelationOf(relation).relationship;
}

std::string_view LiteralProblem(ast::LiteralKind kind, const Node& value) {
  if (kind == ast::LiteralKind::kString) return value.is_string() ? "" : "not a text";
  if (value.is_object() || value.is_array() || value.is_null()) return "not a single value";
  const LiteralMember& member = kLiteralMembers[static_cast<std::size_t>(kind)];
  return fhir::PrimitiveProblem(*fhir::Schema::R4().FindType(member.type), value);
}

bool IsJsonNumber(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const std::size_t begin = at;
    while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0) ++at;
    return at - begin;
  };
  const bool leads_with_zero = at < text.size() && text[at] == '0';
  const std::size_t whole = digits();
  if (whole == 0 || (leads_with_zero && whole > 1)) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

void StructureMapEncoder::AddText(Node& node, std::string_view name, std::string_view text) {
  if (!text.empty()) node.AddMember(arena_, name, Node::String(arena_, text));
}

void StructureMapEncoder::AddExtension(Node& node, Node* extension) {
  Node* extensions = node.Find("extension");
  if (extensions == nullptr) {
    extensions = Node::Array(arena_);
    node.AddMember(arena_, "extension", extensions);
  }
  extensions->Append(arena_, extension);
}

void StructureMapEncoder::Head(const ast::Map& map, Node& node) {
  AddText(node, "url", map.url);
  AddText(node, "name", map.name);
  for (const ast::Metadata& metadata : map.metadata) {
    if (!metadata.value || !IsMetadataElement(metadata.path)) continue;
    if (metadata.path == "url" || metadata.path == "name" || metadata.value->text.empty()) continue;
    const bool is_boolean = metadata.path == "experimental";
    if (is_boolean && metadata.value->text != "true" && metadata.value->text != "false") continue;
    node.Set(arena_, arena_.Copy(metadata.path),
             is_boolean ? Node::Boolean(arena_, metadata.value->text == "true")
                        : Node::String(arena_, metadata.value->text));
  }
  // FHIR demands one.
  if (node.Find("status") == nullptr) AddText(node, "status", "draft");
}

void StructureMapEncoder::Models(const ast::Map& map, Node& node) {
  if (!map.uses.empty()) {
    Node* structures = Node::Array(arena_);
    for (const ast::Uses& uses : map.uses) {
      Node* structure = Node::Object(arena_);
      AddText(*structure, "url", uses.url);
      AddText(*structure, "mode", ModeName(uses.mode));
      AddText(*structure, "alias", uses.alias);
      structures->Append(arena_, structure);
    }
    node.AddMember(arena_, "structure", structures);
  }
  if (map.imports.empty()) return;
  Node* imports = Node::Array(arena_);
  for (const ast::Import& import : map.imports) imports->Append(arena_, Node::String(arena_, import.url));
  node.AddMember(arena_, "import", imports);
}

void StructureMapEncoder::Constants(const ast::Map& map, Node& node) {
  if (map.constants.empty()) return;
  Node* constants = Node::Array(arena_);
  for (const ast::Constant& constant : map.constants) {
    Node* item = Node::Object(arena_);
    if (!is_r4()) {
      AddText(*item, "name", constant.name);
      AddText(*item, "value", constant.value.text);
      constants->Append(arena_, item);
      continue;
    }
    // R4 has no constants; this is how HL7 writes an R5 element in R4.
    AddText(*item, "url", "http://hl7.org/fhir/5.0/StructureDefinition/extension-StructureMap.const");
    for (const auto& [name, value] : {std::pair<std::string_view, std::string_view>{"name", constant.name},
                                      {"value", constant.value.text}}) {
      Node* part = Node::Object(arena_);
      AddText(*part, "url", name);
      AddText(*part, name == "name" ? "valueId" : "valueString", value);
      AddExtension(*item, part);
    }
    AddExtension(node, item);
  }
  if (!is_r4()) node.AddMember(arena_, "const", constants);
}

void StructureMapEncoder::GroupHead(const ast::Group& group, Node& node) {
  AddText(node, "name", group.name);
  AddText(node, "extends", group.extends);
  static constexpr std::array<std::string_view, 3> kTypeModes = {"none", "types", "type-and-types"};
  if (is_r4() || group.type_mode != ast::TypeMode::kNone) {
    AddText(node, "typeMode", kTypeModes[static_cast<std::size_t>(group.type_mode)]);
  }
  Node* inputs = Node::Array(arena_);
  for (const ast::GroupParameter& parameter : group.parameters) {
    Node* input = Node::Object(arena_);
    AddText(*input, "name", parameter.name);
    AddText(*input, "type", parameter.type);
    AddText(*input, "mode", parameter.mode == ast::ParameterMode::kSource ? "source" : "target");
    inputs->Append(arena_, input);
  }
  node.AddMember(arena_, "input", inputs);
}

void StructureMapEncoder::RuleHead(const ast::Rule& rule, Node& node) {
  AddText(node, "name", rule.name);
  if (rule.name.empty() && is_r4()) {  // R4 demands one
    const ast::Source& source = rule.sources.front();
    AddText(node, "name", source.path.empty() ? source.context : source.path.back());
  }
  Node* sources = Node::Array(arena_);
  for (const ast::Source& source : rule.sources) {
    // The identity fields of the first source need a variable to be read from.
    const bool is_identity = !rule.identity_fields.empty() && &source == &rule.sources.front();
    sources->Append(arena_, Source(source, source.alias.empty() && is_identity ? "copied" : source.alias));
  }
  node.AddMember(arena_, "source", sources);
  if (!rule.targets.empty() && rule.identity_fields.empty()) {
    Node* targets = Node::Array(arena_);
    for (const ast::Target& target : rule.targets) targets->Append(arena_, Target(target));
    node.AddMember(arena_, "target", targets);
  }
  if (rule.calls.empty()) return;
  Node* calls = Node::Array(arena_);
  for (const ast::GroupCall& call : rule.calls) calls->Append(arena_, Dependent(call));
  node.AddMember(arena_, "dependent", calls);
}

std::vector<Node*> StructureMapEncoder::IdentityRules(const ast::Rule& rule) {
  std::vector<Node*> rules;
  const std::string& alias = rule.sources.front().alias;
  for (const std::string& field : rule.identity_fields) {
    ast::Rule copy;
    copy.name = field;
    ast::Source source;
    source.context = alias.empty() ? "copied" : alias;
    source.path = {field};
    copy.sources.push_back(std::move(source));
    ast::Target target = rule.targets.front();
    target.path.push_back(field);
    copy.targets.push_back(std::move(target));
    Node* node = Node::Object(arena_);
    RuleHead(copy, *node);
    rules.push_back(node);
  }
  return rules;
}

Node* StructureMapEncoder::Source(const ast::Source& source, std::string_view variable) {
  Node* node = Node::Object(arena_);
  AddText(*node, "context", source.context);
  if (source.cardinality) {
    node->AddMember(arena_, "min",
                    Node::Number(arena_, arena_.Copy(std::to_string(source.cardinality->min))));
    AddText(*node, "max",
            source.cardinality->max == ast::kManyMax ? "*" : std::to_string(source.cardinality->max));
  }
  AddText(*node, "type", source.type);
  if (source.default_value) DefaultValue(*source.default_value, *node);
  AddText(*node, "element", JoinPath(source.path));
  AddText(*node, "listMode", ListMode(source.list_mode));
  AddText(*node, "variable", variable);
  if (source.where) AddText(*node, "condition", source.where->text);
  if (source.check) AddText(*node, "check", source.check->text);
  if (source.log) AddText(*node, "logMessage", source.log->text);
  return node;
}

// R5: an expression. R4: a value, so only a literal can be said.
void StructureMapEncoder::DefaultValue(const ast::Expression& value, Node& node) {
  if (!is_r4()) return AddText(node, "defaultValue", value.text);
  std::string text;
  if (IsTextLiteral(value.text, text)) {
    node.AddMember(arena_, "defaultValueString", Node::String(arena_, text));
  } else if (value.text == "true" || value.text == "false") {
    node.AddMember(arena_, "defaultValueBoolean", Node::Boolean(arena_, value.text == "true"));
  } else if (IsJsonNumber(value.text)) {
    const bool is_decimal = value.text.find('.') != std::string::npos;
    node.AddMember(arena_, is_decimal ? "defaultValueDecimal" : "defaultValueInteger",
                   Node::Number(arena_, arena_.Copy(value.text)));
  } else {
    AddText(node, "defaultValueString", value.text);
  }
}

Node* StructureMapEncoder::Target(const ast::Target& target) {
  Node* node = Node::Object(arena_);
  AddText(*node, "context", target.context);
  if (is_r4() && !target.context.empty()) AddText(*node, "contextType", "variable");
  AddText(*node, "element", JoinPath(target.path));
  AddText(*node, "variable", target.alias);
  std::string_view mode;
  if (target.list_mode == ast::TargetListMode::kFirst) mode = "first";
  if (target.list_mode == ast::TargetListMode::kLast) mode = "last";
  if (target.list_mode == ast::TargetListMode::kSingle) mode = is_r4() ? "collate" : "single";
  if (target.list_mode == ast::TargetListMode::kShare) mode = "share";
  if (!mode.empty()) {
    Node* modes = Node::Array(arena_);
    modes->Append(arena_, Node::String(arena_, mode));
    node->AddMember(arena_, "listMode", modes);
  }
  AddText(*node, "listRuleId", target.share_id);
  if (!target.transform) return node;
  AddText(*node, "transform", target.transform->name);
  if (target.transform->parameters.empty()) return node;
  Node* parameters = Node::Array(arena_);
  for (const ast::Parameter& parameter : target.transform->parameters) {
    parameters->Append(arena_, Parameter(parameter));
  }
  node->AddMember(arena_, "parameter", parameters);
  return node;
}

Node* StructureMapEncoder::Dependent(const ast::GroupCall& call) {
  Node* node = Node::Object(arena_);
  AddText(*node, "name", call.group);
  if (call.parameters.empty()) return node;
  Node* parameters = Node::Array(arena_);
  for (const ast::Parameter& parameter : call.parameters) {
    if (!is_r4()) {
      parameters->Append(arena_, Parameter(parameter));
      continue;
    }
    std::string text;
    if (const auto* name = std::get_if<ast::Name>(&parameter.value)) text = name->text;
    if (const auto* literal = std::get_if<ast::Literal>(&parameter.value)) text = PrintLiteral(*literal);
    if (const auto* expression = std::get_if<ast::Expression>(&parameter.value)) text = expression->text;
    parameters->Append(arena_, Node::String(arena_, text));
  }
  node->AddMember(arena_, is_r4() ? "variable" : "parameter", parameters);
  return node;
}

Node* StructureMapEncoder::Parameter(const ast::Parameter& parameter) {
  Node* node = Node::Object(arena_);
  if (const auto* name = std::get_if<ast::Name>(&parameter.value)) AddText(*node, "valueId", name->text);
  if (const auto* text = std::get_if<ast::Expression>(&parameter.value))
    AddText(*node, "valueString", text->text);
  if (const auto* literal = std::get_if<ast::Literal>(&parameter.value)) LiteralValue(*literal, *node);
  return node;
}

void StructureMapEncoder::LiteralValue(const ast::Literal& literal, Node& node) {
  using Kind = ast::LiteralKind;
  const LiteralMember& member = kLiteralMembers[static_cast<std::size_t>(literal.kind)];
  Node* value = Node::String(arena_, literal.text);
  if (literal.kind == Kind::kBoolean) value = Node::Boolean(arena_, literal.text == "true");
  if (literal.kind == Kind::kInteger || literal.kind == Kind::kDecimal)
    value = Node::Number(arena_, arena_.Copy(literal.text));
  // R4 has no dates and times here.
  const bool is_known = !is_r4() || literal.kind < Kind::kDate;
  const bool is_json = !value->is_number() || IsJsonNumber(literal.text);
  const bool is_said = is_known && is_json && LiteralProblem(literal.kind, *value).empty();
  node.AddMember(arena_, is_said ? member.name : "valueString",
                 is_said ? value : Node::String(arena_, literal.text));
}

void StructureMapEncoder::Unmapped(const ast::InlineConceptMap& concept_map, std::string_view prefix,
                                   Node& group) {
  const auto found = std::ranges::find(concept_map.unmapped, prefix, &ast::ConceptMapUnmapped::source_prefix);
  if (found == concept_map.unmapped.end()) return;
  Node* unmapped = Node::Object(arena_);
  if (found->mode.empty()) {
    AddText(*unmapped, "mode", "fixed");
    AddText(*unmapped, "code", found->code);
  } else if (found->mode == "provided") {
    AddText(*unmapped, "mode", is_r4() ? "provided" : "use-source-code");
  } else {
    Node* policy = Node::Object(arena_);
    AddText(*policy, "url", "https://clinic.example/fhir/StructureDefinition/unmapped-policy");
    AddText(*policy, "valueCode", found->mode);
    AddExtension(*unmapped, policy);
  }
  group.AddMember(arena_, "unmapped", unmapped);
}

// Rows stay in order: a group ends where the systems change.
Node* StructureMapEncoder::ConceptMap(const ast::InlineConceptMap& concept_map) {
  Node* node = Node::Object(arena_);
  AddText(*node, "resourceType", "ConceptMap");
  AddText(*node, "id", concept_map.name);
  AddText(*node, "status", "draft");
  Node* groups = Node::Array(arena_);
  Node* elements = nullptr;
  const ast::ConceptMapRow* before = nullptr;
  for (const ast::ConceptMapRow& row : concept_map.rows) {
    if (before == nullptr || before->source_prefix != row.source_prefix ||
        before->target_prefix != row.target_prefix) {
      Node* group = Node::Object(arena_);
      AddText(*group, "source", SystemOf(concept_map, row.source_prefix));
      AddText(*group, "target", SystemOf(concept_map, row.target_prefix));
      elements = Node::Array(arena_);
      group->AddMember(arena_, "element", elements);
      Unmapped(concept_map, row.source_prefix, *group);
      groups->Append(arena_, group);
    }
    before = &row;
    Node* target = Node::Object(arena_);
    AddText(*target, "code", row.target_code);
    AddText(*target, is_r4() ? "equivalence" : "relationship",
            is_r4() ? EquivalenceOf(row.relation) : RelationshipOf(row.relation));
    Node* targets = Node::Array(arena_);
    targets->Append(arena_, target);
    Node* element = Node::Object(arena_);
    AddText(*element, "code", row.source_code);
    element->AddMember(arena_, "target", targets);
    elements->Append(arena_, element);
  }
  if (!groups->items().empty()) node->AddMember(arena_, "group", groups);
  return node;
}

}  // namespace fhir_adapter::fml::internal
