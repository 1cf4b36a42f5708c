// RecordInput: from the bytes of a submission to the records that the Receiver takes, one at a time.
//
//   RecordInput input(model, record::RecordFormat::kNdjson, "export.ndjson");
//   while (there is more) { input.Push(chunk); while (auto record = input.Next()) …; }
//   input.Finish(); while (auto record = input.Next()) …;
//
// Holds at most one record and the last chunk (of a table all of it). Refers to the model, which must outlive
// it. Not thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/arena.h"
#include "pipeline/receive.h"
#include "record/record_cutter.h"
#include "record/record_model.h"

namespace fhir_adapter::pipeline {

class RecordInput {
 public:
  // `file` only names the input in issues.
  RecordInput(const record::RecordModel& model, record::RecordFormat format, std::string file = {});
  RecordInput(const record::RecordModel& model, std::unique_ptr<record::RecordCutter> cutter,
              std::string file = {});

  void Push(std::string_view bytes) { cutter_->Push(bytes); }
  void Finish() { cutter_->Finish(); }
  std::optional<InputRecord> Next();

 private:
  const record::RecordModel& model_;
  std::unique_ptr<record::RecordCutter> cutter_;
  std::string file_;
  Arena arena_;
};

// One record that was cut out already. What is rejected has its key as far as it can be read.
InputRecord ReadInputRecord(const record::RecordText& text, const record::RecordModel& model, Arena& arena,
                            const std::string& file);

}  // namespace fhir_adapter::pipeline
