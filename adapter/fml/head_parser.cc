#include "fml/head_parser.h"

#include <utility>

#include "fml/literal.h"

namespace fhir_adapter::fml {

Result<void> HeadParser::Metadata(ast::Map& map) {
  while (reader_.Current().kind == TokenKind::kMetadata) ADAPTER_CHECK(MetadataLine(map));
  return {};
}

Result<void> HeadParser::MetadataLine(ast::Map& map) {
  ast::Metadata metadata;
  metadata.at = reader_.Current().at;
  const std::uint32_t line = metadata.at.line;
  reader_.Next();
  ADAPTER_TRY(metadata.path, reader_.TakeDottedName("the name of a metadata element"));
  ADAPTER_CHECK(reader_.Take("="));
  if (reader_.Current().kind != TokenKind::kEnd && reader_.Current().at.line == line) {
    ADAPTER_CHECK(MetadataValue(metadata));
  }
  if (metadata.value && metadata.path == "url") map.url = metadata.value->text;
  if (metadata.value && metadata.path == "name") map.name = metadata.value->text;
  map.metadata.push_back(std::move(metadata));
  return {};
}

Result<void> HeadParser::MetadataValue(ast::Metadata& metadata) {
  if (reader_.Current().kind == TokenKind::kTripleString) {
    std::string text = Unquote(reader_.Current());
    if (text.starts_with("\r\n")) text.erase(0, 2);
    if (text.starts_with("\n")) text.erase(0, 1);
    if (text.ends_with("\n")) text.pop_back();
    if (text.ends_with("\r")) text.pop_back();
    metadata.value = ast::Literal{ast::LiteralKind::kString, std::move(text)};
    metadata.is_markdown = true;
    reader_.Next();
    return {};
  }
  if (AtLiteral(reader_)) {
    ADAPTER_TRY(metadata.value, TakeLiteral(reader_));
    return {};
  }
  // A bare word (`/// status = draft`) is how some published maps write a code.
  ADAPTER_TRY(std::string word, reader_.TakeName("a literal"));
  metadata.value = ast::Literal{ast::LiteralKind::kString, std::move(word)};
  return {};
}

Result<void> HeadParser::MapLine(ast::Map& map) {
  reader_.Next();
  ADAPTER_TRY(map.url, reader_.TakeText("the url of the map in quotes"));
  ADAPTER_CHECK(reader_.Take("="));
  if (reader_.IsName()) {
    ADAPTER_TRY(map.name, reader_.TakeName("the name of the map"));
  } else {
    ADAPTER_TRY(map.name, reader_.TakeText("the name of the map"));
  }
  return {};
}

Result<void> HeadParser::Uses(ast::Map& map) {
  ast::Uses uses;
  reader_.Next();
  uses.at = reader_.Current().at;
  ADAPTER_TRY(uses.url, reader_.TakeText("the url of a model in quotes"));
  if (reader_.TakeIfWord("alias")) {
    ADAPTER_TRY(uses.alias, reader_.TakeName("an alias"));
  }
  ADAPTER_CHECK(reader_.TakeWord("as"));
  if (reader_.TakeIfWord("source")) {
    uses.mode = ast::ModelMode::kSource;
  } else if (reader_.TakeIfWord("queried")) {
    uses.mode = ast::ModelMode::kQueried;
  } else if (reader_.TakeIfWord("target")) {
    uses.mode = ast::ModelMode::kTarget;
  } else if (reader_.TakeIfWord("produced")) {
    uses.mode = ast::ModelMode::kProduced;
  } else {
    return reader_.Expected("source, queried, target or produced");
  }
  (void)reader_.TakeIf(";");
  map.uses.push_back(std::move(uses));
  return {};
}

Result<void> HeadParser::Import(ast::Map& map) {
  ast::Import import;
  reader_.Next();
  import.at = reader_.Current().at;
  ADAPTER_TRY(import.url, reader_.TakeText("the url of a map in quotes"));
  (void)reader_.TakeIf(";");
  map.imports.push_back(std::move(import));
  return {};
}

Result<void> HeadParser::ConceptMap(ast::Map& map) {
  ast::InlineConceptMap concept_map;
  reader_.Next();
  concept_map.at = reader_.Current().at;
  ADAPTER_TRY(concept_map.name, reader_.TakeText("the name of the concept map in quotes"));
  if (concept_map.name.starts_with("#")) concept_map.name.erase(0, 1);
  ADAPTER_CHECK(reader_.Take("{"));
  while (!reader_.Is("}")) {
    if (reader_.IsWord("prefix") && reader_.Peek().text != ":") {
      ADAPTER_CHECK(Prefix(concept_map));
    } else if (reader_.IsWord("unmapped") && reader_.Peek().text == "for") {
      ADAPTER_CHECK(Unmapped(concept_map));
    } else {
      ADAPTER_CHECK(Row(concept_map));
    }
    (void)reader_.TakeIf(";");
  }
  ADAPTER_CHECK(reader_.Take("}"));
  map.concept_maps.push_back(std::move(concept_map));
  return {};
}

Result<void> HeadParser::Prefix(ast::InlineConceptMap& concept_map) {
  ast::ConceptMapPrefix prefix;
  reader_.Next();
  prefix.at = reader_.Current().at;
  ADAPTER_TRY(prefix.name, reader_.TakeName("a prefix"));
  ADAPTER_CHECK(reader_.Take("="));
  ADAPTER_TRY(prefix.system, reader_.TakeText("the url of a code system in quotes"));
  concept_map.prefixes.push_back(std::move(prefix));
  return {};
}

Result<void> HeadParser::Unmapped(ast::InlineConceptMap& concept_map) {
  ast::ConceptMapUnmapped unmapped;
  unmapped.at = reader_.Current().at;
  reader_.Next();
  ADAPTER_CHECK(reader_.TakeWord("for"));
  ADAPTER_TRY(unmapped.source_prefix, reader_.TakeName("a prefix"));
  ADAPTER_CHECK(reader_.Take("="));
  if (reader_.Peek().text == ":") {
    ADAPTER_TRY(unmapped.target_prefix, reader_.TakeName("a prefix"));
    ADAPTER_CHECK(reader_.Take(":"));
    ADAPTER_TRY(unmapped.code, ConceptCode());
  } else {
    ADAPTER_TRY(unmapped.mode, ConceptCode());
    while (reader_.Is("-")) {  // text-only
      reader_.Next();
      ADAPTER_TRY(const std::string part,
                  reader_.TakeName("provided, reject, quarantine, text-only or a code"));
      unmapped.mode += "-" + part;
    }
    if (unmapped.mode != "provided" && unmapped.mode != "reject" && unmapped.mode != "quarantine" &&
        unmapped.mode != "text-only") {
      return reader_.FaultAt(unmapped.at,
                             "unmapped is one of provided, reject, quarantine, text-only or a code");
    }
  }
  concept_map.unmapped.push_back(std::move(unmapped));
  return {};
}

Result<std::string> HeadParser::ConceptCode() {
  const TokenKind kind = reader_.Current().kind;
  if (kind == TokenKind::kString || kind == TokenKind::kDoubleString) return reader_.TakeText("a code");
  if (kind == TokenKind::kInteger || kind == TokenKind::kDecimal) {
    std::string code(reader_.Current().text);
    reader_.Next();
    return code;
  }
  return reader_.TakeName("a code");
}

Result<void> HeadParser::Row(ast::InlineConceptMap& concept_map) {
  ast::ConceptMapRow row;
  row.at = reader_.Current().at;
  ADAPTER_TRY(row.source_prefix, reader_.TakeName("prefix, unmapped, or a row such as s:code - t:code"));
  ADAPTER_CHECK(reader_.Take(":"));
  ADAPTER_TRY(row.source_code, ConceptCode());
  static constexpr std::string_view kRelations[] = {"-", "==", "=", "<=", ">=", "~", "!=", "<", ">", "*"};
  for (const std::string_view relation : kRelations) {
    if (!reader_.Is(relation)) continue;
    row.relation = relation;
    break;
  }
  if (row.relation.empty()) return reader_.Expected("- or another relation (== = <= >= ~ !=)");
  reader_.Next();
  if (row.relation == "<" && reader_.TakeIf("-")) row.relation = "<-";
  ADAPTER_TRY(row.target_prefix, reader_.TakeName("a prefix"));
  ADAPTER_CHECK(reader_.Take(":"));
  ADAPTER_TRY(row.target_code, ConceptCode());
  concept_map.rows.push_back(std::move(row));
  return {};
}

}  // namespace fhir_adapter::fml
