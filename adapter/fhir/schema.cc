#include "fhir/schema.h"

#include <algorithm>

#include "fhir/schema_extension.h"
#include "fhir/schema_tables.h"

namespace fhir_adapter::fhir {
namespace {

constexpr std::string_view kCorePrefix = "http://hl7.org/fhir/StructureDefinition/";

// "…/ValueSet/x|4.0.1" without the version.
std::string_view WithoutVersion(std::string_view canonical) {
  return canonical.substr(0, canonical.find('|'));
}

}  // namespace

struct Schema::Implementation {
  const SchemaTables* tables;
  std::unique_ptr<SchemaExtension> extension;  // null in R4()
};

Schema::Schema() : implementation_(std::make_unique<Implementation>()) {
  implementation_->tables = &kR4Tables;
}

Schema::~Schema() = default;

const Schema& Schema::R4() {
  static const Schema schema;
  return schema;
}

std::unique_ptr<Schema> Schema::ExtendR4() {
  std::unique_ptr<Schema> schema(new Schema());
  schema->implementation_->extension = std::make_unique<SchemaExtension>(*schema);
  return schema;
}

Result<void> Schema::AddStructureDefinition(const Node& definition) {
  return implementation_->extension->AddStructureDefinition(definition);
}

Result<void> Schema::AddCodeSystem(const Node& code_system) {
  return implementation_->extension->AddCodeSystem(code_system);
}

Result<void> Schema::AddValueSet(const Node& value_set) {
  return implementation_->extension->AddValueSet(value_set);
}

const TypeInfo* Schema::FindType(std::string_view name_or_url) const {
  const SchemaTables& tables = *implementation_->tables;
  std::string_view name = WithoutVersion(name_or_url);
  if (name.starts_with(kCorePrefix)) name.remove_prefix(kCorePrefix.size());
  const int index = FindSlot(tables.type_slots, name, [&](std::size_t i) { return tables.types[i].name; });
  if (index >= 0) return &tables.types[static_cast<std::size_t>(index)];
  return implementation_->extension ? implementation_->extension->FindType(WithoutVersion(name_or_url))
                                    : nullptr;
}

const ValueSetInfo* Schema::FindValueSet(std::string_view url) const {
  url = WithoutVersion(url);
  const std::span<const ValueSetInfo> all = implementation_->tables->value_sets;
  const auto found = std::lower_bound(
      all.begin(), all.end(), url, [](const ValueSetInfo& row, std::string_view u) { return row.url < u; });
  if (found != all.end() && found->url == url) return &*found;
  return implementation_->extension ? implementation_->extension->FindValueSet(url) : nullptr;
}

const ExtensionInfo* Schema::FindExtension(std::string_view url) const {
  return implementation_->extension ? implementation_->extension->FindExtension(url) : nullptr;
}

std::string_view Schema::fhir_version() const {
  return implementation_->tables->fhir_version;
}

const PropertyRow* PropertyTable::Find(std::string_view name) const {
  const int index = FindSlot(slots, name, [this](std::size_t i) { return rows[i].name; });
  return index < 0 ? nullptr : &rows[static_cast<std::size_t>(index)];
}

const ElementInfo* Schema::FindElement(const TypeInfo& type, std::string_view name) {
  const PropertyRow* row = type.properties.Find(name);
  return row == nullptr ? nullptr : row->element;
}

std::optional<Property> Schema::FindProperty(const TypeInfo& type, std::string_view json_name) {
  const PropertyRow* row = type.properties.Find(json_name);
  if (row == nullptr) return std::nullopt;
  return Property{row->element, row->type};
}

std::string_view Schema::JsonName(const ElementInfo& element, const TypeInfo& type) {
  if (!element.is_choice) return element.name;
  for (const TypeInfo* candidate = &type; candidate != nullptr; candidate = candidate->base) {
    for (const ElementType& allowed : element.types) {
      if (allowed.type == candidate) return allowed.json_name;
    }
  }
  return {};
}

bool Schema::IsSubtypeOf(const TypeInfo& type, const TypeInfo& ancestor) {
  for (const TypeInfo* at = &type; at != nullptr; at = at->base) {
    if (at == &ancestor) return true;
  }
  return false;
}

bool ValueSetInfo::Contains(std::string_view code) const {
  const auto found = std::lower_bound(codes.begin(), codes.end(), code,
                                      [](const Row& row, std::string_view c) { return row.code < c; });
  return found != codes.end() && found->code == code;
}

bool ValueSetInfo::Contains(std::string_view system, std::string_view code) const {
  auto found = std::lower_bound(codes.begin(), codes.end(), code,
                                [](const Row& row, std::string_view c) { return row.code < c; });
  for (; found != codes.end() && found->code == code; ++found) {
    if (found->system == system) return true;
  }
  return false;
}

std::vector<std::uint16_t> SlotsOf(std::span<const PropertyRow> rows) {
  std::size_t size = 2;
  while (size < 2 * rows.size()) size *= 2;
  std::vector<std::uint16_t> slots(size, 0);
  for (std::size_t index = 0; index < rows.size(); ++index) {
    std::size_t at = HashName(rows[index].name) & (size - 1);
    while (slots[at] != 0) at = (at + 1) & (size - 1);
    slots[at] = static_cast<std::uint16_t>(index + 1);
  }
  return slots;
}

}  // namespace fhir_adapter::fhir
