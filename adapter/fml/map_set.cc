#include "fml/map_set.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "core/digest.h"
#include "fml/linked_set.h"
#include "fml/linker.h"
#include "fml/local_code_checker.h"
#include "fml/map_loader.h"
#include "fml/source_coverage.h"
#include "fml/target_coverage.h"
#include "fml/unused_checker.h"

namespace fhir_adapter::fml {
namespace {

void AppendPart(std::string_view part, std::string& out) {
  out += std::to_string(part.size());
  out += ':';
  out += part;
}

std::string NameOf(const std::vector<SourceFile>& files, const MapSetOptions& options) {
  std::string all;
  for (const SourceFile& file : files) {
    AppendPart(file.path, all);
    AppendPart(file.bytes, all);
  }
  all += "configuration";
  auto configuration = options.configuration;
  std::sort(configuration.begin(), configuration.end());
  for (const auto& [name, value] : configuration) {
    AppendPart(name, all);
    AppendPart(value, all);
  }
  return Sha256Hex(all);
}

std::string MetadataText(const ast::Map& map, std::string_view path) {
  for (const ast::Metadata& metadata : map.metadata) {
    if (metadata.path == path && metadata.value) return metadata.value->text;
  }
  return "";
}

std::string_view FileStem(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return name.substr(0, name.rfind('.'));
}

bool HasError(const std::vector<Finding>& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& finding) { return finding.severity == Severity::kError; });
}

}  // namespace

std::string ToLine(const Finding& finding) {
  std::string line = finding.where.file;
  if (finding.where.line > 0) {
    line += ":" + std::to_string(finding.where.line) + ":" + std::to_string(finding.where.column);
  }
  line += finding.severity == Severity::kError ? ": error: " : ": warning: ";
  return line + finding.message;
}

MapSet::MapSet() : linked_(std::make_unique<internal::LinkedSet>()) {}
MapSet::~MapSet() = default;

std::shared_ptr<const MapSet> MapSet::Compile(std::vector<SourceFile> files, const MapSetOptions& options,
                                              std::vector<Finding>& findings) {
  std::shared_ptr<MapSet> result(new MapSet());
  internal::LinkedSet& set = *result->linked_;
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  set.files = std::move(files);
  set.name = NameOf(set.files, options);
  internal::LoadFiles(set, findings);
  for (const internal::LoadedMap& map : set.maps) {
    if (!internal::IsRoot(map, options)) continue;
    internal::LinkedMap& linked = set.linked.emplace_back();
    linked.map = &map;
    internal::Linker(set, linked, options, findings).Link();
    internal::CheckLocalCodes(set, linked, options, findings);
    MapInfo info;
    info.url = map.ast.url;
    info.name = map.ast.name;
    info.version = MetadataText(map.ast, "version");
    info.path = map.path;
    info.source = linked.entry.source_type;
    info.target = linked.entry.target_type;
    set.infos.push_back(std::move(info));
  }
  internal::CheckLocalTargets(set, options, findings);
  internal::CheckSourceCoverage(set, HasError(findings), findings);
  // What a faulty rule would have used or assigned is not known.
  if (!HasError(findings)) {
    internal::CheckUnused(set, findings);
    internal::CheckTargetCoverage(set, findings);
  }
  const auto place = [](const Finding& finding) {
    return std::tie(finding.where.file, finding.where.line, finding.where.column, finding.message);
  };
  std::sort(findings.begin(), findings.end(),
            [&place](const Finding& a, const Finding& b) { return place(a) < place(b); });
  findings.erase(std::unique(findings.begin(), findings.end()), findings.end());
  if (HasError(findings)) return nullptr;
  return result;
}

const std::string& MapSet::name() const {
  return linked_->name;
}
const fhir::Schema& MapSet::schema() const {
  return *linked_->schema;
}
const std::vector<MapInfo>& MapSet::maps() const {
  return linked_->infos;
}
const std::vector<SourceFile>& MapSet::files() const {
  return linked_->files;
}

namespace {

void AppendRules(const internal::LoadedMap& map, const ast::Group& group, const std::vector<ast::Rule>& rules,
                 std::vector<RulePlace>& places) {
  for (const ast::Rule& rule : rules) {
    const ast::Source& source = rule.sources.front();
    const std::string& made = source.path.empty() ? source.context : source.path.back();
    places.push_back(
        {map.path, rule.at.line, rule.at.column, group.name, rule.name.empty() ? made : rule.name});
    AppendRules(map, group, rule.rules, places);
  }
}

void AppendTables(const std::vector<plan::Rule>& rules, std::set<const ConceptMapIndex*>& tables) {
  for (const plan::Rule& rule : rules) {
    for (const plan::Target& target : rule.targets) {
      for (const ConceptMapIndex* table = target.transform.concept_map;
           table != nullptr && tables.insert(table).second;) {
        table = table->other();
      }
    }
    AppendTables(rule.rules, tables);
  }
}

}  // namespace

std::vector<RulePlace> MapSet::Rules() const {
  std::vector<RulePlace> places;
  for (const internal::LinkedMap& linked : linked_->linked) {
    for (const ast::Group& group : linked.map->ast.groups) {
      AppendRules(*linked.map, group, group.rules, places);
    }
  }
  return places;
}

std::vector<std::pair<std::string, std::string>> MapSet::TranslatedCodes() const {
  std::set<const ConceptMapIndex*> tables;
  for (const internal::LinkedMap& linked : linked_->linked) {
    for (const plan::GroupPlan& group : linked.groups) AppendTables(group.rules, tables);
  }
  std::vector<std::pair<std::string, std::string>> codes;
  for (const ConceptMapIndex* table : tables) {
    for (const ConceptRow& row : table->rows()) codes.emplace_back(table->url(), row.code);
  }
  std::sort(codes.begin(), codes.end());
  return codes;
}

const MapInfo* MapSet::FindMap(std::string_view key) const {
  for (const MapInfo& info : linked_->infos) {
    if (info.url == key || info.path == key) return &info;
  }
  for (const MapInfo& info : linked_->infos) {
    if (info.name == key || FileStem(info.path) == key) return &info;
  }
  return nullptr;
}

const SourceFile* MapSet::FindFile(std::string_view path) const {
  for (const SourceFile& file : linked_->files) {
    if (file.path == path) return &file;
  }
  return nullptr;
}

}  // namespace fhir_adapter::fml
