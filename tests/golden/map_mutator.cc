#include "map_mutator.h"

#include <algorithm>
#include <functional>
#include <set>

#include "core/arena.h"
#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "fml/parser.h"
#include "fml/printer.h"

namespace fhir_adapter::golden {
namespace {

namespace ast = fml::ast;

// The text of an expression with its first string literal changed; empty: there is none.
std::string WithOtherLiteral(const std::string& text) {
  const std::size_t open = text.find('\'');
  if (open == std::string::npos) return "";
  return text.substr(0, open + 1) + "x" + text.substr(open + 1);
}

class MapMutator {
 public:
  MapMutator(std::string path, ast::Map map, std::vector<Mutant>& mutants)
      : path_(std::move(path)), map_(std::move(map)), mutants_(mutants) {}

  void Run() {
    for (ast::Group& group : map_.groups) {
      place_ = group.name;
      names_.clear();
      for (const ast::Rule& rule : group.rules) CollectNames(rule);
      MutateRules(group.rules);
    }
  }

 private:
  void Add(const std::string& what) {
    std::string name = path_;
    name += " " + place_ + ": " + what;
    const auto same = std::ranges::count(used_, name);
    used_.push_back(name);
    if (same > 0) name += " #" + std::to_string(same + 1);
    mutants_.push_back({std::move(name), path_, fml::PrintMap(map_)});
  }

  void CollectNames(const ast::Rule& rule) {
    for (const ast::Source& source : rule.sources) {
      if (source.path.size() == 1) names_.insert({source.context, source.path.front()});
    }
    for (const ast::Rule& inner : rule.rules) CollectNames(inner);
  }

  void MutateRules(std::vector<ast::Rule>& rules) {
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const std::string outer = place_;
      place_ += "/" + (rules[i].name.empty() ? rules[i].sources.front().context : rules[i].name);
      ast::Rule removed = rules[i];
      rules.erase(rules.begin() + static_cast<std::ptrdiff_t>(i));
      Add("rule removed");
      rules.insert(rules.begin() + static_cast<std::ptrdiff_t>(i), removed);
      MutateRule(rules[i]);
      MutateRules(rules[i].rules);
      place_ = outer;
    }
  }

  void MutateRule(ast::Rule& rule) {
    for (ast::Source& source : rule.sources) MutateSource(source);
    for (std::size_t i = 0; i < rule.targets.size(); ++i) {
      MutateTarget(rule.targets[i]);
      if (rule.targets.size() == 1 || !rule.targets[i].alias.empty()) continue;
      ast::Target removed = rule.targets[i];
      const std::string what = removed.path.empty() ? removed.context : removed.path.back();
      rule.targets.erase(rule.targets.begin() + static_cast<std::ptrdiff_t>(i));
      Add("target " + what + " dropped");
      rule.targets.insert(rule.targets.begin() + static_cast<std::ptrdiff_t>(i), removed);
    }
  }

  void MutateSource(ast::Source& source) {
    for (std::optional<ast::Expression>* part : {&source.where, &source.check}) {
      if (!*part) continue;
      const std::string text = (*part)->text;
      (*part)->text = "(" + text + ").not()";
      Add("condition negated");
      (*part)->text = WithOtherLiteral(text);
      if (!(*part)->text.empty()) Add("literal of the condition changed");
      (*part)->text = text;
    }
    if (source.list_mode != ast::SourceListMode::kAll) {
      const ast::SourceListMode mode = source.list_mode;
      source.list_mode =
          mode == ast::SourceListMode::kFirst ? ast::SourceListMode::kLast : ast::SourceListMode::kFirst;
      Add("list mode changed");
      source.list_mode = mode;
    }
    if (source.path.size() != 1) return;
    const std::string name = source.path.front();
    for (const auto& [context, other] : names_) {
      if (context != source.context || other == name) continue;
      source.path.front() = other;
      Add("path " + name + " changed to " + other);
    }
    source.path.front() = name;
  }

  void MutateTarget(ast::Target& target) {
    if (!target.transform) return;
    for (ast::Parameter& parameter : target.transform->parameters) {
      const ast::Parameter kept = parameter;
      if (auto* literal = std::get_if<ast::Literal>(&parameter.value)) {
        if (literal->kind == ast::LiteralKind::kString) literal->text += "x";
        if (literal->kind == ast::LiteralKind::kBoolean)
          literal->text = literal->text == "true" ? "false" : "true";
        if (literal->kind == ast::LiteralKind::kInteger) literal->text += "1";
        Add("literal " + std::get<ast::Literal>(kept.value).text + " changed");
      } else if (auto* expression = std::get_if<ast::Expression>(&parameter.value)) {
        expression->text = WithOtherLiteral(expression->text);
        if (!expression->text.empty()) Add("literal of the expression changed");
      }
      parameter = kept;
    }
  }

  std::string path_;
  ast::Map map_;
  std::vector<Mutant>& mutants_;
  std::string place_;
  std::set<std::pair<std::string, std::string>> names_;  // context and element
  std::vector<std::string> used_;
};

std::string TextOf(const fhir::Node& node, std::string_view name) {
  const fhir::Node* member = node.Find(name);
  return member != nullptr && member->is_string() ? std::string(member->text) : std::string();
}

void MutateConceptMap(const fml::SourceFile& file, std::vector<Mutant>& mutants) {
  Arena arena;
  const auto root = fhir::ReadJson(file.bytes, arena);
  if (!root || TextOf(**root, "resourceType") != "ConceptMap") return;
  const fhir::Node* groups = (*root)->Find("group");
  for (fhir::Node* group : groups == nullptr ? std::span<fhir::Node*>() : groups->items()) {
    const fhir::Node* elements = group->Find("element");
    for (fhir::Node* element : elements == nullptr ? std::span<fhir::Node*>() : elements->items()) {
      const std::string code = TextOf(*element, "code");
      const std::string place = file.path + " " + code + " → " + TextOf(*group, "target") + ": ";
      fhir::Node* name = element->Find("code");
      const std::string_view kept = name->text;
      const std::string other = "no-" + code;
      name->text = other;
      mutants.push_back({place + "row taken out", file.path, fhir::ToJson(**root)});
      name->text = kept;
      const fhir::Node* targets = element->Find("target");
      for (fhir::Node* target : targets == nullptr ? std::span<fhir::Node*>() : targets->items()) {
        fhir::Node* target_code = target->Find("code");
        if (target_code == nullptr) continue;
        const std::string_view kept_target = target_code->text;
        const std::string changed = std::string(kept_target) + "1";
        target_code->text = changed;
        mutants.push_back({place + "code changed", file.path, fhir::ToJson(**root)});
        target_code->text = kept_target;
      }
    }
  }
}

}  // namespace

std::vector<Mutant> MutantsOf(const std::vector<fml::SourceFile>& files) {
  std::vector<Mutant> mutants;
  for (const fml::SourceFile& file : files) {
    if (file.path.ends_with(".map")) {
      auto map = fml::ParseMap(file.bytes, file.path);
      if (map) MapMutator(file.path, std::move(*map), mutants).Run();
    } else if (file.path.starts_with("terminology/")) {
      MutateConceptMap(file, mutants);
    }
  }
  return mutants;
}

}  // namespace fhir_adapter::golden
