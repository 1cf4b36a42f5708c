// ColumnPath: which value of a record a column of a table holds.
//
// Written with dots: `patient.mrn`, `administrations.dose.value`. A row makes one item of each list that its
// cells speak of; a row with several names them by number, from 1: `pain[1].value`, `pain[2].value`. Values;
// they refer to the model, which must outlive them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "record/record_model.h"

namespace fhir_adapter::record {

struct ColumnStep {
  const ModelElement* element = nullptr;
  std::uint32_t number = 1;  // of the item, when the element is a list
};

class ColumnPath {
 public:
  // kNotFound: the model has no such value (the message says what is wrong, and names no more than the path).
  static Result<ColumnPath> Parse(std::string_view text, const RecordModel& model);

  const std::string& text() const { return text_; }
  const std::vector<ColumnStep>& steps() const { return steps_; }
  const ModelElement& leaf() const { return *steps_.back().element; }
  // The numbers of its list items, for the order in which they are made.
  std::vector<std::uint32_t> Numbers() const;

 private:
  std::string text_;  // with [1] left out
  std::vector<ColumnStep> steps_;
};

// The paths of all values of the model, without numbers; for "did you mean".
std::vector<std::string> ValuePaths(const RecordModel& model);

}  // namespace fhir_adapter::record
