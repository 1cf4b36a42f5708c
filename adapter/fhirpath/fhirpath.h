// FHIRPath: expressions over FHIR resources, local records and System values.
//
//   ADAPTER_TRY(Expression expression, Expression::Parse("name.where(use = 'official').given.first()",
//   where)); ADAPTER_CHECK(expression.Resolve(scope));                       // once, against the schema
//   ADAPTER_TRY(Collection names, expression.Evaluate(context, Item(patient)));   // as often as you like
//
// An Expression owns its tree and its texts. After Resolve it is immutable and may be evaluated from any
// thread, each with an EvaluationContext of its own. No exceptions: every fault is an Error with code syntax
// (Parse), semantic (Resolve), execution or map-limit (Evaluate) and the line and column of the fault in the
// enclosing file. Evaluating is deterministic: time comes from the context.
//
// FHIRPath N1 2.0.0 (http://hl7.org/fhirpath/N1/), the R4 mapping (http://hl7.org/fhir/R4/fhirpath.html), and
// those functions of the 2.1.0/3.0.0 drafts that the official tests use.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/arena.h"
#include "core/clock.h"
#include "core/limits.h"
#include "core/result.h"
#include "fhir/schema.h"
#include "fhirpath/item.h"

namespace fhir_adapter::fhirpath {

struct EvaluationContext;

// A type as the static check sees it. `fhir` is null for System types, which `kind` names.
struct TypeRef {
  ItemKind kind = ItemKind::kElement;
  const fhir::TypeInfo* fhir = nullptr;
  bool operator==(const TypeRef&) const = default;
};

// What is known before evaluation: the possible types (unknown: any) and whether there may be several items.
struct StaticType {
  bool unknown = true;
  bool repeats = true;
  std::vector<TypeRef> types;  // empty and not unknown: always the empty collection

  static StaticType Any() { return {}; }
  static StaticType Of(const fhir::TypeInfo& type, bool repeats = false) {
    return {false, repeats, {TypeRef{ItemKind::kElement, &type}}};
  }
  static StaticType System(ItemKind kind, bool repeats = false) {
    return {false, repeats, {TypeRef{kind, nullptr}}};
  }
};

// A value known by name. Its position in Scope::variables is its slot in EvaluationContext::variables.
struct Variable {
  std::string name;
  StaticType type;
  bool plain = false;  // also visible as a plain name (FML variables), not only as %name
};

// A function that the host adds, found by name at Resolve. `input` and each argument are evaluated first.
struct HostFunction {
  using Body = Result<Collection> (*)(const EvaluationContext& context, const Collection& input,
                                      std::span<const Collection> arguments);
  std::string_view name;
  std::uint32_t arguments_min = 0;
  std::uint32_t arguments_max = 0;
  Body body = nullptr;
  StaticType result = StaticType::Any();
};

// identifierPart(): keeps [A-Za-z0-9_-]; any other byte becomes ~XX. searchValue(): escapes \ , | $ with a
// backslash as FHIR search demands, then percent-encodes all but unreserved characters, ':' and '/'.
std::span<const HostFunction> AdapterFunctions();

// What Resolve knows about the place where an expression stands. Views must outlive the expression.
struct Scope {
  const fhir::Schema* schema = nullptr;
  StaticType context = StaticType::Any();  // type of the input collection ($this at the top)
  std::span<const Variable> variables;
  std::span<const HostFunction> functions = AdapterFunctions();
  // Strict: an element that a known type does not have is an error. Not strict: it is empty. Unknown
  // variables, functions and types are errors in both.
  bool strict = true;
  // Also take what maps of older engines write: `valueString` for value.ofType(string), and `value` of a
  // primitive for the primitive itself.
  bool accepts_json_names = false;
  // Also refuse functions that depend on order (first(), skip(), …) behind children() and descendants().
  bool check_order = false;
};

// now() and its kin, fixed for one evaluation.
struct Moment {
  std::string now;          // 2026-03-01T12:00:00.000+01:00
  std::string today;        // 2026-03-01
  std::string time_of_day;  // 12:00:00.000

  static Moment At(TimeUs time, int offset_minutes = 0);
};

// What an expression may ask of its surroundings. The defaults know nothing: resolve() gives nothing,
// memberOf() and conformsTo() are execution errors that say so, trace() is silent.
class Host {
 public:
  virtual ~Host() = default;
  // A reference that is neither contained nor an entry of the surrounding Bundle. An empty Element: not
  // found.
  virtual Result<fhir::Element> ResolveReference(std::string_view reference);
  // Whether a code, Coding or CodeableConcept is in a value set. Empty: cannot be told.
  virtual Result<std::optional<bool>> MemberOf(const Item& coded, std::string_view value_set_url);
  virtual Result<std::optional<bool>> ConformsTo(const fhir::Element& element, std::string_view profile_url);
  virtual void Trace(std::string_view name, const Collection& values);
};

struct EvaluationContext {
  Arena* arena = nullptr;                 // results and intermediate values live here
  const fhir::Schema* schema = nullptr;   // the one given to Resolve
  std::span<const Collection> variables;  // by slot of Scope::variables
  // %resource, %rootResource and %context; empty: the input of Evaluate.
  Collection resource;
  Collection root_resource;
  Collection context;
  const Moment* moment = nullptr;  // null: now(), today() and timeOfDay() are execution errors
  Host* host = nullptr;
  std::uint64_t steps_max = limits::kFhirPathStepsMax;
  // When set, steps are counted here over several evaluations (a record's budget) instead of from zero.
  std::uint64_t* steps_used = nullptr;
};

namespace internal {
struct Program;
}

class Expression {
 public:
  struct Prefix;

  // The whole of `text`. `where` is the position of its first byte in the enclosing file (line 0: 1:1).
  static Result<Expression> Parse(std::string_view text, const Location& where = {});

  // The longest expression that begins at `offset` of `text` (white space and comments before it are
  // skipped); what follows is left to the caller. `where` is the position of `offset`.
  static Result<Prefix> ParsePrefix(std::string_view text, std::size_t offset, const Location& where = {});

  Expression();  // an empty expression: Evaluate gives an execution error
  ~Expression();
  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;

  // Binds names to elements, variables and functions. Call once before Evaluate. The first fault is returned.
  Result<void> Resolve(const Scope& scope);

  // The result's items live in the context's arena, the input's tree and the expression.
  Result<Collection> Evaluate(const EvaluationContext& context, const Collection& input) const;

  // Singleton evaluation of the result as a Boolean (N1 section 4.5): empty gives no value, one item that is
  // not Boolean gives true, several items are an execution error.
  Result<std::optional<bool>> EvaluateBoolean(const EvaluationContext& context,
                                              const Collection& input) const;

  bool resolved() const;
  const StaticType& result_type() const;  // after Resolve
  // Elements that the expression names on statically known types, for reports of what a map reads.
  std::span<const fhir::ElementInfo* const> elements_read() const;
  std::string_view text() const;  // the source text of the expression
  // Canonical text: Parse(ToText()) gives the same tree.
  std::string ToText() const;
  // The tree as an S-expression, for tests.
  std::string Dump() const;

 private:
  std::unique_ptr<internal::Program> program_;
};

struct Expression::Prefix {
  Expression expression;
  std::size_t end = 0;  // offset in the text of the first byte after the expression
};

}  // namespace fhir_adapter::fhirpath
