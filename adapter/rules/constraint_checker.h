// ConstraintChecker: runs the constraints of a record model (ElementDefinition.constraint) on a record.
//
// Built once; immutable and thread-safe afterwards; refers to the model and the schema it was built with. A
// constraint is breached when its expression is false; an empty result (what it speaks of is absent or cannot
// be decided, as with partial dates) is no breach. An expression that fails while running is reported as
// map-failed, because nobody then knows whether the record is sound; when all of them together take more than
// their steps, map-limit is reported once and the rest is not run.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/arena.h"
#include "core/issue.h"
#include "core/limits.h"
#include "core/result.h"
#include "fhir/schema.h"
#include "record/record_model.h"

namespace fhir_adapter::rules {

class ConstraintChecker {
 public:
  // `schema` must know the model's type. Errors name the constraint.
  static Result<ConstraintChecker> Build(const record::RecordModel& model, const fhir::Schema& schema);
  ConstraintChecker(ConstraintChecker&&) noexcept;
  ConstraintChecker& operator=(ConstraintChecker&&) noexcept;
  ~ConstraintChecker();

  // For a record without rejected issues. Issues stand in the order of the document, with `pointer` in front
  // of their own and the file's name; what is absent is placed at its nearest parent that is there.
  void Check(const fhir::Node& record, Arena& arena, std::string_view pointer, std::string_view file,
             Issues& issues, std::uint64_t steps_max = limits::kConstraintStepsMax) const;

 private:
  struct State;
  explicit ConstraintChecker(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fhir_adapter::rules
