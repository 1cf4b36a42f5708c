#include "record/record_model.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <re2/re2.h>
#include <utility>

namespace fhir_adapter::record {
namespace {

constexpr std::string_view kRegexExtension = "http://hl7.org/fhir/StructureDefinition/regex";
// The extensions of ours are known by the end of their url, because its beginning is the site's canonical
// base.
constexpr std::string_view kIssueCodeExtension = "/StructureDefinition/record-issue-code";
constexpr std::string_view kIssueMemberExtension = "/StructureDefinition/record-issue-member";
constexpr std::string_view kRowKeyExtension = "/StructureDefinition/record-row-key";
constexpr std::string_view kRowReferenceExtension = "/StructureDefinition/record-row-reference";

constexpr std::pair<std::string_view, ValueType> kTypes[] = {{"BackboneElement", ValueType::kObject},
                                                             {"Element", ValueType::kObject},
                                                             {"boolean", ValueType::kBoolean},
                                                             {"integer", ValueType::kInteger},
                                                             {"decimal", ValueType::kDecimal},
                                                             {"string", ValueType::kString},
                                                             {"code", ValueType::kCode},
                                                             {"date", ValueType::kDate},
                                                             {"dateTime", ValueType::kDateTime},
                                                             {"instant", ValueType::kInstant}};

using ValueSets = std::map<std::string, std::vector<std::string>, std::less<>>;

Failure Wrong(const fhir::Node& node, std::string message) {
  return Fail(Code::kConfiguration, std::move(message), Location{{}, node.line, node.column, {}});
}

std::span<fhir::Node*> ItemsOf(const fhir::Node& node, std::string_view member) {
  const fhir::Node* value = node.Find(member);
  return value != nullptr ? value->items() : std::span<fhir::Node*>();
}

std::optional<std::int64_t> IntegerOf(const fhir::Node& node, std::string_view member) {
  const fhir::Node* value = node.Find(member);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  std::int64_t number = 0;
  const std::string_view digits = value->text;
  const auto [rest, failure] = std::from_chars(digits.begin(), digits.end(), number);
  if (failure != std::errc() || rest != digits.end()) return std::nullopt;
  return number;
}

// The extension whose url is, or ends with, `url`.
const fhir::Node* FindExtension(const fhir::Node& node, std::string_view url) {
  for (const fhir::Node* extension : ItemsOf(node, "extension")) {
    if (MemberText(*extension, "url").ends_with(url)) return extension;
  }
  return nullptr;
}

std::optional<Code> QuarantineCode(std::string_view name) {
  static const std::map<std::string_view, Code> codes = [] {
    std::map<std::string_view, Code> all;
#define ADAPTER_CODE(enumerator, ...)                                      \
  if (Describe(Code::enumerator).disposition == Disposition::kQuarantined) \
    all.emplace(Name(Code::enumerator), Code::enumerator);
#include "core/error_codes.def"
#undef ADAPTER_CODE
    return all;
  }();
  const auto found = codes.find(name);
  return found == codes.end() ? std::nullopt : std::optional(found->second);
}

// The codes of a value set: those listed under compose.include.concept, or its expansion.
std::vector<std::string> CodesOf(const fhir::Node& value_set) {
  std::vector<std::string> codes;
  if (const fhir::Node* compose = value_set.Find("compose"); compose != nullptr) {
    for (const fhir::Node* include : ItemsOf(*compose, "include")) {
      for (const fhir::Node* concept_ : ItemsOf(*include, "concept"))
        codes.emplace_back(MemberText(*concept_, "code"));
    }
  }
  if (const fhir::Node* expansion = value_set.Find("expansion"); expansion != nullptr) {
    for (const fhir::Node* contains : ItemsOf(*expansion, "contains"))
      codes.emplace_back(MemberText(*contains, "code"));
  }
  std::sort(codes.begin(), codes.end());
  codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
  return codes;
}

Result<std::vector<Constraint>> ReadConstraints(const fhir::Node& definition) {
  std::vector<Constraint> constraints;
  for (const fhir::Node* node : ItemsOf(definition, "constraint")) {
    Constraint constraint;
    constraint.key = MemberText(*node, "key");
    constraint.human = MemberText(*node, "human");
    constraint.expression = MemberText(*node, "expression");
    if (constraint.expression.empty())
      return Wrong(*node, "constraint " + constraint.key + " has no expression");
    const fhir::Node* code = FindExtension(*node, kIssueCodeExtension);
    const std::string_view name = code != nullptr ? MemberText(*code, "valueCode") : std::string_view();
    const std::optional<Code> known = QuarantineCode(name);
    if (!known) {
      return Wrong(*node, "constraint " + constraint.key +
                              " needs the extension record-issue-code with a code that quarantines");
    }
    constraint.code = *known;
    if (const fhir::Node* member = FindExtension(*node, kIssueMemberExtension); member != nullptr) {
      constraint.member = MemberText(*member, "valueString");
    }
    constraints.push_back(std::move(constraint));
  }
  return constraints;
}

Result<void> ReadType(const fhir::Node& definition, ModelElement& element) {
  const auto types = ItemsOf(definition, "type");
  if (types.size() != 1) return Wrong(definition, element.path + " needs exactly one type");
  const std::string_view code = MemberText(*types[0], "code");
  for (const auto& [name, type] : kTypes) {
    if (name != code) continue;
    element.type = type;
    return {};
  }
  return Wrong(*types[0],
               element.path + ": type " + std::string(code) + " is not supported in a record model");
}

Result<void> ReadBinding(const fhir::Node& definition, const ValueSets& value_sets, ModelElement& element) {
  const fhir::Node* binding = definition.Find("binding");
  if (binding == nullptr || MemberText(*binding, "strength") != "required") return {};
  std::string_view url = MemberText(*binding, "valueSet");
  url = url.substr(0, url.find('|'));
  const auto found = value_sets.find(url);
  if (found == value_sets.end()) {
    return Wrong(*binding, element.path + ": value set " + std::string(url) + " is not there");
  }
  element.closed_list = found->second;
  return {};
}

Result<ModelElement> ReadElement(const fhir::Node& definition, const ValueSets& value_sets) {
  ModelElement element;
  element.path = MemberText(definition, "path");
  element.name = element.path.substr(element.path.rfind('.') + 1);
  element.is_required = IntegerOf(definition, "min").value_or(0) > 0;
  const std::string_view max = MemberText(definition, "max");
  if (max != "1" && max != "*") return Wrong(definition, element.path + ": max must be 1 or *");
  element.is_list = max == "*";
  ADAPTER_CHECK(ReadType(definition, element));
  ADAPTER_CHECK(ReadBinding(definition, value_sets, element));
  element.least = IntegerOf(definition, "minValueInteger");
  element.most = IntegerOf(definition, "maxValueInteger");
  element.length_max = static_cast<std::size_t>(IntegerOf(definition, "maxLength").value_or(0));
  if (const fhir::Node* regex = FindExtension(definition, kRegexExtension); regex != nullptr) {
    auto pattern = Pattern::Compile(MemberText(*regex, "valueString"));
    if (!pattern) return Wrong(*regex, element.path + ": " + pattern.error().message);
    element.pattern = std::move(pattern).value();
  }
  element.is_row_key = FindExtension(definition, kRowKeyExtension) != nullptr;
  if (const fhir::Node* reference = FindExtension(definition, kRowReferenceExtension); reference != nullptr) {
    element.row_reference = MemberText(*reference, "valueString");
  }
  ADAPTER_TRY(element.constraints, ReadConstraints(definition));
  return element;
}

// The element at a path ("ProcedureRecord.pain"), or null.
ModelElement* AtPath(ModelElement& root, std::string_view path) {
  ModelElement* element = &root;
  while (element != nullptr && element->path.size() < path.size()) {
    ModelElement* next = nullptr;
    for (ModelElement& child : element->children) {
      const bool continues = path.starts_with(child.path) &&
                             (path.size() == child.path.size() || path[child.path.size()] == '.');
      if (continues) next = &child;
    }
    element = next;
  }
  return element;
}

Result<void> CheckReferences(const ModelElement& element, ModelElement& root) {
  if (!element.row_reference.empty()) {
    const ModelElement* key = AtPath(root, root.path + "." + element.row_reference);
    if (key == nullptr || !key->is_row_key) {
      return Fail(Code::kConfiguration,
                  element.path + ": " + element.row_reference + " is not the key of a row");
    }
  }
  for (const ModelElement& child : element.children) ADAPTER_CHECK(CheckReferences(child, root));
  return {};
}

}  // namespace

std::string_view Name(ValueType type) {
  if (type == ValueType::kObject) return "object";
  for (const auto& [name, candidate] : kTypes) {
    if (candidate == type) return name;
  }
  return {};
}

struct Pattern::Compiled {
  re2::RE2 expression;
  explicit Compiled(std::string_view text)
      : expression(re2::StringPiece(text.data(), text.size()), re2::RE2::Quiet) {}
};

Pattern::Pattern(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Result<Pattern> Pattern::Compile(std::string_view expression) {
  auto compiled = std::make_unique<Compiled>(expression);
  if (!compiled->expression.ok()) {
    return Fail(Code::kConfiguration,
                "the pattern is not a regular expression: " + compiled->expression.error());
  }
  return Pattern(std::move(compiled));
}

bool Pattern::Matches(std::string_view text) const {
  return re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), compiled_->expression);
}

