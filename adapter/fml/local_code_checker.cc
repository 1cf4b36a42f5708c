#include "fml/local_code_checker.h"

#include <algorithm>
#include <string>

#include "fml/suggestion.h"

namespace fhir_adapter::fml::internal {
namespace {

std::string LocalBase(const MapSetOptions& options) {
  for (const auto& [name, value] : options.configuration) {
    if (name == "canonicalBase" && !value.empty()) return value + "/CodeSystem/";
  }
  return "";
}

std::string_view LastPart(std::string_view url) {
  return url.substr(url.rfind('/') + 1);
}

const DeclaredSystem* FindSystem(const LinkedSet& set, std::string_view url, bool by_last_part) {
  for (const DeclaredSystem& system : set.code_systems) {
    if (system.url == url) return &system;
  }
  for (const DeclaredSystem& system : set.code_systems) {
    if (by_last_part && LastPart(system.url) == LastPart(url)) return &system;
  }
  return nullptr;
}

// Codes that another table turns into something else are the record's words; they do not leave.
bool IsTranslatedOn(const LinkedSet& set, std::string_view url) {
  return std::ranges::any_of(set.concept_maps, [url](const ConceptMapIndex& index) {
    return std::ranges::any_of(index.rows(), [url](const ConceptRow& row) {
      return std::ranges::find(row.systems, url) != row.systems.end();
    });
  });
}

// Empty: nothing to say against it.
std::string FaultOf(const LinkedSet& set, const MapSetOptions& options, std::string_view url,
                    std::string_view code) {
  const std::string base = LocalBase(options);
  const bool is_ours = !base.empty() && url.starts_with(base);
  const DeclaredSystem* system = FindSystem(set, url, is_ours);
  if (system == nullptr) {
    if (!is_ours || IsTranslatedOn(set, url)) return "";
    std::vector<std::string_view> known;
    for (const DeclaredSystem& other : set.code_systems) known.push_back(other.url);
    return "no CodeSystem " + std::string(url) + " declares the code " + std::string(code) +
           Suggest(url, known);
  }
  if (std::ranges::find(system->codes, code) != system->codes.end()) return "";
  return "the code " + std::string(code) + " is not declared in " + system->path +
         Suggest(code, system->codes);
}

void CheckTarget(const LinkedSet& set, const MapSetOptions& options, const ConceptTarget& target,
                 std::vector<Finding>& findings) {
  if (target.code.empty()) return;
  std::string fault = FaultOf(set, options, target.system, target.code);
  if (fault.empty()) return;
  findings.push_back(Finding{Severity::kError, Code::kSemantic,
                             Location{std::string(target.file), target.line, target.column, ""},
                             std::move(fault)});
}

void CheckIndex(const LinkedSet& set, const MapSetOptions& options, const ConceptMapIndex& index,
                std::vector<Finding>& findings) {
  for (const ConceptRow& row : index.rows()) {
    for (const ConceptTarget& target : row.targets) CheckTarget(set, options, target, findings);
  }
  for (const ConceptUnmapped& unmapped : index.unmapped()) {
    if (unmapped.policy == UnmappedPolicy::kFixed) CheckTarget(set, options, unmapped.fixed, findings);
  }
}

// The text that a target puts into the element called `name`, if it is a constant.
std::string_view ConstantOf(const plan::Target& target, std::string_view name) {
  const bool is_it = target.path.size() == 1 && target.path.front().name == name &&
                     target.constant != nullptr && target.constant->is_string();
  return is_it ? target.constant->text : std::string_view();
}

std::string_view TextOf(const plan::Argument& argument) {
  const bool is_text = argument.kind == plan::ArgumentKind::kConstant &&
                       argument.constant.kind() == fhirpath::ItemKind::kString;
  return is_text ? argument.constant.text() : std::string_view();
}

class RuleChecker {
 public:
  RuleChecker(const LinkedSet& set, const MapSetOptions& options, std::vector<Finding>& findings)
      : set_(set), options_(options), findings_(findings) {}

  void CheckRule(const plan::Rule& rule) {
    for (const plan::Target& target : rule.targets) {
      CheckTransform(rule, target);
      const std::string_view system = ConstantOf(target, "system");
      if (system.empty()) continue;
      for (const plan::Target& other : rule.targets) {
        if (other.context != target.context) continue;
        Check(rule, other.transform.at, system, ConstantOf(other, "code"));
      }
    }
    for (const plan::Rule& inner : rule.rules) CheckRule(inner);
  }

 private:
  void CheckTransform(const plan::Rule& rule, const plan::Target& target) {
    const plan::Transform& transform = target.transform;
    const bool makes_coding = transform.kind == plan::TransformKind::kCoding ||
                              transform.kind == plan::TransformKind::kCodeableConcept;
    if (!makes_coding || transform.arguments.size() < 2) return;
    Check(rule, transform.arguments[1].at, TextOf(transform.arguments[0]), TextOf(transform.arguments[1]));
  }

  void Check(const plan::Rule& rule, ast::Position at, std::string_view system, std::string_view code) {
    if (system.empty() || code.empty()) return;
    std::string fault = FaultOf(set_, options_, system, code);
    if (fault.empty()) return;
    findings_.push_back(Finding{Severity::kError, Code::kSemantic,
                                Location{std::string(rule.place.file), at.line, at.column, ""},
                                std::move(fault)});
  }

  const LinkedSet& set_;
  const MapSetOptions& options_;
  std::vector<Finding>& findings_;
};

}  // namespace

void CheckLocalTargets(const LinkedSet& set, const MapSetOptions& options, std::vector<Finding>& findings) {
  for (const ConceptMapIndex& index : set.concept_maps) CheckIndex(set, options, index, findings);
  for (const LinkedMap& linked : set.linked) {
    for (const ConceptMapIndex& index : linked.map->concept_maps) CheckIndex(set, options, index, findings);
  }
}

void CheckLocalCodes(const LinkedSet& set, const LinkedMap& linked, const MapSetOptions& options,
                     std::vector<Finding>& findings) {
  RuleChecker checker(set, options, findings);
  for (const plan::GroupPlan& group : linked.groups) {
    for (const plan::Rule& rule : group.rules) checker.CheckRule(rule);
  }
}

}  // namespace fhir_adapter::fml::internal
