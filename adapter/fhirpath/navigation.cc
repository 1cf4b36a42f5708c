#include "fhirpath/navigation.h"

#include <algorithm>

namespace fhir_adapter::fhirpath::internal {
namespace {

struct Pair {
  fhir::Node* value = nullptr;
  fhir::Node* shadow = nullptr;
};

// `name` and `_name` of an object in one pass.
Pair FindPair(const fhir::Node& object, std::string_view name) {
  Pair pair;
  for (const fhir::Member& member : object.members()) {
    if (fhir::IsSameName(member.name, name)) {
      pair.value = member.value;
    } else if (member.name.size() == name.size() + 1 && member.name[0] == '_' &&
               member.name.substr(1) == name) {
      pair.shadow = member.value;
    }
  }
  return pair;
}

// The object that holds the children of an element: itself, or the `_name` object of a primitive.
const fhir::Node* ObjectOf(const fhir::Element& element) {
  if (element.node != nullptr && element.node->is_object()) return element.node;
  if (element.shadow != nullptr && element.shadow->is_object()) return element.shadow;
  return nullptr;
}

const fhir::TypeInfo* ActualType(const fhir::Node* node, const fhir::TypeInfo* type,
                                 const fhir::Schema& schema) {
  if (node == nullptr || !node->is_object()) return type;
  if (type != nullptr && type->kind != fhir::TypeKind::kResource) return type;
  const fhir::Node* name = node->Find("resourceType");
  if (name == nullptr || !name->is_string()) return type;
  const fhir::TypeInfo* actual = schema.FindType(name->text);
  return actual == nullptr ? type : actual;
}

void AppendOne(fhir::Node* value, fhir::Node* shadow, const fhir::TypeInfo* type,
               const fhir::ElementInfo* definition, const fhir::Schema& schema, Arena& arena,
               Collection& out) {
  fhir::Element element;
  element.node = value != nullptr && value->is_null() ? nullptr : value;
  element.shadow = shadow != nullptr && shadow->is_object() ? shadow : nullptr;
  if (element.empty()) return;
  element.type = ActualType(element.node, type, schema);
  element.definition = definition;
  out.Append(element, arena);
}

void AppendPair(const Pair& pair, const fhir::TypeInfo* type, const fhir::ElementInfo* definition,
                const fhir::Schema& schema, Arena& arena, Collection& out) {
  const bool is_list = (pair.value != nullptr && pair.value->is_array()) ||
                       (pair.shadow != nullptr && pair.shadow->is_array());
  if (!is_list) {
    AppendOne(pair.value, pair.shadow, type, definition, schema, arena, out);
    return;
  }
  const auto values = pair.value == nullptr ? std::span<fhir::Node*>() : pair.value->items();
  const auto shadows = pair.shadow == nullptr ? std::span<fhir::Node*>() : pair.shadow->items();
  const std::size_t count = std::max(values.size(), shadows.size());
  for (std::size_t i = 0; i < count; ++i) {
    AppendOne(i < values.size() ? values[i] : nullptr, i < shadows.size() ? shadows[i] : nullptr, type,
              definition, schema, arena, out);
  }
}

}  // namespace

bool HasTypeName(const fhir::TypeInfo* type, std::string_view name) {
  for (; type != nullptr; type = type->base) {
    if (type->name == name) return true;
  }
  return false;
}

bool FindMember(const fhir::Schema& schema, const fhir::TypeInfo& type, std::string_view name,
                MemberAccess& access, bool accepts_json_names) {
  const fhir::ElementInfo* element = schema.FindElement(type, name);
  if (element == nullptr) return false;
  const bool is_json_name = element->name != name;
  if (is_json_name && !(accepts_json_names && element->is_choice)) return false;
  access.owner = &type;
  access.element = element;
  access.forms.clear();
  for (const fhir::ElementType& possible : element->types) {
    MemberAccess::Form form;
    form.type = possible.type;
    form.json_name = element->is_choice && possible.type != nullptr
                         ? schema.JsonName(*element, *possible.type)
                         : element->name;
    // The id of a resource is of type id (R4 resource page); its definition says string for technical
    // reasons.
    if (type.kind == fhir::TypeKind::kResource && name == "id") {
      if (const fhir::TypeInfo* id = schema.FindType("id")) form.type = id;
    }
    if (is_json_name && form.json_name != name) continue;
    access.forms.push_back(form);
    if (!element->is_choice && possible.type == nullptr) break;
  }
  if (access.forms.empty()) access.forms.push_back({element->name, nullptr});
  return true;
}

void AppendMember(const fhir::Element& parent, const MemberAccess& access, const fhir::Schema& schema,
                  Arena& arena, Collection& out) {
  const fhir::Node* object = ObjectOf(parent);
  if (object == nullptr) return;
  if (!access.element->is_choice) {
    const MemberAccess::Form& form = access.forms.front();
    const Pair pair = FindPair(*object, form.json_name);
    AppendPair(pair, access.forms.size() == 1 ? form.type : nullptr, access.element, schema, arena, out);
    return;
  }
  // Few members, many forms: look at the members that begin with the element's name.
  const std::string_view name = access.element->name;
  for (const fhir::Member& member : object->members()) {
    std::string_view json_name = member.name;
    const bool is_shadow = !json_name.empty() && json_name[0] == '_';
    if (is_shadow) json_name.remove_prefix(1);
    if (!json_name.starts_with(name)) continue;
    for (const MemberAccess::Form& form : access.forms) {
      if (form.json_name != json_name) continue;
      Pair pair = FindPair(*object, json_name);
      if (is_shadow && pair.value != nullptr) break;  // comes with its value
      AppendPair(pair, form.type, access.element, schema, arena, out);
      break;
    }
  }
}

void AppendMemberByName(const fhir::Element& parent, std::string_view name, const fhir::Schema& schema,
                        Arena& arena, Collection& out, bool accepts_json_names) {
  if (parent.type != nullptr) {
    MemberAccess access;
    if (FindMember(schema, *parent.type, name, access, accepts_json_names)) {
      AppendMember(parent, access, schema, arena, out);
      return;
    }
    // Below an Element of a primitive type that the schema describes by its value alone.
    if (parent.type->kind != fhir::TypeKind::kPrimitive || (name != "id" && name != "extension")) return;
  }
  const fhir::Node* object = ObjectOf(parent);
  if (object == nullptr) return;
  const fhir::TypeInfo* type = name == "extension" ? schema.FindType("Extension") : nullptr;
  AppendPair(FindPair(*object, name), type, nullptr, schema, arena, out);
}

void AppendChildren(const fhir::Element& parent, const fhir::Schema& schema, Arena& arena, Collection& out) {
  const fhir::Node* object = ObjectOf(parent);
  if (object == nullptr) return;
  const auto is_shadow = [](const fhir::Member& member) { return member.name.starts_with('_'); };
  const auto members = object->members();
  const bool has_shadows = std::any_of(members.begin(), members.end(), is_shadow);
  for (const fhir::Member& member : members) {
    std::string_view name = member.name;
    Pair pair{member.value, nullptr};
    if (is_shadow(member)) {
      name.remove_prefix(1);
      pair = FindPair(*object, name);
      if (pair.value != nullptr) continue;  // came with its value
    } else if (has_shadows) {
      pair = FindPair(*object, name);
    }
    if (parent.type == nullptr) {
      if (name != "resourceType") AppendPair(pair, nullptr, nullptr, schema, arena, out);
      continue;
    }
    const auto property = schema.FindProperty(*parent.type, name);
    if (property) {
      AppendPair(pair, property->type, property->element, schema, arena, out);
    } else if (parent.type->kind == fhir::TypeKind::kPrimitive && name == "extension") {
      AppendPair(pair, schema.FindType("Extension"), nullptr, schema, arena, out);
    }
  }
}

}  // namespace fhir_adapter::fhirpath::internal
