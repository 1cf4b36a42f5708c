#include "fhir/element.h"

#include <algorithm>

namespace fhir_adapter::fhir {
namespace {

// The type of a value of `declared` type: a resource names its own.
const TypeInfo* ActualType(const Node* node, const TypeInfo* declared, const Schema& schema) {
  if (declared == nullptr || declared->kind != TypeKind::kResource || node == nullptr) return declared;
  const Node* name = node->Find("resourceType");
  if (name == nullptr || !name->is_string()) return declared;
  const TypeInfo* type = schema.FindType(name->text);
  return type != nullptr && type->kind == TypeKind::kResource ? type : declared;
}

const Node* NullToNone(const Node* node) {
  return node == nullptr || node->is_null() ? nullptr : node;
}

void AppendValues(const Node* value, const Node* shadow, const Property& property, const Schema& schema,
                  std::vector<Element>& out) {
  const bool is_list = (value != nullptr && value->is_array()) || (shadow != nullptr && shadow->is_array());
  const auto append = [&](const Node* one, const Node* one_shadow) {
    const Element element{NullToNone(one), NullToNone(one_shadow), ActualType(one, property.type, schema),
                          property.element};
    if (!element.empty()) out.push_back(element);
  };
  if (!is_list) return append(value, shadow);
  const std::span<Node*> values = value == nullptr ? std::span<Node*>() : value->items();
  const std::span<Node*> shadows = shadow == nullptr ? std::span<Node*>() : shadow->items();
  for (std::size_t i = 0; i < std::max(values.size(), shadows.size()); ++i) {
    append(i < values.size() ? values[i] : nullptr, i < shadows.size() ? shadows[i] : nullptr);
  }
}

// The member called "_" + name.
const Node* FindShadow(const Node& object, std::string_view name) {
  for (const Member& member : object.members()) {
    if (member.name.size() == name.size() + 1 && member.name[0] == '_' && member.name.substr(1) == name) {
      return member.value;
    }
  }
  return nullptr;
}

void AppendProperty(const Node& object, std::string_view json_name, const Property& property,
                    const Schema& schema, std::vector<Element>& out) {
  const Node* value = object.Find(json_name);
  const bool may_have_shadow = property.type == nullptr || property.type->kind == TypeKind::kPrimitive;
  const Node* shadow = may_have_shadow ? FindShadow(object, json_name) : nullptr;
  if (value != nullptr || shadow != nullptr) AppendValues(value, shadow, property, schema, out);
}

// The object that holds the children: of a primitive the one of `_name`.
const Node* ChildHolder(const Element& parent) {
  if (parent.type != nullptr && parent.type->kind == TypeKind::kPrimitive) return parent.shadow;
  return parent.node;
}

// The name of the property that a member belongs to: its own, or for `_name` the value's.
std::string_view PropertyName(std::string_view member_name) {
  return member_name.starts_with('_') ? member_name.substr(1) : member_name;
}

// A choice has one member in a valid resource; whatever is there is found. `_name` alone counts, `_name`
// beside `name` is taken with it.
void AppendChoice(const Node& holder, const TypeInfo& type, const ElementInfo& element, const Schema& schema,
                  std::vector<Element>& out) {
  for (const Member& member : holder.members()) {
    const std::string_view name = PropertyName(member.name);
    const std::optional<Property> property = Schema::FindProperty(type, name);
    if (!property || property->element != &element || property->type == nullptr) continue;
    const bool is_shadow = name.size() != member.name.size();
    if (!is_shadow || holder.Find(name) == nullptr) AppendProperty(holder, name, *property, schema, out);
  }
}

}  // namespace

Element RootElement(const Node& node, const Schema& schema, const TypeInfo* type) {
  if (type == nullptr) {
    const Node* name = node.Find("resourceType");
    if (name != nullptr && name->is_string()) type = schema.FindType(name->text);
  }
  return Element{&node, nullptr, type, nullptr};
}

void AppendChildren(const Element& parent, std::string_view name, const Schema& schema,
                    std::vector<Element>& out) {
  const Node* holder = ChildHolder(parent);
  if (holder == nullptr || !holder->is_object() || parent.type == nullptr) return;
  const std::optional<Property> property = Schema::FindProperty(*parent.type, name);
  if (!property) return;
  if (property->type != nullptr && property->element->name == name) {
    AppendProperty(*holder, name, *property, schema, out);
  } else if (property->element->name == name) {
    AppendChoice(*holder, *parent.type, *property->element, schema, out);
  }
}

void AppendAllChildren(const Element& parent, const Schema& schema, std::vector<Element>& out) {
  const Node* holder = ChildHolder(parent);
  if (holder == nullptr || !holder->is_object() || parent.type == nullptr) return;
  for (const ElementInfo& element : parent.type->elements) {
    if (element.is_choice) {
      AppendChoice(*holder, *parent.type, element, schema, out);
    } else {
      AppendProperty(*holder, element.name, Property{&element, element.types.front().type}, schema, out);
    }
  }
}

}  // namespace fhir_adapter::fhir
