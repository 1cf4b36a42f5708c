// RecordEnvelope: the few fields that the program itself needs to store, order and match a record. Everything
// else about a record is known to its model and its maps only.
//
// Values; they own their texts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fhir/node.h"
#include "record/record_model.h"

namespace fhir_adapter::record {

enum class RecordStatus : std::uint8_t { kInProgress, kCompleted, kCorrected, kNotDone, kVoided };

std::string_view Name(RecordStatus status);
std::optional<RecordStatus> ParseRecordStatus(std::string_view text);

// What names a revision. It can often be read from a record that is otherwise unusable.
struct RecordKey {
  std::string site;
  std::string record_id;
  std::int64_t revision = 0;

  bool operator==(const RecordKey&) const = default;
};

struct RecordEnvelope {
  RecordKey key;
  RecordStatus status = RecordStatus::kCompleted;
  std::string recorded;  // instant, as written
  std::string patient_mrn;
  // For the patient check; empty when not recorded.
  std::string patient_sex;
  std::string patient_birth_date;
  std::string reason;  // correction.reason; free text: keep it in erasable storage
};

// Nothing when a part of the key is absent or of the wrong type.
std::optional<RecordKey> ReadKey(const fhir::Node& root);

// Demands a record without rejected issues; nothing otherwise.
std::optional<RecordEnvelope> ReadEnvelope(const fhir::Node& root);

// Whether records of the model have all of it: site, recordId, revision, status, recorded, patient.mrn.
bool HasEnvelope(const RecordModel& model);

}  // namespace fhir_adapter::record
