#include "pipeline/mapping_set.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/arena.h"
#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "fml/suggestion.h"
#include "record/record_envelope.h"

namespace fhir_adapter::pipeline {
namespace {

// The definitions of a set, parsed: the logical model called `type`, and all value sets.
struct Definitions {
  Arena arena;
  const fhir::Node* model = nullptr;
  std::vector<const fhir::Node*> value_sets;
};

Result<void> ReadDefinitions(const std::vector<fml::SourceFile>& files, std::string_view type,
                             Definitions& out) {
  for (const fml::SourceFile& file : files) {
    if (!file.path.ends_with(".json")) continue;
    auto parsed = fhir::ReadJson(file.bytes, out.arena);
    if (!parsed) {
      Error error = std::move(parsed).error();
      error.where.file = file.path;
      return Fail(std::move(error));
    }
    const std::string_view resource_type = MemberText(**parsed, "resourceType");
    if (resource_type == "ValueSet") out.value_sets.push_back(*parsed);
    const bool is_model = resource_type == "StructureDefinition" && MemberText(**parsed, "kind") == "logical";
    if (is_model && MemberText(**parsed, "type") == type) out.model = *parsed;
  }
  return {};
}

// As they stand in the configuration of a set. Those that came later are left out where they are empty, so
// that sets without them keep their name.
struct TextSetting {
  const char* name;
  std::string MappingSettings::* member;
  bool is_always_named;
};
constexpr TextSetting kTextSettings[] = {
    {"canonicalBase", &MappingSettings::canonical_base, true},
    {"site", &MappingSettings::site, true},
    {"patientIdentifierSystem", &MappingSettings::patient_identifier_system, true},
    {"practitionerIdentifierSystem", &MappingSettings::practitioner_identifier_system, true},
    {"encounterIdentifierSystem", &MappingSettings::encounter_identifier_system, true},
    {"endpoint", &MappingSettings::endpoint, false}};
constexpr const char* kLinkWindow = "linkWindowHours";

std::vector<std::pair<std::string, std::string>> Configuration(const MappingSettings& settings) {
  std::vector<std::pair<std::string, std::string>> values;
  for (const TextSetting& text : kTextSettings) {
    const std::string& value = settings.*text.member;
    if (!value.empty() || text.is_always_named) values.emplace_back(text.name, value);
  }
  if (settings.link_window_h > 0) values.emplace_back(kLinkWindow, std::to_string(settings.link_window_h));
  return values;
}

fml::Finding FindingOf(const Error& error) {
  fml::Finding finding;
  finding.code = error.code;
  finding.where = error.where;
  finding.message = error.message;
  return finding;
}

// "no map 'x' with a source type; did you mean 'y'?"
std::string NoSuchMap(const std::string& map, const fml::MapSet& maps) {
  std::vector<std::string> names;
  for (const fml::MapInfo& info : maps.maps()) {
    if (info.source == nullptr) continue;
    const std::size_t begin = info.path.rfind('/') + 1;  // 0 when there is none
    names.push_back(info.path.substr(begin, info.path.rfind('.') - begin));
    names.push_back(info.url);
  }
  return "no map '" + map + "' with a source type" +
         fml::Suggest(map, std::vector<std::string_view>(names.begin(), names.end()));
}

}  // namespace

fml::MapSetOptions MapSetOptionsOf(const MappingSettings& settings) {
  fml::MapSetOptions options;
  options.configuration = Configuration(settings);
  options.record_variables = {"recordKey", "patientSuffix"};
  return options;
}

std::shared_ptr<const MappingSet> MappingSet::Build(std::vector<fml::SourceFile> files,
                                                    const MappingSettings& settings,
                                                    std::vector<fml::Finding>& findings) {
  auto set = std::shared_ptr<MappingSet>(new MappingSet());
  set->settings_ = settings;
  set->maps_ = fml::MapSet::Compile(std::move(files), MapSetOptionsOf(settings), findings);
  if (!set->maps_) return nullptr;
  return set->Select(findings) ? set : nullptr;
}

std::shared_ptr<const MappingSet> MappingSet::ForMap(const std::string& map,
                                                     std::vector<fml::Finding>& findings) const {
  auto set = std::shared_ptr<MappingSet>(new MappingSet());
  set->settings_ = settings_;
  set->settings_.map = map;
  set->maps_ = maps_;
  return set->Select(findings) ? set : nullptr;
}

bool MappingSet::Select(std::vector<fml::Finding>& findings) {
  record_map_ = maps_->FindMap(settings_.map);
  if (record_map_ == nullptr || record_map_->source == nullptr) {
    findings.push_back(FindingOf(Error{Code::kFileNotFound, NoSuchMap(settings_.map, *maps_), {}}));
    return false;
  }
  provenance_map_ = maps_->FindMap(record_map_->url + "-provenance");
  issue_map_ = maps_->FindMap("rules/detected-issue.map");
  if (issue_map_ == nullptr) {
    findings.push_back(FindingOf(Error{Code::kFileNotFound, "the set has no rules/detected-issue.map", {}}));
    return false;
  }
  for (const auto& built : {BuildModel(), BuildRules()}) {
    if (built) continue;
    findings.push_back(FindingOf(built.error()));
    return false;
  }
  return true;
}

Result<std::shared_ptr<const MappingSet>> MappingSet::FromBytes(std::string_view bytes, std::string_view name,
                                                                const std::string& map) {
  Arena arena;
  ADAPTER_TRY(const fhir::Node* root, fhir::ReadJson(bytes, arena, fhir::kResourceLimits));
  const fhir::Node* configuration = root->Find("configuration");
  const fhir::Node* stored = root->Find("files");
  if (configuration == nullptr || stored == nullptr || !stored->is_object()) {
    return Fail(Code::kIntegrity, "these bytes are not those of a map set");
  }
  MappingSettings settings;
  settings.map = map;
  for (const TextSetting& text : kTextSettings) {
    settings.*text.member = MemberText(*configuration, text.name);
  }
  const std::string_view window = MemberText(*configuration, kLinkWindow);
  std::from_chars(window.data(), window.data() + window.size(), settings.link_window_h);
  std::vector<fml::SourceFile> files;
  for (const fhir::Member& file : stored->members()) {
    files.push_back({std::string(file.name), std::string(file.value->text)});
  }
  std::vector<fml::Finding> findings;
  auto set = Build(std::move(files), settings, findings);
  if (!set) {
    return Fail(Code::kIntegrity, "the stored map set does not compile: " +
                                      (findings.empty() ? std::string() : findings.back().message));
  }
  if (set->name() != name) return Fail(Code::kIntegrity, "the stored map set has another hash than its name");
  return std::shared_ptr<const MappingSet>(std::move(set));
}

Result<void> MappingSet::BuildModel() {
  Definitions definitions;
  ADAPTER_CHECK(ReadDefinitions(maps_->files(), record_map_->source->name, definitions));
  if (definitions.model == nullptr) {
    return Fail(Code::kFileNotFound, "no logical model of type " + std::string(record_map_->source->name));
  }
  ADAPTER_TRY(record::RecordModel model,
              record::RecordModel::Build(*definitions.model, definitions.value_sets));
  model_ = std::make_unique<record::RecordModel>(std::move(model));
  has_envelope_ = record::HasEnvelope(*model_);
  ADAPTER_TRY(rules::ConstraintChecker constraints,
              rules::ConstraintChecker::Build(*model_, maps_->schema()));
  constraints_ = std::make_unique<rules::ConstraintChecker>(std::move(constraints));
  return {};
}

Result<void> MappingSet::BuildRules() {
  std::vector<rules::RuleFile> files;
  for (const fml::SourceFile& file : maps_->files()) {
    if (file.path.starts_with("rules/") && file.path.ends_with(".json"))
      files.push_back({file.path, file.bytes});
  }
  ADAPTER_TRY(rules::RuleSet rules, rules::RuleSet::Build(files, maps_->schema(), record_map_->source->name));
  rules_ = std::make_unique<rules::RuleSet>(std::move(rules));
  return {};
}

std::string MappingSet::Bytes() const {
  Arena arena;
  fhir::Node* root = fhir::Node::Object(arena);
  fhir::Node* configuration = fhir::Node::Object(arena);
  for (const auto& [name, value] : Configuration(settings_)) {
    if (!value.empty()) configuration->Set(arena, arena.Copy(name), fhir::Node::String(arena, value));
  }
  root->Set(arena, "configuration", configuration);
  fhir::Node* files = fhir::Node::Object(arena);
  for (const fml::SourceFile& file : maps_->files()) {
    files->AddMember(arena, file.path, fhir::Node::String(arena, file.bytes));
  }
  root->Set(arena, "files", files);
  return fhir::ToJson(*root);
}

}  // namespace fhir_adapter::pipeline
