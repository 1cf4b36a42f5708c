#include "rules/issue_maker.h"

#include <string>
#include <utility>

namespace fhir_adapter::rules {

IssueMaker::IssueMaker(std::shared_ptr<const fml::MapSet> maps) : mapper_(std::move(maps)) {}

Result<IssueMaker> IssueMaker::Create(std::shared_ptr<const fml::MapSet> maps) {
  IssueMaker maker(std::move(maps));
  maker.map_ = maker.mapper_.maps().FindMap(kMapName);
  if (maker.map_ == nullptr) {
    return Fail(Code::kConfiguration, "the folder of maps has no map " + std::string(kMapName));
  }
  return maker;
}

IssueEntries IssueMaker::Make(const std::vector<Finding>& findings, std::string_view record_key,
                              std::string_view patient_mrn) {
  IssueEntries result;
  if (findings.empty()) return result;
  arena_.Reset();
  const fhir::Node* tree = FindingsTree(findings, record_key, patient_mrn, arena_);
  fml::MapRequest request;
  request.seed = record_key;
  auto mapping = mapper_.Map(*map_, *tree, request);
  if (!mapping) {
    result.issues.push_back(Issue{mapping.error().code, mapping.error().where, mapping.error().message});
    return result;
  }
  result.issues = std::move(mapping->issues);
  const fhir::Node* entries = mapping->target != nullptr ? mapping->target->Find("entry") : nullptr;
  if (entries == nullptr) return result;
  for (const fhir::Node* entry : entries->items()) {
    fml::ExtraEntry extra;
    extra.resource = entry->Find("resource");
    if (extra.resource != nullptr) result.entries.push_back(extra);
  }
  return result;
}

}  // namespace fhir_adapter::rules
