// The plan: a map after linking. Names are slots, elements are pointers into the schema, ConceptMaps are
// indexes, expressions are compiled. The executor looks up no text while it runs.
//
// Internal to adapter/fml. Built once by the linker, owned by a LinkedSet, read by any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "fhir/schema.h"
#include "fhirpath/fhirpath.h"
#include "fml/ast.h"
#include "fml/concept_map.h"
#include "fml/lineage.h"

namespace fhir_adapter::fml::plan {

inline constexpr std::uint32_t kNoSlot = std::numeric_limits<std::uint32_t>::max();

// One JSON member that an element may be found under: one for each type of a choice.
struct Alternative {
  std::string_view member;  // "valueQuantity"
  std::string_view shadow;  // "_valueString"; empty where the type is not primitive
  const fhir::TypeInfo* type = nullptr;
};

// `.name` below a context. Without an element the type is known only at run time.
struct Step {
  std::string_view name;
  const fhir::ElementInfo* element = nullptr;
  std::vector<Alternative> alternatives;
};

// A value that is written in the map: made once, never changed. `node` is frozen (see tree.h).
struct Constant {
  fhirpath::Item item;
};

enum class ArgumentKind : std::uint8_t { kConstant, kSlot, kExpression };

struct Argument {
  ArgumentKind kind = ArgumentKind::kConstant;
  fhirpath::Item constant;
  std::uint32_t slot = kNoSlot;
  const fhirpath::Expression* expression = nullptr;
  ast::Position at;
};

struct Source {
  std::uint32_t context = kNoSlot;
  std::vector<Step> path;
  std::vector<const fhir::TypeInfo*> types;  // filter; empty: any
  std::string_view system_type;              // filter on an untyped or System value
  ast::Cardinality cardinality;
  bool has_cardinality = false;
  ast::SourceListMode list_mode = ast::SourceListMode::kAll;
  const fhirpath::Expression* default_value = nullptr;
  const fhirpath::Expression* where = nullptr;
  const fhirpath::Expression* check = nullptr;
  const fhirpath::Expression* log = nullptr;
  std::uint32_t alias = kNoSlot;
  ast::Position at;
  std::string check_text;
};

enum class TransformKind : std::uint8_t {
  kNone,  // the element itself
  kCreate,
  kCopy,
  kTruncate,
  kEscape,
  kCast,
  kAppend,
  kTranslate,
  kReference,
  kUuid,
  kPointer,
  kEvaluate,
  kCodeableConcept,
  kCoding,
  kQuantity,
  kIdentifier,
  kContactPoint,
  kToDateTime,
  kToDate,
  kToTime,
  kUnixToDateTime,
  kUnixToDate,
  kUnixToTime,
  kDateOperation
};

// What a translate gives.
enum class TranslateOutput : std::uint8_t {
  kByTarget,
  kCode,
  kSystem,
  kDisplay,
  kCoding,
  kCodeableConcept,
  kProduct
};

struct Transform {
  TransformKind kind = TransformKind::kNone;
  std::vector<Argument> arguments;
  const fhir::TypeInfo* type = nullptr;  // create, cast; what a translate makes
  const ConceptMapIndex* concept_map = nullptr;
  TranslateOutput output = TranslateOutput::kByTarget;
  std::string_view product;     // of kProduct: the property's name
  std::uint64_t call_site = 0;  // unique in the set, for uuid()
  ast::Position at;
};

struct GroupPlan;

struct Call {
  const GroupPlan* group = nullptr;
  std::vector<Argument> arguments;
  ast::Position at;
};

struct Target {
  std::uint32_t context = kNoSlot;  // kNoSlot: a variable without a place
  std::vector<Step> path;           // empty: the context itself
  Transform transform;
  // Set when the value never changes: what is put there, already of the element's type.
  fhir::Node* constant = nullptr;
  std::uint32_t constant_index = 0;  // of the alternative that it is put under
  ast::TargetListMode list_mode = ast::TargetListMode::kNormal;
  std::uint32_t share_id = 0;
  std::uint32_t alias = kNoSlot;
  const Call* call = nullptr;   // a group in the place of a target
  bool is_shadow_only = false;  // a primitive made for its extensions
  ast::Position at;
};

// How a rule without `then` goes on: by the default groups of its map.
struct DefaultGroup {
  const fhir::TypeInfo* source = nullptr;
  const fhir::TypeInfo* target = nullptr;
  bool for_choice = false;  // type+
  const GroupPlan* group = nullptr;
};

struct Rule {
  RulePlace place;
  std::vector<Source> sources;
  std::vector<Target> targets;
  std::vector<Call> calls;
  std::vector<Rule> rules;
  bool is_copy = false;  // `src.a -> tgt.a;`: copy or default group, by type
  bool uses_default_group = false;
  std::span<const DefaultGroup> default_groups;
};

// A variable of the whole map (constant or configuration) that a group's expressions use.
struct GlobalUse {
  std::uint32_t slot = 0;
  std::uint32_t global = 0;
};

struct GroupPlan {
  std::string name;
  std::uint32_t parameters = 0;  // slots 0 … parameters-1
  std::uint32_t slots = 0;
  std::vector<GlobalUse> globals;
  const GroupPlan* base = nullptr;            // runs first
  std::vector<std::uint32_t> base_arguments;  // slots of this group, in the order of the base's parameters
  std::vector<Rule> rules;
  ast::Position at;
};

// A `let` or a configuration value. A constant one is evaluated while linking.
struct Global {
  std::string name;
  bool is_constant = true;
  fhirpath::Collection value;                        // when constant
  const fhirpath::Expression* expression = nullptr;  // when not
  std::vector<GlobalUse> uses;  // of other globals by the expression (slot: its position)
  std::uint32_t slots = 0;
  bool is_record_variable = false;  // given by the request
  RulePlace place;
};

struct EntryPlan {
  const GroupPlan* group = nullptr;
  std::uint32_t source = kNoSlot;  // slot of the record
  std::uint32_t target = kNoSlot;  // slot of the result
  const fhir::TypeInfo* source_type = nullptr;
  const fhir::TypeInfo* target_type = nullptr;
  std::span<const Global> globals;
};

}  // namespace fhir_adapter::fml::plan
