#include "pipeline/record_lineage.h"

#include <algorithm>
#include <functional>

namespace fhir_adapter::pipeline {

using fhir::Node;

namespace {

constexpr std::string_view kIdentity = "assembler: identity";
constexpr std::string_view kReference = "assembler: reference";
constexpr std::string_view kTarget = "the target of the map";

// The pointer of every node of the record. RFC 6901.
void IndexPointers(const Node& node, const std::string& pointer,
                   std::unordered_map<const Node*, std::string>& pointers) {
  pointers.emplace(&node, pointer);
  for (const fhir::Member& member : node.members()) {
    std::string token;
    for (const char c : member.name) token += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    IndexPointers(*member.value, pointer + "/" + token, pointers);
  }
  for (std::size_t i = 0; i < node.items().size(); ++i) {
    IndexPointers(*node.items()[i], pointer + "/" + std::to_string(i), pointers);
  }
}

}  // namespace

void LineageCollector::Made(const fml::LineageStep& step) {
  Step kept{step.made,
            step.parent,
            step.member,
            {step.inputs.begin(), step.inputs.end()},
            {step.sources.begin(), step.sources.end()},
            {step.rules.begin(), step.rules.end()},
            {step.rows.begin(), step.rows.end()}};
  const std::size_t index = steps_.size();
  if (step.parent == nullptr) {
    if (step.made != nullptr) loose_[step.made] = index;
  } else {
    // A value that was made first and put into the tree by a later target.
    const auto loose = step.made == nullptr ? loose_.end() : loose_.find(step.made);
    if (loose != loose_.end()) {
      const Step& before = steps_[loose->second];
      if (kept.rows.empty()) kept.rows = before.rows;
      if (kept.inputs.empty()) kept.inputs = before.inputs;
    }
    by_spot_[{step.parent, step.member, nullptr}] = index;
    if (step.made != nullptr) by_spot_[{step.parent, step.member, step.made}] = index;
    if (step.made != nullptr) by_made_[step.made] = index;
  }
  steps_.push_back(std::move(kept));
}

void LineageCollector::Derive(const Node& tree, const std::vector<rules::Finding>& findings) {
  const auto derive = [this](const auto& self, const Node& node, const Origin& origin) -> void {
    derived_.insert_or_assign(&node, origin);
    for (const fhir::Member& member : node.members()) self(self, *member.value, origin);
    for (const Node* item : node.items()) self(self, *item, origin);
  };
  derive(derive, tree, Origin{"rules", {}});
  const Node* list = tree.Find("finding");
  for (std::size_t i = 0; list != nullptr && i < list->items().size() && i < findings.size(); ++i) {
    derive(derive, *list->items()[i], Origin{"rule " + findings[i].rule_id, findings[i].places});
  }
}

void LineageCollector::Added(const Node& node, std::string_view by) {
  added_.insert_or_assign(&node, std::string(by));
}

std::size_t LineageCollector::SpotHash::operator()(const Spot& spot) const {
  const std::size_t parent = std::hash<const void*>{}(spot.parent);
  const std::size_t made = std::hash<const void*>{}(spot.made);
  return (parent * 31 + made) * 31 + std::hash<std::string_view>{}(spot.member);
}

const LineageCollector::Step* LineageCollector::Find(const Node& node, const Node* holder,
                                                     std::string_view member, bool is_item) const {
  if (const auto own = by_spot_.find({holder, member, &node}); own != by_spot_.end())
    return &steps_[own->second];
  // The assembler writes a reference anew: it stays the rule's.
  const auto last = is_item ? by_spot_.end() : by_spot_.find({holder, member, nullptr});
  if (last != by_spot_.end()) return &steps_[last->second];
  const auto made = by_made_.find(&node);
  return made == by_made_.end() || node.is_array() ? nullptr : &steps_[made->second];
}

// Goes through an output, with what is known of the elements around the one it stands at.
class LineageWalk {
 public:
  LineageWalk(const LineageCollector& collector, const Node& record, std::string_view pointer_prefix)
      : collector_(collector), record_(record) {
    IndexPointers(record, std::string(pointer_prefix), pointers_);
  }

  void WalkResource(const fml::AssembledEntry& entry, std::size_t index) {
    at_.entry = "entry[" + std::to_string(index) + "]";
    at_.resource = entry.type;
    at_.identity = entry.identity.value;
    Walk(*entry.resource,
         Context{nullptr, {}, false, collector_.Find(*entry.resource, nullptr, {}, true), {}}, "");
  }

  // fullUrl and request of an entry, which the assembler alone makes.
  void WalkEntry(const Node& entry) {
    at_.resource.clear();
    for (const fhir::Member& member : entry.members()) {
      if (member.name != "resource") {
        Walk(*member.value, Context{&entry, member.name, false, nullptr, std::string(kIdentity)},
             std::string(member.name));
      }
    }
  }

