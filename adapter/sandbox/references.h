// References inside a resource: finding them, and giving them the form in which they are stored.
//
// Works on a tree that the caller owns. FHIR R4 references 2.3, http 3.1.0.11.2 (transaction: urn:uuid and
// conditional references).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/arena.h"
#include "fhir/node.h"
#include "sandbox/refusal.h"
#include "sandbox/search_parameter.h"

namespace fhir_adapter::sandbox {

// Calls `visit` with the string node of every Reference.reference. It stops at the first refusal.
MaybeRefusal ForEachReference(fhir::Node& resource,
                              const std::function<MaybeRefusal(fhir::Node& reference)>& visit);

// The FHIRPath of `node` below `root`, beginning with `prefix`: "Observation.component[0].code".
std::string ExpressionOf(const fhir::Node& root, const fhir::Node& node, std::string_view prefix);

bool IsUrn(std::string_view reference);          // urn:uuid: or urn:oid:
bool IsConditional(std::string_view reference);  // Patient?identifier=…

// All literal references to resources of this server.
std::vector<ReferenceTarget> LiteralReferences(fhir::Node& resource, std::string_view base_url);

}  // namespace fhir_adapter::sandbox
