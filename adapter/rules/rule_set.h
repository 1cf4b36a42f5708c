// RuleSet: the plausibility rules of a folder, compiled. Format and meaning: mappings/rules/README.md.
//
// Built once from the files' bytes; immutable and thread-safe afterwards. Refers to the schema it was built
// with. Nothing about drugs, codes, units or thresholds stands in the program: they are in the files.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "fhir/schema.h"

namespace fhir_adapter::rules {

struct RuleFile {
  std::string path;  // as it shall stand in messages
  std::string_view bytes;
};

struct RuleInfo {
  std::string id;
  std::string version;
  std::string title;
};

namespace internal {
struct CompiledRules;
}

class RuleSet {
 public:
  // `files` are settings.json and one file for each rule; `record_type` names the record's type in the
  // schema. The first fault is returned, with file, line and column.
  static Result<RuleSet> Build(std::span<const RuleFile> files, const fhir::Schema& schema,
                               std::string_view record_type);
  RuleSet(RuleSet&&) noexcept;
  RuleSet& operator=(RuleSet&&) noexcept;
  ~RuleSet();

  const std::vector<RuleInfo>& rules() const;  // sorted by id
  const internal::CompiledRules& compiled() const { return *compiled_; }

 private:
  explicit RuleSet(std::unique_ptr<internal::CompiledRules> compiled);
  std::unique_ptr<internal::CompiledRules> compiled_;
};

}  // namespace fhir_adapter::rules