  std::vector<ElementLineage> TakeElements() { return std::move(elements_); }

 private:
  struct Context {
    const Node* holder = nullptr;  // the object
    std::string_view member;
    bool is_item = false;
    const LineageCollector::Step* around = nullptr;
    std::string added_by;
  };

  void Walk(const Node& node, Context context, const std::string& path) {
    if (const auto added = collector_.added_.find(&node); added != collector_.added_.end()) {
      context.added_by = added->second;
    }
    const LineageCollector::Step* own = nullptr;
    if (context.holder != nullptr && context.added_by.empty() && !node.is_array()) {
      own = collector_.Find(node, context.holder, context.member, context.is_item);
    }
    const LineageCollector::Step* step = own != nullptr ? own : context.around;
    if (node.is_object()) {
      for (const fhir::Member& member : node.members()) {
        const std::string below =
            path.empty() ? std::string(member.name) : path + "." + std::string(member.name);
        Walk(*member.value, Context{&node, member.name, false, step, context.added_by}, below);
      }
    } else if (node.is_array()) {
      for (std::size_t i = 0; i < node.items().size(); ++i) {
        Context item = context;
        item.is_item = true;
        Walk(*node.items()[i], item, path + "[" + std::to_string(i) + "]");
      }
    } else if (!node.is_null()) {
      AddLeaf(node, context, own, step, path);
    }
  }

  void AddLeaf(const Node& node, const Context& context, const LineageCollector::Step* own,
               const LineageCollector::Step* step, const std::string& path) {
    ElementLineage element = at_;
    element.element = path;
    element.added_by = context.added_by;
    const bool is_id =
        context.member == "id" && own == nullptr && context.holder->Find("resourceType") != nullptr;
    const bool is_rewritten = own != nullptr && own->made != &node && node.is_string();
    if (element.added_by.empty() && is_id) element.added_by = kIdentity;
    if (element.added_by.empty() && is_rewritten) element.added_by = kReference;
    if (element.added_by.empty() && step == nullptr) element.added_by = kTarget;
    if (element.added_by != kIdentity && step != nullptr) AddStep(*step, element);
    elements_.push_back(std::move(element));
  }

  void AddStep(const LineageCollector::Step& step, ElementLineage& element) {
    const bool has_inputs =
        std::ranges::any_of(step.inputs, [this](const Node* node) { return IsKnown(*node); });
    if (has_inputs) {
      for (const Node* node : step.inputs) AddSource(*node, element);
    } else if (!step.sources.empty()) {
      AddSource(*step.sources.front(), element);
    }
    // What speaks of a finding, whatever else the rule read.
    for (const Node* node : step.sources) {
      const auto derived = collector_.derived_.find(node);
      if (derived != collector_.derived_.end() && element.added_by.empty())
        element.added_by = derived->second.rule;
    }
    if (element.sources.empty()) AddSource(record_, element);
    for (auto rule = step.rules.rbegin(); rule != step.rules.rend(); ++rule) {
      element.rules.push_back({std::string(rule->file), rule->line, rule->column, std::string(rule->group),
                               std::string(rule->rule)});
    }
    for (const fml::ConceptMapRow& row : step.rows) {
      element.rows.push_back({std::string(row.url), std::string(row.file), row.line,
                              std::string(row.source_system), std::string(row.source_code),
                              std::string(row.target_system), std::string(row.target_code),
                              std::string(row.policy)});
    }
  }

  bool IsKnown(const Node& node) const {
    return pointers_.contains(&node) || collector_.derived_.contains(&node);
  }

  void AddSource(const Node& node, ElementLineage& element) {
    const auto derived = collector_.derived_.find(&node);
    if (derived != collector_.derived_.end()) {
      for (const Node* place : derived->second.places) AddSource(*place, element);
      return;
    }
    const auto pointer = pointers_.find(&node);
    if (pointer == pointers_.end()) return;
    SourcePlace place{pointer->second, node.line, node.column};
    const bool is_new = std::ranges::find(element.sources, place) == element.sources.end();
    if (is_new) element.sources.push_back(std::move(place));
  }

  const LineageCollector& collector_;
  const Node& record_;
  std::unordered_map<const Node*, std::string> pointers_;
  ElementLineage at_;
  std::vector<ElementLineage> elements_;
};

std::vector<ElementLineage> LineageCollector::Explain(const fml::Assembly& assembly, const Node& record,
                                                      std::string_view pointer_prefix) const {
  LineageWalk walk(*this, record, pointer_prefix);
  const Node* list = assembly.bundle == nullptr ? nullptr : assembly.bundle->Find("entry");
  for (std::size_t i = 0; i < assembly.entries.size(); ++i) {
    walk.WalkResource(assembly.entries[i], i);
    if (list != nullptr) walk.WalkEntry(*list->items()[i]);
  }
  return walk.TakeElements();
}

}  // namespace fhir_adapter::pipeline
