#include "fhir/schema_extension.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "fhir/schema_tables.h"

namespace fhir_adapter::fhir {
namespace {

constexpr std::string_view kSystemPrefix = "http://hl7.org/fhirpath/System.";
constexpr std::string_view kCorePrefix = "http://hl7.org/fhir/StructureDefinition/";

std::string_view TextOf(const Node& object, std::string_view name) {
  const Node* node = object.Find(name);
  return node != nullptr && (node->is_string() || node->is_number()) ? node->text : std::string_view();
}

std::span<Node*> ItemsOf(const Node& object, std::string_view name) {
  const Node* node = object.Find(name);
  return node != nullptr ? node->items() : std::span<Node*>();
}

Failure FailAt(const Node& node, std::string message) {
  return Fail(Code::kSemantic, std::move(message), Location{{}, node.line, node.column, {}});
}

// "A.b.c" → "A.b"; empty for a root.
std::string_view ParentPath(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : path.substr(0, dot);
}

std::optional<std::uint32_t> ReadCount(std::string_view text) {
  if (text == "*") return kUnbounded;
  std::uint32_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return count;
}

std::string Capitalised(std::string_view name) {
  std::string text(name);
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

}  // namespace

template <class T>
std::span<const T> SchemaExtension::Keep(const std::vector<T>& items) {
  if (items.empty()) return {};
  T* kept = arena_.MakeArray<T>(items.size());
  std::copy(items.begin(), items.end(), kept);
  return {kept, items.size()};
}

Result<void> SchemaExtension::AddStructureDefinition(const Node& definition) {
  if (TextOf(definition, "resourceType") != "StructureDefinition") {
    return FailAt(definition, "a StructureDefinition is expected");
  }
  if (TextOf(definition, "url").empty()) return FailAt(definition, "the StructureDefinition has no url");
  const Node& kept = *Clone(definition, arena_);
  const Node* view = kept.Find("snapshot");
  if (view == nullptr) view = kept.Find("differential");
  const std::span<Node*> elements = view == nullptr ? std::span<Node*>() : ItemsOf(*view, "element");
  if (elements.empty()) return FailAt(definition, "the StructureDefinition has no elements");
  if (TextOf(kept, "kind") == "logical" && TextOf(kept, "derivation") != "constraint") {
    return AddLogicalModel(kept, elements);
  }
  if (TextOf(kept, "derivation") != "constraint") {
    return FailAt(definition, "only logical models and profiles can be added");
  }
  if (TextOf(kept, "type") == "Extension") return AddExtensionDefinition(kept, elements);
  const TypeInfo* constrained = schema_.FindType(TextOf(kept, "type"));
  if (constrained == nullptr) return FailAt(definition, "the profile constrains a type that is not known");
  type_by_name_.insert_or_assign(TextOf(kept, "url"), constrained);
  return {};
}

TypeInfo* SchemaExtension::AddType(std::string_view name, TypeKind kind) {
  TypeInfo& type = types_.emplace_back();
  type.name = name;
  type.kind = kind;
  type_by_name_.insert_or_assign(name, &type);
  return &type;
}

// Nothing is inherited: a local record is no FHIR Element, so an `id` or `extension` is known only where the
// model names it.
Result<void> SchemaExtension::AddLogicalModel(const Node& definition, std::span<Node* const> elements) {
  const std::string_view root = TextOf(*elements.front(), "path");
  if (root.empty() || root.find('.') != std::string_view::npos) {
    return FailAt(*elements.front(), "the first element of a logical model is its root");
  }
  if (schema_.FindType(root) != nullptr) return FailAt(*elements.front(), "a type of this name is known");
  Drafts drafts;
  drafts[root].type = AddType(root, TypeKind::kLogical);
  drafts[root].type->url = TextOf(definition, "url");
  type_by_name_.insert_or_assign(drafts[root].type->url, drafts[root].type);
  for (const Node* element : elements.subspan(1)) {
    const std::string_view parent = ParentPath(TextOf(*element, "path"));
    if (parent.empty()) return FailAt(*element, "an element needs a path below the root");
    Draft& draft = drafts[parent];
    if (draft.type == nullptr) draft.type = AddType(parent, TypeKind::kBackbone);
  }
  for (const Node* element : elements.subspan(1)) ADAPTER_CHECK(AddElement(*element, drafts));
  for (auto& [path, draft] : drafts) Finish(draft);
  return {};
}

Result<void> SchemaExtension::AddElement(const Node& definition, Drafts& drafts) {
  const std::string_view path = TextOf(definition, "path");
  Draft& draft = drafts[ParentPath(path)];
  ElementInfo element;
  element.name = path.substr(ParentPath(path).size() + 1);
  element.is_choice = element.name.ends_with("[x]");
  if (element.is_choice) element.name.remove_suffix(3);
  const auto min = ReadCount(definition.Find("min") == nullptr ? "0" : TextOf(definition, "min"));
  const auto max = ReadCount(definition.Find("max") == nullptr ? "1" : TextOf(definition, "max"));
  if (!min || !max) return FailAt(definition, "min or max is not a count");
  element.min = *min;
  element.max = *max;
  element.order = static_cast<std::uint16_t>(draft.elements.size());
  element.owner = draft.type;
  for (const ElementInfo& other : draft.elements) {
    if (other.name == element.name) return FailAt(definition, "the element stands here twice");
  }
  if (const auto types = AddElementTypes(definition, drafts, element); !types) return types;
  std::string_view binding_url;
  if (const Node* binding = definition.Find("binding");
      binding != nullptr && TextOf(*binding, "strength") == "required") {
    binding_url = TextOf(*binding, "valueSet");
  }
  draft.elements.push_back(element);
  draft.bindings.push_back(binding_url);
  return {};
}

Result<void> SchemaExtension::AddElementTypes(const Node& definition, const Drafts& drafts,
                                              ElementInfo& element) {
  std::vector<ElementType> types;
  std::string_view path = TextOf(definition, "path");
  if (const std::string_view reference = TextOf(definition, "contentReference"); !reference.empty()) {
    path = reference.substr(reference.find('#') + 1);
    if (!drafts.contains(path)) return FailAt(definition, "contentReference names no element with children");
  }
  if (const auto nested = drafts.find(path); nested != drafts.end()) {
    types.push_back(ElementType{nested->second.type, {}, element.name, false});
  } else {
    for (const Node* type : ItemsOf(definition, "type")) {
      ADAPTER_TRY(const ElementType read, ReadType(*type, element));
      types.push_back(read);
    }
  }
  if (types.empty()) return FailAt(definition, "the element has no type");
  if (types.size() > 1 && !element.is_choice) {
    return FailAt(definition, "an element with several types is named with [x]");
  }
  element.types = Keep(types);
  return {};
}

Result<ElementType> SchemaExtension::ReadType(const Node& type, const ElementInfo& element) {
  std::string_view code = TextOf(type, "code");
  const std::string system_type =
      code.starts_with(kSystemPrefix) ? std::string(code.substr(kSystemPrefix.size())) : std::string();
  if (system_type == "String") code = "string";
  const TypeInfo* info = schema_.FindType(code);
  if (info == nullptr) return FailAt(type, "the type of the element is not known");
  std::vector<std::string_view> targets;
  for (const Node* target : ItemsOf(type, "targetProfile")) {
    std::string_view name = target->text;
    if (name.starts_with(kCorePrefix)) name.remove_prefix(kCorePrefix.size());
    targets.push_back(name);
  }
  if (std::find(targets.begin(), targets.end(), "Resource") != targets.end()) targets.clear();
  std::string_view json_name = element.name;
  if (element.is_choice) json_name = arena_.Copy(std::string(element.name) + Capitalised(info->name));
  return ElementType{info, Keep(targets), json_name, false};
}

void SchemaExtension::Finish(Draft& draft) {
  ElementInfo* elements = arena_.MakeArray<ElementInfo>(draft.elements.size());
  std::vector<PropertyRow> rows;
  for (std::size_t i = 0; i < draft.elements.size(); ++i) {
    ElementInfo& element = elements[i] = draft.elements[i];
    for (const ElementType& type : element.types) {
      rows.push_back(PropertyRow{type.json_name, &element, type.type});
    }
    if (element.is_choice) rows.push_back(PropertyRow{element.name, &element, nullptr});
    if (draft.bindings[i].empty()) continue;
    element.required_binding = schema_.FindValueSet(draft.bindings[i]);
    if (element.required_binding == nullptr) {
      pending_bindings_.push_back(PendingBinding{&element, draft.bindings[i]});
    }
  }
  std::sort(rows.begin(), rows.end(),
            [](const PropertyRow& a, const PropertyRow& b) { return a.name < b.name; });
  draft.type->elements = {elements, draft.elements.size()};
  draft.type->properties.slots = Keep(SlotsOf(rows));
  draft.type->properties.rows = Keep(rows);
}

Result<void> SchemaExtension::AddExtensionDefinition(const Node& definition,
                                                     std::span<Node* const> elements) {
  const ElementInfo* core_value = Schema::FindElement(*schema_.FindType("Extension"), "value");
  std::vector<const TypeInfo*> types;
  bool is_described = false;
  for (const Node* element : elements) {
    const std::string_view path = TextOf(*element, "path");
    if (path == "Extension.extension" && element->Find("sliceName") != nullptr) is_described = true;
    if (path != "Extension.value[x]") continue;
    is_described = true;
    if (TextOf(*element, "max") == "0") continue;
    for (const Node* type : ItemsOf(*element, "type")) {
      const TypeInfo* info = schema_.FindType(TextOf(*type, "code"));
      if (info == nullptr) return FailAt(*type, "the type of the extension's value is not known");
      types.push_back(info);
    }
  }
  if (!is_described) {
    for (const ElementType& type : core_value->types) types.push_back(type.type);
  }
  std::vector<std::string_view> contexts;
  for (const Node* context : ItemsOf(definition, "context")) {
    if (TextOf(*context, "type") == "element") contexts.push_back(TextOf(*context, "expression"));
  }
  ExtensionInfo& info = extensions_.emplace_back();
  info.url = TextOf(definition, "url");
  info.contexts = Keep(contexts);
  info.value_types = Keep(types);
  extension_by_url_.insert_or_assign(info.url, &info);
  return {};
}

Result<void> SchemaExtension::AddCodeSystem(const Node& code_system) {
  if (TextOf(code_system, "resourceType") != "CodeSystem" || TextOf(code_system, "url").empty()) {
    return FailAt(code_system, "a CodeSystem with a url is expected");
  }
  if (TextOf(code_system, "content") != "complete") return {};
  const Node& kept = *Clone(code_system, arena_);
  std::vector<std::string_view>& codes = codes_by_system_[TextOf(kept, "url")];
  std::vector<const Node*> open{&kept};
  while (!open.empty()) {
    const Node* parent = open.back();
    open.pop_back();
    for (const Node* concept_node : ItemsOf(*parent, "concept")) {
      codes.push_back(TextOf(*concept_node, "code"));
      open.push_back(concept_node);
    }
  }
  ResolveValueSets();
  return {};
}

Result<void> SchemaExtension::AddValueSet(const Node& value_set) {
  if (TextOf(value_set, "resourceType") != "ValueSet" || TextOf(value_set, "url").empty()) {
    return FailAt(value_set, "a ValueSet with a url is expected");
  }
  open_value_sets_.push_back(Clone(value_set, arena_));
  ResolveValueSets();
  return {};
}

// False when the part cannot be enumerated (yet).
bool SchemaExtension::AppendCodes(const Node& include, std::vector<ValueSetInfo::Row>& rows) const {
  if (!ItemsOf(include, "filter").empty()) return false;
  const std::string_view system = TextOf(include, "system");
  const std::span<Node*> nested = ItemsOf(include, "valueSet");
  if (!nested.empty()) {
    // A system beside value sets means what both hold: not used by our own sets, so it stays open.
    const ValueSetInfo* other = schema_.FindValueSet(nested.front()->text);
    if (!system.empty() || nested.size() > 1 || other == nullptr) return false;
    rows.insert(rows.end(), other->codes.begin(), other->codes.end());
    return true;
  }
  if (include.Find("concept") != nullptr) {
    for (const Node* concept_node : ItemsOf(include, "concept")) {
      rows.push_back(ValueSetInfo::Row{system, TextOf(*concept_node, "code")});
    }
    return true;
  }
  const auto known = codes_by_system_.find(system);
  if (known == codes_by_system_.end()) return false;
  for (const std::string_view code : known->second) rows.push_back(ValueSetInfo::Row{system, code});
  return true;
}

bool SchemaExtension::Expand(const Node& value_set) {
  const Node* compose = value_set.Find("compose");
  if (compose == nullptr || !ItemsOf(*compose, "exclude").empty()) return false;
  std::vector<ValueSetInfo::Row> rows;
  for (const Node* include : ItemsOf(*compose, "include")) {
    if (!AppendCodes(*include, rows)) return false;
  }
  if (rows.empty()) return false;
  std::sort(rows.begin(), rows.end(), [](const ValueSetInfo::Row& a, const ValueSetInfo::Row& b) {
    return std::tie(a.code, a.system) < std::tie(b.code, b.system);
  });
  ValueSetInfo& info = value_sets_.emplace_back();
  info.url = TextOf(value_set, "url");
  info.codes = Keep(rows);
  value_set_by_url_.insert_or_assign(info.url, &info);
  return true;
}

// Value sets may refer to each other, so what was resolved can open the next.
void SchemaExtension::ResolveValueSets() {
  while (std::erase_if(open_value_sets_, [this](const Node* set) { return Expand(*set); }) > 0) {
  }
  std::erase_if(pending_bindings_, [this](const PendingBinding& pending) {
    pending.element->required_binding = schema_.FindValueSet(pending.url);
    return pending.element->required_binding != nullptr;
  });
}

const TypeInfo* SchemaExtension::FindType(std::string_view name_or_url) const {
  const auto found = type_by_name_.find(name_or_url);
  return found == type_by_name_.end() ? nullptr : found->second;
}

const ValueSetInfo* SchemaExtension::FindValueSet(std::string_view url) const {
  const auto found = value_set_by_url_.find(url);
  return found == value_set_by_url_.end() ? nullptr : found->second;
}

const ExtensionInfo* SchemaExtension::FindExtension(std::string_view url) const {
  const auto found = extension_by_url_.find(url);
  return found == extension_by_url_.end() ? nullptr : found->second;
}

}  // namespace fhir_adapter::fhir
