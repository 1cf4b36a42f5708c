// The types of FHIR: what the engine, the writer and the checker know of StructureDefinitions.
//
// Schema::R4() is generated from the official 4.0.1 definitions (fhir/generated/) and immutable. A Schema can
// be extended by logical models and profiles before it is used; after that it may be read from any thread.
// Types and elements are owned by the Schema and live as long as it does. FHIR R4 (4.0.1),
// StructureDefinition.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "fhir/node.h"

namespace fhir_adapter::fhir {

enum class TypeKind : std::uint8_t { kPrimitive, kComplex, kBackbone, kResource, kLogical };

struct TypeInfo;

// One of the types an element may have.
struct ElementType {
  const TypeInfo* type = nullptr;
  std::span<const std::string_view>
      targets;                      // Reference and canonical: names of the allowed types; empty: any
  std::string_view json_name;       // "valueQuantity"
  bool is_simple_quantity = false;  // a Quantity that may have no comparator (profile SimpleQuantity)
};

struct ValueSetInfo {
  std::string_view url;
  struct Row {
    std::string_view system;
    std::string_view code;
  };
  std::span<const Row> codes;  // complete, by code; value sets that cannot be enumerated are left out

  bool Contains(std::string_view code) const;
  bool Contains(std::string_view system, std::string_view code) const;
};

inline constexpr std::uint32_t kUnbounded = 0xFFFFFFFF;

struct ElementInfo {
  std::string_view name;  // "value" for value[x]
  std::uint32_t min = 0;
  std::uint32_t max = 1;   // kUnbounded for *
  bool is_choice = false;  // named value[x] in the definition
  bool is_modifier = false;
  std::uint16_t order = 0;  // position in the serialised resource, inherited elements first
  std::span<const ElementType> types;
  const ValueSetInfo* required_binding = nullptr;
  const TypeInfo* owner = nullptr;  // the type that declares it (may be a base type)

  bool is_list() const { return max > 1; }
};

// A JSON member name, or the bare name of a choice, and what it means. `type` is null for a bare choice.
struct PropertyRow {
  std::string_view name;
  const ElementInfo* element = nullptr;
  const TypeInfo* type = nullptr;
};

// The rows of one type, found by hash (fhir/schema_tables.h).
struct PropertyTable {
  std::span<const PropertyRow> rows;  // by name
  std::span<const std::uint16_t> slots;

  const PropertyRow* Find(std::string_view name) const;
};

struct TypeInfo {
  std::string_view
      name;  // "Observation", "Quantity", "code"; for a backbone its path: "Observation.component"
  std::string_view url;  // canonical; empty for a backbone
  TypeKind kind = TypeKind::kComplex;
  bool is_abstract = false;
  const TypeInfo* base = nullptr;
  std::span<const ElementInfo> elements;  // all of them, inherited ones included, in order
  PropertyTable properties;
};

// What a profile on Extension says: where the extension may stand and what it may hold.
struct ExtensionInfo {
  std::string_view url;
  std::span<const std::string_view> contexts;  // element paths or type names: "Medication", "Procedure.code"
  std::span<const TypeInfo* const> value_types;  // empty: no value, only nested extensions
};

// What a JSON member name means: "valueQuantity" is the element `value` as a Quantity.
struct Property {
  const ElementInfo* element = nullptr;
  const TypeInfo* type = nullptr;  // null for a choice without its type suffix
};

class Schema {
 public:
  static const Schema& R4();
  // A copy of R4 that can be extended.
  static std::unique_ptr<Schema> ExtendR4();
  ~Schema();

  // Adds a logical model or a profile (StructureDefinition as JSON, with snapshot or only a differential).
  // A logical model becomes a type, its nested elements backbones; a profile on Extension is found with
  // FindExtension; the url of any other profile names the type that it constrains. Types must be known
  // before they are used. Errors: semantic, with the position in the definition.
  Result<void> AddStructureDefinition(const Node& definition);
  // Code systems and value sets can come before or after what refers to them. A value set that cannot be
  // enumerated (filters, systems without content) is not added and binds nothing.
  Result<void> AddCodeSystem(const Node& code_system);
  Result<void> AddValueSet(const Node& value_set);

  // By name ("Quantity", "Observation.component", "ProcedureRecord") or canonical url.
  const TypeInfo* FindType(std::string_view name_or_url) const;
  // By element name without the type suffix ("value"), or with it ("valueQuantity" gives the same element).
  static const ElementInfo* FindElement(const TypeInfo& type, std::string_view name);
  // By JSON member name. `_birthDate` is not a property: strip the underscore first. Needs no Schema.
  static std::optional<Property> FindProperty(const TypeInfo& type, std::string_view json_name);
  // The JSON member name of an element with a concrete type: value + Quantity → "valueQuantity". Stable
  // storage.
  static std::string_view JsonName(const ElementInfo& element, const TypeInfo& type);
  static bool IsSubtypeOf(const TypeInfo& type, const TypeInfo& ancestor);
  const ValueSetInfo* FindValueSet(std::string_view url) const;
  const ExtensionInfo* FindExtension(std::string_view url) const;
  std::string_view fhir_version() const;

  Schema(const Schema&) = delete;
  Schema& operator=(const Schema&) = delete;

 private:
  Schema();
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace fhir_adapter::fhir
