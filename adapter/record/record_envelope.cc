#include "record/record_envelope.h"

#include <charconv>
#include <utility>

namespace fhir_adapter::record {
namespace {

constexpr std::pair<std::string_view, RecordStatus> kStatuses[] = {{"in-progress", RecordStatus::kInProgress},
                                                                   {"completed", RecordStatus::kCompleted},
                                                                   {"corrected", RecordStatus::kCorrected},
                                                                   {"not-done", RecordStatus::kNotDone},
                                                                   {"voided", RecordStatus::kVoided}};

}  // namespace

std::string_view Name(RecordStatus status) {
  for (const auto& [name, candidate] : kStatuses) {
    if (candidate == status) return name;
  }
  return {};
}

std::optional<RecordStatus> ParseRecordStatus(std::string_view text) {
  for (const auto& [name, status] : kStatuses) {
    if (name == text) return status;
  }
  return std::nullopt;
}

std::optional<RecordKey> ReadKey(const fhir::Node& root) {
  const fhir::Node* revision = root.Find("revision");
  RecordKey key{std::string(MemberText(&root, "site")), std::string(MemberText(&root, "recordId")), 0};
  if (key.site.empty() || key.record_id.empty() || revision == nullptr || !revision->is_number())
    return std::nullopt;
  const std::string_view digits = revision->text;
  const auto [rest, failure] = std::from_chars(digits.begin(), digits.end(), key.revision);
  if (failure != std::errc() || rest != digits.end() || key.revision < 1) return std::nullopt;
  return key;
}

std::optional<RecordEnvelope> ReadEnvelope(const fhir::Node& root) {
  std::optional<RecordKey> key = ReadKey(root);
  const std::optional<RecordStatus> status = ParseRecordStatus(MemberText(&root, "status"));
  const fhir::Node* patient = root.Find("patient");
  RecordEnvelope envelope;
  envelope.recorded = MemberText(&root, "recorded");
  envelope.patient_mrn = MemberText(patient, "mrn");
  if (!key || !status || envelope.recorded.empty() || envelope.patient_mrn.empty()) return std::nullopt;
  envelope.key = *std::move(key);
  envelope.status = *status;
  envelope.patient_sex = MemberText(patient, "sex");
  envelope.patient_birth_date = MemberText(patient, "birthDate");
  envelope.reason = MemberText(root.Find("correction"), "reason");
  return envelope;
}

bool HasEnvelope(const RecordModel& model) {
  const ModelElement& root = model.root();
  const ModelElement* patient = root.Find("patient");
  return root.Find("site") != nullptr && root.Find("recordId") != nullptr &&
         root.Find("revision") != nullptr && root.Find("status") != nullptr &&
         root.Find("recorded") != nullptr && patient != nullptr && patient->Find("mrn") != nullptr;
}

}  // namespace fhir_adapter::record
