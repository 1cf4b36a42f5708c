// Mapper: runs a map of a MapSet on one record after the other.
//
//   Mapper mapper(maps);
//   ADAPTER_TRY(const Mapping mapping, mapper.Map(*map, record, request));
//   if (Gravest(mapping.issues) != Disposition::kNote) …   // not to be sent
//
// One per thread; it reuses its memory, so a Mapping lives until the next Map() or the end of the Mapper, and
// no longer than the record it was made from (they share texts). Deterministic: the same record, request and
// MapSet give the same tree. A record that cannot be mapped is not an error of the operation: its reason is
// an Issue with rule, source pointer and position, and `target` is null.
#pragma once

#include <compare>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/arena.h"
#include "core/issue.h"
#include "core/limits.h"
#include "core/result.h"
#include "fhir/node.h"
#include "fhirpath/fhirpath.h"
#include "fml/concept_map.h"
#include "fml/lineage.h"
#include "fml/map_set.h"

namespace fhir_adapter::fml {

struct MapRequest {
  // What uuid() depends on, beside its place in the map: the record's identity.
  std::string_view seed;
  // Put in front of the pointers of issues, for a record inside an array ("/3").
  std::string_view pointer_prefix;
  std::string_view file;  // of the record, for issues
  // Values of MapSetOptions::record_variables; those that are not given are empty.
  std::span<const std::pair<std::string_view, std::string_view>> variables;
  const fhirpath::Moment* moment = nullptr;  // now() and today(); null: using them is map-failed
  fhirpath::Host* host = nullptr;            // resolve(), memberOf(), conformsTo(), trace()
  std::vector<std::string>* log = nullptr;   // takes what `log` says; null: log expressions do not run
  // A check that fails is reported and the map goes on, so that `begun` says what the record is about.
  bool goes_on_after_check = false;
  LineageSink* lineage = nullptr;  // null: the executor without observer runs
  std::uint64_t steps_max = limits::kMapStepsMax;
  std::uint64_t elements_max = limits::kMapElementsMax;
  std::uint64_t expression_steps_max = limits::kFhirPathStepsMax;  // of all expressions together
  std::uint64_t output_bytes_max = limits::kMapOutputBytesMax;
};

// A code that its ConceptMap does not have, and what the ConceptMap's policy made of it.
struct UnmappedCode {
  std::string concept_map;  // url or id
  std::string system;       // empty: a code of the record, without a system
  std::string code;
  UnmappedPolicy policy = UnmappedPolicy::kUnset;
  auto operator<=>(const UnmappedCode&) const = default;
};

struct Mapping {
  fhir::Node* target = nullptr;  // of the first group's first target; null: see issues
  // Where there is no target: as far as it was made. Says what the record is about; never to be sent.
  fhir::Node* begun = nullptr;
  const fhir::TypeInfo* target_type = nullptr;
  Issues issues;  // in the order in which they arose
  // Resources that reference() spoke of. Entry i stands in the tree as the text ReferencePlaceholder(i)
  // until ResolveReferences or the bundle assembler replaces it.
  std::vector<fhir::Node*> referenced;
  // In the order in which they arose; those of tables that only add (kOptional) are not among them.
  std::vector<UnmappedCode> unmapped;
  std::uint64_t steps = 0;  // what the record used of its budget
};

// The text that stands for mapping.referenced[index].
std::string_view ReferencePlaceholder(std::size_t index, Arena& arena);

class Mapper {
 public:
  explicit Mapper(std::shared_ptr<const MapSet> maps);
  ~Mapper();
  Mapper(Mapper&&) noexcept;

  // `map` is one of maps().maps(). An Error is a defect of the call (a map of another set), nothing else.
  Result<Mapping> Map(const MapInfo& map, const fhir::Node& record, const MapRequest& request);

  const MapSet& maps() const;
  Arena& arena();  // where the target lives; for those who go on with it (assembler, writer)

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Without a Bundle: every placeholder becomes `#id` for a contained resource and `Type/id` for another one; a
// resource without id gets one, made from `seed` and its place.
void ResolveReferences(Mapping& mapping, const fhir::Schema& schema, std::string_view seed, Arena& arena);

}  // namespace fhir_adapter::fml
