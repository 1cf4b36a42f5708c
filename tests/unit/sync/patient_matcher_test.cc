#include "sync/patient_matcher.h"

#include <gtest/gtest.h>

#include "core/limits.h"
#include "scripted_client.h"

namespace fhir_adapter::sync {
namespace {

class StillClock final : public Clock {
 public:
  TimeUs Now() override { return TimeUs{us}; }
  std::int64_t MonotonicUs() override { return us; }
  std::int64_t us = 1'000'000;
};

const std::string kSearch = "Patient?identifier=urn:mrn|100&_count=10";

std::string Patient(const std::string& id, const std::string& mrn, const std::string& more = "") {
  return R"({"resourceType":"Patient","id":")" + id + R"(","identifier":[{"system":"urn:mrn","value":")" +
         mrn + "\"}]" + more + "}";
}

class Matching : public testing::Test {
 protected:
  PatientMatch Match(const std::string& sex = "", const std::string& birth_date = "",
                     const std::string& key = "k") {
    outbox::PatientReference patient;
    patient.key = key;
    patient.mrn = "100";
    patient.sex = sex;
    patient.birth_date = birth_date;
    PatientMatch match;
    matcher_.Match(patient, {}, [&](PatientMatch found) { match = std::move(found); });
    return match;
  }
  void ExpectHeld(const PatientMatch& match, Code code) {
    EXPECT_EQ(match.outcome, PatientMatch::Outcome::kHeld);
    EXPECT_EQ(Name(match.held), Name(code));
  }

  ScriptedClient client_;
  StillClock clock_;
  PatientMatcher matcher_{client_, clock_, {"urn:mrn", 60'000'000}};
};

TEST_F(Matching, OnePatient_IsFoundAndRememberedForAWhile) {
  client_.Script(kSearch, Searchset(Patient("7", "100")));
  EXPECT_EQ(Match().reference, "Patient/7");
  EXPECT_TRUE(Match().remembered);
  EXPECT_EQ(client_.requests().size(), 1U);
  clock_.us += 60'000'000;
  EXPECT_FALSE(Match().remembered);
  EXPECT_EQ(client_.requests().size(), 2U);
}

TEST_F(Matching, ForgottenPatient_IsAskedForAgain) {
  client_.Script(kSearch, Searchset(Patient("7", "100")));
  Match();
  matcher_.Forget("k");
  EXPECT_FALSE(Match().remembered);
}

TEST_F(Matching, PatientsAtTheLimit_AreAllRememberedAndOneMoreForgetsThem) {
  client_.Script(kSearch, Searchset(Patient("7", "100")));
  const auto match = [this](std::size_t patient) { return Match("", "", "k" + std::to_string(patient)); };
  for (std::size_t i = 0; i < limits::kPatientCacheEntriesMax; ++i) ASSERT_FALSE(match(i).remembered);
  EXPECT_TRUE(match(0).remembered);
  EXPECT_FALSE(match(limits::kPatientCacheEntriesMax).remembered);
  EXPECT_FALSE(match(0).remembered);
}

TEST_F(Matching, PatientAskedForAgainAtTheLimit_ForgetsNobody) {
  client_.Script(kSearch, Searchset(Patient("7", "100")));
  Match("", "", "old");
  clock_.us += 60'000'000;
  for (std::size_t i = 1; i < limits::kPatientCacheEntriesMax; ++i) Match("", "", "k" + std::to_string(i));
  EXPECT_FALSE(Match("", "", "old").remembered);
  EXPECT_TRUE(Match("", "", "k1").remembered);
}

TEST_F(Matching, NoneOrSeveral_AreHeldAndNotRemembered) {
  client_.Script(kSearch, Searchset(""));
  ExpectHeld(Match(), Code::kPatientNotFound);
  client_.Script(kSearch, Searchset(Patient("7", "100") + "\n" + Patient("8", "100")));
  ExpectHeld(Match(), Code::kPatientAmbiguous);
  client_.Script(kSearch, Searchset(Patient("7", "100")));
  EXPECT_EQ(Match().outcome, PatientMatch::Outcome::kFound);
}

TEST_F(Matching, OneOfAPageThatIsNotTheLast_IsHeldAsAmbiguous) {
  client_.Script(kSearch, Searchset(Patient("7", "100"), true));
  ExpectHeld(Match(), Code::kPatientAmbiguous);
  client_.Script(kSearch, Searchset(Patient("7", "100")));
  EXPECT_EQ(Match().outcome, PatientMatch::Outcome::kFound);
}

TEST_F(Matching, ServerThatIgnoresTheSearch_GivesNobodyElse) {
  client_.Script(kSearch, Searchset(Patient("8", "999")));
  ExpectHeld(Match(), Code::kPatientNotFound);
}

TEST_F(Matching, LinkedPatient_IsTakenAsItIs) {
  outbox::PatientReference patient;
  patient.linked_id = "Patient/x";
  std::string reference;
  matcher_.Match(patient, {}, [&](const PatientMatch& match) { reference = match.reference; });
  EXPECT_EQ(reference, "Patient/x");
  EXPECT_TRUE(client_.requests().empty());
}

TEST_F(Matching, RememberedMismatch_IsOnlyBelievedWhenFresh) {
  client_.Script(kSearch, Searchset(Patient("7", "100", R"(,"birthDate":"1960-04-05")")));
  Match();
  client_.Script(kSearch, Searchset(Patient("7", "100", R"(,"birthDate":"1961")")));
  EXPECT_EQ(Match("", "1961").outcome, PatientMatch::Outcome::kFound);
  ExpectHeld(Match("", "1962"), Code::kPatientMismatch);
}

TEST_F(Matching, ServerThatCannotBeAsked_IsAFailure) {
  client_.Script(kSearch, "{}", 503);
  const PatientMatch match = Match();
  EXPECT_EQ(match.outcome, PatientMatch::Outcome::kFailed);
  EXPECT_EQ(match.classification.verdict, Verdict::kRetry);
}

struct AgreementRow {
  const char* sex;
  const char* birth_date;
  bool agrees;
};

class Agreement : public Matching, public testing::WithParamInterface<AgreementRow> {};

// Against a male patient born on 1960-04-05.
TEST_P(Agreement, OnlyWhatBothHave_IsCompared) {
  client_.Script(kSearch, Searchset(Patient("7", "100", R"(,"gender":"male","birthDate":"1960-04-05")")));
  const PatientMatch match = Match(GetParam().sex, GetParam().birth_date);
  EXPECT_EQ(match.outcome == PatientMatch::Outcome::kFound, GetParam().agrees);
}

INSTANTIATE_TEST_SUITE_P(Table, Agreement,
                         testing::Values(AgreementRow{"", "", true}, AgreementRow{"male", "", true},
                                         AgreementRow{"female", "", false}, AgreementRow{"unknown", "", true},
                                         AgreementRow{"other", "", false}, AgreementRow{"", "1960", true},
                                         AgreementRow{"", "1960-04", true},
                                         AgreementRow{"", "1960-04-05", true},
                                         AgreementRow{"", "1960-05", false}, AgreementRow{"", "1961", false},
                                         AgreementRow{"male", "1960-04-06", false}));

}  // namespace
}  // namespace fhir_adapter::sync
