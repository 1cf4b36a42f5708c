#include "fml/source_coverage.h"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "fml/suggestion.h"

namespace fhir_adapter::fml::internal {
namespace {

using fhir::ElementInfo;
using fhir::TypeInfo;

constexpr int kModelDepthMax = 16;

struct Leaf {
  std::string path;
  const ElementInfo* element = nullptr;
};

void CollectLeaves(const TypeInfo& type, const std::string& prefix, int depth, std::vector<Leaf>& leaves) {
  if (depth > kModelDepthMax) return;
  for (const ElementInfo& element : type.elements) {
    // What every element has (id, extension) belongs to no record.
    if (element.owner != nullptr && element.owner->kind != fhir::TypeKind::kLogical &&
        element.owner->kind != fhir::TypeKind::kBackbone) {
      continue;
    }
    const std::string path = prefix + std::string(element.name);
    const TypeInfo* inner = element.types.size() == 1 ? element.types[0].type : nullptr;
    const bool is_nested = inner != nullptr && inner->kind == fhir::TypeKind::kBackbone;
    if (is_nested) {
      CollectLeaves(*inner, path + ".", depth + 1, leaves);
    } else {
      leaves.push_back(Leaf{path, &element});
    }
  }
}

constexpr const char* kNotSent = "notSent";      // it shall not leave
constexpr const char* kNotMapped = "notMapped";  // nobody has decided yet: counted

struct Listed {
  std::string path;
  ast::Position at;
  bool is_undecided = false;
};

std::vector<Listed> ListedIn(const ast::Map& map) {
  std::vector<Listed> listed;
  for (const ast::Metadata& metadata : map.metadata) {
    const bool is_undecided = metadata.path == kNotMapped;
    if ((metadata.path != kNotSent && !is_undecided) || !metadata.value) continue;
    listed.push_back(
        Listed{metadata.value->text.substr(0, metadata.value->text.find(':')), metadata.at, is_undecided});
  }
  return listed;
}

void Add(std::vector<Finding>& findings, Severity severity, const LoadedMap& map, ast::Position at,
         std::string message) {
  findings.push_back(
      Finding{severity, Code::kSemantic, Location{map.path, at.line, at.column, ""}, std::move(message)});
}

void CountUndecided(const LinkedMap& linked, const std::vector<Listed>& listed,
                    std::vector<Finding>& findings) {
  const auto undecided = std::ranges::count_if(listed, &Listed::is_undecided);
  if (undecided == 0) return;
  const auto first = std::ranges::find_if(listed, &Listed::is_undecided);
  Add(findings, Severity::kWarning, *linked.map, first->at,
      std::to_string(undecided) + (undecided == 1 ? " source element is" : " source elements are") +
          " listed as not mapped");
}

void CheckMap(const LinkedMap& linked, const std::vector<Listed>& listed,
              const std::unordered_set<const ElementInfo*>& read, std::vector<Finding>& findings) {
  std::vector<Leaf> leaves;
  CollectLeaves(*linked.entry.source_type, "", 1, leaves);
  std::vector<std::string_view> paths;
  for (const Leaf& leaf : leaves) paths.push_back(leaf.path);
  for (const Listed& entry : listed) {
    const auto leaf = std::find_if(leaves.begin(), leaves.end(),
                                   [&entry](const Leaf& known) { return known.path == entry.path; });
    if (leaf == leaves.end()) {
      Add(findings, Severity::kError, *linked.map, entry.at,
          std::string(linked.entry.source_type->name) + " has no element " + entry.path +
              Suggest(entry.path, paths));
    } else if (read.contains(leaf->element)) {
      Add(findings, Severity::kWarning, *linked.map, entry.at,
          "the element " + entry.path + " is listed as not " + (entry.is_undecided ? "mapped" : "sent") +
              ", and a map reads it");
    }
  }
  for (const Leaf& leaf : leaves) {
    const bool is_listed = std::any_of(listed.begin(), listed.end(),
                                       [&leaf](const Listed& entry) { return entry.path == leaf.path; });
    if (is_listed || read.contains(leaf.element)) continue;
    Add(findings, Severity::kWarning, *linked.map, linked.map->ast.groups.front().at,
        "no map reads the source element " + leaf.path + "; map it, or say why not: /// notSent = '" +
            leaf.path + ": …'");
  }
}

}  // namespace

void CheckSourceCoverage(const LinkedSet& set, bool is_faulty, std::vector<Finding>& findings) {
  std::unordered_set<const ElementInfo*> read;
  for (const LinkedMap& linked : set.linked) {
    read.insert(linked.elements_read.begin(), linked.elements_read.end());
  }
  std::unordered_set<const TypeInfo*> accounted;
  for (const LinkedMap& linked : set.linked) {
    const std::vector<Listed> listed = ListedIn(linked.map->ast);
    if (listed.empty() || linked.entry.source_type == nullptr) continue;
    accounted.insert(linked.entry.source_type);
    CountUndecided(linked, listed, findings);
    CheckMap(linked, listed, read, findings);
  }
  if (is_faulty) return;
  // A model of a record that no map accounts for: the first map that begins with it shall.
  for (const LinkedMap& linked : set.linked) {
    const TypeInfo* type = linked.entry.source_type;
    if (type == nullptr || type->kind != fhir::TypeKind::kLogical || set.IsImported(*linked.map)) continue;
    if (accounted.insert(type).second) CheckMap(linked, {}, read, findings);
  }
}

}  // namespace fhir_adapter::fml::internal
