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

// The text of a member, empty when it is not a text.
std::string_view TextOf(const fhir::Node* node, std::string_view member) {
  const fhir::Node* value = node != nullptr ? node->Find(member) : nullptr;
  return value != nullptr && value->is_string() ? value->text : std::string_view();
}

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
  RecordKey key{std::string(TextOf(&root, "site")), std::string(TextOf(&root, "recordId")), 0};
  if (key.site.empty() || key.record_id.empty() || revision == nullptr || !revision->is_number())
    return std::nullopt;
  const std::string_view digits = revision->text;
  const auto [rest, failure] = std::from_chars(digits.begin(), digits.end(), key.revision);
  if (failure != std::errc() || rest != digits.end() || key.revision < 1) return std::nullopt;
  return key;
}

std::optional<RecordEnvelope> ReadEnvelope(const fhir::Node& root) {
  std::optional<RecordKey> key = ReadKey(root);
  const std::optional<RecordStatus> status = ParseRecordStatus(TextOf(&root, "status"));
  const fhir::Node* patient = root.Find("patient");
  RecordEnvelope envelope;
  envelope.recorded = TextOf(&root, "recorded");
  envelope.patient_mrn = TextOf(patient, "mrn");
  if (!key || !status || envelope.recorded.empty() || envelope.patient_mrn.empty()) return std::nullopt;
  envelope.key = *std::move(key);
  envelope.status = *status;
  envelope.patient_sex = TextOf(patient, "sex");
  envelope.patient_birth_date = TextOf(patient, "birthDate");
  envelope.reason = TextOf(root.Find("correction"), "reason");
  return envelope;
}

}  // namespace fhir_adapter::record
