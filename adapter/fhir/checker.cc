#include "fhir/checker.h"

#include <algorithm>
#include <array>

#include "core/limits.h"
#include "fhir/check_report.h"
#include "fhir/invariants.h"
#include "fhir/primitive_format.h"
#include "fhir/reference_checker.h"

namespace fhir_adapter::fhir {
namespace {

bool IsPrimitive(const TypeInfo& type) {
  return type.kind == TypeKind::kPrimitive;
}

// Which elements of an object have been seen, by their order.
class SeenElements {
 public:
  bool Insert(const ElementInfo& element) {
    if (element.order >= kBits) return true;
    std::uint64_t& word = words_[element.order / 64];
    const std::uint64_t bit = std::uint64_t{1} << (element.order % 64);
    const bool is_new = (word & bit) == 0;
    word |= bit;
    return is_new;
  }
  bool Contains(const ElementInfo& element, const Node& object, const TypeInfo& type) const {
    if (element.order < kBits) return (words_[element.order / 64] >> (element.order % 64) & 1) != 0;
    return std::any_of(object.members().begin(), object.members().end(), [&](const Member& member) {
      const PropertyRow* row = type.properties.Find(member.name);
      return row != nullptr && row->element == &element;
    });
  }

 private:
  static constexpr std::size_t kBits = 256;  // more than any type of FHIR has
  std::array<std::uint64_t, kBits / 64> words_{};
};

class Walker {
 public:
  Walker(const Schema& schema, Issues& out) : schema_(schema), report_(out), references_(schema, report_) {}

  void CheckRoot(const Element& root);

 private:
  void CheckResourceNode(const Node& node, const Place& place, ResourceScope* container);
  void CheckObject(const Node& node, const TypeInfo& type, const Place& place);
  void CheckMember(const Node& object, const Member& member, const TypeInfo& type, const Place& place,
                   SeenElements& seen);
  void CheckShadow(const Node& object, const Member& member, const PropertyRow& row, const Place& place);
  void CheckShadowItem(const Node& shadow, bool has_value, const PropertyRow& row, const Place& place);
  void CheckList(const Node& object, const Member& member, const PropertyRow& row, const Place& place);
  void CheckValue(const Node& node, const PropertyRow& row, const Place& place);
  void CheckPrimitive(const Node& node, const PropertyRow& row, const Place& place);
  void CheckBinding(const Node& node, const PropertyRow& row, const Place& place);
  void CheckMissing(const Node& node, const TypeInfo& type, const Place& place, const SeenElements& seen);
  void CheckInvariants(const Node& node, const TypeInfo& type, const Place& place);
  void CheckExtension(const Node& node, const Place& place);
  void CheckExtensionUse(const Node& node, const ExtensionInfo& info, const Place& place);

  // The object being walked, for what depends on the surroundings.
  struct Frame {
    const Node* node;
    const TypeInfo* type;
    const ElementInfo* element;  // as which it stands; null for a root
    const Frame* outer;
    std::size_t depth;  // of the outermost 1
  };

