// The parts of a map from the elements of a StructureMap, R4 or R5, by the elements alone.
//
// Internal to adapter/fml; structure_map.cc adds what the extension map-text says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "fhir/node.h"
#include "fml/ast.h"

namespace fhir_adapter::fml::internal {

class StructureMapDecoder {
 public:
  explicit StructureMapDecoder(std::string_view file) : file_(file) {}

  // Each fills its part of the map.
  Result<void> Head(const fhir::Node& node, ast::Map& map) const;
  Result<void> Models(const fhir::Node& node, ast::Map& map) const;
  Result<void> Constants(const fhir::Node& node, ast::Map& map) const;
  Result<ast::Group> GroupHead(const fhir::Node& node) const;
  Result<ast::Rule> RuleHead(const fhir::Node& node) const;  // without nested rules
  Result<ast::InlineConceptMap> ConceptMap(const fhir::Node& node) const;

  Failure FaultAt(const fhir::Node& node, std::string message) const;

 private:
  Result<ast::Source> Source(const fhir::Node& node) const;
  Result<void> DefaultValue(const fhir::Node& node, ast::Source& source) const;
  Result<ast::Target> Target(const fhir::Node& node) const;
  Result<ast::GroupCall> Dependent(const fhir::Node& node) const;
  Result<ast::Parameter> Parameter(const fhir::Node& node, bool is_expression) const;
  Result<void> ConceptGroup(const fhir::Node& node, ast::InlineConceptMap& concept_map) const;
  Result<void> Unmapped(const fhir::Node& node, const std::string& source, const std::string& target,
                        ast::InlineConceptMap& concept_map) const;

  std::string file_;
};

// The text of a member; empty: it is not there or no text.
std::string TextMember(const fhir::Node& node, std::string_view name);
ast::Position PositionOf(const fhir::Node& node);
// The items of a member that is a list, or the one value that is none.
std::vector<const fhir::Node*> ItemsOf(const fhir::Node& node, std::string_view name);

}  // namespace fhir_adapter::fml::internal
