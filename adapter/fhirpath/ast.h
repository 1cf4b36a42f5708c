// The tree of an expression. The parser makes it; the resolver fills the part marked "resolved"; the
// evaluator only reads it.
//
// Nodes are owned by their Program, one after the other, so that freeing a deep tree does not recurse.
// Internal to adapter/fhirpath: others use Expression.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "fhirpath/fhirpath.h"
#include "fhirpath/item.h"

namespace fhir_adapter::fhirpath::internal {

struct FunctionInfo;
class Pattern;

enum class NodeKind : std::uint8_t {
  kLiteral,   // `literal`
  kEmpty,     // {}
  kMember,    // `name` of `input`, or of $this; may be a variable or a type name at the front of a path
  kFunction,  // `name`(`arguments`) on `input`, or on $this
  kIndexer,   // input[arguments[0]]
  kThis,
  kIndex,
  kTotal,
  kVariable,  // %name
  kUnary,     // operation on arguments[0]
  kBinary,    // operation on arguments[0] and [1]
  kTypeTest   // arguments[0] is/as `type`
};

enum class Operation : std::uint8_t {
  kNone,
  kImplies,
  kOr,
  kXor,
  kAnd,
  kIn,
  kContains,
  kEqual,
  kEquivalent,
  kNotEqual,
  kNotEquivalent,
  kLess,
  kGreater,
  kLessOrEqual,
  kGreaterOrEqual,
  kUnion,
  kIs,
  kAs,
  kPlus,
  kMinus,
  kConcatenate,
  kMultiply,
  kDivide,
  kIntegerDivide,
  kModulo
};

// The name of a type as written: [name_space.]name.
struct TypeName {
  std::string name_space;
  std::string name;
};

// How a child is read from a node of one type: filled by the resolver for the types it expects.
struct MemberAccess {
  const fhir::TypeInfo* owner = nullptr;
  const fhir::ElementInfo* element = nullptr;
  struct Form {
    std::string_view json_name;
    const fhir::TypeInfo* type = nullptr;
  };
  std::vector<Form> forms;  // one; several for a choice
};

// What a type name means.
struct ResolvedType {
  bool known = false;
  bool system = false;
  ItemKind kind = ItemKind::kElement;    // of a System type
  const fhir::TypeInfo* fhir = nullptr;  // of a FHIR or logical type
};

// Where the value of %name or of a plain name comes from.
enum class VariableKind : std::uint8_t {
  kNone,
  kSlot,      // EvaluationContext::variables[slot]
  kLocal,     // defineVariable
  kResource,  // %resource, %rootResource, %context
  kRootResource,
  kContext,
  kConstant  // `literal`: %ucum, %sct, %loinc, %`vs-…`, %`ext-…`
};

struct Node {
  NodeKind kind = NodeKind::kEmpty;
  Operation operation = Operation::kNone;
  std::uint32_t offset = 0;  // in the source
  std::uint32_t height = 1;  // levels down to the deepest leaf
  std::string name;          // member, function or variable; text of a literal
  std::string unit;          // of a quantity literal
  TypeName type;
  Item literal;           // its texts view `name` and `unit`
  Node* input = nullptr;  // what stands before the dot
  std::vector<Node*> arguments;

  // Resolved.
  const FunctionInfo* function = nullptr;
  const HostFunction* host_function = nullptr;
  VariableKind variable = VariableKind::kNone;
  std::uint32_t slot = 0;             // of a variable; of defineVariable the local it sets
  bool accepts_json_names = false;    // Scope::accepts_json_names
  bool may_be_type_name = false;      // first name of a path: `Patient.name` on a Patient is `name`
  std::vector<MemberAccess> members;  // by the types expected here
  ResolvedType resolved_type;         // of is/as/ofType
  const Pattern* pattern = nullptr;   // of matches('…') with a literal
};

struct Program {
  Program();
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  std::string text;
  Location where;  // of the first byte of text
  std::vector<std::unique_ptr<Node>> nodes;
  std::vector<std::unique_ptr<Pattern>> patterns;
  Node* root = nullptr;
  bool resolved = false;
  StaticType result;
  std::uint32_t locals = 0;
  std::vector<const fhir::ElementInfo*> elements_read;

  // The place of a byte of `text` in the enclosing file.
  Location LocationOf(std::uint32_t offset) const;
};

std::string_view SymbolOf(Operation operation);
// How tightly an operator binds: higher binds tighter.
int PrecedenceOf(Operation operation);

std::string Print(const Node& root);
std::string DumpTree(const Node& root);

}  // namespace fhir_adapter::fhirpath::internal
