// Evaluator: walks a resolved tree over a context. One per evaluation, on the stack.
//
// Not thread-safe (the tree and the Program are shared and only read). The first fault stops everything; it
// is kept here and the functions return false, so that results need no Result on the hot path. FHIRPath
// N1 2.0.0, sections 4.5 (singleton evaluation), 5 and 6.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "fhirpath/ast.h"
#include "fhirpath/fhirpath.h"
#include "fhirpath/values.h"

namespace fhir_adapter::fhirpath::internal {

// What $this, $index and $total are where an expression is evaluated.
struct Focus {
  const Collection* self = nullptr;
  std::int64_t index = -1;  // -1: not inside an iteration
  const Collection* total = nullptr;
};

class Evaluator {
 public:
  Evaluator(const Program& program, const EvaluationContext& context, const Collection& input);

  Result<Collection> Run();

  // `out` is replaced. False: a fault is kept.
  bool Evaluate(const Node& node, const Focus& focus, Collection& out);
  bool EvaluateTruth(const Node& node, const Focus& focus, Truth& out);

  // Singleton evaluation as a Boolean.
  bool ToBoolean(const Node& at, const Collection& values, Truth& out);
  // One step of work; false when the budget is used up.
  bool Step(const Node& at, std::uint64_t count = 1);
  // Appends, within the limit of a collection's size.
  bool Append(const Node& at, const Item& item, Collection& out);
  bool Append(const Node& at, const Collection& items, Collection& out);

  bool Fail(const Node& at, std::string message, Code code = Code::kExecution);
  // An error that comes from elsewhere (a host); it gets the place of the call unless it has one.
  bool Fail(const Node& at, Error error);

  Arena& arena() { return *context_.arena; }
  const fhir::Schema& schema() const { return *context_.schema; }
  const EvaluationContext& context() const { return context_; }
  const Collection& input() const { return input_; }
  const Collection& resource() const { return context_.resource.empty() ? input_ : context_.resource; }
  const Collection& root_resource() const {
    return context_.root_resource.empty() ? resource() : context_.root_resource;
  }
  void SetLocal(std::uint32_t slot, const Collection& value);

 private:
  bool EvaluateMember(const Node& node, const Focus& focus, Collection& out);
  bool EvaluateFunction(const Node& node, const Focus& focus, Collection& out);
  bool EvaluateIndexer(const Node& node, const Focus& focus, Collection& out);
  bool EvaluateVariable(const Node& node, Collection& out);
  bool EvaluateUnary(const Node& node, const Focus& focus, Collection& out);
  bool EvaluateBinary(const Node& node, const Focus& focus, Collection& out);
  bool EvaluateLogic(const Node& node, const Focus& focus, Collection& out);
  bool EvaluateTypeTest(const Node& node, const Focus& focus, Collection& out);
  bool EvaluateHost(const Node& node, const Focus& focus, const Collection& input, Collection& out);
  void ReadMember(const Node& node, const Item& item, Collection& out);

  const Program& program_;
  const EvaluationContext& context_;
  const Collection& input_;
  std::vector<Collection> locals_;
  std::uint64_t own_steps_ = 0;
  std::uint64_t* steps_;
  std::optional<Error> error_;
};

// Binary operators on evaluated operands (operators.cc).
bool ApplyBinary(Evaluator& evaluator, const Node& node, const Collection& left, const Collection& right,
                 Collection& out);
// Items whose type is `type` (is: subtypes too; as and ofType: primitives exactly, others with subtypes).
bool IsOfType(const Item& item, const ResolvedType& type, bool exact_primitive);

}  // namespace fhir_adapter::fhirpath::internal
