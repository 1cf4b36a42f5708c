// kill -9 of the real daemon, at named points and at random moments: what was acknowledged is delivered once.
//
// The sender keeps the ledger: only what got 202 or 200 counts, and it is compared with the server at the
// end.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "running_adapter.h"

namespace fhir_adapter::test {
namespace {

constexpr int kCyclesOrdinary = 30;
constexpr unsigned kSeed = 20140506;

int Cycles() {
  const char* text = std::getenv("FHIR_ADAPTER_KILL_CYCLES");
  return text == nullptr ? kCyclesOrdinary : std::atoi(text);
}

std::string RecordNumber(int number) {
  return R"({"recordId":"K-)" + std::to_string(number) +
         R"(","revision":1,"site":"pain-clinic","status":"completed","recorded":"2024-01-02T10:00:00Z",)"
         R"("patient":{"mrn":")" +
         std::to_string(900 + number % 3) +
         R"("},"performed":{"start":"2024-01-02T09:00:00Z"},"procedure":{"kind":"intrathecal-injection"},)"
         R"("administrations":[{"seq":1,"purpose":"therapeutic","drug":"midazolam","dose":{"value":2.50,"unit":"mg"}}]})";
}

// The points at which the process may be told to die; each names the moment just before or after a durable
// step.
const std::vector<std::string> kPoints = {
    "raw-inserted", "before-commit",       "after-commit",    "before-acknowledgement",
    "mapped",       "request-handed-over", "answer-received", "delivery-completed"};

class KilledDaemon : public testing::Test {
 protected:
  KilledDaemon() {
    for (const char* mrn : {"900", "901", "902"}) sandbox_.RegisterPatient(mrn);
  }

  DaemonOptions Options() const {
    DaemonOptions options;
    options.endpoint = sandbox_url();
    options.state_directory = folder_.path().string();
    options.environment = {{"FHIR_ADAPTER_FAULT_LOG", folder_.File("points.log")}};
    return options;
  }
  std::string sandbox_url() const { return sandbox_.url(); }

  // Sends record `number` until it is acknowledged by a daemon that is killed and started in between.
  void Acknowledge(RunningDaemon& daemon, int number) {
    const HttpReply reply = daemon.Submit(RecordNumber(number));
    if (reply.status == 202 || reply.status == 200) acknowledged_.insert(number);
  }

  void ExpectEachDeliveredOnce(RunningDaemon& daemon) {
    for (const int number : acknowledged_) {
      EXPECT_EQ(daemon.WaitForState("K-" + std::to_string(number), 1, {"delivered"}), "delivered");
    }
    const int count = static_cast<int>(acknowledged_.size());
    EXPECT_GE(sandbox_.Count("MedicationAdministration"), count);
    for (const int number : acknowledged_) {
      const std::string value = "pain-clinic.K-" + std::to_string(number);
      EXPECT_EQ(sandbox_.Count("Procedure?identifier=https://clinic.example/fhir/sid/it-procedure|" + value),
                1)
          << value;
      EXPECT_EQ(sandbox_.Count(
                    "MedicationAdministration?identifier=https://clinic.example/fhir/sid/it-administration|" +
                    value + ".1"),
                1)
          << value;
    }
  }

  TemporaryDirectory folder_;
  RunningSandbox sandbox_;
  std::set<int> acknowledged_;
};

TEST_F(KilledDaemon, AtEachNamedPoint_LosesAndDoublesNothing) {
  int number = 0;
  for (const std::string& point : kPoints) {
    // The start itself commits: the fourth time is later, while records come and go.
    for (const char* time : {"@1", "@4"}) {
      DaemonOptions options = Options();
      options.may_die_at_start = true;
      options.environment.emplace_back("FHIR_ADAPTER_FAULT", point + time);
      RunningDaemon daemon(options);
      for (int i = 0; i < 4; ++i) Acknowledge(daemon, number++);
      EXPECT_EQ(daemon.process().Wait(), 128 + 9) << point << time << " was not reached";
    }
  }
  RunningDaemon last(Options());
  for (int i = 0; i < number; ++i) Acknowledge(last, i);
  ExpectEachDeliveredOnce(last);
  std::ifstream log(folder_.File("points.log"));
  const std::set<std::string> passed{std::istream_iterator<std::string>(log),
                                     std::istream_iterator<std::string>()};
  for (const std::string& point : kPoints) EXPECT_TRUE(passed.contains(point)) << point;
}

TEST_F(KilledDaemon, AtRandomMoments_LosesAndDoublesNothing) {
  std::mt19937 random(kSeed);
  int number = 0;
  for (int cycle = 0; cycle < Cycles(); ++cycle) {
    RunningDaemon daemon(Options());
    const int records = static_cast<int>(random() % 6);
    for (int i = 0; i < records; ++i) Acknowledge(daemon, number++);
    daemon.Kill();
  }
  RunningDaemon last(Options());
  ExpectEachDeliveredOnce(last);
  RecordProperty("seed", static_cast<int>(kSeed));
}

}  // namespace
}  // namespace fhir_adapter::test
