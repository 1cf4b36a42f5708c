// ConceptMapIndex: a ConceptMap ready to be asked: code → its targets, by hash, whatever its number of rows.
//
// Built from the resource (R4 `equivalence`, R5 `relationship`) or from a `conceptmap` inside a map;
// immutable afterwards and safe to read from any thread. Targets keep the order of the table, groups
// together. FHIR R4 and R5 ConceptMap.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/error.h"
#include "core/result.h"
#include "fhir/node.h"
#include "fml/ast.h"

namespace fhir_adapter::fml {

// What becomes of a code that has no row. kUnset: the ConceptMap does not say.
enum class UnmappedPolicy : std::uint8_t {
  kUnset,
  kReject,
  kQuarantine,
  kTextOnly,
  kOptional,  // nothing, and nothing is said: the table only adds to what is complete without it
  kFixed,
  kProvided,  // the code itself
  kOtherMap
};

std::string_view Name(UnmappedPolicy policy);
std::optional<UnmappedPolicy> ParseUnmappedPolicy(std::string_view name);

// What a target depends on: a property, by the last part of its name, and the value it must have.
struct ConceptDependency {
  std::string property;
  std::string value;
};

struct ConceptProduct;

struct ConceptTarget {
  std::string source_system;  // of the group it stands in; empty: any
  std::string system;
  std::string version;
  std::string code;
  std::string display;
  std::vector<ConceptDependency> depends_on;  // it holds when all of them do
  std::vector<ConceptProduct> products;
  // Where the table says so. The file's name is the caller's and outlives the index.
  std::string_view file = {};
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

// What else a target stands for, by the last part of the property's name.
struct ConceptProduct {
  std::string property;
  ConceptTarget value;
};

// All that a table knows of one source code, in all its groups.
struct ConceptRow {
  std::string code;
  std::string display;                 // of the source
  std::vector<std::string> systems;    // source systems of the groups that have the code
  std::vector<ConceptTarget> targets;  // in table order; may be empty: known to have no target
  std::vector<std::string> cleared;    // target systems in which the table says that there is none
};

// One group's answer for codes it does not have.
struct ConceptUnmapped {
  UnmappedPolicy policy = UnmappedPolicy::kUnset;
  std::string source_system;
  ConceptTarget fixed;
  std::string other_map;  // url
};

class ConceptMapIndex {
 public:
  // Errors: semantic, with the position in the resource. `file` must outlive the index.
  static Result<ConceptMapIndex> FromResource(const fhir::Node& resource, std::string_view file);
  static Result<ConceptMapIndex> FromInline(const ast::InlineConceptMap& concept_map, std::string_view file);

  // Lays another ConceptMap of the same url over this one: for each code and target system that it has a row
  // for, its targets replace ours (none: ours go); others are added.
  void LayOver(const ConceptMapIndex& overlay);

  // `system` empty: the code in any source system. Null: no row. Of the row's targets those hold whose
  // source_system is empty or, where `system` is not empty, equal to it.
  const ConceptRow* Find(std::string_view system, std::string_view code) const;

  // The properties that targets depend on, each once, in table order.
  std::span<const std::string> dependencies() const { return dependencies_; }
  // The policy for a code of `system`.
  const ConceptUnmapped& UnmappedFor(std::string_view system) const;
  // Some group says nothing about unmapped codes.
  bool lacks_policy() const;

  const std::string& url() const { return url_; }
  const std::string& id() const { return id_; }
  const std::string& name() const { return name_; }
  std::string_view file() const { return file_; }
  const std::deque<ConceptRow>& rows() const { return rows_; }
  std::span<const ConceptUnmapped> unmapped() const { return unmapped_; }
  const ConceptMapIndex* other() const { return other_; }
  void set_other(const ConceptMapIndex* other) { other_ = other; }  // linked: the map of kOtherMap

 private:
  Result<void> AddGroup(const fhir::Node& group);
  Result<void> AddElement(const fhir::Node& element, const std::string& source, const std::string& target,
                          const std::string& version);
  Result<void> AddUnmapped(const fhir::Node* group, const std::string& source, const std::string& target);
  // dependsOn and product of a target, R4 or R5.
  void AddProperties(const fhir::Node& item, ConceptTarget& target);
  void AddDependency(const std::string& property);
  ConceptRow& RowFor(const std::string& system, const std::string& code);
  Failure FaultAt(const fhir::Node& node, std::string message) const;
  ConceptTarget TargetAt(const fhir::Node& node, const std::string& source, const std::string& target) const;

  std::string url_;
  std::string id_;
  std::string name_;
  std::string_view file_;
  UnmappedPolicy policy_ = UnmappedPolicy::kUnset;  // of the whole ConceptMap
  std::deque<ConceptRow> rows_;                     // stable addresses: the hash views their texts
  std::unordered_map<std::string_view, ConceptRow*> by_code_;
  std::vector<ConceptUnmapped> unmapped_;
  std::vector<std::string> dependencies_;
  const ConceptMapIndex* other_ = nullptr;
};

}  // namespace fhir_adapter::fml
