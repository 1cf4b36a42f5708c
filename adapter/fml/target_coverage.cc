#include "fml/target_coverage.h"

#include <algorithm>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>

namespace fhir_adapter::fml::internal {
namespace {

using fhir::ElementInfo;
using fhir::TypeInfo;
using Slots = std::set<std::uint32_t>;

// What is written into one value.
struct Writes {
  std::unordered_set<std::string_view> elements;
  bool is_open = false;  // something else may write too
  std::set<std::pair<const plan::GroupPlan*, std::uint32_t>> visited;
};

void FollowGroup(const plan::GroupPlan& group, std::uint32_t slot, Writes& writes);

void FollowCall(const plan::Call& call, const Slots& slots, Writes& writes) {
  for (std::uint32_t i = 0; i < call.arguments.size(); ++i) {
    const plan::Argument& argument = call.arguments[i];
    if (argument.kind != plan::ArgumentKind::kSlot || !slots.contains(argument.slot)) continue;
    FollowGroup(*call.group, i, writes);
  }
}

void FollowTarget(const plan::Target& target, Slots& slots, Writes& writes) {
  if (target.call != nullptr) return FollowCall(*target.call, slots, writes);
  if (slots.contains(target.context)) {
    if (target.path.empty()) {
      writes.is_open = true;
    } else {
      writes.elements.insert(target.path.front().name);
      if (target.path.front().element == nullptr) writes.is_open = true;
    }
  }
  // The same value under another name.
  const bool is_copy = target.transform.kind == plan::TransformKind::kCopy &&
                       target.transform.arguments.size() == 1 &&
                       target.transform.arguments.front().kind == plan::ArgumentKind::kSlot;
  if (is_copy && target.alias != plan::kNoSlot && slots.contains(target.transform.arguments.front().slot)) {
    slots.insert(target.alias);
  }
}

void FollowRule(const plan::Rule& rule, Slots slots, Writes& writes) {
  for (const plan::Source& source : rule.sources) {
    if (source.path.empty() && source.alias != plan::kNoSlot && slots.contains(source.context)) {
      slots.insert(source.alias);
    }
  }
  for (const plan::Target& target : rule.targets) FollowTarget(target, slots, writes);
  const bool is_handed_on = rule.uses_default_group && !rule.targets.empty() &&
                            rule.targets.front().alias != plan::kNoSlot &&
                            slots.contains(rule.targets.front().alias);
  if (is_handed_on) writes.is_open = true;
  for (const plan::Call& call : rule.calls) FollowCall(call, slots, writes);
  for (const plan::Rule& inner : rule.rules) FollowRule(inner, slots, writes);
}

void FollowGroup(const plan::GroupPlan& group, std::uint32_t slot, Writes& writes) {
  if (!writes.visited.emplace(&group, slot).second) return;
  for (std::uint32_t i = 0; i < group.base_arguments.size() && group.base != nullptr; ++i) {
    if (group.base_arguments[i] == slot) FollowGroup(*group.base, i, writes);
  }
  for (const plan::Rule& rule : group.rules) FollowRule(rule, {slot}, writes);
}

struct Added {
  std::string path;  // Type.element
  ast::Position at;
};

class MapChecker {
 public:
  MapChecker(const LinkedSet& set, const LinkedMap& linked, std::vector<Finding>& findings)
      : set_(set), linked_(linked), findings_(findings) {
    for (const ast::Metadata& metadata : linked.map->ast.metadata) {
      if (metadata.path != "addedLater" || !metadata.value) continue;
      added_.push_back({metadata.value->text.substr(0, metadata.value->text.find(':')), metadata.at});
    }
  }

  void Check() {
    const plan::EntryPlan& entry = linked_.entry;
    // What the first group of an imported map leaves open, its callers may fill.
    const bool is_entry = entry.target != plan::kNoSlot && !set_.IsImported(*linked_.map);
    if (is_entry && entry.target_type != nullptr) {
      Writes writes;
      FollowGroup(*entry.group, entry.target, writes);
      const ast::Group& group = linked_.map->ast.groups.front();
      Report(*entry.target_type, writes, linked_.map->path, group.parameters[entry.target].at);
    }
    for (const plan::GroupPlan& group : linked_.groups) {
      for (const plan::Rule& rule : group.rules) CheckRule(rule);
    }
  }

 private:
  void CheckRule(const plan::Rule& rule) {
    for (const plan::Target& target : rule.targets) CheckTarget(rule, target);
    for (const plan::Rule& inner : rule.rules) CheckRule(inner);
  }

  void CheckTarget(const plan::Rule& rule, const plan::Target& target) {
    if (target.call != nullptr) return;
    const TypeInfo* type = nullptr;
    ast::Position at = target.at;
    if (target.transform.kind == plan::TransformKind::kCreate) {
      type = target.transform.type;
      at = target.transform.at;
    } else if (target.transform.kind == plan::TransformKind::kNone && !target.path.empty() && !rule.is_copy &&
               target.constant == nullptr && target.list_mode == ast::TargetListMode::kNormal) {
      // Another rule may go on with an element that occurs once; a further item of a list is this rule's.
      const plan::Step& step = target.path.back();
      if (step.element != nullptr && step.element->is_list() && step.alternatives.size() == 1) {
        type = step.alternatives.front().type;
      }
    }
    if (type == nullptr || type->kind == fhir::TypeKind::kPrimitive || type->is_abstract) return;
    Writes writes;
    if (target.alias != plan::kNoSlot) FollowRule(rule, {target.alias}, writes);
    if (rule.uses_default_group) return;
    Report(*type, writes, std::string(rule.place.file), at);
  }

  void Report(const TypeInfo& type, const Writes& writes, const std::string& file, ast::Position at) {
    if (writes.is_open) return;
    for (const ElementInfo& element : type.elements) {
      if (element.min == 0 || writes.elements.contains(element.name)) continue;
      const std::string path = std::string(type.name) + "." + std::string(element.name);
      const bool is_added = std::any_of(added_.begin(), added_.end(),
                                        [&path](const Added& entry) { return entry.path == path; });
      if (is_added) continue;
      findings_.push_back(Finding{Severity::kWarning, Code::kSemantic, Location{file, at.line, at.column, ""},
                                  "no rule assigns " + path + ", which is required"});
    }
  }

  const LinkedSet& set_;
  const LinkedMap& linked_;
  std::vector<Finding>& findings_;
  std::vector<Added> added_;
};

}  // namespace

void CheckTargetCoverage(const LinkedSet& set, std::vector<Finding>& findings) {
  for (const LinkedMap& linked : set.linked) MapChecker(set, linked, findings).Check();
}

}  // namespace fhir_adapter::fml::internal
