// SharedRecordMapper: the RecordMapper of the daemon over one MappingSet, for the records of all its maps.
// Each thread that maps takes a RecordMapping of its own from a stock, so that memory is reused and nothing
// is shared while mapping.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "pipeline/mapping_set.h"
#include "pipeline/record_mapper.h"
#include "pipeline/record_mapping.h"

namespace fhir_adapter::pipeline {

class SharedRecordMapper final : public RecordMapper {
 public:
  explicit SharedRecordMapper(std::shared_ptr<const MappingSet> set);

  MapOutput Map(const std::string& map, std::string_view record,
                const outbox::MappingFacts& facts) const override;
  MapOutput MapObservation(std::string_view subject_key, std::string_view bytes,
                           const outbox::MappingFacts& facts) const override;
  std::string map_set_sha256() const override { return set_->name(); }
  std::string map_set_bytes() const override { return set_->Bytes(); }
  std::string engine() const override;

 private:
  // What the records of one map are mapped with. Null set: there is no such map, `problem` says so.
  struct Part {
    std::shared_ptr<const MappingSet> set;  // shared with the RecordMappings
    std::string problem;
    std::vector<std::unique_ptr<RecordMapping>> stock;
  };

  Part& PartOf(const std::string& map) const;  // with the mutex held
  std::unique_ptr<RecordMapping> Take(const std::string& map, std::string& problem) const;
  void GiveBack(const std::string& map, std::unique_ptr<RecordMapping> mapping) const;

  std::shared_ptr<const MappingSet> set_;  // shared with the parts
  mutable std::mutex mutex_;               // guards the parts
  mutable std::map<std::string, Part> parts_;
};

}  // namespace fhir_adapter::pipeline
