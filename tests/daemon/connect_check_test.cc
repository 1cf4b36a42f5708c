// `check --connect` against servers of which something is wrong: each failure says what to do, and nothing is
// written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "running_adapter.h"

namespace fhir_adapter::test {
namespace {

using testing::HasSubstr;
using testing::Not;

ProcessResult Check(const std::string& url, std::vector<std::string> more = {},
                    const std::string& configuration = {}) {
  const TemporaryDirectory folder;
  const std::string file = folder.Write(
      "config.toml", "[site]\nid = \"pain-clinic\"\n[store]\nurl = \"sqlite:" + folder.File("adapter.db") +
                         "\"\n[endpoint]\nbase_url = \"" + url +
                         "\"\npatient_identifier_system = \"https://hospital.example/fhir/sid/mrn\"\n" +
                         configuration);
  std::vector<std::string> arguments = {"--config", file, "check", "--connect"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return RunAdapter(std::move(arguments));
}

TEST(ConnectCheck, ServerInOrder_IsSaidStepByStepAndNothingIsWritten) {
  RunningSandbox sandbox;
  sandbox.RegisterPatient("100001");
  const std::string before = AtPointer(sandbox.client().Get("/_history").body, "/total");
  const ProcessResult check = Check(sandbox.url(), {"--patient", "100001"});
  EXPECT_EQ(check.exit_code, 0) << check.standard_output << check.standard_error;
  for (const char* step :
       {"tls: ok: none: plain http", "metadata: ok: FHIR 4.0.1", "rung: ok: transaction: the server lists it",
        "new resources: ok: ", "patient: ok: found as Patient/"}) {
    EXPECT_THAT(check.standard_output, HasSubstr(step));
  }
  EXPECT_THAT(check.standard_output, Not(HasSubstr("100001")));
  EXPECT_EQ(AtPointer(sandbox.client().Get("/_history").body, "/total"), before);
}

TEST(ConnectCheck, LowerRung_IsAWarningWithWhatItMeans) {
  RunningSandbox sandbox({"--like", "single-only"});
  const ProcessResult check = Check(sandbox.url());
  EXPECT_EQ(check.exit_code, 0) << check.standard_output;
  EXPECT_THAT(check.standard_output,
              HasSubstr("rung: warning: single: the server lists neither transaction nor batch"));
  EXPECT_THAT(check.standard_output, HasSubstr("patient search: ok: "));
}

TEST(ConnectCheck, PatientWhoIsNobodyOrTwo_IsAFailureThatNamesTheKey) {
  RunningSandbox sandbox;
  for (const char* reason : {"patient-not-found", "", "patient-ambiguous"}) {
    const ProcessResult check = Check(sandbox.url(), {"--patient", "100001"});
    if (*reason != '\0') {
      EXPECT_EQ(check.exit_code, 1) << check.standard_output;
      EXPECT_THAT(check.standard_output, HasSubstr(std::string("patient: failed: ") + reason));
      EXPECT_THAT(check.standard_output, HasSubstr("[endpoint] patient_identifier_system"));
    }
    sandbox.RegisterPatient("100001");
  }
}

struct Trouble {
  const char* name;
  const char* fault;
  const char* finding;
  const char* help;
};

class ConnectCheckOf : public testing::TestWithParam<Trouble> {};

TEST_P(ConnectCheckOf, ServerInTrouble_SaysWhatToDo) {
  RunningSandbox sandbox({"--fault", GetParam().fault});
  const ProcessResult check = Check(sandbox.url());
  EXPECT_EQ(check.exit_code, 1) << check.standard_output;
  EXPECT_THAT(check.standard_output, HasSubstr(GetParam().finding));
  EXPECT_THAT(check.standard_output, HasSubstr(GetParam().help));
}

INSTANTIATE_TEST_SUITE_P(Table, ConnectCheckOf,
                         testing::Values(Trouble{"NotLetIn", "status:401:GET /metadata",
                                                 "access: failed: HTTP 401", "check [endpoint.auth]"},
                                         Trouble{"NoFhirServer", "status:404:GET /metadata",
                                                 "metadata: failed: HTTP 404, no CapabilityStatement",
                                                 "must be the base of a FHIR R4 server"},
                                         Trouble{"NoSearch", "status:403:GET /Patient",
                                                 "patient search: failed: HTTP 403",
                                                 "the server must let us search Patient by identifier"}),
                         [](const auto& one) { return one.param.name; });

TEST(ConnectCheck, NobodyListens_EndsWithStatus4AndSaysWhatToDo) {
  const ProcessResult check = Check("http://127.0.0.1:1/fhir");
  EXPECT_EQ(check.exit_code, 4);
  EXPECT_THAT(check.standard_output, HasSubstr("connection: failed: http://127.0.0.1:1/fhir: unreachable ("));
}

}  // namespace
}  // namespace fhir_adapter::test
