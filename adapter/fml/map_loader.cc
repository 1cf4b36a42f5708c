#include "fml/map_loader.h"

#include <algorithm>
#include <optional>

#include "fhir/json_reader.h"
#include "fml/concept_map_table.h"
#include "fml/parser.h"
#include "fml/structure_map.h"
#include "fml/suggestion.h"

namespace fhir_adapter::fml::internal {
namespace {

using fhir::Node;

struct JsonFile {
  const SourceFile* file = nullptr;
  Node* root = nullptr;
  std::string_view type;
};

void AddError(std::vector<Finding>& findings, const fhir_adapter::Error& error, const std::string& path) {
  Finding finding;
  finding.code = error.code;
  finding.where = error.where;
  finding.where.file = path;
  finding.message = error.message;
  findings.push_back(std::move(finding));
}

void AddFinding(std::vector<Finding>& findings, Severity severity, Code code, const std::string& path,
                ast::Position at, std::string message) {
  findings.push_back(Finding{severity, code, Location{path, at.line, at.column, ""}, std::move(message)});
}

bool IsMapPath(std::string_view path) {
  return path.ends_with(".map") || path.ends_with(".fml");
}

// Null: it is none, or cannot be read.
Node* ReadTable(const SourceFile& file, Arena& arena, std::vector<Finding>& findings) {
  if (!IsConceptMapTable(file.bytes)) {
    AddFinding(findings, Severity::kWarning, Code::kSyntax, file.path, {1, 1},
               "not read: a table of codes begins with lines such as `# url: https://…`");
    return nullptr;
  }
  auto root = ReadConceptMapTable(file.bytes, file.path, arena);
  if (root) return *root;
  AddError(findings, root.error(), file.path);
  return nullptr;
}

// The resources of the JSON files and the tables.
std::vector<JsonFile> ReadJsonFiles(LinkedSet& set, std::vector<Finding>& findings) {
  std::vector<JsonFile> files;
  const auto add = [&files](const SourceFile& file, Node* root) {
    const Node* type = root->Find("resourceType");
    if (type != nullptr && type->is_string()) files.push_back(JsonFile{&file, root, type->text});
  };
  for (const SourceFile& file : set.files) {
    if (file.path.ends_with(".csv")) {
      if (Node* root = ReadTable(file, set.arena, findings)) add(file, root);
    }
    if (!file.path.ends_with(".json")) continue;
    const auto root = fhir::ReadJson(file.bytes, set.arena);
    if (!root) {
      AddError(findings, root.error(), file.path);
      continue;
    }
    const Node* type = (*root)->Find("resourceType");
    if (type != nullptr && type->text == "Bundle") {
      const Node* entries = (*root)->Find("entry");
      if (entries == nullptr) continue;
      for (const Node* entry : entries->items()) {
        if (Node* resource = entry->Find("resource")) add(file, resource);
      }
    } else {
      add(file, *root);
    }
  }
  return files;
}

// Models may refer to each other in any order: go round as long as that makes progress.
void AddModels(LinkedSet& set, const std::vector<JsonFile>& files, std::vector<Finding>& findings) {
  std::vector<const JsonFile*> waiting;
  for (const JsonFile& file : files) {
    if (file.type == "StructureDefinition") waiting.push_back(&file);
  }
  const bool has_value_sets = std::any_of(files.begin(), files.end(), [](const JsonFile& file) {
    return file.type == "ValueSet" || file.type == "CodeSystem";
  });
  set.schema = &fhir::Schema::R4();
  if (waiting.empty() && !has_value_sets) return;
  set.extended = fhir::Schema::ExtendR4();
  set.schema = set.extended.get();
  for (const JsonFile& file : files) {
    Result<void> added;
    if (file.type == "ValueSet") added = set.extended->AddValueSet(*file.root);
    if (file.type == "CodeSystem") added = set.extended->AddCodeSystem(*file.root);
    if (!added) AddError(findings, added.error(), file.file->path);
  }
  std::vector<fhir_adapter::Error> errors;
  for (std::size_t before = waiting.size() + 1; waiting.size() < before;) {
    before = waiting.size();
    errors.clear();
    std::vector<const JsonFile*> failed;
    for (const JsonFile* file : waiting) {
      auto added = set.extended->AddStructureDefinition(*file->root);
      if (added) continue;
      failed.push_back(file);
      errors.push_back(added.error());
    }
    waiting = std::move(failed);
  }
  for (std::size_t i = 0; i < waiting.size(); ++i) AddError(findings, errors[i], waiting[i]->file->path);
}

bool IsOverlay(std::string_view path) {
  return path.starts_with("site/") || path.find("/site/") != std::string_view::npos;
}

void CollectCodes(const Node& parent, std::vector<std::string_view>& codes) {
  const Node* concepts = parent.Find("concept");
  if (concepts == nullptr) return;
  for (const Node* entry : concepts->items()) {
    const Node* code = entry->Find("code");
    if (code != nullptr && code->is_string()) codes.push_back(code->text);
    CollectCodes(*entry, codes);
  }
}

void AddCodeSystems(LinkedSet& set, const std::vector<JsonFile>& files) {
  for (const JsonFile& file : files) {
    const Node* content = file.root->Find("content");
    const Node* url = file.root->Find("url");
    const bool is_complete = file.type == "CodeSystem" && content != nullptr && content->text == "complete";
    if (!is_complete || url == nullptr) continue;
    DeclaredSystem& system = set.code_systems.emplace_back();
    system.url = url->text;
    system.path = file.file->path;
    CollectCodes(*file.root, system.codes);
  }
}

void AddConceptMaps(LinkedSet& set, const std::vector<JsonFile>& files, std::vector<Finding>& findings) {
  for (const bool overlays : {false, true}) {
    for (const JsonFile& file : files) {
      if (file.type != "ConceptMap" || IsOverlay(file.file->path) != overlays) continue;
      auto index = ConceptMapIndex::FromResource(*file.root, file.file->path);
      if (!index) {
        AddError(findings, index.error(), file.file->path);
        continue;
      }
      ConceptMapIndex* known = nullptr;
      for (ConceptMapIndex& other : set.concept_maps) {
        if (!index->url().empty() && other.url() == index->url()) known = &other;
      }
      if (known == nullptr) {
        set.concept_maps.push_back(std::move(*index));
      } else if (overlays) {
        known->LayOver(*index);
      } else {
        AddFinding(findings, Severity::kError, Code::kSemantic, file.file->path,
                   {file.root->line, file.root->column},
                   "a second ConceptMap " + index->url() + "; the first is in " + std::string(known->file()));
      }
    }
  }
  for (ConceptMapIndex& index : set.concept_maps) {
    for (const ConceptUnmapped& unmapped : index.unmapped()) {
      if (unmapped.policy != UnmappedPolicy::kOtherMap) continue;
      for (const ConceptMapIndex& other : set.concept_maps) {
        if (other.url() == unmapped.other_map) index.set_other(&other);
      }
      if (index.other() == nullptr) {
        AddFinding(
            findings, Severity::kError, Code::kFileNotFound, std::string(index.file()), {},
            "no ConceptMap " + unmapped.other_map + " for the codes that " + index.url() + " does not have");
      }
    }
  }
}

void AddMap(LinkedSet& set, const std::string& path, Result<ast::Map> map, std::vector<Finding>& findings) {
  if (!map) return AddError(findings, map.error(), path);
  LoadedMap& loaded = set.maps.emplace_back();
  loaded.path = path;
  loaded.ast = std::move(*map);
  for (const ast::InlineConceptMap& concept_map : loaded.ast.concept_maps) {
    auto index = ConceptMapIndex::FromInline(concept_map, path);
    if (!index) {
      AddError(findings, index.error(), path);
      continue;
    }
    loaded.concept_maps.push_back(std::move(*index));
  }
}

void ReadMaps(LinkedSet& set, const std::vector<JsonFile>& files, std::vector<Finding>& findings) {
  for (const SourceFile& file : set.files) {
    if (IsMapPath(file.path)) AddMap(set, file.path, ParseMap(file.bytes, file.path), findings);
  }
  for (const JsonFile& file : files) {
    if (file.type != "StructureMap") continue;
    AddMap(set, file.file->path, ReadStructureMap(*file.root, file.file->path), findings);
  }
}

// `*` stands for any run of characters. Only the last star is ever tried again, so a pattern of many stars
// costs no more than its length times that of the text.
bool MatchesWildcard(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t taken = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

void CollectImports(const LinkedSet& set, const LoadedMap& map, std::vector<const LoadedMap*>& scope,
                    std::vector<Finding>* findings) {
  for (const ast::Import& import : map.ast.imports) {
    const std::string_view pattern = std::string_view(import.url).substr(0, import.url.find('|'));
    bool is_found = false;
    for (const LoadedMap& other : set.maps) {
      if (!MatchesWildcard(pattern, other.ast.url)) continue;
      is_found = true;
      if (std::find(scope.begin(), scope.end(), &other) != scope.end()) continue;
      scope.push_back(&other);
      CollectImports(set, other, scope, nullptr);
    }
    if (is_found || findings == nullptr) continue;
    std::vector<std::string_view> urls;
    for (const LoadedMap& other : set.maps) urls.push_back(other.ast.url);
    const bool is_wildcard = pattern.find('*') != std::string_view::npos;
    AddFinding(*findings, is_wildcard ? Severity::kWarning : Severity::kError, Code::kFileNotFound, map.path,
               import.at, "no map " + import.url + " to import" + Suggest(import.url, urls));
  }
}

}  // namespace

bool IsRoot(const LoadedMap& map, const MapSetOptions& options) {
  return options.roots.empty() ||
         std::find(options.roots.begin(), options.roots.end(), map.path) != options.roots.end();
}

void LoadFiles(LinkedSet& set, std::vector<Finding>& findings) {
  const std::vector<JsonFile> files = ReadJsonFiles(set, findings);
  AddModels(set, files, findings);
  AddCodeSystems(set, files);
  AddConceptMaps(set, files, findings);
  ReadMaps(set, files, findings);
  for (LoadedMap& map : set.maps) {
    map.scope.push_back(&map);
    CollectImports(set, map, map.scope, &findings);
  }
}

bool LinkedSet::IsImported(const LoadedMap& map) const {
  return std::any_of(maps.begin(), maps.end(), [&map](const LoadedMap& other) {
    return &other != &map && std::find(other.scope.begin(), other.scope.end(), &map) != other.scope.end();
  });
}

const ConceptMapIndex* LinkedSet::FindConceptMap(const LoadedMap& map, std::string_view reference) const {
  if (reference.starts_with("#")) {
    const std::string_view id = reference.substr(1);
    for (const LoadedMap* in : map.scope) {
      for (const ConceptMapIndex& index : in->concept_maps) {
        if (index.id() == id) return &index;
      }
    }
    for (const ConceptMapIndex& index : concept_maps) {
      if (index.id() == id || index.name() == id) return &index;
    }
    return nullptr;
  }
  const std::string_view url = reference.substr(0, reference.find('|'));
  for (const ConceptMapIndex& index : concept_maps) {
    if (index.url() == url) return &index;
  }
  for (const LoadedMap* in : map.scope) {
    for (const ConceptMapIndex& index : in->concept_maps) {
      if (index.id() == url) return &index;
    }
  }
  return nullptr;
}

}  // namespace fhir_adapter::fml::internal
