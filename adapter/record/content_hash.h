// The sameness of records: two texts hold the same record when their content hashes are equal.
//
// Pure; thread-safe.
#pragma once

#include <string>

#include "fhir/node.h"

namespace fhir_adapter::record {

// The content in a form of its own: members sorted by name, no white space, numbers digit for digit; a member
// that is null counts as absent. Different contents have different forms.
std::string CanonicalContent(const fhir::Node& root);

// SHA-256 of the canonical content, in lower-case hex.
std::string ContentHash(const fhir::Node& root);

}  // namespace fhir_adapter::record
