// Parses what stands before the groups of a map: metadata, the old `map` line, concept maps, uses, imports.
//
// Internal to adapter/fml; used by parser.cc.
#pragma once

#include <string_view>

#include "fml/token_reader.h"

namespace fhir_adapter::fml {

class HeadParser {
 public:
  explicit HeadParser(TokenReader& reader) : reader_(reader) {}

  Result<void> Metadata(ast::Map& map);
  Result<void> MapLine(ast::Map& map);
  Result<void> ConceptMap(ast::Map& map);
  Result<void> Uses(ast::Map& map);
  Result<void> Import(ast::Map& map);

 private:
  Result<void> MetadataLine(ast::Map& map);
  Result<void> MetadataValue(ast::Metadata& metadata);
  Result<void> Prefix(ast::InlineConceptMap& concept_map);
  Result<void> Unmapped(ast::InlineConceptMap& concept_map);
  Result<void> Row(ast::InlineConceptMap& concept_map);
  Result<std::string> ConceptCode();

  TokenReader& reader_;
};

}  // namespace fhir_adapter::fml
