#include "app/mapping_setup.h"

#include <algorithm>

#include "app/mapping_files.h"
#include "net/http_message.h"

namespace fhir_adapter::app {
namespace {

std::string FindingJson(const fml::Finding& finding) {
  return "{\"file\":" + net::JsonString(finding.where.file) +
         ",\"line\":" + std::to_string(finding.where.line) +
         ",\"column\":" + std::to_string(finding.where.column) +
         ",\"severity\":" + (finding.severity == fml::Severity::kError ? "\"error\"" : "\"warning\"") +
         ",\"message\":" + net::JsonString(finding.message) + "}";
}

// What is wrong with the choice of a map, not with a file, says who chose it.
void NameTheChoice(const ConfiguredMap& map, std::size_t known, std::vector<fml::Finding>& findings) {
  for (std::size_t i = known; i < findings.size(); ++i) {
    if (findings[i].where.file.empty()) findings[i].message = map.named_by + ": " + findings[i].message;
  }
}

}  // namespace

pipeline::MappingSettings MappingSettingsOf(const Configuration& configuration, const std::string& map) {
  pipeline::MappingSettings settings;
  settings.map = map;
  settings.canonical_base = configuration.site.canonical_base;
  settings.site = configuration.site.id;
  settings.patient_identifier_system = configuration.endpoint.patient_identifier_system;
  settings.practitioner_identifier_system = configuration.endpoint.practitioner_identifier_system;
  settings.encounter_identifier_system = configuration.endpoint.encounter_identifier_system;
  settings.endpoint = configuration.endpoint.base_url;
  settings.link_window_h = configuration.push.link_window_h;
  return settings;
}

std::vector<ConfiguredMap> ConfiguredMaps(const Configuration& configuration) {
  const std::string default_map = configuration.DefaultMap();
  std::vector<ConfiguredMap> maps;
  if (!configuration.http.map.empty()) maps.push_back({default_map, "[http] map"});
  const auto add = [&maps](const std::string& map, const std::string& named_by) {
    if (std::ranges::find(maps, map, &ConfiguredMap::map) == maps.end()) maps.push_back({map, named_by});
  };
  for (const SourceSettings& source : configuration.sources) {
    if (source.map == default_map) add(source.map, "[[source]] '" + source.name + "' map");
  }
  add(default_map, "the default of [http] map");
  for (const SourceSettings& source : configuration.sources) {
    add(source.map, "[[source]] '" + source.name + "' map");
  }
  return maps;
}

ConfiguredSets BuildConfiguredSets(std::vector<fml::SourceFile> files, const Configuration& configuration,
                                   const std::vector<ConfiguredMap>& maps,
                                   std::vector<fml::Finding>& findings) {
  const ConfiguredMap& first = maps.front();
  std::size_t known = findings.size();
  auto set =
      pipeline::MappingSet::Build(std::move(files), MappingSettingsOf(configuration, first.map), findings);
  if (!set) {
    NameTheChoice(first, known, findings);
    return {};
  }
  ConfiguredSets sets = {std::move(set)};
  bool is_complete = true;
  for (std::size_t i = 1; i < maps.size(); ++i) {
    known = findings.size();
    auto other = sets.front()->ForMap(maps[i].map, findings);
    if (other) {
      sets.push_back(std::move(other));
      continue;
    }
    NameTheChoice(maps[i], known, findings);
    is_complete = false;
  }
  return is_complete ? sets : ConfiguredSets{};
}

std::vector<ConfiguredMap> MapsToCheck(const Configuration& configuration,
                                       const std::vector<fml::SourceFile>& files) {
  if (!configuration.sources.empty() || !configuration.http.map.empty()) return ConfiguredMaps(configuration);
  const std::string records = configuration.DefaultMap();
  std::vector<ConfiguredMap> maps;
  for (const fml::SourceFile& file : files) {
    const std::size_t slash = file.path.find('/');
    const std::string folder = file.path.substr(0, slash);
    if (folder == records) return ConfiguredMaps(configuration);
    const bool is_map = file.path.ends_with(".map") && slash != std::string::npos;
    if (is_map && (folder == "hl7v2" || file.path == folder + "/" + folder + ".map")) {
      maps.push_back({file.path, file.path});
    }
  }
  return maps.empty() ? ConfiguredMaps(configuration) : maps;
}

Result<std::string> MappingsDirectory(const std::string& option, const Configuration& configuration) {
  if (!option.empty()) return option;
  if (!configuration.maps.directory.empty()) return configuration.maps.directory;
  return ShippedMappingsDirectory();
}

Result<std::vector<fml::SourceFile>> ReadMappingSetFiles(const std::string& directory,
                                                         const std::string& model_directory) {
  ADAPTER_TRY(std::vector<fml::SourceFile> files, ReadMappingFiles(directory));
  if (model_directory.empty()) return files;
  ADAPTER_TRY(std::vector<fml::SourceFile> models, ReadMappingFiles(model_directory));
  for (fml::SourceFile& model : models) {
    model.path = "models/" + model.path;
    const auto same = std::ranges::find(files, model.path, &fml::SourceFile::path);
    if (same != files.end()) {
      *same = std::move(model);
    } else {
      files.push_back(std::move(model));
    }
  }
  return files;
}

CommandSet BuildCommandSet(const GlobalOptions& global, const std::string& map,
                           const std::string& map_directory, const std::string& model_directory,
                           const Streams& streams) {
  const auto configuration = ConfigurationOf(global);
  if (!configuration) return {nullptr, Report(configuration.error(), streams)};
  const auto directory = MappingsDirectory(map_directory, *configuration);
  if (!directory) return {nullptr, Report(directory.error(), streams)};
  auto files = ReadMappingSetFiles(*directory, model_directory);
  if (!files) return {nullptr, Report(files.error(), streams)};
  std::vector<fml::Finding> findings;
  auto set = pipeline::MappingSet::Build(std::move(*files), MappingSettingsOf(*configuration, map), findings);
  if (!set) ListFindings(findings, global.json, streams.err);
  const int exit_code = set ? kExitDone : kExitUsage;
  return {std::move(set), exit_code};
}

std::size_t ListFindings(const std::vector<fml::Finding>& findings, bool json, std::ostream& out) {
  std::size_t errors = 0;
  for (const fml::Finding& finding : findings) {
    if (finding.severity == fml::Severity::kError) ++errors;
    out << (json ? FindingJson(finding) : fml::ToLine(finding)) << "\n";
  }
  return errors;
}

}  // namespace fhir_adapter::app
