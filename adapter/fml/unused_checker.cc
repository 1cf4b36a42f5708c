#include "fml/unused_checker.h"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "fml/lexer.h"

namespace fhir_adapter::fml::internal {
namespace {

using Names = std::unordered_set<std::string>;

void AddNames(const ast::Expression& expression, Names& names) {
  const auto tokens = Tokenize(expression.text, "");
  if (!tokens) return;
  for (const Token& token : *tokens) {
    if (token.kind == TokenKind::kIdentifier) names.emplace(token.text);
    if (token.kind == TokenKind::kDelimited) names.insert(Unquote(token));
  }
}

void AddNames(const std::optional<ast::Expression>& expression, Names& names) {
  if (expression) AddNames(*expression, names);
}

void AddNames(const std::vector<ast::Parameter>& parameters, Names& names) {
  for (const ast::Parameter& parameter : parameters) {
    if (const auto* name = std::get_if<ast::Name>(&parameter.value)) names.insert(name->text);
    if (const auto* expression = std::get_if<ast::Expression>(&parameter.value)) AddNames(*expression, names);
  }
}

void AddNames(const ast::Source& source, Names& names) {
  names.insert(source.context);
  for (const auto* part : {&source.default_value, &source.where, &source.check, &source.log}) {
    AddNames(*part, names);
  }
}

void AddNames(const ast::Target& target, Names& names) {
  names.insert(target.context);
  if (target.transform) AddNames(target.transform->parameters, names);
}

void AddNames(const ast::Rule& rule, Names& names) {
  for (const ast::Source& source : rule.sources) AddNames(source, names);
  for (const ast::Target& target : rule.targets) AddNames(target, names);
  for (const ast::GroupCall& call : rule.calls) AddNames(call.parameters, names);
  for (const ast::Rule& inner : rule.rules) AddNames(inner, names);
}

void AddCalls(const ast::Rule& rule, Names& groups) {
  for (const ast::GroupCall& call : rule.calls) groups.insert(call.group);
  for (const ast::Target& target : rule.targets) {
    if (target.context.empty() && target.transform) groups.insert(target.transform->name);
  }
  for (const ast::Rule& inner : rule.rules) AddCalls(inner, groups);
}

bool HasDefaultGroups(const LoadedMap& map) {
  return std::any_of(map.scope.begin(), map.scope.end(), [](const LoadedMap* other) {
    return std::any_of(other->ast.groups.begin(), other->ast.groups.end(),
                       [](const ast::Group& group) { return group.type_mode != ast::TypeMode::kNone; });
  });
}

class MapChecker {
 public:
  MapChecker(const LoadedMap& map, std::vector<Finding>& findings)
      : map_(map), findings_(findings), has_default_groups_(HasDefaultGroups(map)) {}

  void CheckRule(const ast::Rule& rule) {
    // A rule without `then` hands its two variables to a default group.
    const bool is_handed_on = has_default_groups_ && rule.calls.empty() && !rule.has_block;
    for (std::size_t i = 0; i < rule.sources.size() && !is_handed_on; ++i) {
      const ast::Source& source = rule.sources[i];
      if (source.alias.empty()) continue;
      Names names;
      for (const auto* part : {&source.where, &source.check, &source.log}) AddNames(*part, names);
      for (std::size_t later = i + 1; later < rule.sources.size(); ++later)
        AddNames(rule.sources[later], names);
      AddLater(rule, 0, names);
      WarnUnless(names, source.alias, source.alias_at);
    }
    for (std::size_t i = 0; i < rule.targets.size() && !is_handed_on; ++i) {
      const ast::Target& target = rule.targets[i];
      if (target.alias.empty()) continue;
      Names names;
      AddLater(rule, i + 1, names);
      WarnUnless(names, target.alias, target.alias_at);
    }
    for (const ast::Rule& inner : rule.rules) CheckRule(inner);
  }

  void Warn(ast::Position at, std::string message) {
    findings_.push_back(Finding{Severity::kWarning, Code::kSemantic,
                                Location{map_.path, at.line, at.column, ""}, std::move(message)});
  }

 private:
  static void AddLater(const ast::Rule& rule, std::size_t first_target, Names& names) {
    for (std::size_t i = first_target; i < rule.targets.size(); ++i) AddNames(rule.targets[i], names);
    for (const ast::GroupCall& call : rule.calls) AddNames(call.parameters, names);
    for (const ast::Rule& inner : rule.rules) AddNames(inner, names);
  }

  void WarnUnless(const Names& names, const std::string& alias, ast::Position at) {
    if (!names.contains(alias)) Warn(at, "the variable " + alias + " is never used");
  }

  const LoadedMap& map_;
  std::vector<Finding>& findings_;
  bool has_default_groups_;
};

}  // namespace

void CheckUnused(const LinkedSet& set, std::vector<Finding>& findings) {
  Names names;
  Names groups;
  for (const LoadedMap& map : set.maps) {
    for (const ast::Constant& constant : map.ast.constants) AddNames(constant.value, names);
    for (const ast::Group& group : map.ast.groups) {
      groups.insert(group.extends);
      for (const ast::Rule& rule : group.rules) {
        AddNames(rule, names);
        AddCalls(rule, groups);
      }
    }
  }
  for (const LinkedMap& linked : set.linked) {
    const LoadedMap& map = *linked.map;
    MapChecker checker(map, findings);
    for (const ast::Constant& constant : map.ast.constants) {
      if (!names.contains(constant.name)) {
        checker.Warn(constant.at, "the constant " + constant.name + " is never used");
      }
    }
    for (std::size_t i = 0; i < map.ast.groups.size(); ++i) {
      const ast::Group& group = map.ast.groups[i];
      // The first group runs by itself, default groups by their types.
      const bool runs_by_itself = i == 0 || group.type_mode != ast::TypeMode::kNone;
      if (!runs_by_itself && !groups.contains(group.name)) {
        checker.Warn(group.at, "no rule calls the group " + group.name);
      }
      for (const ast::Rule& rule : group.rules) checker.CheckRule(rule);
    }
  }
}

}  // namespace fhir_adapter::fml::internal
