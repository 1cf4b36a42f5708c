// Navigation: from an element to its children, by name or all of them, with their types.
//
// Stateless functions over finished trees; thread-safe. The children of a primitive (id, extension) stand in
// its `_name` object. Without a type (a tree whose model is not known) the JSON alone decides. FHIRPath N1
// 2.0.0, section 2; FHIR R4 JSON representation of primitive elements.
#pragma once

#include <string_view>

#include "core/arena.h"
#include "fhir/element.h"
#include "fhirpath/ast.h"
#include "fhirpath/item.h"

namespace fhir_adapter::fhirpath::internal {

// What `name` means on `type`; false when the type has no such element. The exact element name,
// unless JSON names are accepted: then "valueQuantity" is `value` as a Quantity.
bool FindMember(const fhir::Schema& schema, const fhir::TypeInfo& type, std::string_view name,
                MemberAccess& access, bool accepts_json_names = false);

void AppendMember(const fhir::Element& parent, const MemberAccess& access, const fhir::Schema& schema,
                  Arena& arena, Collection& out);
void AppendMemberByName(const fhir::Element& parent, std::string_view name, const fhir::Schema& schema,
                        Arena& arena, Collection& out, bool accepts_json_names = false);
void AppendChildren(const fhir::Element& parent, const fhir::Schema& schema, Arena& arena, Collection& out);

// The type or one of its ancestors has this name.
bool HasTypeName(const fhir::TypeInfo* type, std::string_view name);

}  // namespace fhir_adapter::fhirpath::internal
