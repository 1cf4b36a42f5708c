#include "app/trace_lineage.h"

#include <utility>

#include "app/lineage_text.h"
#include "pipeline/record_mapping.h"
#include "pipeline/shared_record_mapper.h"

namespace fhir_adapter::app {
namespace {

Result<RevisionLineage> Replay(storage::Snapshot& snapshot, outbox::Inbox& inbox, StoredMapSets& sets,
                               const outbox::TracedWork& work, const std::string& wanted,
                               const std::string& file) {
  RevisionLineage lineage{work.revision, work.id.value, file, {}, {}};
  auto pinned = inbox.LoadPinned(snapshot, work.id);
  if (!pinned) {
    if (pinned.error().code != Code::kNotFound) return Fail(std::move(pinned).error());
    lineage.problem = "the bytes of the record are not kept any more";
    return lineage;
  }
  ADAPTER_TRY(const auto set, sets.Get(snapshot, inbox, *pinned));
  const pipeline::SharedRecordMapper mapper(set);
  const bool is_same =
      outbox::OutputHash(mapper.Map({}, pinned->bytes, pinned->facts).resources) == pinned->output_sha256;
  if (!is_same && pinned->lacks_facts) {
    lineage.problem = "what this record was told of another one was erased: the output comes out another";
  } else if (!is_same) {
    lineage.problem = "this program makes another output of it (" + std::string(mapper.engine()) +
                      ") than was stored (" + pinned->engine + ")";
  }
  record::RecordText text;
  text.bytes = pinned->bytes;
  std::vector<pipeline::ElementLineage> elements;
  pipeline::RecordMapping(set).Explain(text, {true, pinned->facts}, pipeline::RecordForm::kBundle, file,
                                       elements);
  for (pipeline::ElementLineage& element : elements) {
    if (IsElementWanted(element, wanted)) lineage.elements.push_back(std::move(element));
  }
  return lineage;
}

}  // namespace

Result<std::shared_ptr<const pipeline::MappingSet>> StoredMapSets::Get(storage::Snapshot& snapshot,
                                                                       outbox::Inbox& inbox,
                                                                       const outbox::PinnedMapping& pinned) {
  auto& set = sets_[{pinned.map_set_sha256, pinned.map_id}];
  if (!set) {
    ADAPTER_TRY(const std::string bytes, inbox.LoadMapSet(snapshot, pinned.map_set_sha256));
    ADAPTER_TRY(set, pipeline::MappingSet::FromBytes(bytes, pinned.map_set_sha256, pinned.map_id));
  }
  return set;
}

Result<std::vector<RevisionLineage>> LineageOf(storage::Snapshot& snapshot, outbox::Inbox& inbox,
                                               StoredMapSets& sets, const outbox::RecordTrace& record,
                                               const std::string& wanted) {
  std::vector<RevisionLineage> lineages;
  std::map<std::int64_t, std::string> mapped_with;  // the set, by revision
  for (const outbox::TracedWork& work : record.work) {
    const bool is_record = work.kind == outbox::WorkKind::kRecord || work.kind == outbox::WorkKind::kRepair;
    if (!is_record || work.map_set_sha256.empty()) continue;
    // What is only sent again was made as before; what is mapped again with other maps was not.
    std::string& with = mapped_with[work.revision];
    if (with == work.map_set_sha256) continue;
    with = work.map_set_sha256;
    const std::string file =
        record.site + "/" + record.record_id + " revision " + std::to_string(work.revision);
    ADAPTER_TRY(RevisionLineage lineage, Replay(snapshot, inbox, sets, work, wanted, file));
    lineages.push_back(std::move(lineage));
  }
  return lineages;
}

}  // namespace fhir_adapter::app
