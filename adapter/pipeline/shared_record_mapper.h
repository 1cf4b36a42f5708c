// SharedRecordMapper: the RecordMapper of the daemon over one MappingSet. Each thread that maps takes a
// RecordMapping of its own from a stock, so that memory is reused and nothing is shared while mapping.
#pragma once

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

  MapOutput Map(std::string_view record, const outbox::MappingFacts& facts) const override;
  MapOutput MapObservation(std::string_view subject_key, std::string_view bytes,
                           const outbox::MappingFacts& facts) const override;
  std::string map_set_sha256() const override { return set_->name(); }
  std::string map_set_bytes() const override { return set_->Bytes(); }
  std::string engine() const override;

 private:
  std::unique_ptr<RecordMapping> Take() const;
  void GiveBack(std::unique_ptr<RecordMapping> mapping) const;

  std::shared_ptr<const MappingSet> set_;  // shared with the RecordMappings
  mutable std::mutex mutex_;               // guards the stock
  mutable std::vector<std::unique_ptr<RecordMapping>> stock_;
};

}  // namespace fhir_adapter::pipeline
