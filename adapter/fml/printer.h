// Writes an ast::Map as text in the dialect of the mapping-language guide.
//
// Stateless; thread-safe. ParseMap(PrintMap(map)) equals map.
#pragma once

#include <string>

#include "fml/ast.h"

namespace fhir_adapter::fml {

std::string PrintMap(const ast::Map& map);
std::string PrintRule(const ast::Rule& rule);  // on one line, without what is nested in it

}  // namespace fhir_adapter::fml
