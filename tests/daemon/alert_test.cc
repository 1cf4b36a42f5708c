// Somebody is told when a trouble starts and when it ends, once each.
#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>

#include "running_adapter.h"

namespace fhir_adapter::test {
namespace {

// What it is called with is a line of the pipe.
class Alerts : public testing::Test {
 protected:
  Alerts() {
    EXPECT_EQ(mkfifo(pipe_.c_str(), 0600), 0);
    const std::string script = folder_.Write("page", "#!/bin/sh\necho \"$@\" > " + pipe_ + "\n");
    EXPECT_EQ(chmod(script.c_str(), 0700), 0);
    options_.more_configuration = "[alert]\ncommand = [\"" + script + "\", \"--team\"]\n";
  }
  std::string NextCall() { return ReadFile(pipe_); }  // waits for it

  TemporaryDirectory folder_;
  const std::string pipe_ = folder_.File("pipe");
  DaemonOptions options_;
};

TEST_F(Alerts, ServerThatIsBusyForAWhile_IsToldOnceAndItsEndOnce) {
  RunningSandbox sandbox({"--fault", "status:503:3:GET /metadata"});
  options_.endpoint = sandbox.url();
  RunningDaemon daemon(options_);
  EXPECT_EQ(NextCall(), "--team started endpoint server-busy\n");
  EXPECT_TRUE(daemon.process().WaitForLine("\"event\":\"alert-started\",\"code\":\"endpoint\""));
  EXPECT_NE(daemon.client().Get("/metrics").body.find("\nfhir_adapter_alert{kind=\"held\"} 0\n"),
            std::string::npos);
  EXPECT_EQ(NextCall(), "--team ended endpoint server-busy\n");
  EXPECT_TRUE(daemon.process().WaitForLine("\"event\":\"alert-ended\",\"code\":\"endpoint\""));
  const std::string metrics = daemon.client().Get("/metrics").body;
  EXPECT_NE(metrics.find("\nfhir_adapter_alert{kind=\"endpoint\"} 0\n"), std::string::npos);
  EXPECT_NE(metrics.find("\nfhir_adapter_endpoint_troubles_total 1\n"), std::string::npos);
}

TEST_F(Alerts, RecordThatTheServerRefuses_IsToldUntilItIsDecided) {
  RunningSandbox sandbox({"--fault", "status:422:1:POST /"});
  options_.endpoint = sandbox.url();
  RunningDaemon daemon(options_);
  const HttpReply registered = sandbox.client().Put(
      "/Patient/p1", R"({"resourceType":"Patient","id":"p1","identifier":[)"
                     R"({"system":"https://hospital.example/fhir/sid/mrn","value":"100001"}]})");
  ASSERT_EQ(registered.status, 201) << registered.body;
  ASSERT_EQ(daemon.Submit(Fixture("records/mg-1.json")).status, 202);
  EXPECT_EQ(NextCall(), "--team started quarantined needs-a-person\n");
  const std::string id =
      AtPointer(daemon.Command({"--json", "queue", "list", "--state", "quarantined"}).standard_output, "/id");
  ASSERT_EQ(daemon.Command({"queue", "retry", id, "--reason", "looked"}).exit_code, 0);
  EXPECT_EQ(NextCall(), "--team ended quarantined needs-a-person\n");
}

}  // namespace
}  // namespace fhir_adapter::test
