#include "app/case_runner.h"

#include "app/mapping_setup.h"

namespace fhir_adapter::app {

CaseRunner::CaseRunner(std::vector<fml::SourceFile> files, ReadConfiguration read_configuration)
    : files_(std::move(files)), read_configuration_(std::move(read_configuration)) {}

Result<pipeline::RecordMapping*> CaseRunner::MappingFor(const CaseFolder& folder) {
  Prepared& kept = prepared_[{folder.map, folder.configuration}];
  if (kept.mapping) return kept.mapping.get();
  ADAPTER_TRY(const Configuration configuration, read_configuration_(folder.configuration));
  findings_.clear();
  kept.set = pipeline::MappingSet::Build(files_, MappingSettingsOf(configuration, folder.map), findings_);
  if (!kept.set)
    return Fail(Code::kConfiguration, "the maps of the case " + folder.test.name + " have errors");
  kept.mapping = std::make_unique<pipeline::RecordMapping>(kept.set);
  if (coverage_ != nullptr) kept.mapping->Observe(coverage_);
  return kept.mapping.get();
}

Result<pipeline::CaseResult> CaseRunner::Run(const CaseFolder& folder) {
  ADAPTER_TRY(pipeline::RecordMapping * mapping, MappingFor(folder));
  return pipeline::RunCase(*mapping, folder.test);
}

const fml::MapSet* CaseRunner::maps() const {
  for (const auto& [key, prepared] : prepared_) {
    if (prepared.set) return prepared.set->maps().get();
  }
  return nullptr;
}

}  // namespace fhir_adapter::app
