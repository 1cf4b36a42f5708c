// MapSet: a folder of maps, ConceptMaps and models, linked and ready to run.
//
//   std::vector<Finding> findings;
//   std::shared_ptr<const MapSet> maps = MapSet::Compile(std::move(files), options, findings);
//   if (!maps) …                               // some finding is an error; warnings alone do not stop it
//   Mapper mapper(maps);                       // one per thread, see mapper.h
//
// Immutable after Compile and free to be shared by threads; shared_ptr because a reload replaces the current
// set while mappers still run on the old one. It reads no file: the caller gives paths and bytes.
// FHIR Mapping Language (R4, R5 and the mapping-language guide), ConceptMap R4 and R5, StructureDefinition
// R4.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/result.h"
#include "fhir/schema.h"
#include "fml/lineage.h"

namespace fhir_adapter::fml {

// A file of the set. `.map` and `.fml` are maps; `.json` is a StructureMap, ConceptMap, StructureDefinition,
// ValueSet or CodeSystem by its resourceType; `.csv` is a ConceptMap as a table (concept_map_table.h); every
// other file only counts for the name.
struct SourceFile {
  std::string path;  // as it shall stand in messages; '/' separates folders
  std::string bytes;
};

enum class Severity : std::uint8_t { kError, kWarning };

// What can be said before a map runs.
struct Finding {
  Severity severity = Severity::kError;
  Code code = Code::kSemantic;  // kSyntax, kSemantic or kFileNotFound (a missing import, model or ConceptMap)
  Location where;
  std::string message;  // with "did you mean …" where something is near

  bool operator==(const Finding&) const = default;
};

// `file:line:column: error: message`.
std::string ToLine(const Finding& finding);

struct MapSetOptions {
  // Environment variables of expressions: canonicalBase, site, … An empty value is the empty collection; a
  // name that is not here is an error of the map that uses it.
  std::vector<std::pair<std::string, std::string>> configuration;
  // Environment variables that each record's MapRequest gives.
  std::vector<std::string> record_variables;
  // A ConceptMap used by translate must say what becomes of unknown codes. When false it may keep silent, and
  // an unknown code then stops the record.
  bool require_unmapped_policy = true;
  // Paths of the maps to link; empty: all. Others are parsed, and linked as far as these need them.
  std::vector<std::string> roots;
};

namespace internal {
struct LinkedSet;
}
class Mapper;

// A map that can be run by name.
struct MapInfo {
  std::string url;
  std::string name;
  std::string version;
  std::string path;
  const fhir::TypeInfo* source = nullptr;  // of the first group's first source; null: untyped
  const fhir::TypeInfo* target = nullptr;  // of its first target; null: untyped
};

class MapSet {
 public:
  // Null when a finding is an error. Findings are sorted by file, line and column.
  static std::shared_ptr<const MapSet> Compile(std::vector<SourceFile> files, const MapSetOptions& options,
                                               std::vector<Finding>& findings);
  ~MapSet();
  MapSet(const MapSet&) = delete;
  MapSet& operator=(const MapSet&) = delete;

  // SHA-256 in lower-case hex over the sorted paths and bytes and the configuration: the set's name.
  const std::string& name() const;
  const fhir::Schema& schema() const;  // R4 with the models and profiles of the set
  const std::vector<MapInfo>& maps() const;
  // The places of all rules, in the order of the files: what coverage is counted against.
  std::vector<RulePlace> Rules() const;
  // ConceptMap url and source code of every row that a rule may translate with, sorted.
  std::vector<std::pair<std::string, std::string>> TranslatedCodes() const;
  // By url, name, path, or the file's name without ending. Null: not there.
  const MapInfo* FindMap(std::string_view key) const;
  // The bytes of a file of the set, for those who read the other parts (rules). Null: not there.
  const SourceFile* FindFile(std::string_view path) const;
  const std::vector<SourceFile>& files() const;  // sorted by path

 private:
  friend class Mapper;
  MapSet();
  std::unique_ptr<internal::LinkedSet> linked_;
};

}  // namespace fhir_adapter::fml
