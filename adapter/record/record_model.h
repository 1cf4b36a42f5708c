// RecordModel: the logical model of a local record, as far as reading and checking a record needs it.
//
// Built once from a StructureDefinition of kind logical (its differential) and the value sets it binds to;
// immutable afterwards and safe to read from any thread. What a record may hold stands in the model alone:
// a field, a closed list or a constraint is added there and not in the program. FHIR R4 ElementDefinition:
// min, max, type, maxLength, minValueInteger, maxValueInteger, binding (required), constraint, and the
// extensions named in mappings/rules/README.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "fhir/node.h"

namespace fhir_adapter::record {

enum class ValueType : std::uint8_t {
  kObject,
  kBoolean,
  kInteger,
  kDecimal,
  kString,
  kCode,
  kDate,
  kDateTime,
  kInstant
};

// The FHIR name of a type ("dateTime"); "object" for kObject.
std::string_view Name(ValueType type);

// A statement about an element that must not be false. Its expression is FHIRPath, with the element as input.
struct Constraint {
  std::string key;
  Code code = Code::kInternal;  // what is reported when it is false; of disposition quarantined
  std::string member;           // path below the element at which it is reported; empty: the element itself
  std::string human;            // the message
  std::string expression;
};

// A regular expression that a whole value must match.
class Pattern {
 public:
  static Result<Pattern> Compile(std::string_view expression);
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();
  bool Matches(std::string_view text) const;

 private:
  struct Compiled;
  explicit Pattern(std::unique_ptr<Compiled> compiled);
  std::unique_ptr<Compiled> compiled_;
};

struct ModelElement {
  std::string name;
  std::string path;  // "ProcedureRecord.pain.rowId"
  ValueType type = ValueType::kObject;
  bool is_required = false;
  bool is_list = false;
  std::optional<std::int64_t> least;                    // integers
  std::optional<std::int64_t> most;                     // integers
  std::size_t length_max = 0;                           // in Unicode characters; 0: no limit
  std::optional<Pattern> pattern;                       // texts
  std::optional<std::vector<std::string>> closed_list;  // sorted
  bool is_row_key = false;                              // unique among all values of this path
  std::string row_reference;  // path of the key it refers to, from the root; empty: none
  std::vector<Constraint> constraints;
  std::vector<ModelElement> children;

  const ModelElement* Find(std::string_view child) const;
};

class RecordModel {
 public:
  // `structure` is the StructureDefinition; `value_sets` hold every required value set it binds to.
  static Result<RecordModel> Build(const fhir::Node& structure,
                                   std::span<const fhir::Node* const> value_sets);

  const ModelElement& root() const { return root_; }
  const std::string& type() const { return root_.name; }
  const std::string& url() const { return url_; }
  const std::string& version() const { return version_; }

 private:
  ModelElement root_;
  std::string url_;
  std::string version_;
};

}  // namespace fhir_adapter::record
