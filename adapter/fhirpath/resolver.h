// Resolver: binds the names of a tree to elements, variables, functions and types, and checks what can be
// known before evaluation: unknown names with a suggestion, arity, elements a type does not have, functions
// on inputs they cannot take.
//
// One per Resolve; fills the "resolved" part of the tree. FHIRPath N1 2.0.0, section 4.8 (type safety and
// strict evaluation), 5.9 (environment variables); FHIR R4 "Using FHIR Types in expressions".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "fhirpath/ast.h"
#include "fhirpath/fhirpath.h"
#include "fhirpath/functions/function.h"

namespace fhir_adapter::fhirpath::internal {

// What the check knows of a value: its type, and whether its order means something.
struct TypeState {
  StaticType type;
  bool ordered = true;
};

// The types of $this and $total where an expression stands.
struct Place {
  const TypeState* self = nullptr;
  const TypeState* total = nullptr;
};

class Resolver {
 public:
  Resolver(Program& program, const Scope& scope) : program_(program), scope_(scope) {}

  Result<void> Run();

 private:
  struct Local {
    std::string_view name;
    std::uint32_t slot;
    TypeState state;
  };

  bool Resolve(Node& node, const Place& place, TypeState& out);
  bool ResolveMember(Node& node, const Place& place, TypeState& out);
  bool ResolveElement(Node& node, const TypeState& input, TypeState& out);
  bool AddElement(Node& node, const fhir::TypeInfo& type, TypeState& out);
  bool ResolveVariable(Node& node, TypeState& out);
  bool ResolveConstant(Node& node, TypeState& out);
  bool ResolveFunction(Node& node, const Place& place, TypeState& out);
  bool ResolveHost(Node& node, const Place& place, TypeState& out);
  bool ResolveArguments(Node& node, const Place& place, const TypeState& input,
                        std::vector<TypeState>& states);
  bool ResolveTypeArgument(Node& node);
  bool DefineLocal(Node& node, const Place& place, const TypeState& input);
  bool CheckInput(const Node& node, const TypeState& input);
  bool CheckCriterion(const Node& argument, const TypeState& state);
  bool CompilePattern(Node& node);
  bool ResolveBinary(Node& node, const Place& place, TypeState& out);
  bool ResolveTypeName(const Node& node, const TypeName& name, ResolvedType& type);
  bool ReadTypeName(const Node& argument, TypeName& name) const;
  TypeState ResultOf(const Node& node, const TypeState& input, const std::vector<TypeState>& arguments) const;
  TypeState OfResolvedType(const ResolvedType& type, bool repeats) const;

  bool Fail(const Node& at, std::string message);
  std::string Suggest(std::string_view name, const std::vector<std::string_view>& known) const;

  Program& program_;
  const Scope& scope_;
  std::vector<Local> locals_;  // visible ones, innermost last
  std::optional<Error> error_;
};

}  // namespace fhir_adapter::fhirpath::internal