const ModelElement* ModelElement::Find(std::string_view child) const {
  for (const ModelElement& element : children) {
    if (element.name == child) return &element;
  }
  return nullptr;
}

Result<RecordModel> RecordModel::Build(const fhir::Node& structure,
                                       std::span<const fhir::Node* const> value_sets) {
  if (MemberText(structure, "resourceType") != "StructureDefinition" ||
      MemberText(structure, "kind") != "logical") {
    return Wrong(structure, "a record model is a StructureDefinition of kind logical");
  }
  ValueSets codes;
  for (const fhir::Node* value_set : value_sets)
    codes[std::string(MemberText(*value_set, "url"))] = CodesOf(*value_set);
  const fhir::Node* differential = structure.Find("differential");
  const auto definitions =
      differential != nullptr ? ItemsOf(*differential, "element") : std::span<fhir::Node*>();
  if (definitions.empty()) return Wrong(structure, "the record model has no differential");

  RecordModel model;
  model.url_ = MemberText(structure, "url");
  model.version_ = MemberText(structure, "version");
  model.root_.path = model.root_.name = MemberText(*definitions[0], "path");
  ADAPTER_TRY(model.root_.constraints, ReadConstraints(*definitions[0]));
  for (const fhir::Node* definition : definitions.subspan(1)) {
    ADAPTER_TRY(ModelElement element, ReadElement(*definition, codes));
    const std::size_t dot = element.path.rfind('.');
    ModelElement* parent = dot == std::string::npos
                               ? nullptr
                               : AtPath(model.root_, std::string_view(element.path).substr(0, dot));
    if (parent == nullptr || parent->type != ValueType::kObject) {
      return Wrong(*definition, element.path + " stands below nothing that can hold it");
    }
    if (parent->Find(element.name) != nullptr) return Wrong(*definition, element.path + " is defined twice");
    parent->children.push_back(std::move(element));
  }
  ADAPTER_CHECK(CheckReferences(model.root_, model.root_));
  return model;
}

}  // namespace fhir_adapter::record
