// Converts a value to the type of the element it is put into, as long as no information is made up.
//
// Internal to adapter/fml. FHIR R4 datatypes; FHIRPath N1 section 5.5 (conversion) for the primitives.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/arena.h"
#include "core/result.h"
#include "fhir/schema.h"
#include "fhirpath/item.h"
#include "fml/plan.h"
#include "fml/tree.h"

namespace fhir_adapter::fml {

enum class PrimitiveClass : std::uint8_t {
  kNone,  // not a primitive
  kBoolean,
  kInteger,
  kDecimal,
  kText,
  kDate,
  kDateTime,
  kInstant,
  kTime
};

PrimitiveClass ClassOf(const fhir::TypeInfo& type);
PrimitiveClass ClassOf(const fhirpath::Item& item);

struct Conversion {
  fhir::Node* node = nullptr;
  fhir::Node* shadow = nullptr;  // id and extensions of a primitive, copied
  const char* fault = nullptr;   // set: why not; never a value
};

// Primitive nodes of the source are shared, not copied; so is a complex value when `may_share`.
Conversion Convert(const fhirpath::Item& item, const fhir::TypeInfo& type, bool may_share, Arena& arena,
                   CopyCount& count);

// Which type of a choice a value takes: its own, else the nearest that it converts to. Null: none.
const plan::Alternative* Choose(std::span<const plan::Alternative> alternatives, const fhirpath::Item& item);
const plan::Alternative* ChooseByType(std::span<const plan::Alternative> alternatives,
                                      const fhir::TypeInfo& type);
const plan::Alternative* ChooseByKind(std::span<const plan::Alternative> alternatives,
                                      fhirpath::ItemKind kind);

// Whether values of one type can ever become the other: for the check before a map runs.
bool CanConvert(const fhir::TypeInfo& from, const fhir::TypeInfo& to);

}  // namespace fhir_adapter::fml