  const Schema& schema_;
  CheckReport report_;
  ReferenceChecker references_;
  const Frame* frame_ = nullptr;  // on the stack of the walk
  ResourceScope* scope_ = nullptr;
};

void Walker::CheckRoot(const Element& root) {
  const bool names_type = root.node->Find("resourceType") != nullptr;
  if (!names_type && root.type != nullptr && root.type->kind != TypeKind::kResource) {
    ResourceScope scope{root.node, nullptr, {}};
    scope_ = &scope;
    CheckObject(*root.node, *root.type, Place{nullptr, root.type->name});
    scope_ = nullptr;
    return;
  }
  const std::string_view name = MemberText(root.node, "resourceType");
  CheckResourceNode(*root.node, Place{nullptr, name.empty() ? "resource" : name}, nullptr);
}

void Walker::CheckResourceNode(const Node& node, const Place& place, ResourceScope* container) {
  if (!node.is_object()) return report_.Add(place, &node, "an object is expected");
  const std::string_view name = MemberText(&node, "resourceType");
  const TypeInfo* type = schema_.FindType(name);
  if (type == nullptr || type->kind != TypeKind::kResource || type->is_abstract || type->name != name) {
    return report_.Add(Place{&place, "resourceType"}, &node, "not a resource type of FHIR R4");
  }
  ResourceScope scope{&node, container, {}};
  ResourceScope* outer_scope = scope_;
  scope_ = &scope;
  const bool is_bundle = name == "Bundle";
  const Node* outer_bundle = is_bundle ? references_.EnterBundle(node) : nullptr;
  CheckObject(node, *type, place);
  references_.CheckContained(place, scope);
  if (is_bundle) references_.LeaveBundle(outer_bundle);
  scope_ = outer_scope;
}

void Walker::CheckObject(const Node& node, const TypeInfo& type, const Place& place) {
  if (!node.is_object()) return report_.Add(place, &node, "an object is expected");
  const std::size_t depth = frame_ == nullptr ? 1 : frame_->depth + 1;
  if (depth > limits::kResourceDepthMax) return report_.Add(place, &node, "nested too deep");
  if (node.size == 0) return report_.Add(place, &node, "an empty object");
  const Frame frame{&node, &type, place.element, frame_, depth};
  frame_ = &frame;
  SeenElements seen;
  for (const Member& member : node.members()) CheckMember(node, member, type, place, seen);
  CheckMissing(node, type, place, seen);
  CheckInvariants(node, type, place);
  frame_ = frame.outer;
}

void Walker::CheckMember(const Node& object, const Member& member, const TypeInfo& type, const Place& place,
                         SeenElements& seen) {
  if (report_.is_full()) return;
  const bool is_resource = type.kind == TypeKind::kResource;
  if (is_resource && member.name == "resourceType") return;
  const bool is_shadow = member.name.starts_with('_');
  const PropertyRow* row = type.properties.Find(is_shadow ? member.name.substr(1) : member.name);
  if (row == nullptr || row->type == nullptr || (is_shadow && !IsPrimitive(*row->type))) {
    return report_.Add(Place{&place, member.name}, member.value, "unknown element");
  }
  if (!seen.Insert(*row->element) && row->element->is_choice) {
    for (const Member& other : object.members()) {
      if (&other == &member) break;
      const bool other_shadow = other.name.starts_with('_');
      const PropertyRow* other_row = type.properties.Find(other_shadow ? other.name.substr(1) : other.name);
      if (other_row == nullptr || other_row->element != row->element || other_row->type == row->type)
        continue;
      return report_.Add(Place{&place, member.name, row->element}, member.value,
                         "more than one type of a choice");
    }
  }
  if (is_shadow) return CheckShadow(object, member, *row, place);
  const Node& value = *member.value;
  if (row->element->is_list()) return CheckList(object, member, *row, place);
  const Place here{&place, member.name, row->element};
  if (value.is_array()) return report_.Add(here, &value, "a single value is expected, not an array");
  CheckValue(value, *row, here);
}

void Walker::CheckList(const Node& object, const Member& member, const PropertyRow& row, const Place& place) {
  const Node& list = *member.value;
  const Place whole{&place, member.name, row.element};
  if (!list.is_array()) return report_.Add(whole, &list, "an array is expected");
  if (list.size == 0) return report_.Add(whole, &list, "an empty array");
  if (list.size > row.element->max) report_.Add(whole, &list, "more items than allowed");
  if (list.size < row.element->min) report_.Add(whole, &list, "fewer items than required");
  const Node* shadows = nullptr;
  int index = 0;
  for (const Node* item : list.items()) {
    const Place here{&place, member.name, row.element, index};
    if (item->is_null() && IsPrimitive(*row.type)) {
      if (shadows == nullptr) shadows = object.Find("_" + std::string(member.name));
      const bool has_shadow = shadows != nullptr &&
                              static_cast<std::size_t>(index) < shadows->items().size() &&
                              shadows->items()[static_cast<std::size_t>(index)]->is_object();
      if (!has_shadow) report_.Add(here, item, "null without an extension (ele-1)");
    } else {
      CheckValue(*item, row, here);
    }
    ++index;
  }
}

void Walker::CheckShadow(const Node& object, const Member& member, const PropertyRow& row,
                         const Place& place) {
  const Node& shadow = *member.value;
  const Node* value = object.Find(member.name.substr(1));
  if (!row.element->is_list()) {
    return CheckShadowItem(shadow, value != nullptr, row, Place{&place, member.name, row.element});
  }
  const Place whole{&place, member.name, row.element};
  if (!shadow.is_array()) return report_.Add(whole, &shadow, "an array is expected");
  if (shadow.size == 0) return report_.Add(whole, &shadow, "an empty array");
  const std::span<Node*> values = value == nullptr ? std::span<Node*>() : value->items();
  std::size_t index = 0;
  for (const Node* item : shadow.items()) {
    const Place here{&place, member.name, row.element, static_cast<int>(index)};
    const bool has_value = index < values.size() && !values[index]->is_null();
    if (!item->is_null()) {
      CheckShadowItem(*item, has_value, row, here);
    } else if (index >= values.size()) {
      report_.Add(here, item, "null without a value (ele-1)");
    }
    ++index;
  }
}

void Walker::CheckShadowItem(const Node& shadow, bool has_value, const PropertyRow& row, const Place& place) {
  if (!has_value && shadow.is_object() && shadow.size == 1 && shadow.Find("id") != nullptr) {
    report_.Add(place, &shadow, "neither a value nor an extension (ele-1)");
  }
  CheckObject(shadow, *row.type, place);
}

void Walker::CheckValue(const Node& node, const PropertyRow& row, const Place& place) {
  if (node.is_null()) return report_.Add(place, &node, "null");
  const TypeInfo& type = *row.type;
  if (IsPrimitive(type)) return CheckPrimitive(node, row, place);
  if (type.kind == TypeKind::kResource) {
    const bool is_contained = row.element->name == "contained";
    ResourceScope* outermost = scope_->container != nullptr ? scope_->container : scope_;
    return CheckResourceNode(node, place, is_contained ? outermost : nullptr);
  }
  if (node.is_object() && node.size == 1 && node.Find("id") != nullptr) {
    report_.Add(place, &node, "nothing but an id (ele-1)");
  }
  CheckObject(node, type, place);
  if (!node.is_object()) return;
  if (row.element->required_binding != nullptr) CheckBinding(node, row, place);
  if (type.name == "Extension") CheckExtension(node, place);
  for (const ElementType& allowed : row.element->types) {
    if (allowed.type != &type) continue;
    if (type.name == "Reference") references_.CheckReference(node, allowed, place, *scope_);
    if (allowed.is_simple_quantity && node.Find("comparator") != nullptr) {
      report_.Add(place, &node, "a comparator is not allowed here (sqty-1)");
    }
  }
}

void Walker::CheckPrimitive(const Node& node, const PropertyRow& row, const Place& place) {
  if (node.is_object() || node.is_array()) return report_.Add(place, &node, "a single value is expected");
  const std::string_view problem = PrimitiveProblem(*row.type, node);
  if (!problem.empty()) return report_.Add(place, &node, problem);
  if (row.element->required_binding != nullptr) CheckBinding(node, row, place);
  const std::string_view type = row.type->name;
  if (type == "uri" || type == "url" || type == "canonical") references_.NoteLocal(node.text, *scope_);
}

void Walker::CheckBinding(const Node& node, const PropertyRow& row, const Place& place) {
  const ValueSetInfo& set = *row.element->required_binding;
  const auto coding_fits = [&](const Node& coding) {
    return set.Contains(MemberText(&coding, "system"), MemberText(&coding, "code"));
  };
  bool fits = true;
  if (IsPrimitive(*row.type)) {
    fits = set.Contains(node.text);
  } else if (row.type->name == "CodeableConcept") {
    const Node* codings = node.Find("coding");
    const std::span<Node*> all = codings == nullptr ? std::span<Node*>() : codings->items();
    fits = std::any_of(all.begin(), all.end(), [&](const Node* coding) { return coding_fits(*coding); });
  } else if (row.type->name == "Coding" || row.type->name == "Quantity") {
    fits = coding_fits(node);
  }
  if (!fits) report_.Add(place, &node, "no code of the required value set " + std::string(set.url));
}

void Walker::CheckMissing(const Node& node, const TypeInfo& type, const Place& place,
                          const SeenElements& seen) {
  for (const ElementInfo& element : type.elements) {
    if (element.min == 0 || seen.Contains(element, node, type)) continue;
    const std::string name = std::string(element.name) + (element.is_choice ? "[x]" : "");
    report_.Add(Place{&place, name, &element}, &node, "a required element is missing");
  }
}

void Walker::CheckInvariants(const Node& node, const TypeInfo& type, const Place& place) {
  // Those of the abstract types (ele-1, dom-2 and so on) stand elsewhere.
  for (const TypeInfo* at = &type; at != nullptr && !at->is_abstract; at = at->base) {
    for (const Invariant& invariant : InvariantsOf(at->name)) {
      if (invariant.holds(node)) continue;
      report_.Add(place, &node, std::string(invariant.rule) + " (" + std::string(invariant.key) + ")");
    }
  }
}

void Walker::CheckExtension(const Node& node, const Place& place) {
  const bool has_value = std::any_of(node.members().begin(), node.members().end(), [](const Member& member) {
    return member.name.starts_with("value") || member.name.starts_with("_value");
  });
  if (has_value == (node.Find("extension") != nullptr)) {
    report_.Add(place, &node, "an extension has a value or extensions, not both and not neither (ext-1)");
  }
  const std::string_view url = MemberText(&node, "url");
  const bool is_nested =
      frame_ != nullptr && frame_->type->name == "Extension" && !MemberText(frame_->node, "url").empty();
  if (!is_nested && !url.empty() && url.find(':') == std::string_view::npos) {
    report_.Add(Place{&place, "url"}, &node, "the url of an extension is absolute");
  }
  if (const ExtensionInfo* info = schema_.FindExtension(url)) CheckExtensionUse(node, *info, place);
}

// An extension whose definition is known: its value's type, and the element it stands on.
void Walker::CheckExtensionUse(const Node& node, const ExtensionInfo& info, const Place& place) {
  for (const Member& member : node.members()) {
    if (!member.name.starts_with("value")) continue;
    const std::optional<Property> property =
        Schema::FindProperty(*schema_.FindType("Extension"), member.name);
    if (!property || property->type == nullptr) continue;
    const bool fits =
        std::find(info.value_types.begin(), info.value_types.end(), property->type) != info.value_types.end();
    if (!fits) {
      report_.Add(Place{&place, member.name, property->element}, member.value,
                  "not a type that the definition of the extension allows");
    }
  }
  if (frame_ == nullptr || info.contexts.empty()) return;
  const Frame& frame = *frame_;
  const auto is_context = [&](std::string_view context) {
    for (const TypeInfo* at = frame.type; at != nullptr; at = at->base) {
      if (at->name == context) return true;
    }
    const std::size_t dot = context.rfind('.');
    return dot != std::string_view::npos && frame.element != nullptr &&
           context.substr(dot + 1) == frame.element->name &&
           context.substr(0, dot) == frame.element->owner->name;
  };
  if (std::none_of(info.contexts.begin(), info.contexts.end(), is_context)) {
    report_.Add(place, &node, "the definition of the extension does not allow it here");
  }
}

}  // namespace

void CheckResource(const Element& resource, const Schema& schema, Issues& out) {
  if (resource.node != nullptr) Walker(schema, out).CheckRoot(resource);
}

void CheckResource(const Node& resource, const Schema& schema, Issues& out) {
  CheckResource(RootElement(resource, schema), schema, out);
}

}  // namespace fhir_adapter::fhir
