// The part of SqliteOutbox that ties a patient to a Patient of the server, by a person's word.

#include <algorithm>
#include <cctype>

#include "outbox/sqlite/sqlite_outbox.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::outbox {
namespace {

constexpr std::string_view kPatientType = "Patient";

// FHIR R4 id: 1 to 64 of letters, digits, '-' and '.'. Empty: not "Patient/<id>".
std::string_view IdOfPatient(std::string_view reference) {
  const std::string prefix = std::string(kPatientType) + "/";
  if (!reference.starts_with(prefix)) return {};
  reference.remove_prefix(prefix.size());
  const bool is_id = reference.size() <= 64 && std::ranges::all_of(reference, [](unsigned char c) {
                       return std::isalnum(c) != 0 || c == '-' || c == '.';
                     });
  return is_id ? reference : std::string_view();
}

bool IsHeldForPatient(const WorkRow& row) {
  return row.state == WorkState::kHeld && (row.reason_code == Name(Code::kPatientNotFound) ||
                                           row.reason_code == Name(Code::kPatientAmbiguous) ||
                                           row.reason_code == Name(Code::kPatientMismatch));
}

audit::Entry LinkEntry(const WorkRow& row, audit::EventKind event, std::string_view patient_id,
                       const Change& change) {
  audit::Entry entry = WorkTable::EntryFor(row, event, change.actor, change.now);
  if (change.actor.kind != ActorKind::kSystem) entry.role = Name(Role::kOperator);
  entry.attempt = 0;
  entry.outcome = "ok";
  entry.fhir = audit::FhirReference{{}, std::string(kPatientType), std::string(patient_id), {}, {}, {}};
  return entry;
}

}  // namespace

Result<std::int64_t> SqliteOutbox::LinkPatient(storage::Transaction& transaction, const WorkId& id,
                                               std::string_view patient, const Change& change) {
  ADAPTER_TRY(const WorkRow row, LoadForChange(transaction, id, change));
  const std::string_view patient_id = IdOfPatient(patient);
  if (patient_id.empty()) return Fail(Code::kUsage, "the patient is written Patient/<id of the server>");
  if (!IsHeldForPatient(row)) {
    return Fail(Code::kNotAllowed, "only work that is held for its patient's sake can be linked; this is " +
                                       std::string(Name(row.state)) +
                                       (row.reason_code.empty() ? "" : ", " + row.reason_code));
  }
  ADAPTER_TRY(const audit::Sequence sequence,
              work_.log().Append(transaction, LinkEntry(row, audit::EventKind::kLinked, patient_id, change)));
  ADAPTER_CHECK(UseWork(transaction, "put_link").Bind(row.patient_key, patient, sequence).Run());
  ADAPTER_CHECK(Remark(transaction, sequence, row.position, change));
  return ReleasePatient(transaction, row.patient_key, change);
}

Result<void> SqliteOutbox::UnlinkPatient(storage::Transaction& transaction, const WorkId& id,
                                         const Change& change) {
  ADAPTER_TRY(const WorkRow row, LoadForChange(transaction, id, change));
  std::string linked;
  {
    storage::Statement statement = UseWork(transaction, "delete_link");
    statement.Bind(row.patient_key);
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return Fail(Code::kNotAllowed, "the patient of this work is not linked");
    linked = statement.Text(0);
    ADAPTER_CHECK(statement.Run());
  }
  ADAPTER_TRY(const audit::Sequence sequence,
              work_.log().Append(transaction,
                                 LinkEntry(row, audit::EventKind::kUnlinked, IdOfPatient(linked), change)));
  return Remark(transaction, sequence, row.position, change);
}

}  // namespace fhir_adapter::outbox
