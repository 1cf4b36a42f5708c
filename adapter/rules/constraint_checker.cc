#include "rules/constraint_checker.h"

#include <unordered_map>
#include <utility>
#include <vector>

#include "fhir/json_pointer.h"
#include "fhirpath/fhirpath.h"
#include "rules/record_functions.h"

namespace fhir_adapter::rules {
namespace {

using fhirpath::Expression;
using record::Constraint;
using record::ModelElement;

struct CompiledConstraint {
  const Constraint* constraint = nullptr;
  Expression expression;
};

struct CompiledElement {
  const fhir::TypeInfo* type = nullptr;
  std::vector<CompiledConstraint> constraints;
};

}  // namespace

struct ConstraintChecker::State {
  const fhir::Schema* schema = nullptr;
  const record::RecordModel* model = nullptr;
  std::unordered_map<const ModelElement*, CompiledElement> elements;  // those with constraints

  Result<void> Compile(const ModelElement& element);
};

Result<void> ConstraintChecker::State::Compile(const ModelElement& element) {
  for (const Constraint& constraint : element.constraints) {
    CompiledElement& compiled = elements[&element];
    compiled.type = schema->FindType(element.path);
    if (compiled.type == nullptr) {
      return Fail(Code::kConfiguration,
                  "constraint " + constraint.key + ": the schema has no type " + element.path);
    }
    auto expression = Expression::Parse(constraint.expression);
    if (!expression)
      return Fail(Code::kConfiguration, "constraint " + constraint.key + ": " + expression.error().message);
    fhirpath::Scope scope;
    scope.schema = schema;
    scope.context = fhirpath::StaticType::Of(*compiled.type);
    scope.functions = RecordFunctions();
    if (auto resolved = expression->Resolve(scope); !resolved) {
      return Fail(Code::kConfiguration, "constraint " + constraint.key + ": " + resolved.error().message);
    }
    compiled.constraints.push_back({&constraint, std::move(expression).value()});
  }
  for (const ModelElement& child : element.children) ADAPTER_CHECK(Compile(child));
  return {};
}

namespace {

// One record being checked.
class Checking {
 public:
  Checking(const std::unordered_map<const ModelElement*, CompiledElement>& elements,
           fhirpath::EvaluationContext& context, std::string_view pointer, std::string_view file,
           Issues& issues)
      : elements_(elements), context_(context), pointer_(pointer), file_(file), issues_(issues) {}

  void Walk(const fhir::Node& node, const ModelElement& element) {
    if (is_exhausted_) return;
    if (node.is_array()) {
      const auto items = node.items();
      for (std::size_t i = 0; i < items.size(); ++i) {
        const std::size_t size = pointer_.size();
        fhir::AppendPointerIndex(i, pointer_);
        Walk(*items[i], element);
        pointer_.resize(size);
      }
      return;
    }
    if (const auto found = elements_.find(&element); found != elements_.end()) Run(node, found->second);
    for (const fhir::Member& member : node.members()) {
      const ModelElement* child = element.Find(member.name);
      if (child == nullptr) continue;
      const std::size_t size = pointer_.size();
      fhir::AppendPointerToken(member.name, pointer_);
      Walk(*member.value, *child);
      pointer_.resize(size);
    }
  }

 private:
  void Run(const fhir::Node& node, const CompiledElement& compiled) {
    fhir::Element input;
    input.node = &node;
    input.type = compiled.type;
    for (const CompiledConstraint& constraint : compiled.constraints) {
      const auto holds = constraint.expression.EvaluateBoolean(context_, fhirpath::Item(input));
      if (!holds && holds.error().code == Code::kMapLimit) {
        is_exhausted_ = true;
        return Report(Code::kMapLimit, node,
                      "the constraints take too many steps: " + constraint.constraint->key);
      }
      if (!holds) {
        Report(
            Code::kMapFailed, node,
            "constraint " + constraint.constraint->key + " could not be evaluated: " + holds.error().message);
      } else if (holds->has_value() && !**holds) {
        ReportBreach(*constraint.constraint, node);
      }
    }
  }

  void ReportBreach(const Constraint& constraint, const fhir::Node& node) {
    const std::size_t size = pointer_.size();
    const fhir::Node* place = &node;  // the deepest one on the way to the member that is there
    const fhir::Node* parent = &node;
    std::string_view rest = constraint.member;
    while (!rest.empty()) {
      const std::string_view name = rest.substr(0, rest.find('.'));
      rest = name.size() == rest.size() ? std::string_view() : rest.substr(name.size() + 1);
      fhir::AppendPointerToken(name, pointer_);
      parent = parent != nullptr ? parent->Find(name) : nullptr;
      if (parent != nullptr) place = parent;
    }
    Report(constraint.code, *place, constraint.human);
    pointer_.resize(size);
  }

  void Report(Code code, const fhir::Node& place, std::string message) {
    issues_.push_back(
        Issue{code, Location{std::string(file_), place.line, place.column, pointer_}, std::move(message)});
  }

  const std::unordered_map<const ModelElement*, CompiledElement>& elements_;
  fhirpath::EvaluationContext& context_;
  std::string pointer_;
  std::string_view file_;
  Issues& issues_;
  bool is_exhausted_ = false;
};

}  // namespace

ConstraintChecker::ConstraintChecker(std::unique_ptr<State> state) : state_(std::move(state)) {}
ConstraintChecker::ConstraintChecker(ConstraintChecker&&) noexcept = default;
ConstraintChecker& ConstraintChecker::operator=(ConstraintChecker&&) noexcept = default;
ConstraintChecker::~ConstraintChecker() = default;

Result<ConstraintChecker> ConstraintChecker::Build(const record::RecordModel& model,
                                                   const fhir::Schema& schema) {
  auto state = std::make_unique<State>();
  state->schema = &schema;
  state->model = &model;
  ADAPTER_CHECK(state->Compile(model.root()));
  return ConstraintChecker(std::move(state));
}

void ConstraintChecker::Check(const fhir::Node& record, Arena& arena, std::string_view pointer,
                              std::string_view file, Issues& issues, std::uint64_t steps_max) const {
  fhirpath::EvaluationContext context;
  context.arena = &arena;
  context.schema = state_->schema;
  const fhir::TypeInfo* type = state_->schema->FindType(state_->model->type());
  context.resource = fhirpath::Item(fhir::RootElement(record, *state_->schema, type));
  context.root_resource = context.resource;
  std::uint64_t steps = 0;
  context.steps_used = &steps;
  context.steps_max = steps_max;
  Checking(state_->elements, context, pointer, file, issues).Walk(record, state_->model->root());
}

}  // namespace fhir_adapter::rules
