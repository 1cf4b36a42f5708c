// `fhir-adapter check`: everything that can be known before running.
#include <algorithm>
#include <filesystem>
#include <iterator>

#include "app/commands.h"
#include "app/listener_security.h"
#include "app/mapping_files.h"
#include "app/mapping_setup.h"

namespace fhir_adapter::app {
namespace {

// Named map files alone, with what the folder offers for their imports.
int CheckMaps(const GlobalOptions& global, const CheckOptions& options, const Streams& streams) {
  std::vector<fml::SourceFile> files;
  if (!options.map_directory.empty()) {
    auto read = ReadMappingFiles(options.map_directory);
    if (!read) return Report(read.error(), streams);
    files = std::move(*read);
  }
  if (!options.model_directory.empty()) {
    auto models = ReadMappingFiles(options.model_directory);
    if (!models) return Report(models.error(), streams);
    std::ranges::move(*models, std::back_inserter(files));
  }
  fml::MapSetOptions map_options;
  map_options.require_unmapped_policy = false;
  for (const std::string& map : options.maps) {
    auto bytes = ReadFile(map);
    if (!bytes) return Report(bytes.error(), streams);
    std::erase_if(files, [&](const fml::SourceFile& file) { return file.bytes == *bytes; });
    files.push_back({map, std::move(*bytes)});
    map_options.roots.push_back(map);
  }
  std::vector<fml::Finding> findings;
  (void)fml::MapSet::Compile(std::move(files), map_options, findings);
  return ListFindings(findings, global.json, streams.out) == 0 ? kExitDone : kExitRejected;
}

// The whole set that `serve` would run with.
int CheckSet(const GlobalOptions& global, const Configuration& configuration, const CheckOptions& options,
             const Streams& streams) {
  const auto directory = MappingsDirectory(options.map_directory, configuration);
  if (!directory) return Report(directory.error(), streams);
  const auto files = ReadMappingSetFiles(*directory, options.model_directory);
  if (!files) return Report(files.error(), streams);
  std::vector<std::string> maps;
  for (const SourceSettings& source : configuration.sources) maps.push_back(source.map);
  if (maps.empty()) maps.emplace_back("procedure-record");
  std::size_t errors =
      ListFindings(CheckHttpTls(configuration, SystemClock().Now()), global.json, streams.out);
  std::vector<fml::Finding> listed;
  for (const std::string& map : maps) {
    std::vector<fml::Finding> findings;
    const auto set = pipeline::MappingSet::Build(*files, MappingSettingsOf(configuration, map), findings);
    std::erase_if(findings,
                  [&](const fml::Finding& finding) { return std::ranges::count(listed, finding) != 0; });
    errors += ListFindings(findings, global.json, streams.out);
    if (set && !global.json) {
      streams.err << *directory << ": map " << map << ", " << set->maps()->maps().size() << " maps, "
                  << set->rules().rules().size() << " rules, set " << set->name().substr(0, 12) << "\n";
    }
    std::ranges::move(findings, std::back_inserter(listed));
  }
  return errors == 0 ? kExitDone : kExitRejected;
}

}  // namespace

int RunCheck(const GlobalOptions& global, const CheckOptions& options, const Streams& streams) {
  const auto configuration = ConfigurationOf(global);
  if (!configuration) {
    streams.out << ToString(configuration.error()) << "\n";
    return kExitUsage;
  }
  for (const std::string& warning : configuration->warnings) streams.err << "warning: " << warning << "\n";
  if (options.connect) return RunConnectCheck(*configuration, options.patient, global.json, streams);
  if (!options.maps.empty()) return CheckMaps(global, options, streams);
  return CheckSet(global, *configuration, options, streams);
}

}  // namespace fhir_adapter::app
