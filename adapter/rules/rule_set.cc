#include "rules/rule_set.h"

#include <algorithm>
#include <utility>

#include "fhir/json_reader.h"
#include "rules/compiled_rules.h"
#include "rules/rule_compiler.h"

namespace fhir_adapter::rules {
namespace {

std::string_view KindOf(const fhir::Node& node) {
  const fhir::Node* kind = node.Find("kind");
  return kind != nullptr && kind->is_string() ? kind->text : std::string_view();
}

struct ParsedFile {
  std::string path;
  const fhir::Node* root = nullptr;
};

Result<std::vector<ParsedFile>> ParseFiles(std::span<const RuleFile> files, Arena& arena) {
  std::vector<ParsedFile> parsed;
  for (const RuleFile& file : files) {
    auto root = fhir::ReadJson(file.bytes, arena);
    if (!root) {
      Error error = std::move(root).error();
      error.code = Code::kConfiguration;
      error.where.file = file.path;
      return Fail(std::move(error));
    }
    const std::string_view kind = KindOf(**root);
    if (kind != "rule" && kind != "rule-settings") {
      return Fail(Code::kConfiguration, "kind must be rule or rule-settings",
                  Location{file.path, (*root)->line, (*root)->column, {}});
    }
    parsed.push_back({file.path, *root});
  }
  return parsed;
}

}  // namespace

RuleSet::RuleSet(std::unique_ptr<internal::CompiledRules> compiled) : compiled_(std::move(compiled)) {}
RuleSet::RuleSet(RuleSet&&) noexcept = default;
RuleSet& RuleSet::operator=(RuleSet&&) noexcept = default;
RuleSet::~RuleSet() = default;

const std::vector<RuleInfo>& RuleSet::rules() const {
  return compiled_->infos;
}

Result<RuleSet> RuleSet::Build(std::span<const RuleFile> files, const fhir::Schema& schema,
                               std::string_view record_type) {
  auto compiled = std::make_unique<internal::CompiledRules>();
  compiled->schema = &schema;
  ADAPTER_TRY(const std::vector<ParsedFile> parsed, ParseFiles(files, compiled->arena));
  internal::RuleCompiler compiler(*compiled, record_type);
  const ParsedFile* settings = nullptr;
  for (const ParsedFile& file : parsed) {
    if (KindOf(*file.root) != "rule-settings") continue;
    if (settings != nullptr) {
      return Fail(Code::kConfiguration, "the settings also stand in " + settings->path,
                  Location{file.path, 0, 0, {}});
    }
    settings = &file;
  }
  if (settings == nullptr) return Fail(Code::kConfiguration, "no file has kind rule-settings");
  ADAPTER_CHECK(compiler.CompileSettings(*settings->root, settings->path));
  for (const ParsedFile& file : parsed) {
    if (&file != settings) ADAPTER_CHECK(compiler.CompileRule(*file.root, file.path));
  }
  std::sort(compiled->rules.begin(), compiled->rules.end(),
            [](const internal::Rule& a, const internal::Rule& b) { return a.info.id < b.info.id; });
  for (const internal::Rule& rule : compiled->rules) compiled->infos.push_back(rule.info);
  return RuleSet(std::move(compiled));
}

}  // namespace fhir_adapter::rules
