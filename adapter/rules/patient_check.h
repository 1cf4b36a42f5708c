// The patient check: whether the Patient found on the server can be the one that the record means.
//
// Pure; thread-safe.
#pragma once

#include <string_view>

#include "fhir/node.h"

namespace fhir_adapter::rules {

// Compares only what both sides have: birth dates to the shorter precision (1960 agrees with 1960-04-05), sex
// with Patient.gender. `sex` and `birth_date` are those of the record; empty means not recorded. A sex of
// `unknown`, on either side, says nothing.
bool PatientAgrees(std::string_view sex, std::string_view birth_date, const fhir::Node& patient);

}  // namespace fhir_adapter::rules
