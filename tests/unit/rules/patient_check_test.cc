#include "rules/patient_check.h"

#include <gtest/gtest.h>

#include "fhir/json_reader.h"

namespace fhir_adapter::rules {
namespace {

struct PatientCase {
  std::string_view name;
  std::string_view sex;
  std::string_view birth_date;
  std::string_view patient;
  bool agrees;
};

class PatientCheck : public ::testing::TestWithParam<PatientCase> {};

TEST_P(PatientCheck, ComparesWhatBothSidesHave) {
  Arena arena;
  const auto patient = fhir::ReadJson(GetParam().patient, arena);
  ASSERT_TRUE(patient.has_value());
  EXPECT_EQ(PatientAgrees(GetParam().sex, GetParam().birth_date, **patient), GetParam().agrees);
}

INSTANTIATE_TEST_SUITE_P(
    Patients, PatientCheck,
    ::testing::Values(
        PatientCase{"Same", "male", "1960-04-05", R"({"gender":"male","birthDate":"1960-04-05"})", true},
        PatientCase{"NothingRecorded", "", "", R"({"gender":"male","birthDate":"1960-04-05"})", true},
        PatientCase{"NothingOnTheServer", "male", "1960-04-05", "{}", true},
        PatientCase{"OtherSex", "male", "1960-04-05", R"({"gender":"female","birthDate":"1960-04-05"})",
                    false},
        PatientCase{"OtherAgainstMale", "other", "", R"({"gender":"male"})", false},
        PatientCase{"SexUnknownHere", "unknown", "", R"({"gender":"male"})", true},
        PatientCase{"SexUnknownThere", "male", "", R"({"gender":"unknown"})", true},
        PatientCase{"OtherDay", "male", "1960-04-05", R"({"gender":"male","birthDate":"1960-04-06"})", false},
        PatientCase{"YearAgrees", "", "1960", R"({"birthDate":"1960-04-05"})", true},
        PatientCase{"YearDiffers", "", "1961", R"({"birthDate":"1960-04-05"})", false},
        PatientCase{"MonthOnTheServerAgrees", "", "1960-04-05", R"({"birthDate":"1960-04"})", true},
        PatientCase{"MonthOnTheServerDiffers", "", "1960-04-05", R"({"birthDate":"1960-05"})", false}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace fhir_adapter::rules
