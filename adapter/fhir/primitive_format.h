// The formats of FHIR primitives.
//
// Stateless; thread-safe. FHIR R4 (4.0.1) section 2.24.0.1; the limits of integers are those of 32 bits.
#pragma once

#include <string_view>

#include "fhir/node.h"
#include "fhir/schema.h"

namespace fhir_adapter::fhir {

// What is wrong with `value` as a primitive of type `type`, without the value; empty when nothing is. The
// type is one of R4's; the value is no null, object or array.
std::string_view PrimitiveProblem(const TypeInfo& type, const Node& value);

// `[A-Za-z0-9\-\.]{1,64}`
bool IsId(std::string_view text);
// Lower-case hexadecimal in the form 8-4-4-4-12.
bool IsUuid(std::string_view text);

}  // namespace fhir_adapter::fhir
