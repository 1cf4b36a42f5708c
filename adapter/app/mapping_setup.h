// From configuration and options to a MappingSet, with every finding reported.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/commands.h"
#include "app/configuration.h"
#include "app/streams.h"
#include "fml/map_set.h"
#include "pipeline/mapping_set.h"

namespace fhir_adapter::app {

pipeline::MappingSettings MappingSettingsOf(const Configuration& configuration, const std::string& map);

// The folder in force: the option, else the configuration, else the shipped one.
Result<std::string> MappingsDirectory(const std::string& option, const Configuration& configuration);

// A map that the configuration names, and where: `[[source]] 'export' map`.
struct ConfiguredMap {
  std::string map;
  std::string named_by;
};
// The default map, then those of the sources that have another; each once.
std::vector<ConfiguredMap> ConfiguredMaps(const Configuration& configuration);

// The same; but where nothing is configured and `files` lack the default map, the maps that stand for
// something by their names: NAME/NAME.map, hl7v2/KIND.map.
std::vector<ConfiguredMap> MapsToCheck(const Configuration& configuration,
                                       const std::vector<fml::SourceFile>& files);

// The set for each of these maps, in their order; they share what is compiled of it. Empty when a finding is
// an error.
using ConfiguredSets = std::vector<std::shared_ptr<const pipeline::MappingSet>>;
ConfiguredSets BuildConfiguredSets(std::vector<fml::SourceFile> files, const Configuration& configuration,
                                   const std::vector<ConfiguredMap>& maps,
                                   std::vector<fml::Finding>& findings);

// Files of the folder, and of `model_directory` below "models/" when that is given.
Result<std::vector<fml::SourceFile>> ReadMappingSetFiles(const std::string& directory,
                                                         const std::string& model_directory);

// The set that a command works with, named by its options. Null: why is on the error stream, and `exit_code`
// is what the command ends with.
struct CommandSet {
  std::shared_ptr<const pipeline::MappingSet> set;  // shared with the RecordMappings
  int exit_code = 0;
};
CommandSet BuildCommandSet(const GlobalOptions& global, const std::string& map,
                           const std::string& map_directory, const std::string& model_directory,
                           const Streams& streams);

// One line a finding on the error stream (NDJSON with `json`). Gives the number of errors.
std::size_t ListFindings(const std::vector<fml::Finding>& findings, bool json, std::ostream& out);

}  // namespace fhir_adapter::app
