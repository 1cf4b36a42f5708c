// Reads what stands behind a patient's key and what is intended for a patient's chart.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "outbox/delivery_plan.h"
#include "storage/transaction.h"

namespace fhir_adapter::outbox {

// Without MRN when the patient was erased.
Result<PatientReference> LoadPatient(storage::Snapshot& snapshot, const std::string& patient_key);

// Fills in what the mapping at `position` said of the patient.
Result<void> LoadPatientCheck(storage::Snapshot& snapshot, std::int64_t position, PatientReference& patient);

// The resources intended by the work at `position`, in their order.
Result<std::vector<IntendedResource>> LoadIntended(storage::Snapshot& snapshot, std::int64_t position);

}  // namespace fhir_adapter::outbox
