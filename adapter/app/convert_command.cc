// `fhir-adapter map convert` and `map terminology`: a map or a table of codes in another form.
#include "app/commands.h"
#include "app/mapping_files.h"
#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "fml/concept_map_table.h"
#include "fml/parser.h"
#include "fml/printer.h"
#include "fml/structure_map.h"

namespace fhir_adapter::app {
namespace {

Failure WithFile(Error error, const std::string& file) {
  error.where.file = file;
  return Fail(std::move(error));
}

// The resource of the file, which must be of this type.
Result<const fhir::Node*> ReadResource(const std::string& text, const std::string& file,
                                       std::string_view type, Arena& arena) {
  auto root = fhir::ReadJson(text, arena);
  if (!root) return WithFile(root.error(), file);
  const fhir::Node* actual = (*root)->Find("resourceType");
  if (actual != nullptr && actual->text == type) return *root;
  return Fail(Code::kSemantic, "not a " + std::string(type), Location{file, 1, 1, ""});
}

Result<std::string> Convert(const ConvertOptions& options) {
  const bool is_resource = options.file.ends_with(".json");
  ADAPTER_TRY(const std::string text, ReadFile(options.file));
  Arena arena;
  fml::ast::Map map;
  if (is_resource) {
    ADAPTER_TRY(const fhir::Node* root, ReadResource(text, options.file, "StructureMap", arena));
    ADAPTER_TRY(map, fml::ReadStructureMap(*root, options.file));
  } else {
    ADAPTER_TRY(map, fml::ParseMap(text, options.file));
  }
  const std::string form = !options.form.empty() ? options.form : is_resource ? "text" : "r4";
  if (form == "text") return fml::PrintMap(map);
  const auto release = form == "r4" ? fml::StructureMapRelease::kR4 : fml::StructureMapRelease::kR5;
  return fhir::ToJson(*fml::WriteStructureMap(map, release, arena)) + "\n";
}

Result<std::string> ConvertTable(const std::string& file) {
  ADAPTER_TRY(const std::string text, ReadFile(file));
  Arena arena;
  if (file.ends_with(".csv")) {
    ADAPTER_TRY(const fhir::Node* root, fml::ReadConceptMapTable(text, file, arena));
    return fhir::ToJson(*root) + "\n";
  }
  ADAPTER_TRY(const fhir::Node* root, ReadResource(text, file, "ConceptMap", arena));
  auto table = fml::WriteConceptMapTable(*root);
  if (!table) return WithFile(table.error(), file);
  return table;
}

int Print(const Result<std::string>& converted, const Streams& streams) {
  if (converted) {
    streams.out << *converted;
    return kExitDone;
  }
  const Code code = converted.error().code;
  const bool is_content = code != Code::kFileNotFound && code != Code::kInputOutput;
  if (!is_content) return Report(converted.error(), streams);
  streams.err << "fhir-adapter: " << ToString(converted.error()) << "\n";
  return kExitRejected;
}

}  // namespace

int RunConvert(const ConvertOptions& options, const Streams& streams) {
  return Print(Convert(options), streams);
}

int RunTerminology(const std::string& file, const Streams& streams) {
  return Print(ConvertTable(file), streams);
}

}  // namespace fhir_adapter::app
