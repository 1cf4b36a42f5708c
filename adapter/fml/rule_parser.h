// Parses the rules of a group, and the FHIRPath expressions inside them as text.
//
// Internal to adapter/fml; used by parser.cc.
#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "fml/token_reader.h"

namespace fhir_adapter::fml {

class RuleParser {
 public:
  RuleParser(std::string_view text, TokenReader& reader) : text_(text), reader_(reader) {}

  Result<std::vector<ast::Rule>> Block();  // { rules }

  // What stands before one of `stops` (signs, or words that do not follow a dot) outside all parentheses. An
  // expression that is wholly in parentheses loses them.
  // A text in double quotes before a `;` ends it too, where a rule's name may stand.
  Result<ast::Expression> ExpressionUntil(std::initializer_list<std::string_view> stops,
                                          bool before_rule_name = true);

 private:
  Result<ast::Rule> Rule();
  Result<ast::Source> Source();
  Result<void> SourceClauses(ast::Source& source);
  Result<void> Cardinality(ast::Source& source);
  Result<void> Default(ast::Source& source);
  Result<void> Targets(ast::Rule& rule);
  Result<ast::Target> Target();
  Result<void> TargetSuffix(ast::Target& target);
  Result<ast::Transform> Transform();
  Result<ast::Transform> DottedCopy();
  Result<ast::Transform> Call();  // name(parameters)
  Result<std::vector<ast::Parameter>> Parameters();
  Result<ast::Parameter> Parameter();
  Result<ast::Expression> Parenthesised();
  Result<void> Dependents(ast::Rule& rule);
  Result<std::vector<std::string>> Path(std::string_view what);
  bool AtIdentityFields() const;
  bool AtRuleName() const;
  ast::Expression Between(const Token& first, const Token& last) const;

  std::string_view text_;
  TokenReader& reader_;
  std::size_t nesting_ = 0;
};

}  // namespace fhir_adapter::fml
