// StructureMaps: what is read as a map is the same map after printing and parsing (when the text can say it),
// and after writing and reading in both releases; a refusal says where it is.
#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "fml/map_set.h"
#include "fml/parser.h"
#include "fml/printer.h"
#include "fml/structure_map.h"
#include "property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fhir_adapter;  // NOLINT: the entry cannot stand in it
  const std::string_view text = fuzz::TextOf(data, size);
  Arena arena;
  const auto root = fhir::ReadJson(text, arena);
  if (!root || !(*root)->is_object()) return 0;
  const auto map = fml::ReadStructureMap(**root, "fuzz.json");
  if (!map) {
    fuzz::Demand(!map.error().message.empty() && map.error().where.line > 0, "a refusal says why and where");
    return 0;
  }
  // Names that no text can hold (`a.b`, an empty one) are read from JSON and end as findings.
  const auto parsed = fml::ParseMap(fml::PrintMap(*map), "fuzz.map");
  if (parsed && *parsed == *map) {
    for (const auto release : {fml::StructureMapRelease::kR4, fml::StructureMapRelease::kR5}) {
      const fhir::Node* written = fml::WriteStructureMap(*map, release, arena);
      const auto again = fml::ReadStructureMap(*written, "fuzz.json");
      fuzz::Demand(again.has_value(), "what is written can be read");
      fuzz::Demand(*again == *map, "what is written is read as the same map");
    }
  }
  std::vector<fml::Finding> findings;
  const auto set = fml::MapSet::Compile({{"fuzz.json", std::string(text)}}, {}, findings);
  fuzz::Demand(set != nullptr || !findings.empty(),
               "there is a set, or a finding that says why there is none");
  return 0;
}
