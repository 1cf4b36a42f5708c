#include "app/raw_map.h"

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "app/mapping_files.h"
#include "app/mapping_setup.h"
#include "app/unmapped_table.h"
#include "core/clock.h"
#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "fml/mapper.h"
#include "fml/suggestion.h"
#include "pipeline/mapping_set.h"

namespace fhir_adapter::app {
namespace {

struct RawSet {
  std::shared_ptr<const fml::MapSet> maps;  // shared with the Mapper
  std::string map;                          // its path in the set
};

// The paths that a map's name can stand for; none, so that all are linked, for a url.
std::vector<std::string> RootsOf(const std::string& map, const std::vector<fml::SourceFile>& files) {
  std::vector<std::string> roots;
  for (const fml::SourceFile& file : files) {
    const bool is_named =
        file.path.ends_with(".map") && std::filesystem::path(file.path).stem().string() == map;
    if (file.path == map || is_named) roots.push_back(file.path);
  }
  return roots;
}

// `--map` may be a file outside the folder of maps: it joins the set under its own path.
Result<RawSet> CompileRaw(const GlobalOptions& global, const MapOptions& options,
                          std::vector<fml::Finding>& findings) {
  ADAPTER_TRY(const Configuration configuration, ConfigurationOf(global));
  const bool is_file = std::filesystem::is_regular_file(options.map);
  std::vector<fml::SourceFile> files;
  if (!options.map_directory.empty() || !is_file) {
    ADAPTER_TRY(const std::string directory, MappingsDirectory(options.map_directory, configuration));
    ADAPTER_TRY(files, ReadMappingFiles(directory));
  }
  if (!options.model_directory.empty()) {
    ADAPTER_TRY(std::vector<fml::SourceFile> models, ReadMappingFiles(options.model_directory));
    std::ranges::move(models, std::back_inserter(files));
  }
  RawSet set{nullptr, options.map};
  if (is_file) {
    ADAPTER_TRY(std::string bytes, ReadFile(options.map));
    // The same file found in the folder would be there twice.
    std::erase_if(files, [&](const fml::SourceFile& file) { return file.bytes == bytes; });
    files.push_back({options.map, std::move(bytes)});
  }
  fml::MapSetOptions map_options = pipeline::MapSetOptionsOf(MappingSettingsOf(configuration, options.map));
  map_options.require_unmapped_policy = false;
  map_options.roots = RootsOf(set.map, files);
  set.maps = fml::MapSet::Compile(std::move(files), map_options, findings);
  return set;
}

Result<std::string> ReadInstance(const std::string& input, const Streams& streams) {
  if (input != "-") return ReadFile(input);
  return std::string((std::istreambuf_iterator<char>(streams.in)), std::istreambuf_iterator<char>());
}

int MapInstance(const fml::MapInfo& map, const std::string& input, fml::Mapper& mapper,
                UnmappedTable& unmapped, const Streams& streams) {
  const auto text = ReadInstance(input, streams);
  if (!text) return Report(text.error(), streams);
  Arena arena;
  const auto instance = fhir::ReadJson(*text, arena);
  if (!instance) {
    Error error = instance.error();
    error.where.file = input;
    streams.err << "fhir-adapter: " << ToString(error) << "\n";
    return kExitRejected;
  }
  const fhirpath::Moment moment = fhirpath::Moment::At(SystemClock().Now());
  fml::MapRequest request;
  request.seed = input;
  request.file = input;
  request.moment = &moment;
  auto mapping = mapper.Map(map, **instance, request);
  if (!mapping) return Report(mapping.error(), streams);
  unmapped.Count(mapping->unmapped);
  for (const Issue& issue : mapping->issues) streams.err << ToLine(issue) << "\n";
  if (mapping->target == nullptr || Gravest(mapping->issues) != Disposition::kNote) return kExitRejected;
  const fhir::Schema& schema = mapper.maps().schema();
  fml::ResolveReferences(*mapping, schema, request.seed, mapper.arena());
  std::string json;
  if (mapping->target->Find("resourceType") != nullptr) {
    fhir::WriteResource(*mapping->target, schema, json);
  } else {
    fhir::WriteJson(*mapping->target, json);
  }
  streams.out << json << "\n";
  return kExitDone;
}

}  // namespace

int RunRawMap(const GlobalOptions& global, const MapOptions& options, const Streams& streams) {
  std::vector<fml::Finding> findings;
  const auto set = CompileRaw(global, options, findings);
  if (!set) return Report(set.error(), streams);
  if (!set->maps) {
    ListFindings(findings, global.json, streams.err);
    return kExitUsage;
  }
  const fml::MapInfo* map = set->maps->FindMap(set->map);
  if (map == nullptr) {
    std::vector<std::string> names;
    for (const fml::MapInfo& info : set->maps->maps())
      names.insert(names.end(), {std::filesystem::path(info.path).stem().string(), info.url});
    const std::vector<std::string_view> known(names.begin(), names.end());
    return Report(
        Error{Code::kUsage, "there is no map '" + options.map + "'" + fml::Suggest(options.map, known), {}},
        streams);
  }
  fml::Mapper mapper(set->maps);
  int worst = kExitDone;
  UnmappedTable unmapped;
  for (const std::string& input : options.inputs)
    worst = std::max(worst, MapInstance(*map, input, mapper, unmapped, streams));
  if (!global.json) unmapped.Print(streams.err);
  return worst;
}

}  // namespace fhir_adapter::app
