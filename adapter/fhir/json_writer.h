// Writes a Node tree as compact JSON (no white space), numbers digit for digit.
//
// Stateless; thread-safe. `WriteJson` keeps the order of members as they stand; `WriteResource` writes them
// in the element order of the schema (FHIR R4 JSON: resourceType first, `_name` beside `name`), which is what
// leaves the program: the same content always gives the same bytes.
#pragma once

#include <string>
#include <string_view>

#include "fhir/node.h"

namespace fhir_adapter::fhir {

class Schema;

void WriteJson(const Node& node, std::string& out);
std::string ToJson(const Node& node);
// The text in quotes, with the escapes of RFC 8259.
void WriteJsonString(std::string_view text, std::string& out);

// `resource` is a FHIR resource (or a Bundle with resources). Members that the schema does not know follow
// last, in their order: they are kept for the checker to report.
void WriteResource(const Node& resource, const Schema& schema, std::string& out);

}  // namespace fhir_adapter::fhir
