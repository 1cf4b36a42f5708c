#include "pipeline/record_input.h"

#include <utility>

#include "record/content_hash.h"
#include "record/record_envelope.h"
#include "record/record_reader.h"

namespace fhir_adapter::pipeline {

InputRecord ReadInputRecord(const record::RecordText& text, const record::RecordModel& model, Arena& arena,
                            const std::string& file) {
  InputRecord input;
  input.bytes = text.bytes;
  record::RecordReading reading = record::ReadRecord(text, model, arena, file);
  input.issues = std::move(reading.issues);
  if (reading.root == nullptr) return input;
  if (const auto key = record::ReadKey(*reading.root)) {
    input.site = key->site;
    input.record_id = key->record_id;
    input.revision = key->revision;
  }
  if (Gravest(input.issues) == Disposition::kRejected) return input;
  if (const auto envelope = record::ReadEnvelope(*reading.root)) {
    input.status = record::Name(envelope->status);
    input.mrn = envelope->patient_mrn;
    input.content_sha256 = record::ContentHash(*reading.root);
  }
  return input;
}

RecordInput::RecordInput(const record::RecordModel& model, record::RecordFormat format, std::string file)
    : RecordInput(model, record::MakeCutter(format, nullptr), std::move(file)) {}

RecordInput::RecordInput(const record::RecordModel& model, std::unique_ptr<record::RecordCutter> cutter,
                         std::string file)
    : model_(model), cutter_(std::move(cutter)), file_(std::move(file)) {}

std::optional<InputRecord> RecordInput::Next() {
  const auto text = cutter_->Next();
  if (!text) return std::nullopt;
  arena_.Reset();
  return ReadInputRecord(*text, model_, arena_, file_);
}

}  // namespace fhir_adapter::pipeline
