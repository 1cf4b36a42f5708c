// LinkedSet: what a MapSet owns: texts, trees, models, ConceptMaps, plans.
//
// Internal to adapter/fml. Filled by MapSet::Compile and the linker; never changed afterwards.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/arena.h"
#include "fhir/schema.h"
#include "fhirpath/fhirpath.h"
#include "fml/ast.h"
#include "fml/concept_map.h"
#include "fml/map_set.h"
#include "fml/plan.h"

namespace fhir_adapter::fml::internal {

struct LoadedMap {
  std::string path;
  ast::Map ast;
  std::vector<const LoadedMap*> scope;       // itself, then all that it imports, however far
  std::deque<ConceptMapIndex> concept_maps;  // written inside it
};

// The plans of one map and what they need.
struct LinkedMap {
  const LoadedMap* map = nullptr;
  plan::EntryPlan entry;
  std::deque<plan::GroupPlan> groups;
  std::vector<plan::Global> globals;
  std::vector<plan::DefaultGroup> default_groups;
  std::unordered_set<const fhir::ElementInfo*> elements_read;
};

// A code system of the set with all of its codes.
struct DeclaredSystem {
  std::string url;
  std::string path;                     // of the file
  std::vector<std::string_view> codes;  // in the set's arena
};

struct LinkedSet {
  std::string name;
  std::vector<SourceFile> files;
  std::unique_ptr<fhir::Schema> extended;
  const fhir::Schema* schema = nullptr;
  Arena arena;  // constants and names of the plans, the trees of the JSON files
  std::deque<LoadedMap> maps;
  std::deque<ConceptMapIndex> concept_maps;
  std::vector<DeclaredSystem> code_systems;  // those whose content is complete
  std::deque<LinkedMap> linked;
  std::deque<fhirpath::Expression> expressions;
  std::deque<plan::Call> calls;  // groups in the place of targets
  std::vector<MapInfo> infos;    // in the order of `linked`

  // Some other map imports it: its first group need not be the one that runs.
  bool IsImported(const LoadedMap& map) const;
  // By url (a version after | is dropped) or, with a leading #, by id or name. Null: not there.
  const ConceptMapIndex* FindConceptMap(const LoadedMap& map, std::string_view reference) const;
};

}  // namespace fhir_adapter::fml::internal
