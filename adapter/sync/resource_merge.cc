#include "sync/resource_merge.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/issue.h"
#include "fhir/checker.h"
#include "fhir/schema.h"

namespace fhir_adapter::sync {
namespace {

using fhir::Node;

// Elements that change the meaning of the resource or element in which they stand (isModifier in R4), of
// those that are not always ours.
constexpr std::array<std::string_view, 5> kModifiers = {"clinicalStatus", "doNotPerform", "implicitRules",
                                                        "modifierExtension", "verificationStatus"};

bool IsModifier(std::string_view name) {
  return std::ranges::find(kModifiers, name) != kModifiers.end();
}

bool IsComplex(const Node& node) {
  return node.is_object() || node.is_array();
}

bool Same(const Node* a, const Node* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return fhir::SameContent(*a, *b);
}

std::string Joined(const std::string& path, std::string_view name) {
  return path + "." + std::string(name);
}

class Merger {
 public:
  Merger(Contested rule, Arena& arena) : rule_(rule), arena_(arena) {}

  // The merged element; null: it is not there.
  Node* Merge(Node* base, Node* theirs, Node* ours, const std::string& path, bool may_add);
  Node* MergeMembers(Node& base, Node& theirs, Node& ours, const std::string& path, bool is_root);

  std::vector<std::string> contested;
  bool has_theirs = false;

 private:
  Node* Contest(Node* base, Node* theirs, Node* ours, const std::string& path);
  Node* MergeItems(Node& base, Node& theirs, Node& ours, const std::string& path);
  Node* AddItems(Node& base, Node& theirs, Node& ours, const std::string& path);

  const Contested rule_;
  Arena& arena_;
};

Node* Merger::Contest(Node* base, Node* theirs, Node* ours, const std::string& path) {
  if (rule_ == Contested::kKeepTheirs && Same(base, ours)) {
    has_theirs = true;
    return theirs;
  }
  if (rule_ != Contested::kTakeOurs) contested.push_back(path);
  return ours;
}

// A part of a quantity, period, coding or identifier says something else of the whole; one of a resource or
// of an element with parts of its own does not.
bool MayBeAdded(const Node& parent, bool is_root, std::string_view name, const Node& value) {
  if (IsModifier(name)) return false;
  if (is_root || IsComplex(value)) return true;
  if (name == "display" || name == "id") return true;
  if (name == "type" && parent.Find("reference") != nullptr) return true;
  return std::ranges::any_of(parent.members(), [](const fhir::Member& member) {
    return IsComplex(*member.value) && member.name != "extension" && !member.name.starts_with('_');
  });
}

Node* Merger::Merge(Node* base, Node* theirs, Node* ours, const std::string& path, bool may_add) {
  if (Same(base, theirs) || Same(theirs, ours)) return ours;
  if (base == nullptr && ours == nullptr && may_add) {
    has_theirs = true;
    return theirs;
  }
  if (base == nullptr || theirs == nullptr || ours == nullptr) return Contest(base, theirs, ours, path);
  if (base->is_object() && theirs->is_object() && ours->is_object()) {
    return MergeMembers(*base, *theirs, *ours, path, false);
  }
  if (base->is_array() && theirs->is_array() && ours->is_array()) {
    return MergeItems(*base, *theirs, *ours, path);
  }
  return Contest(base, theirs, ours, path);
}

Node* Merger::MergeMembers(Node& base, Node& theirs, Node& ours, const std::string& path, bool is_root) {
  Node* merged = fhir::Clone(ours, arena_);
  std::vector<std::string_view> names;
  for (const Node* side : {&ours, &base, &theirs}) {
    for (const fhir::Member& member : side->members()) {
      if (std::ranges::find(names, member.name) == names.end()) names.push_back(member.name);
    }
  }
  for (const std::string_view name : names) {
    Node* of_base = base.Find(name);
    Node* of_theirs = theirs.Find(name);
    Node* of_ours = ours.Find(name);
    const std::string member_path = Joined(path, name);
    const bool is_whole = IsModifier(name) && !Same(of_base, of_theirs) && !Same(of_theirs, of_ours);
    const bool may_add = of_theirs != nullptr && MayBeAdded(base, is_root, name, *of_theirs);
    Node* value = is_whole ? Contest(of_base, of_theirs, of_ours, member_path)
                           : Merge(of_base, of_theirs, of_ours, member_path, may_add);
    if (value == nullptr) {
      merged->Remove(name);
    } else {
      merged->Set(arena_, arena_.Copy(name), value);
    }
  }
  return merged;
}

Node* Merger::MergeItems(Node& base, Node& theirs, Node& ours, const std::string& path) {
  if (theirs.size < base.size) return Contest(&base, &theirs, &ours, path);
  if (theirs.size > base.size) return AddItems(base, theirs, ours, path);
  std::vector<Node*> items(ours.items().begin(), ours.items().end());
  for (std::size_t i = 0; i < base.items().size(); ++i) {
    if (Same(base.items()[i], theirs.items()[i])) continue;
    auto own = std::ranges::find_if(items, [&](const Node* item) { return Same(base.items()[i], item); });
    if (own == items.end() && ours.size == base.size) own = items.begin() + static_cast<std::ptrdiff_t>(i);
    const std::string item_path = base.size == 1 ? path : path + "[" + std::to_string(i) + "]";
    if (own == items.end()) return Contest(&base, &theirs, &ours, path);
    *own = Merge(base.items()[i], theirs.items()[i], *own, item_path, false);
  }
  Node* merged = Node::Array(arena_);
  for (Node* item : items) merged->Append(arena_, item);
  return merged;
}

// All of base is there in its order, and more between it.
Node* Merger::AddItems(Node& base, Node& theirs, Node& ours, const std::string& path) {
  std::vector<Node*> added;
  std::size_t next = 0;
  for (Node* item : theirs.items()) {
    if (next < base.items().size() && Same(base.items()[next], item)) {
      ++next;
    } else {
      added.push_back(item);
    }
  }
  if (next < base.items().size()) return Contest(&base, &theirs, &ours, path);
  Node* merged = fhir::Clone(ours, arena_);
  for (Node* item : added) {
    if (std::ranges::any_of(ours.items(), [&](const Node* own) { return Same(own, item); })) continue;
    merged->Append(arena_, item);
    has_theirs = true;
  }
  return merged;
}

std::size_t IssuesOf(const Node& resource) {
  Issues issues;
  fhir::CheckResource(resource, fhir::Schema::R4(), issues);
  return issues.size();
}

}  // namespace

MergedResource MergeResource(const Node& base, const Node& theirs, const Node& ours, Contested rule,
                             Arena& arena) {
  Node* own = fhir::Clone(ours, arena);
  Merger merger(rule, arena);
  MergedResource merged;
  const std::string type(MemberText(ours, "resourceType"));
  merged.resource =
      merger.MergeMembers(*fhir::Clone(base, arena), *fhir::Clone(theirs, arena), *own, type, true);
  merged.contested = std::move(merger.contested);
  merged.has_theirs = merger.has_theirs;
  if (!merged.has_theirs || IssuesOf(*merged.resource) <= IssuesOf(*own)) return merged;
  merged.resource = own;
  merged.has_theirs = false;
  if (rule != Contested::kTakeOurs && merged.contested.empty()) merged.contested.push_back(type);
  return merged;
}

}  // namespace fhir_adapter::sync
