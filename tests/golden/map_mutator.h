// Mutants of a set of maps: one small fault each, of the kinds that people make when they edit maps.
#pragma once

#include <string>
#include <vector>

#include "fml/map_set.h"

namespace fhir_adapter::golden {

struct Mutant {
  std::string name;   // file, group, rule and what was done; stable while the rule is
  std::string path;   // of the file that differs
  std::string bytes;  // what it holds then
};

// All mutants, in a fixed order: a rule removed; a target removed (a unit, a system, a code); a condition
// negated; a path, a literal or a list mode changed; a row's code changed or taken out of a ConceptMap.
std::vector<Mutant> MutantsOf(const std::vector<fml::SourceFile>& files);

}  // namespace fhir_adapter::golden
