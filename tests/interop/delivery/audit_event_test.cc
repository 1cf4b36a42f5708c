// AuditEvents of the real daemon on HAPI: one for each version of each resource that it wrote, and none that
// the validator objects to.
#include <gtest/gtest.h>
#include <set>

#include "daemon/running_adapter.h"
#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "hapi_server.h"

namespace fhir_adapter::test {
namespace {

using fhir::MemberText;
using fhir::Node;

TEST(AuditEventsOnHapi, EachVersionThatWasWritten_IsToldOnceAndIsValid) {
  HapiServer server;
  server.RegisterPatient("100001", "", "");
  server.RegisterPatient("100003", "", "");
  server.RegisterPatient("200001", "", "");
  DaemonOptions options;
  options.endpoint = server.url();
  options.more_configuration = "request_timeout_s = 120\naudit_events = \"on\"\n";
  RunningDaemon daemon(options);
  for (const char* file : {"mg-1", "mg-3-revision-1", "mg-3-revision-2", "full"}) {
    ASSERT_EQ(daemon.Submit(Fixture("records/" + std::string(file) + ".json")).status, 202) << file;
    ASSERT_TRUE(daemon.WaitUntilDelivered()) << daemon.Command({"queue", "list"}).standard_output;
  }
  std::set<std::string> written;
  for (const auto& [place, version] : server.Content().Versions()) {
    for (int n = 1; n <= std::stoi(version); ++n) written.insert(place + "/_history/" + std::to_string(n));
  }
  EXPECT_GT(written.size(), 60U);
  std::multiset<std::string> told;
  std::string lines;
  Arena arena;
  server.ForEach("AuditEvent", arena, [&](Node& event) {
    const Node* reference = fhir::AtPointer(event, "/entity/0/what/reference");
    ASSERT_NE(reference, nullptr);
    told.insert(std::string(reference->text));
    EXPECT_EQ(MemberText(*event.Find("meta"), "versionId"), "1");
    lines += fhir::ToJson(event) + "\n";
  });
  EXPECT_EQ(told, std::multiset<std::string>(written.begin(), written.end()));
  EXPECT_EQ(server.Count("AuditEvent"), static_cast<int>(written.size()));
  const std::string stats = daemon.Command({"queue", "stats", "--json"}).standard_output;
  EXPECT_EQ(AtPointer(stats, "/endpoint/auditEvents"), "listed") << stats;

  ProcessOptions validator;
  validator.arguments = {FHIR_ADAPTER_SOURCE_DIR "/tests/interop/validator/run.sh",
                         daemon.folder().Write("events.ndjson", lines)};
  const ProcessResult judged = RunProcess(validator, 600'000);
  EXPECT_EQ(judged.exit_code, 0) << judged.standard_output.substr(0, 4'000) << judged.standard_error;
}

}  // namespace
}  // namespace fhir_adapter::test
