#include "fml/concept_map.h"

#include <algorithm>
#include <array>
#include <utility>

namespace fhir_adapter::fml {
namespace {

constexpr std::array<std::string_view, 8> kPolicyNames = {"unset",    "reject", "quarantine", "text-only",
                                                          "optional", "fixed",  "provided",   "other-map"};

// `system|version` of an R5 canonical.
std::pair<std::string, std::string> SplitCanonical(const std::string& text) {
  const std::size_t bar = text.find('|');
  if (bar == std::string::npos) return {text, {}};
  return {text.substr(0, bar), text.substr(bar + 1)};
}

std::string_view PolicyExtension(const fhir::Node& node) {
  const fhir::Node* extensions = node.Find("extension");
  if (extensions == nullptr) return {};
  for (const fhir::Node* extension : extensions->items()) {
    const fhir::Node* url = extension->Find("url");
    const fhir::Node* value = extension->Find("valueCode");
    if (url == nullptr || value == nullptr) continue;
    if (url->text.ends_with("/StructureDefinition/unmapped-policy")) return value->text;
  }
  return {};
}

struct PropertyValue {
  std::string system;
  std::string code;
  std::string display;
};

// R4: system, value, display. R5: value[x], a Coding among them.
PropertyValue ValueOf(const fhir::Node& entry) {
  if (const fhir::Node* coding = entry.Find("valueCoding")) {
    return {MemberString(*coding, "system"), MemberString(*coding, "code"), MemberString(*coding, "display")};
  }
  PropertyValue value{MemberString(entry, "system"), "", MemberString(entry, "display")};
  for (const fhir::Member& member : entry.members()) {
    if (!member.name.starts_with("value")) continue;
    if (member.value->kind == fhir::NodeKind::kBoolean) {
      value.code = member.value->boolean ? "true" : "false";
    } else {
      value.code = member.value->text;
    }
  }
  return value;
}

// The last part of the property's name (R4 property, R5 attribute), which may be a url or a path.
std::string PropertyName(const fhir::Node& entry) {
  std::string name = MemberString(entry, "property");
  if (name.empty()) name = MemberString(entry, "attribute");
  return name.substr(name.find_last_of("/#.:|") + 1);
}

}  // namespace

std::string_view Name(UnmappedPolicy policy) {
  return kPolicyNames[static_cast<std::size_t>(policy)];
}

std::optional<UnmappedPolicy> ParseUnmappedPolicy(std::string_view name) {
  for (std::size_t i = 1; i < kPolicyNames.size(); ++i) {
    if (kPolicyNames[i] == name) return static_cast<UnmappedPolicy>(i);
  }
  if (name == "use-source-code") return UnmappedPolicy::kProvided;  // R5
  return std::nullopt;
}

Failure ConceptMapIndex::FaultAt(const fhir::Node& node, std::string message) const {
  return Fail(Code::kSemantic, std::move(message), Location{std::string(file_), node.line, node.column, ""});
}

Result<ConceptMapIndex> ConceptMapIndex::FromResource(const fhir::Node& resource, std::string_view file) {
  ConceptMapIndex index;
  index.file_ = file;
  index.url_ = MemberString(resource, "url");
  index.id_ = MemberString(resource, "id");
  index.name_ = MemberString(resource, "name");
  if (index.url_.empty() && index.id_.empty()) {
    return index.FaultAt(resource, "a ConceptMap needs a url or an id");
  }
  if (const std::string_view name = PolicyExtension(resource); !name.empty()) {
    const auto policy = ParseUnmappedPolicy(name);
    if (!policy) {
      return index.FaultAt(resource,
                           "unmapped-policy is one of reject, quarantine, text-only, optional, fixed");
    }
    index.policy_ = *policy;
  }
  const fhir::Node* groups = resource.Find("group");
  if (groups != nullptr) {
    for (const fhir::Node* group : groups->items()) ADAPTER_CHECK(index.AddGroup(*group));
  }
  if (index.unmapped_.empty()) ADAPTER_CHECK(index.AddUnmapped(nullptr, {}, {}));
  return index;
}

// Source positions point at the code, where there is one.
ConceptTarget ConceptMapIndex::TargetAt(const fhir::Node& node, const std::string& source,
                                        const std::string& target) const {
  ConceptTarget made;
  made.source_system = source;
  made.system = target;
  made.code = MemberString(node, "code");
  made.display = MemberString(node, "display");
  const fhir::Node* code = node.Find("code");
  const fhir::Node& place = code != nullptr ? *code : node;
  made.file = file_;
  made.line = place.line;
  made.column = place.column;
  return made;
}

Result<void> ConceptMapIndex::AddGroup(const fhir::Node& group) {
  const auto [source, source_version] = SplitCanonical(MemberString(group, "source"));
  auto [target, target_version] = SplitCanonical(MemberString(group, "target"));
  if (std::string version = MemberString(group, "targetVersion"); !version.empty()) target_version = version;
  const fhir::Node* elements = group.Find("element");
  if (elements != nullptr) {
    for (const fhir::Node* element : elements->items()) {
      ADAPTER_CHECK(AddElement(*element, source, target, target_version));
    }
  }
  return AddUnmapped(&group, source, target);
}

Result<void> ConceptMapIndex::AddElement(const fhir::Node& element, const std::string& source,
                                         const std::string& target, const std::string& version) {
  const std::string code = MemberString(element, "code");
  if (code.empty()) return FaultAt(element, "a row of a ConceptMap needs element.code");
  ConceptRow& row = RowFor(source, code);
  if (row.display.empty()) row.display = MemberString(element, "display");
  const fhir::Node* targets = element.Find("target");
  bool has_target = false;
  if (targets != nullptr) {
    for (const fhir::Node* item : targets->items()) {
      const std::string equivalence = MemberString(*item, "equivalence");
      const std::string relationship = MemberString(*item, "relationship");
      const bool is_none =
          equivalence == "unmatched" || equivalence == "disjoint" || relationship == "not-related-to";
      if (is_none || MemberString(*item, "code").empty()) continue;
      ConceptTarget added = TargetAt(*item, source, target);
      added.version = version;
      AddProperties(*item, added);
      row.targets.push_back(std::move(added));
      has_target = true;
    }
  }
  if (!has_target) row.cleared.push_back(target);
  return {};
}

Result<void> ConceptMapIndex::AddUnmapped(const fhir::Node* group, const std::string& source,
                                          const std::string& target) {
  ConceptUnmapped unmapped;
  unmapped.source_system = source;
  unmapped.policy = policy_;
  const fhir::Node* node = group == nullptr ? nullptr : group->Find("unmapped");
  if (node != nullptr) {
    std::string name(PolicyExtension(*node));
    if (name.empty() && policy_ == UnmappedPolicy::kUnset) name = MemberString(*node, "mode");
    if (!name.empty()) {
      const auto policy = ParseUnmappedPolicy(name);
      if (!policy) return FaultAt(*node, "unmapped.mode is one of provided, fixed, other-map");
      unmapped.policy = *policy;
    }
    unmapped.fixed = TargetAt(*node, source, target);
    unmapped.other_map = MemberString(*node, "url");
    if (unmapped.other_map.empty()) unmapped.other_map = MemberString(*node, "otherMap");
  }
  if (group != nullptr) {
    const fhir::Node& at = node != nullptr ? *node : *group;
    if (unmapped.policy == UnmappedPolicy::kFixed && unmapped.fixed.code.empty()) {
      return FaultAt(at, "the policy fixed needs group.unmapped.code");
    }
    if (unmapped.policy == UnmappedPolicy::kOtherMap && unmapped.other_map.empty()) {
      return FaultAt(at, "the mode other-map needs group.unmapped.url");
    }
  }
  unmapped_.push_back(std::move(unmapped));
  return {};
}

void ConceptMapIndex::AddProperties(const fhir::Node& item, ConceptTarget& target) {
  if (const fhir::Node* list = item.Find("dependsOn")) {
    for (const fhir::Node* entry : list->items()) {
      const PropertyValue value = ValueOf(*entry);
      target.depends_on.push_back({PropertyName(*entry), value.code});
      AddDependency(target.depends_on.back().property);
    }
  }
  if (const fhir::Node* list = item.Find("product")) {
    for (const fhir::Node* entry : list->items()) {
      const PropertyValue value = ValueOf(*entry);
      target.products.push_back(
          {PropertyName(*entry), {{}, value.system, {}, value.code, value.display, {}, {}}});
    }
  }
}

void ConceptMapIndex::AddDependency(const std::string& property) {
  const bool is_known =
      std::find(dependencies_.begin(), dependencies_.end(), property) != dependencies_.end();
  if (!is_known) dependencies_.push_back(property);
}

ConceptRow& ConceptMapIndex::RowFor(const std::string& system, const std::string& code) {
  const auto found = by_code_.find(code);
  ConceptRow* row = nullptr;
  if (found != by_code_.end()) {
    row = found->second;
  } else {
    row = &rows_.emplace_back();
    row->code = code;
    by_code_.emplace(row->code, row);
  }
  if (std::find(row->systems.begin(), row->systems.end(), system) == row->systems.end()) {
    row->systems.push_back(system);
  }
  return *row;
}

Result<ConceptMapIndex> ConceptMapIndex::FromInline(const ast::InlineConceptMap& concept_map,
                                                    std::string_view file) {
  ConceptMapIndex index;
  index.file_ = file;
  index.id_ = concept_map.name;
  index.name_ = concept_map.name;
  index.url_ = "#" + concept_map.name;
  const auto fault = [&index](ast::Position at, std::string message) {
    return Fail(Code::kSemantic, std::move(message),
                Location{std::string(index.file_), at.line, at.column, ""});
  };
  const auto system_of = [&concept_map](const std::string& prefix) -> const std::string* {
    for (const ast::ConceptMapPrefix& known : concept_map.prefixes) {
      if (known.name == prefix) return &known.system;
    }
    return nullptr;
  };
  for (const ast::ConceptMapRow& row : concept_map.rows) {
    const std::string* source = system_of(row.source_prefix);
    const std::string* target = system_of(row.target_prefix);
    if (source == nullptr) return fault(row.at, "unknown prefix " + row.source_prefix);
    if (target == nullptr) return fault(row.at, "unknown prefix " + row.target_prefix);
    ConceptRow& known = index.RowFor(*source, row.source_code);
    if (row.relation == "!=") {
      known.cleared.push_back(*target);
    } else {
      known.targets.push_back(
          ConceptTarget{*source, *target, {}, row.target_code, {}, {}, {}, file, row.at.line, row.at.column});
    }
  }
  for (const ast::ConceptMapUnmapped& line : concept_map.unmapped) {
    const std::string* source = system_of(line.source_prefix);
    if (source == nullptr) return fault(line.at, "unknown prefix " + line.source_prefix);
    ConceptUnmapped unmapped;
    unmapped.source_system = *source;
    if (line.mode.empty()) {
      const std::string* target = system_of(line.target_prefix);
      if (target == nullptr) return fault(line.at, "unknown prefix " + line.target_prefix);
      unmapped.policy = UnmappedPolicy::kFixed;
      unmapped.fixed =
          ConceptTarget{*source, *target, {}, line.code, {}, {}, {}, file, line.at.line, line.at.column};
    } else {
      unmapped.policy = ParseUnmappedPolicy(line.mode).value_or(UnmappedPolicy::kUnset);
    }
    index.unmapped_.push_back(std::move(unmapped));
  }
  if (index.unmapped_.empty()) index.unmapped_.emplace_back();
  return index;
}

void ConceptMapIndex::LayOver(const ConceptMapIndex& overlay) {
  for (const std::string& property : overlay.dependencies_) AddDependency(property);
  for (const ConceptRow& added : overlay.rows_) {
    ConceptRow& row = RowFor(added.systems.front(), added.code);
    if (!added.display.empty()) row.display = added.display;
    for (const std::string& system : added.systems) RowFor(system, added.code);
    std::vector<std::string> replaced = added.cleared;
    for (const ConceptTarget& target : added.targets) replaced.push_back(target.system);
    const auto is_replaced = [&replaced](const ConceptTarget& target) {
      return std::find(replaced.begin(), replaced.end(), target.system) != replaced.end();
    };
    const auto first = std::find_if(row.targets.begin(), row.targets.end(), is_replaced);
    const auto place = first - row.targets.begin();
    std::erase_if(row.targets, is_replaced);
    row.targets.insert(row.targets.begin() + place, added.targets.begin(), added.targets.end());
    for (const std::string& system : added.cleared) row.cleared.push_back(system);
  }
}

const ConceptRow* ConceptMapIndex::Find(std::string_view system, std::string_view code) const {
  const auto found = by_code_.find(code);
  if (found == by_code_.end()) return nullptr;
  const ConceptRow* row = found->second;
  if (system.empty()) return row;
  for (const std::string& known : row->systems) {
    if (known.empty() || known == system) return row;
  }
  return nullptr;
}

const ConceptUnmapped& ConceptMapIndex::UnmappedFor(std::string_view system) const {
  for (const ConceptUnmapped& unmapped : unmapped_) {
    if (system.empty() || unmapped.source_system.empty() || unmapped.source_system == system) return unmapped;
  }
  return unmapped_.front();
}

bool ConceptMapIndex::lacks_policy() const {
  return std::any_of(unmapped_.begin(), unmapped_.end(), [](const ConceptUnmapped& unmapped) {
    return unmapped.policy == UnmappedPolicy::kUnset;
  });
}

}  // namespace fhir_adapter::fml
