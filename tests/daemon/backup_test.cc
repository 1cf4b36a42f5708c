// A copy of the live store, and the way back: nothing is sent by an old store without a person's word.
#include <gtest/gtest.h>
#include <string>

#include "running_adapter.h"

namespace fhir_adapter::test {
namespace {

TEST(Backup, OfARunningDaemon_CanBeCheckedAndRestored) {
  RunningSandbox sandbox;
  DaemonOptions options;
  options.endpoint = sandbox.url();
  RunningDaemon daemon(options);
  sandbox.RegisterPatient("100001", "female");
  ASSERT_EQ(daemon.Submit(Fixture("records/mg-1.json")).status, 202);
  ASSERT_EQ(daemon.WaitForState("MG-1", 1, {"delivered"}), "delivered");

  const std::string copy = daemon.folder().File("copy.db");
  const ProcessResult backup = daemon.Command({"backup", copy});
  ASSERT_EQ(backup.exit_code, 0) << backup.standard_error;
  EXPECT_EQ(daemon.Command({"backup", copy}).exit_code, 3) << "an existing file must not be overwritten";
  EXPECT_EQ(daemon.Command({"restore", "--check", copy}).exit_code, 0);
  EXPECT_EQ(daemon.Command({"restore", copy}).exit_code, 3) << "the daemon uses the store";

  // What came after the backup is on the server and not in the copy.
  ASSERT_EQ(daemon.Submit(Fixture("records/mg-2.json")).status, 202);
  ASSERT_EQ(daemon.WaitForState("MG-2", 1, {"held"}), "held");
  EXPECT_EQ(daemon.Stop(), 0);
  const ProcessResult restored = daemon.Command({"restore", copy});
  ASSERT_EQ(restored.exit_code, 0) << restored.standard_error;
  daemon.Start();
  EXPECT_EQ(daemon.StateOf("MG-1", 1), "delivered");
  EXPECT_EQ(daemon.StateOf("MG-2", 1), "");
  const ProcessResult statistics = daemon.Command({"--json", "queue", "stats"});
  EXPECT_EQ(AtPointer(statistics.standard_output, "/sendingStopped"), "true") << statistics.standard_output;

  ASSERT_EQ(daemon.Submit(Fixture("records/mg-3-revision-2.json")).status, 202);
  sandbox.RegisterPatient("100003", "male");
  EXPECT_EQ(daemon.WaitForState("MG-3", 2, {"queued"}), "queued");
  EXPECT_EQ(daemon.Command({"reconcile", "--repair", "--reason", "x"}).exit_code, 2) << "nothing is sent yet";
  EXPECT_EQ(daemon.Command({"reconcile", "--adopt"}).exit_code, 2) << "without a reason";
  const ProcessResult resumed =
      daemon.Command({"reconcile", "--adopt", "--reason", "the clinic sent everything again"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.standard_error;
  EXPECT_EQ(daemon.WaitForState("MG-3", 2, {"delivered"}), "delivered");
}

TEST(Backup, DamagedCopy_IsRefused) {
  TemporaryDirectory folder;
  const std::string file = folder.Write("copy.db", std::string(8192, 'x'));
  const ProcessResult result = RunAdapter({"restore", "--check", file});
  EXPECT_EQ(result.exit_code, 3) << result.standard_output;
}

}  // namespace
}  // namespace fhir_adapter::test
