// Reads the text of a map, in any of the three dialects, into an ast::Map.
//
// Stateless; thread-safe. Stops at the first fault: an Error `syntax` with file, line, column and what was
// expected. Nothing is looked up here: a missing import or model is never a fault of syntax.
// Grammars: FHIR R4 and R5 "FHIR Mapping Language", and mapping.g4 of the mapping-language guide.
#pragma once

#include <string_view>

#include "core/result.h"
#include "fml/ast.h"

namespace fhir_adapter::fml {

Result<ast::Map> ParseMap(std::string_view text, std::string_view file);

}  // namespace fhir_adapter::fml
