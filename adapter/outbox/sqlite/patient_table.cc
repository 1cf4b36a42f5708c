#include "outbox/sqlite/patient_table.h"

#include "outbox/sqlite/work_table.h"
#include "storage/sqlite/connection.h"

namespace fhir_adapter::outbox {

using storage::Statement;

Result<PatientReference> LoadPatient(storage::Snapshot& snapshot, const std::string& patient_key) {
  PatientReference patient;
  patient.key = patient_key;
  Statement statement = UseWork(snapshot, "patient_reference");
  statement.Bind(patient_key);
  ADAPTER_TRY(const bool has_row, statement.Step());
  if (has_row) {
    patient.mrn = statement.Text(0);
    patient.linked_id = statement.Text(1);
  }
  return patient;
}

Result<std::vector<IntendedResource>> LoadIntended(storage::Snapshot& snapshot, std::int64_t position) {
  Statement statement = UseWork(snapshot, "resources");
  statement.Bind(position);
  std::vector<IntendedResource> resources;
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return resources;
    resources.push_back(IntendedResource{ResourceKey{statement.Text(0), statement.Text(1), statement.Text(2)},
                                         statement.Text(3), statement.Text(6), statement.Text(4),
                                         statement.Integer(5) != 0});
  }
}

Result<void> LoadPatientCheck(storage::Snapshot& snapshot, std::int64_t position, PatientReference& patient) {
  Statement check = UseWork(snapshot, "patient_check");
  check.Bind(position);
  ADAPTER_TRY(const bool has_row, check.Step());
  if (!has_row) return {};
  patient.sex = check.Text(0);
  patient.birth_date = check.Text(1);
  return {};
}

}  // namespace fhir_adapter::outbox
