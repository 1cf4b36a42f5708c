// `fhir-adapter check`: everything that can be known before running.
#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include "app/columns_file.h"
#include "app/commands.h"
#include "app/jwt_access.h"
#include "app/listener_security.h"
#include "app/mapping_files.h"
#include "app/mapping_setup.h"
#include "app/time_zone_file.h"
#include "pipeline/mapping_set.h"

namespace fhir_adapter::app {
namespace {

// Named map files alone, with what the folder offers for their imports.
int CheckMaps(const GlobalOptions& global, const Configuration& configuration, const CheckOptions& options,
              const Streams& streams) {
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
  fml::MapSetOptions map_options =
      pipeline::MapSetOptionsOf(MappingSettingsOf(configuration, configuration.DefaultMap()));
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

// The columns files of the folder and those that the configuration names, each against the model of the
// records that it makes.
std::size_t CheckColumns(const Configuration& configuration, const std::string& directory,
                         const ConfiguredSets& sets, bool json, const Streams& streams) {
  const record::RecordModel& model = sets.front()->model();
  std::vector<std::pair<std::string, const record::RecordModel*>> files;
  const auto add = [&files](const std::string& file, const record::RecordModel& of) {
    const std::pair entry(file, &of);
    if (std::ranges::find(files, entry) == files.end()) files.push_back(entry);
  };
  for (const std::string& file : ColumnsFiles(directory)) add(file, model);
  if (!configuration.http.columns.empty()) add(ColumnsPath(configuration.http.columns, directory), model);
  for (const SourceSettings& source : configuration.sources) {
    if (source.columns.empty()) continue;
    const auto set = std::ranges::find_if(
        sets, [&source](const auto& candidate) { return candidate->settings().map == source.map; });
    add(ColumnsPath(source.columns, directory), (*set)->model());
  }
  std::size_t errors = 0;
  std::vector<fml::Finding> listed;
  for (const auto& [file, of] : files) {
    std::vector<fml::Finding> findings;
    const auto text = ReadFile(file);
    if (text) {
      (void)ParseColumns(*text, file, *of, findings);
    } else {
      findings.push_back(
          {fml::Severity::kError, text.error().code, text.error().where, text.error().message});
    }
    std::erase_if(findings,
                  [&](const fml::Finding& finding) { return std::ranges::count(listed, finding) != 0; });
    errors += ListFindings(findings, json, streams.out);
    std::ranges::move(findings, std::back_inserter(listed));
  }
  return errors;
}

// The whole set that `serve` would run with.
int CheckSet(const GlobalOptions& global, const Configuration& configuration, const CheckOptions& options,
             const Streams& streams) {
  const auto directory = MappingsDirectory(options.map_directory, configuration);
  if (!directory) return Report(directory.error(), streams);
  auto files = ReadMappingSetFiles(*directory, options.model_directory);
  if (!files) return Report(files.error(), streams);
  const std::vector<ConfiguredMap> maps = MapsToCheck(configuration, *files);
  std::size_t errors =
      ListFindings(CheckListenerTls(configuration, SystemClock().Now()), global.json, streams.out);
  errors += ListFindings(CheckTokenKeys(configuration), global.json, streams.out);
  std::vector<fml::Finding> findings;
  const ConfiguredSets sets = BuildConfiguredSets(std::move(*files), configuration, maps, findings);
  errors += ListFindings(findings, global.json, streams.out);
  for (const auto& set : sets) {
    if (global.json) continue;
    streams.err << *directory << ": map " << set->settings().map << ", " << set->maps()->maps().size()
                << " maps, " << set->rules().rules().size() << " rules, set " << set->name().substr(0, 12)
                << "\n";
  }
  if (!sets.empty()) errors += CheckColumns(configuration, *directory, sets, global.json, streams);
  return errors == 0 ? kExitDone : kExitRejected;
}

// What `serve` would do with this configuration, for people.
void TellWhatWouldRun(const Configuration& configuration, std::ostream& out) {
  out << "takes:  records and /health on http " << configuration.http.listen << "\n";
  if (!configuration.mllp.listen.empty())
    out << "takes:  HL7 v2 on mllp " << configuration.mllp.listen << "\n";
  for (const SourceSettings& source : configuration.sources) {
    out << "takes:  source " << source.name << ", " << source.kind
        << (source.path.empty() ? "" : " " + source.path) << ", map " << source.map << "\n";
  }
  out << "keeps:  " << configuration.store.url << "\n";
  out << "sends:  to " << configuration.endpoint.base_url << ", auth " << configuration.endpoint_auth.kind
      << "\n";
}

int ReportConfiguration(const Error& error, bool json, const Streams& streams) {
  (void)ListFindings({{fml::Severity::kError, error.code, error.where, error.message}}, json, streams.out);
  return kExitUsage;
}

}  // namespace

int RunCheck(const GlobalOptions& global, const CheckOptions& options, const Streams& streams) {
  const auto configuration = ConfigurationOf(global);
  if (!configuration) return ReportConfiguration(configuration.error(), global.json, streams);
  if (const auto zone = LoadTimeZone(configuration->site.time_zone); !zone) {
    return ReportConfiguration(zone.error(), global.json, streams);
  }
  for (const std::string& warning : configuration->warnings) streams.err << "warning: " << warning << "\n";
  if (options.connect) return RunConnectCheck(*configuration, options.patient, global.json, streams);
  if (!options.maps.empty()) return CheckMaps(global, *configuration, options, streams);
  if (!global.json) TellWhatWouldRun(*configuration, streams.err);
  return CheckSet(global, *configuration, options, streams);
}

}  // namespace fhir_adapter::app
