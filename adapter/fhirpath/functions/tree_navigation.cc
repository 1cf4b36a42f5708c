// Tree navigation and FHIR's own functions: children, descendants, extension, hasValue, getValue, resolve.
// FHIRPath N1 2.0.0, section 5.8; FHIR R4 additional functions.
#include "fhirpath/functions/function.h"
#include "fhirpath/navigation.h"

namespace fhir_adapter::fhirpath::internal {
namespace {

bool Children(Call& call) {
  for (const Item& item : call.input) {
    if (item.is_element()) AppendChildren(item.element(), call.evaluator.schema(), call.arena(), call.out);
  }
  return call.evaluator.Step(call.node, call.out.size());
}

// Depth first, in document order.
bool AppendDescendants(Call& call, const Item& item) {
  if (!item.is_element()) return true;
  const fhir::Element& element = item.element();
  const bool is_leaf = element.shadow == nullptr && (element.node == nullptr || !element.node->is_object());
  if (is_leaf) return true;
  Collection children;
  AppendChildren(item.element(), call.evaluator.schema(), call.arena(), children);
  if (!call.evaluator.Step(call.node, children.size() + 1)) return false;
  for (const Item& child : children) {
    if (!call.Add(child) || !AppendDescendants(call, child)) return false;
  }
  return true;
}

bool Descendants(Call& call) {
  for (const Item& item : call.input) {
    if (!AppendDescendants(call, item)) return false;
  }
  return true;
}

bool Extension(Call& call) {
  std::optional<std::string_view> url;
  if (!call.TextArgument(0, url)) return false;
  if (!url) return true;
  Collection extensions;
  for (const Item& item : call.input) {
    if (item.is_element()) {
      AppendMemberByName(item.element(), "extension", call.evaluator.schema(), call.arena(), extensions);
    }
  }
  for (const Item& extension : extensions) {
    const fhir::Node* node = extension.element().node;
    const fhir::Node* name = node == nullptr ? nullptr : node->Find("url");
    if (name != nullptr && name->text == *url && !call.Add(extension)) return false;
  }
  return call.evaluator.Step(call.node, extensions.size());
}

bool HasPrimitiveValue(const Item& item) {
  if (!item.is_element()) return true;
  const fhir::Node* node = item.element().node;
  return node != nullptr && !node->is_object() && !node->is_array() && !node->is_null();
}

bool HasValue(Call& call) {
  return call.ReturnBoolean(call.input.size() == 1 && HasPrimitiveValue(call.input.front()));
}

bool GetValue(Call& call) {
  if (call.input.size() != 1 || !HasPrimitiveValue(call.input.front())) return true;
  return call.Return(ToSystem(call.input.front(), call.arena()));
}

const fhir::Node* TextMember(const fhir::Node& node, std::string_view name) {
  const fhir::Node* member = node.Find(name);
  return member != nullptr && member->is_string() ? member : nullptr;
}

fhir::Element ResourceElement(const fhir::Node& node, const fhir::Schema& schema) {
  fhir::Element element;
  element.node = &node;
  const fhir::Node* type = TextMember(node, "resourceType");
  if (type != nullptr) element.type = schema.FindType(type->text);
  return element;
}

// "#id" in the container's `contained`; "#" is the container.
fhir::Element FindContained(Call& call, const fhir::Node& container, std::string_view id) {
  if (id.empty()) return ResourceElement(container, call.evaluator.schema());
  const fhir::Node* contained = container.Find("contained");
  if (contained == nullptr) return {};
  for (const fhir::Node* resource : contained->items()) {
    const fhir::Node* own = TextMember(*resource, "id");
    if (own != nullptr && own->text == id) return ResourceElement(*resource, call.evaluator.schema());
  }
  return {};
}

// "Type/id" names the resource, whatever comes before (base) or after (_history/version).
bool NamesResource(std::string_view reference, const fhir::Node& resource) {
  const fhir::Node* type = TextMember(resource, "resourceType");
  const fhir::Node* id = TextMember(resource, "id");
  if (type == nullptr || id == nullptr) return false;
  if (const std::size_t history = reference.find("/_history/"); history != std::string_view::npos) {
    reference = reference.substr(0, history);
  }
  if (!reference.ends_with(id->text)) return false;
  reference.remove_suffix(id->text.size());
  if (!reference.ends_with('/')) return false;
  reference.remove_suffix(1);
  if (!reference.ends_with(type->text)) return false;
  reference.remove_suffix(type->text.size());
  return reference.empty() || reference.ends_with('/');
}

// First an entry with that fullUrl, then one whose resource has that type and id.
fhir::Element FindEntry(Call& call, const fhir::Node& bundle, std::string_view reference) {
  const fhir::Node* entries = bundle.Find("entry");
  if (entries == nullptr) return {};
  const fhir::Node* named = nullptr;
  const bool relative = reference.find(':') == std::string_view::npos;
  for (const fhir::Node* entry : entries->items()) {
    const fhir::Node* resource = entry->Find("resource");
    if (resource == nullptr || !resource->is_object()) continue;
    const fhir::Node* url = TextMember(*entry, "fullUrl");
    if (url != nullptr && url->text == reference) return ResourceElement(*resource, call.evaluator.schema());
    if (relative && named == nullptr && NamesResource(reference, *resource)) named = resource;
  }
  return named == nullptr ? fhir::Element{} : ResourceElement(*named, call.evaluator.schema());
}

const fhir::Node* RootNode(const Collection& collection) {
  if (collection.empty() || !collection.front().is_element()) return nullptr;
  return collection.front().element().node;
}

// Whether `place` is a node of the tree. False: the steps are used up.
bool Search(Call& call, const fhir::Node& tree, const fhir::Node& place, bool& is_found) {
  if (!call.evaluator.Step(call.node)) return false;
  is_found = &tree == &place;
  for (const fhir::Member& member : tree.members()) {
    if (is_found) return true;
    if (!Search(call, *member.value, place, is_found)) return false;
  }
  for (const fhir::Node* item : tree.items()) {
    if (is_found) return true;
    if (!Search(call, *item, place, is_found)) return false;
  }
  return true;
}

// "#id" of a reference within an entry of a Bundle is contained in that entry's resource.
bool FindContainedInEntry(Call& call, const fhir::Node& bundle, const fhir::Node& place, std::string_view id,
                          fhir::Element& found) {
  const fhir::Node* entries = bundle.Find("entry");
  if (entries == nullptr) return true;
  for (const fhir::Node* entry : entries->items()) {
    const fhir::Node* resource = entry->Find("resource");
    if (resource == nullptr) continue;
    bool is_found = false;
    if (!Search(call, *resource, place, is_found)) return false;
    if (!is_found) continue;
    found = FindContained(call, *resource, id);
    return true;
  }
  return true;
}

// `place` is where the reference stands; null: it was made by the expression.
bool ResolveOne(Call& call, std::string_view reference, const fhir::Node* place) {
  const fhir::Node* resource = RootNode(call.evaluator.resource());
  const fhir::Node* root = RootNode(call.evaluator.root_resource());
  fhir::Element found;
  if (reference.starts_with('#')) {
    const fhir::Node* type = root == nullptr ? nullptr : TextMember(*root, "resourceType");
    if (place != nullptr && type != nullptr && type->text == "Bundle") {
      if (!FindContainedInEntry(call, *root, *place, reference.substr(1), found)) return false;
    }
    for (const fhir::Node* container : {resource, root}) {
      if (container != nullptr && found.empty()) found = FindContained(call, *container, reference.substr(1));
    }
  } else {
    for (const fhir::Node* bundle : {root, resource}) {
      const fhir::Node* type = bundle == nullptr ? nullptr : TextMember(*bundle, "resourceType");
      if (type != nullptr && type->text == "Bundle" && found.empty())
        found = FindEntry(call, *bundle, reference);
    }
    if (found.empty() && call.evaluator.context().host != nullptr) {
      Result<fhir::Element> answer = call.evaluator.context().host->ResolveReference(reference);
      if (!answer) return call.evaluator.Fail(call.node, std::move(answer).error());
      found = *answer;
    }
  }
  return found.empty() || call.Add(found);
}

bool Resolve(Call& call) {
  for (const Item& item : call.input) {
    if (!call.evaluator.Step(call.node)) return false;
    const Item value = ToSystem(item, call.arena());
    if (value.kind() == ItemKind::kString) {
      const fhir::Node* place = item.is_element() ? item.element().node : nullptr;
      if (!ResolveOne(call, value.text(), place)) return false;
    } else if (item.is_element() && item.element().node != nullptr) {
      const fhir::Node* reference = TextMember(*item.element().node, "reference");
      if (reference != nullptr && !ResolveOne(call, reference->text, reference)) return false;
    }
  }
  return true;
}

constexpr FunctionInfo kFunctions[] = {
    {"children", 0, 0, Children, ResultRule::kChildren},
    {"descendants", 0, 0, Descendants, ResultRule::kChildren},
    {"extension", 1, 1, Extension, ResultRule::kExtension},
    {"hasValue", 0, 0, HasValue, ResultRule::kBoolean},
    {"getValue", 0, 0, GetValue, ResultRule::kAny},
    {"resolve", 0, 0, Resolve, ResultRule::kAny},
};

}  // namespace

std::span<const FunctionInfo> NavigationFunctions() {
  return kFunctions;
}

}  // namespace fhir_adapter::fhirpath::internal
