// Lineage of what is stored: each mapped revision of a record is mapped again with the map set that it
// pinned.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "outbox/inbox.h"
#include "outbox/trace_reader.h"
#include "pipeline/mapping_set.h"
#include "pipeline/record_lineage.h"

namespace fhir_adapter::app {

struct RevisionLineage {
  std::int64_t revision = 0;
  std::string work_id;
  std::string file;  // a name for the record's bytes in what is shown
  std::string
      problem;  // why there is no lineage: erased; or what it is worth: another output than the stored one
  std::vector<pipeline::ElementLineage> elements;
};

// The stored map sets of several records, each compiled once. Keeps what it has compiled. One thread.
class StoredMapSets {
 public:
  // kIntegrity: the stored map set is not what its name says.
  Result<std::shared_ptr<const pipeline::MappingSet>> Get(storage::Snapshot& snapshot, outbox::Inbox& inbox,
                                                          const outbox::PinnedMapping& pinned);

 private:
  // By name and map. Shared with the mappings that use them.
  std::map<std::pair<std::string, std::string>, std::shared_ptr<const pipeline::MappingSet>> sets_;
};

// Of the elements that `wanted` means, see IsElementWanted. Errors: those of StoredMapSets.
Result<std::vector<RevisionLineage>> LineageOf(storage::Snapshot& snapshot, outbox::Inbox& inbox,
                                               StoredMapSets& sets, const outbox::RecordTrace& record,
                                               const std::string& wanted);

}  // namespace fhir_adapter::app
