#include "fhir/reference_checker.h"

#include <algorithm>

#include "fhir/primitive_format.h"

namespace fhir_adapter::fhir {
namespace {

std::span<Node*> ItemsOf(const Node& object, std::string_view name) {
  const Node* node = object.Find(name);
  return node != nullptr ? node->items() : std::span<Node*>();
}

const ResourceScope& Outermost(const ResourceScope& scope) {
  return scope.container != nullptr ? *scope.container : scope;
}

// A reference to the container from inside, "#", anywhere below.
bool RefersToContainer(const Node& node) {
  if (node.is_array()) {
    const std::span<Node*> items = node.items();
    return std::any_of(items.begin(), items.end(), [](const Node* item) { return RefersToContainer(*item); });
  }
  return MemberText(&node, "reference") == "#" ||
         std::any_of(node.members().begin(), node.members().end(),
                     [](const Member& member) { return RefersToContainer(*member.value); });
}

struct UrlParts {
  std::string_view type;
  std::string_view id;
};

// The last "Type/id" of a path, a version left out.
UrlParts SplitUrl(std::string_view url) {
  if (const std::size_t history = url.find("/_history/"); history != std::string_view::npos) {
    url = url.substr(0, history);
  }
  const std::size_t slash = url.rfind('/');
  if (slash == std::string_view::npos) return UrlParts{{}, url};
  const std::string_view before = url.substr(0, slash);
  const std::size_t start = before.rfind('/');
  return UrlParts{start == std::string_view::npos ? before : before.substr(start + 1), url.substr(slash + 1)};
}

}  // namespace

const Node* ReferenceChecker::EnterBundle(const Node& bundle) {
  const Node* outer = bundle_;
  bundle_ = &bundle;
  resource_by_full_url_.clear();
  resources_without_full_url_.clear();
  for (const Node* entry : ItemsOf(bundle, "entry")) {
    const std::string_view full_url = MemberText(entry, "fullUrl");
    const Node* resource = entry->Find("resource");
    if (!full_url.empty()) {
      resource_by_full_url_.emplace(full_url, resource);
    } else if (resource != nullptr) {
      resources_without_full_url_.push_back(resource);
    }
  }
  return outer;
}

void ReferenceChecker::LeaveBundle(const Node* outer) {
  bundle_ = nullptr;
  resource_by_full_url_.clear();
  resources_without_full_url_.clear();
  if (outer != nullptr) EnterBundle(*outer);
}

bool ReferenceChecker::IsResourceType(std::string_view name) const {
  const TypeInfo* type = schema_.FindType(name);
  return type != nullptr && type->kind == TypeKind::kResource && type->name == name;
}

void ReferenceChecker::CheckTarget(std::string_view type_name, const Node& node, const ElementType& allowed,
                                   const Place& place) {
  if (type_name.empty() || allowed.targets.empty()) return;
  const bool fits = std::any_of(allowed.targets.begin(), allowed.targets.end(), [&](std::string_view target) {
    if (target == type_name) return true;
    const TypeInfo* type = schema_.FindType(target);
    return type != nullptr && type->name == type_name;
  });
  if (!fits) report_.Add(place, &node, "a reference to a resource of a type that is not allowed here");
}

void ReferenceChecker::CheckReference(const Node& reference, const ElementType& allowed, const Place& place,
                                      ResourceScope& scope) {
  const Node* text = reference.Find("reference");
  const Node* stated = reference.Find("type");
  if (stated != nullptr && stated->is_string() && IsResourceType(stated->text)) {
    CheckTarget(stated->text, *stated, allowed, Place{&place, "type"});
  }
  if (text == nullptr || !text->is_string() || text->text.empty()) return;
  const Place text_place{&place, "reference"};
  if (text->text.starts_with('#')) {
    CheckLocal(*text, allowed, text_place, scope);
  } else if (text->text.starts_with("urn:")) {
    CheckUrn(*text, allowed, text_place);
  } else {
    CheckUrl(*text, allowed, text_place, scope);
    const std::string_view implied = SplitUrl(text->text.substr(0, text->text.find('?'))).type;
    if (stated != nullptr && stated->is_string() && IsResourceType(implied) && stated->text != implied) {
      report_.Add(Place{&place, "type"}, stated, "differs from the type that the reference names");
    }
  }
}

void ReferenceChecker::NoteLocal(std::string_view uri, ResourceScope& scope) {
  if (!uri.starts_with('#')) return;
  (scope.container != nullptr ? *scope.container : scope).local_references.push_back(uri);
}

// ref-1: what begins with # is the id of a contained resource, or # alone the container.
void ReferenceChecker::CheckLocal(const Node& text, const ElementType& allowed, const Place& place,
                                  ResourceScope& scope) {
  NoteLocal(text.text, scope);
  const Node& root = *Outermost(scope).resource;
  const std::string_view id = text.text.substr(1);
  if (id.empty()) {
    if (scope.container == nullptr) report_.Add(place, &text, "# outside a contained resource (ref-1)");
    return CheckTarget(MemberText(&root, "resourceType"), text, allowed, place);
  }
  for (const Node* contained : ItemsOf(root, "contained")) {
    if (MemberText(contained, "id") == id) {
      return CheckTarget(MemberText(contained, "resourceType"), text, allowed, place);
    }
  }
  report_.Add(place, &text, "no contained resource has this id (ref-1)");
}

void ReferenceChecker::CheckUrn(const Node& text, const ElementType& allowed, const Place& place) {
  const bool is_uuid = text.text.starts_with("urn:uuid:");
  if (is_uuid && !IsUuid(text.text.substr(std::string_view("urn:uuid:").size()))) {
    return report_.Add(place, &text, "urn:uuid: without a lower-case UUID");
  }
  if (bundle_ == nullptr) return;
  const auto target = resource_by_full_url_.find(text.text);
  if (target == resource_by_full_url_.end()) {
    return report_.Add(place, &text, "no entry of the Bundle has this fullUrl");
  }
  CheckTarget(MemberText(target->second, "resourceType"), text, allowed, place);
}

// Relative (Type/id), absolute, or conditional (Type?query).
void ReferenceChecker::CheckUrl(const Node& text, const ElementType& allowed, const Place& place,
                                const ResourceScope& scope) {
  if (text.text.find_first_of(" \t\r\n") != std::string_view::npos) {
    return report_.Add(place, &text, "white space in a reference");
  }
  const std::size_t query = text.text.find('?');
  const bool is_absolute = text.text.substr(0, query).find("://") != std::string_view::npos;
  const Node* resource = Outermost(scope).resource;
  if (!is_absolute && std::find(resources_without_full_url_.begin(), resources_without_full_url_.end(),
                                resource) != resources_without_full_url_.end()) {
    report_.Add(place, &text, "a relative reference in an entry without fullUrl");
  }
  if (!is_absolute && query != std::string_view::npos) {
    const std::string_view type = text.text.substr(0, query);
    if (!IsResourceType(type) || query + 1 == text.text.size()) {
      return report_.Add(place, &text, "a conditional reference is a resource type, ? and a query");
    }
    return CheckTarget(type, text, allowed, place);
  }
  const UrlParts parts = SplitUrl(text.text.substr(0, query));
  if (IsResourceType(parts.type)) {
    if (!IsId(parts.id)) return report_.Add(place, &text, "the id in the reference is not well-formed");
    return CheckTarget(parts.type, text, allowed, place);
  }
  if (!is_absolute) report_.Add(place, &text, "neither Type/id, nor a URL, nor a local reference");
}

void ReferenceChecker::CheckContained(const Place& place, const ResourceScope& scope) {
  const Node* contained = scope.resource->Find("contained");
  if (contained == nullptr) return;
  if (scope.container != nullptr) {
    return report_.Add(Place{&place, "contained"}, contained,
                       "contained inside a contained resource (dom-2)");
  }
  const ElementInfo* element = Schema::FindElement(*schema_.FindType("DomainResource"), "contained");
  std::vector<std::string_view> ids;
  int index = 0;
  for (const Node* resource : contained->items()) {
    const Place item{&place, "contained", element, index++};
    const std::string_view id = MemberText(resource, "id");
    if (id.empty()) {
      report_.Add(item, resource, "a contained resource needs an id");
      continue;
    }
    if (std::find(ids.begin(), ids.end(), id) != ids.end()) {
      report_.Add(item, resource, "another contained resource has this id");
    }
    ids.push_back(id);
    const bool is_used = std::any_of(scope.local_references.begin(), scope.local_references.end(),
                                     [&](std::string_view uri) { return uri.substr(1) == id; });
    if (!is_used && !RefersToContainer(*resource)) {
      report_.Add(item, resource, "nothing refers to this contained resource (dom-3)");
    }
    const Node* meta = resource->Find("meta");
    if (meta == nullptr) continue;
    if (meta->Find("versionId") != nullptr || meta->Find("lastUpdated") != nullptr) {
      report_.Add(item, meta, "a contained resource has no versionId or lastUpdated (dom-4)");
    }
    if (meta->Find("security") != nullptr) {
      report_.Add(item, meta, "a contained resource has no security label (dom-5)");
    }
  }
}

}  // namespace fhir_adapter::fhir
