// CaseRunner: runs the cases that stand beside maps, each under its own configuration. The set of a
// configuration is compiled once.
//
// For one thread. Errors of Run: the configuration of a case cannot be read, or the maps do not compile under
// it (then the findings tell why).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/case_files.h"
#include "app/configuration.h"
#include "fml/rule_coverage.h"
#include "pipeline/mapping_set.h"

namespace fhir_adapter::app {

class CaseRunner {
 public:
  // The configuration in a file; with an empty name, that of the cases that have no file.
  using ReadConfiguration = std::function<Result<Configuration>(const std::string& file)>;

  CaseRunner(std::vector<fml::SourceFile> files, ReadConfiguration read_configuration);

  // From now on, what rules and rows the cases reach; `coverage` must outlive the runner.
  void Observe(fml::RuleCoverage& coverage) { coverage_ = &coverage; }

  Result<pipeline::CaseResult> Run(const CaseFolder& folder);

  // Of the compilation that failed.
  const std::vector<fml::Finding>& findings() const { return findings_; }
  // The maps of any case that ran; null before the first.
  const fml::MapSet* maps() const;

 private:
  struct Prepared {
    std::shared_ptr<const pipeline::MappingSet> set;  // shared with its RecordMapping
    std::unique_ptr<pipeline::RecordMapping> mapping;
  };
  Result<pipeline::RecordMapping*> MappingFor(const CaseFolder& folder);

  std::vector<fml::SourceFile> files_;
  ReadConfiguration read_configuration_;
  fml::RuleCoverage* coverage_ = nullptr;
  std::vector<fml::Finding> findings_;
  std::map<std::pair<std::string, std::string>, Prepared> prepared_;  // by map and configuration file
};

}  // namespace fhir_adapter::app
