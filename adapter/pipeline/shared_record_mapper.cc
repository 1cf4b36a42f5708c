#include "pipeline/shared_record_mapper.h"

#include <utility>

#include "pipeline/pushed_observation.h"

namespace fhir_adapter::pipeline {
namespace {

// Changes when the same record and maps could give another output.
constexpr const char* kEngine = "fml/1";

}  // namespace

SharedRecordMapper::SharedRecordMapper(std::shared_ptr<const MappingSet> set) : set_(std::move(set)) {}

std::unique_ptr<RecordMapping> SharedRecordMapper::Take() const {
  {
    const std::lock_guard lock(mutex_);
    if (!stock_.empty()) {
      auto mapping = std::move(stock_.back());
      stock_.pop_back();
      return mapping;
    }
  }
  return std::make_unique<RecordMapping>(set_);
}

void SharedRecordMapper::GiveBack(std::unique_ptr<RecordMapping> mapping) const {
  const std::lock_guard lock(mutex_);
  stock_.push_back(std::move(mapping));
}

MapOutput SharedRecordMapper::Map(std::string_view record, const outbox::MappingFacts& facts) const {
  record::RecordText text;
  text.bytes = record;
  std::unique_ptr<RecordMapping> mapping = Take();
  MappedRecord mapped = mapping->Map(text, RecordFacts{true, facts}, RecordForm::kIntended);
  GiveBack(std::move(mapping));
  MapOutput output;
  output.issues = std::move(mapped.issues);
  output.map_id = set_->record_map().url;
  output.map_version = set_->record_map().version;
  output.sex = std::move(mapped.envelope.patient_sex);
  output.birth_date = std::move(mapped.envelope.patient_birth_date);
  output.recorded = std::move(mapped.envelope.recorded);
  output.resources = std::move(mapped.intended);
  output.firings = std::move(mapped.firings);
  output.fact = std::move(mapped.fact);
  return output;
}

MapOutput SharedRecordMapper::MapObservation(std::string_view subject_key, std::string_view bytes,
                                             const outbox::MappingFacts& facts) const {
  return MapPushedObservation(subject_key, bytes, facts, set_->maps()->schema(), set_->settings());
}

std::string SharedRecordMapper::engine() const {
  return kEngine;
}

}  // namespace fhir_adapter::pipeline
