// Writes an ast::Map as text in the dialect of the mapping-language guide.
//
// Stateless; thread-safe. ParseMap(PrintMap(map)) equals map.
#pragma once

#include <string>
#include <vector>

#include "fml/ast.h"

namespace fhir_adapter::fml {

std::string PrintMap(const ast::Map& map);
std::string PrintRule(const ast::Rule& rule);  // on one line, without what is nested in it

// Parts of it, each as it stands in the whole.
std::string PrintHead(const ast::Map& map);  // metadata, and the `map` line where one is needed
std::string PrintConceptMap(const ast::InlineConceptMap& concept_map);
std::string PrintRules(const std::vector<ast::Rule>& rules);

}  // namespace fhir_adapter::fml
