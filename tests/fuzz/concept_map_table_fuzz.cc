// Tables of codes: what is read as a ConceptMap is written as a table that is read as the same ConceptMap,
// writing again gives the same bytes, and a refusal says where it is. What is read can be indexed, or a fault
// says why not.
#include "fhir/json_writer.h"
#include "fml/concept_map.h"
#include "fml/concept_map_table.h"
#include "property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fhir_adapter;  // NOLINT: the entry cannot stand in it
  Arena arena;
  const auto read = fml::ReadConceptMapTable(fuzz::TextOf(data, size), "fuzz.csv", arena);
  if (!read) {
    fuzz::Demand(read.error().where.line > 0, "a refusal says where it is");
    return 0;
  }
  const auto table = fml::WriteConceptMapTable(**read);
  if (table) {
    const auto again = fml::ReadConceptMapTable(*table, "fuzz.csv", arena);
    fuzz::Demand(again.has_value(), "what is written can be read");
    fuzz::Demand(fhir::SameContent(**read, **again), "what is written is read as the same ConceptMap");
    const auto twice = fml::WriteConceptMapTable(**again);
    fuzz::Demand(twice.has_value() && *twice == *table, "writing again gives the same bytes");
  } else {
    fuzz::Demand(!table.error().message.empty(), "a table that cannot hold something says so");
  }
  const auto index = fml::ConceptMapIndex::FromResource(**read, "fuzz.csv");
  fuzz::Demand(index.has_value() || !index.error().message.empty(), "a fault has a message");
  return 0;
}
