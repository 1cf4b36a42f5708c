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
      targets;  // Reference and canonical: names of the allowed target types; empty: any
};

struct ValueSetInfo {
  std::string_view url;
  struct Row {
    std::string_view system;
    std::string_view code;
  };
  std::span<const Row> codes;  // complete; value sets that cannot be enumerated are not in the table

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

struct TypeInfo {
  std::string_view
      name;  // "Observation", "Quantity", "code"; for a backbone its path: "Observation.component"
  std::string_view url;  // canonical; empty for a backbone
  TypeKind kind = TypeKind::kComplex;
  bool is_abstract = false;
  const TypeInfo* base = nullptr;
  std::span<const ElementInfo> elements;  // all of them, inherited ones included, in order
};

// What a JSON member name means: "valueQuantity" is the element `value` as a Quantity.
struct Property {
  const ElementInfo* element = nullptr;
  const TypeInfo* type =
      nullptr;  // null for a choice without its type suffix, or when several types are possible
};

class Schema {
 public:
  static const Schema& R4();
  // A copy of R4 that can be extended.
  static std::unique_ptr<Schema> ExtendR4();
  ~Schema();

  // Adds a logical model or a profile (StructureDefinition as JSON, with snapshot or only a differential).
  Result<void> AddStructureDefinition(const Node& definition);
  Result<void> AddValueSet(const Node& value_set);

  // By name ("Quantity", "Observation.component", "ProcedureRecord") or canonical url.
  const TypeInfo* FindType(std::string_view name_or_url) const;
  // By element name without the type suffix ("value"), or with it ("valueQuantity" gives the same element).
  const ElementInfo* FindElement(const TypeInfo& type, std::string_view name) const;
  // By JSON member name. `_birthDate` is not a property: strip the underscore first.
  std::optional<Property> FindProperty(const TypeInfo& type, std::string_view json_name) const;
  // The JSON member name of an element with a concrete type: value + Quantity → "valueQuantity". Stable
  // storage.
  std::string_view JsonName(const ElementInfo& element, const TypeInfo& type) const;
  static bool IsSubtypeOf(const TypeInfo& type, const TypeInfo& ancestor);
  const ValueSetInfo* FindValueSet(std::string_view url) const;

 private:
  Schema();
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace fhir_adapter::fhir
