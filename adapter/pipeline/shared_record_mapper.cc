#include "pipeline/shared_record_mapper.h"

#include <utility>

#include "pipeline/message_mapping.h"
#include "pipeline/pushed_observation.h"

namespace fhir_adapter::pipeline {
namespace {

// Changes when the same record and maps could give another output.
constexpr const char* kEngine = "fml/1";
// A message that could not be read whole is stored as it came.
constexpr std::string_view kMessageStart = "MSH";

}  // namespace

SharedRecordMapper::SharedRecordMapper(std::shared_ptr<const MappingSet> set) : set_(std::move(set)) {}

SharedRecordMapper::Part& SharedRecordMapper::PartOf(const std::string& map) const {
  const auto [found, is_new] = parts_.try_emplace(map);
  Part& part = found->second;
  if (!is_new) return part;
  if (map.empty()) {
    part.set = set_;
    return part;
  }
  std::vector<fml::Finding> findings;
  part.set = set_->ForMap(map, findings);
  if (!part.set) part.problem = findings.back().message;
  return part;
}

std::unique_ptr<RecordMapping> SharedRecordMapper::Take(const std::string& map, std::string& problem) const {
  const std::lock_guard lock(mutex_);
  Part& part = PartOf(map);
  if (!part.set) {
    problem = part.problem;
    return nullptr;
  }
  if (part.stock.empty()) return std::make_unique<RecordMapping>(part.set);
  auto mapping = std::move(part.stock.back());
  part.stock.pop_back();
  return mapping;
}

void SharedRecordMapper::GiveBack(const std::string& map, std::unique_ptr<RecordMapping> mapping) const {
  const std::lock_guard lock(mutex_);
  parts_.at(map).stock.push_back(std::move(mapping));
}

MapOutput SharedRecordMapper::Map(const std::string& map, std::string_view record,
                                  const outbox::MappingFacts& facts) const {
  MapOutput output;
  std::string problem;
  std::unique_ptr<RecordMapping> mapping = Take(map, problem);
  if (!mapping) {
    output.issues.push_back({Code::kMapFailed, {}, problem});
    return output;
  }
  const fml::MapInfo& record_map = mapping->set().record_map();
  output.map_id = record_map.url;
  output.map_version = record_map.version;
  const RecordFacts known{true, facts};
  MappedRecord mapped;
  if (record.starts_with(kMessageStart)) {
    mapped = MessageMapping(*mapping).Map({std::string(record), 1}, RecordForm::kIntended, {}, known);
  } else {
    record::RecordText text;
    text.bytes = record;
    mapped = mapping->Map(text, known, RecordForm::kIntended);
  }
  GiveBack(map, std::move(mapping));
  output.issues = std::move(mapped.issues);
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
