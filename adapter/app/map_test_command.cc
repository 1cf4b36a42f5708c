// `fhir-adapter map test`: runs the cases that stand beside the maps.
#include <fstream>
#include <utility>

#include "app/case_runner.h"
#include "app/commands.h"
#include "app/mapping_files.h"
#include "app/mapping_setup.h"
#include "app/markup_entity.h"
#include "fml/rule_coverage.h"

namespace fhir_adapter::app {
namespace {

std::string XmlText(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const std::string_view entity = MarkupEntity(c);
    if (!entity.empty()) {
      out += entity;
      continue;
    }
    // XML 1.0 knows no other control characters.
    out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
  }
  return out;
}

struct CaseOutcome {
  std::string name;
  std::vector<std::string> differences;
};

// One testsuite; the names of cases are `map/case`.
std::string JunitReport(const std::vector<CaseOutcome>& outcomes, std::size_t failures) {
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"maps\" tests=\"" +
      std::to_string(outcomes.size()) + "\" failures=\"" + std::to_string(failures) +
      "\" errors=\"0\" skipped=\"0\">\n";
  for (const CaseOutcome& outcome : outcomes) {
    const std::size_t slash = outcome.name.find('/');
    out += "<testcase classname=\"" + XmlText(outcome.name.substr(0, slash)) + "\" name=\"" +
           XmlText(outcome.name.substr(slash + 1)) + "\"";
    if (outcome.differences.empty()) {
      out += "/>\n";
      continue;
    }
    out += "><failure message=\"" + XmlText(outcome.differences.front()) + "\">";
    for (const std::string& line : outcome.differences) out += XmlText(line) + "\n";
    out += "</failure></testcase>\n";
  }
  return out + "</testsuite>\n</testsuites>\n";
}

// The folder that holds the maps of the cases: DIR itself, or the nearest above it that has `terminology` or
// `models`.
Result<std::string> MapsOf(const MapTestOptions& options, const Configuration& configuration) {
  if (!options.map_directory.empty() || options.directory.empty()) {
    return MappingsDirectory(options.map_directory, configuration);
  }
  return MapFolderAbove(options.directory);
}

// That of a case, else what `--config` names. `global` must outlive it.
CaseRunner::ReadConfiguration ConfigurationsOfCases(const GlobalOptions& global) {
  return [&global](const std::string& file) {
    GlobalOptions of_case = global;
    if (!file.empty()) of_case.configuration_file = file;
    return ConfigurationOf(of_case);
  };
}

class TestRun {
 public:
  TestRun(const GlobalOptions& global, const MapTestOptions& options, std::vector<fml::SourceFile> files,
          const Streams& streams)
      : global_(global),
        options_(options),
        streams_(streams),
        runner_(std::move(files), ConfigurationsOfCases(global)) {
    if (options.coverage) runner_.Observe(coverage_);
  }

  // False: the maps or the configuration do not compile; why is listed.
  bool Run(const CaseFolder& folder) {
    const auto result = runner_.Run(folder);
    if (!result) {
      if (ListFindings(runner_.findings(), global_.json, streams_.err) == 0) {
        (void)Report(result.error(), streams_);
      }
      return false;
    }
    outcomes_.push_back({folder.test.name, result->differences});
    if (result->differences.empty()) return true;
    if (options_.update) {
      const auto written = WriteCase(folder, *result);
      if (!written) return Report(written.error(), streams_) == kExitDone;
      streams_.out << folder.test.name << ": written\n";
      return true;
    }
    ++failures_;
    streams_.out << folder.test.name << ": failed\n";
    for (const std::string& line : result->differences) streams_.out << "  " << line << "\n";
    return true;
  }

  int Finish() {
    streams_.out << outcomes_.size() << " cases, " << failures_ << " failed\n";
    if (options_.coverage) PrintCoverage();
    if (!options_.junit_file.empty()) {
      std::ofstream file(options_.junit_file, std::ios::binary | std::ios::trunc);
      file << JunitReport(outcomes_, failures_);
      file.flush();
      if (!file) {
        return Report(Error{Code::kInputOutput, "cannot be written", Location{options_.junit_file, 0, 0, ""}},
                      streams_);
      }
    }
    return failures_ == 0 ? kExitDone : kExitRejected;
  }

 private:
  void PrintCoverage() {
    if (runner_.maps() == nullptr) return;
    const fml::CoverageReport report = coverage_.Report(*runner_.maps());
    for (const std::string& rule : report.rules_missed)
      streams_.out << rule << ": no case reaches the rule\n";
    for (const std::string& row : report.rows_missed) streams_.out << row << ": no case reaches the row\n";
    streams_.out << report.rules - report.rules_missed.size() << " of " << report.rules << " rules, "
                 << report.rows - report.rows_missed.size() << " of " << report.rows
                 << " rows of ConceptMaps reached\n";
  }

  const GlobalOptions& global_;
  const MapTestOptions& options_;
  const Streams& streams_;
  fml::RuleCoverage coverage_;
  CaseRunner runner_;
  std::vector<CaseOutcome> outcomes_;
  std::size_t failures_ = 0;
};

}  // namespace

int RunMapTest(const GlobalOptions& global, const MapTestOptions& options, const Streams& streams) {
  const auto configuration = ConfigurationOf(global);
  if (!configuration) return Report(configuration.error(), streams);
  const auto directory = MapsOf(options, *configuration);
  if (!directory) return Report(directory.error(), streams);
  auto files = ReadMappingSetFiles(*directory, options.model_directory);
  if (!files) return Report(files.error(), streams);
  const auto cases = ReadCases(options.directory.empty() ? *directory : options.directory);
  if (!cases) return Report(cases.error(), streams);
  if (cases->empty()) {
    return Report(Error{Code::kFileNotFound, "no case tests/<case>/input.json is here or below",
                        Location{options.directory.empty() ? *directory : options.directory, 0, 0, ""}},
                  streams);
  }
  TestRun run(global, options, std::move(*files), streams);
  for (const CaseFolder& folder : *cases) {
    if (!run.Run(folder)) return kExitUsage;
  }
  return run.Finish();
}

}  // namespace fhir_adapter::app
