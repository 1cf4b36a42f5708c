// The elements of a StructureMap for the parts of a map; what they cannot say is left to structure_map.cc.
//
// Internal to adapter/fml. Nodes live in the arena.
#pragma once

#include <string_view>
#include <vector>

#include "core/arena.h"
#include "fhir/node.h"
#include "fml/ast.h"
#include "fml/structure_map.h"

namespace fhir_adapter::fml::internal {

class StructureMapEncoder {
 public:
  StructureMapEncoder(StructureMapRelease release, Arena& arena) : release_(release), arena_(arena) {}

  // Each adds the members of its part to `node`.
  void Head(const ast::Map& map, fhir::Node& node);  // url, name and what the metadata say
  void Models(const ast::Map& map, fhir::Node& node);
  void Constants(const ast::Map& map, fhir::Node& node);
  void GroupHead(const ast::Group& group, fhir::Node& node);
  void RuleHead(const ast::Rule& rule, fhir::Node& node);  // without nested rules
  // `src -> tgt: a, b` as the rules that it stands for, to be nested.
  std::vector<fhir::Node*> IdentityRules(const ast::Rule& rule);
  fhir::Node* ConceptMap(const ast::InlineConceptMap& concept_map);

 private:
  bool is_r4() const { return release_ == StructureMapRelease::kR4; }
  void AddText(fhir::Node& node, std::string_view name, std::string_view text);
  void AddExtension(fhir::Node& node, fhir::Node* extension);
  fhir::Node* Source(const ast::Source& source, std::string_view variable);
  void DefaultValue(const ast::Expression& value, fhir::Node& node);
  fhir::Node* Target(const ast::Target& target);
  fhir::Node* Dependent(const ast::GroupCall& call);
  fhir::Node* Parameter(const ast::Parameter& parameter);
  void LiteralValue(const ast::Literal& literal, fhir::Node& node);
  void Unmapped(const ast::InlineConceptMap& concept_map, std::string_view prefix, fhir::Node& group);

  StructureMapRelease release_;
  Arena& arena_;
};

// The metadata that are elements of a StructureMap of one text (or Boolean) each.
bool IsMetadataElement(std::string_view path);
// The relation signs of a text as R4 equivalence or R5 relationship.
std::string_view EquivalenceOf(std::string_view relation);
std::string_view RelationshipOf(std::string_view relation);
// What is wrong with `value` as a literal of `kind`, without the value; empty when nothing is. A text may be
// empty.
std::string_view LiteralProblem(ast::LiteralKind kind, const fhir::Node& value);
// A text that is a JSON number as it stands.
bool IsJsonNumber(std::string_view text);

}  // namespace fhir_adapter::fml::internal
