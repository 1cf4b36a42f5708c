// What a map text says, before anything is looked up: the tree that the parser makes and the printer writes.
//
// Values; free to copy and compare. Expressions stay text with their position; the linker compiles them.
// FHIR Mapping Language; the names follow the StructureMap resource.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fhir_adapter::fml::ast {

struct Position {
  std::uint32_t line = 0;    // 1-based
  std::uint32_t column = 0;  // 1-based, in bytes
  // Where something stands is not what it says: two maps that print alike are equal.
  bool operator==(const Position&) const { return true; }
};

// FHIRPath as it was written, without the parentheses around it.
struct Expression {
  std::string text;
  Position at;
  bool operator==(const Expression&) const = default;
};

enum class LiteralKind : std::uint8_t { kString, kInteger, kDecimal, kBoolean, kDate, kDateTime, kTime };

struct Literal {
  LiteralKind kind = LiteralKind::kString;
  std::string text;  // unescaped; dates and times without @ and T
  bool operator==(const Literal&) const = default;
};

struct Name {
  std::string text;
  bool operator==(const Name&) const = default;
};

// What is given to a transform or a group.
struct Parameter {
  std::variant<Literal, Name, Expression> value;
  Position at;
  bool operator==(const Parameter&) const = default;
};

enum class SourceListMode : std::uint8_t { kAll, kFirst, kNotFirst, kLast, kNotLast, kOnlyOne };
enum class TargetListMode : std::uint8_t { kNormal, kFirst, kLast, kSingle, kShare };

inline constexpr std::uint32_t kManyMax = 0xFFFFFFFF;

struct Cardinality {
  std::uint32_t min = 0;
  std::uint32_t max = kManyMax;
  bool operator==(const Cardinality&) const = default;
};

struct Source {
  std::string context;
  std::vector<std::string> path;  // elements below the context, usually none or one
  std::string type;
  std::optional<Cardinality> cardinality;
  std::optional<Expression> default_value;
  SourceListMode list_mode = SourceListMode::kAll;
  std::string alias;
  std::optional<Expression> where;
  std::optional<Expression> check;
  std::optional<Expression> log;
  Position at;
  Position path_at;  // of the first element of the path
  Position alias_at;
  bool operator==(const Source&) const = default;
};

// `name(parameters)`. A literal or a variable on the right of `=` is a copy, `(expression)` an evaluate
// with one parameter.
struct Transform {
  std::string name;
  std::vector<Parameter> parameters;
  bool is_short = false;  // written without its name
  Position at;
  bool operator==(const Transform&) const = default;
};

struct Target {
  std::string context;  // empty: a variable without a place
  std::vector<std::string> path;
  std::optional<Transform> transform;
  std::string alias;
  TargetListMode list_mode = TargetListMode::kNormal;
  std::string share_id;
  Position at;
  Position path_at;
  Position alias_at;
  bool operator==(const Target&) const = default;
};

struct GroupCall {
  std::string group;
  std::vector<Parameter> parameters;
  Position at;
  bool operator==(const GroupCall&) const = default;
};

struct Rule {
  std::string name;  // empty: none written
  std::vector<Source> sources;
  std::vector<Target> targets;
  std::vector<std::string> identity_fields;  // `src -> tgt: a, b;`
  std::vector<GroupCall> calls;
  std::vector<Rule> rules;
  bool has_block = false;  // `then { }`, even an empty one
  Position at;
  bool operator==(const Rule&) const = default;
};

enum class ParameterMode : std::uint8_t { kSource, kTarget };
enum class TypeMode : std::uint8_t { kNone, kTypes, kTypeAndTypes };

struct GroupParameter {
  ParameterMode mode = ParameterMode::kSource;
  std::string name;
  std::string type;
  Position at;
  Position type_at;
  bool operator==(const GroupParameter&) const = default;
};

struct Group {
  std::string name;
  std::vector<GroupParameter> parameters;
  std::string extends;
  Position extends_at;
  TypeMode type_mode = TypeMode::kNone;
  std::vector<Rule> rules;
  Position at;
  bool operator==(const Group&) const = default;
};

// `/// path = value`. No literal: a complex element.
struct Metadata {
  std::string path;
  std::optional<Literal> value;
  bool is_markdown = false;
  Position at;
  bool operator==(const Metadata&) const = default;
};

struct ConceptMapPrefix {
  std::string name;
  std::string system;
  Position at;
  bool operator==(const ConceptMapPrefix&) const = default;
};

struct ConceptMapRow {
  std::string source_prefix;
  std::string source_code;
  std::string relation;  // as written: - == = <= >= ~ !=
  std::string target_prefix;
  std::string target_code;
  Position at;
  bool operator==(const ConceptMapRow&) const = default;
};

// `unmapped for s = provided | reject | quarantine | text-only | t:code`.
struct ConceptMapUnmapped {
  std::string source_prefix;
  std::string mode;           // empty when a code is given
  std::string target_prefix;  // of the fixed code
  std::string code;
  Position at;
  bool operator==(const ConceptMapUnmapped&) const = default;
};

struct InlineConceptMap {
  std::string name;  // without a leading #
  std::vector<ConceptMapPrefix> prefixes;
  std::vector<ConceptMapUnmapped> unmapped;
  std::vector<ConceptMapRow> rows;
  Position at;
  bool operator==(const InlineConceptMap&) const = default;
};

enum class ModelMode : std::uint8_t { kSource, kQueried, kTarget, kProduced };

struct Uses {
  std::string url;
  std::string alias;
  ModelMode mode = ModelMode::kSource;
  Position at;
  bool operator==(const Uses&) const = default;
};

struct Import {
  std::string url;
  Position at;
  bool operator==(const Import&) const = default;
};

struct Constant {
  std::string name;
  Expression value;
  Position at;
  bool operator==(const Constant&) const = default;
};

struct Map {
  std::string url;
  std::string name;
  std::vector<Metadata> metadata;
  std::vector<InlineConceptMap> concept_maps;
  std::vector<Uses> uses;
  std::vector<Import> imports;
  std::vector<Constant> constants;
  std::vector<Group> groups;
  bool operator==(const Map&) const = default;
};

}  // namespace fhir_adapter::fml::ast
