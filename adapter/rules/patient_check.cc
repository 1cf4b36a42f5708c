#include "rules/patient_check.h"

#include <algorithm>

namespace fhir_adapter::rules {
namespace {

std::string_view TextOf(const fhir::Node& node, std::string_view member) {
  const fhir::Node* value = node.Find(member);
  return value != nullptr && value->is_string() ? value->text : std::string_view();
}

}  // namespace

bool PatientAgrees(std::string_view sex, std::string_view birth_date, const fhir::Node& patient) {
  const std::string_view server_sex = TextOf(patient, "gender");
  const bool sex_is_known =
      !sex.empty() && !server_sex.empty() && sex != "unknown" && server_sex != "unknown";
  if (sex_is_known && sex != server_sex) return false;
  const std::string_view server_date = TextOf(patient, "birthDate");
  // A date of shorter precision is the beginning of the longer one.
  const std::size_t shorter = std::min(birth_date.size(), server_date.size());
  return birth_date.substr(0, shorter) == server_date.substr(0, shorter);
}

}  // namespace fhir_adapter::rules
