// StructureMap: a map as a FHIR resource (R4 4.0.1 and R5 JSON), read into and written from the same tree as
// the text.
//
// What the resource has no element for (a name that is missing, `copy(x)` beside `x`, `src -> tgt: a, b`, a
// date in R4, prefixes of a concept map) is kept in the extension `map-text` of the element it belongs to, as
// the text of the map. The elements say all that another engine needs; the text only tells which of several
// maps with the same meaning it was. So ReadStructureMap(WriteStructureMap(map)) equals map. A text that
// contradicts its elements, because one of them was edited, is an error.
//
// Stateless; thread-safe. FHIR R4 and R5, StructureMap and ConceptMap.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/arena.h"
#include "core/result.h"
#include "fhir/node.h"
#include "fml/ast.h"

namespace fhir_adapter::fml {

enum class StructureMapRelease : std::uint8_t { kR4, kR5 };

// The release is told by the members. Positions are those of the JSON. Errors: semantic, with the position.
Result<ast::Map> ReadStructureMap(const fhir::Node& resource, std::string_view file);

// The tree lives in `arena`.
fhir::Node* WriteStructureMap(const ast::Map& map, StructureMapRelease release, Arena& arena);

}  // namespace fhir_adapter::fml
