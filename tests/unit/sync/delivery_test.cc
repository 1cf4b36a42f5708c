#include "sync/delivery.h"

#include <gtest/gtest.h>

#include "planned_work.h"
#include "scripted_client.h"

namespace fhir_adapter::sync {
namespace {

class StillClock final : public Clock {
 public:
  TimeUs Now() override { return TimeUs{1'000'000}; }
  std::int64_t MonotonicUs() override { return 1'000'000; }
};

class Counting final : public Random {
 public:
  std::uint64_t Next() override { return ++state_; }

 private:
  std::uint64_t state_ = 0;
};

const outbox::ResourceKey kPain = Key("Observation", "it-observation", "clinic.r1.pain.1");

// A correction of a delivered Observation, to a server that says of it what `observation` is.
class UpdateWithoutAnswer : public testing::Test {
 protected:
  outbox::DeliveryReport Deliver(const std::string& observation) {
    client_.Script("Patient?identifier=urn:mrn|100&_count=10",
                   Searchset(R"({"resourceType":"Patient","id":"7","identifier":[)"
                             R"({"system":"urn:mrn","value":"100"}]})"));
    client_.Script("", R"({"resourceType":"Bundle","type":"transaction-response"})");
    client_.Script("Observation/o1", observation);
    outbox::WorkItem item = Work(2);
    item.resources = {Intended(kPain, R"("status":"final","valueString":"3")")};
    item.ledger = {Row(kPain, "o1", "1", R"("status":"final","valueString":"7")")};
    outbox::DeliveryReport report;
    Delivery delivery(std::move(item), {client_, patients_, ladder_, clock_, random_, settings_},
                      [&](Delivery& finished) { report = finished.TakeReport(); });
    delivery.Start();
    return report;
  }
  static std::string Observation(const std::string& version, const std::string& status,
                                 const std::string& score) {
    return R"({"resourceType":"Observation","id":"o1","meta":{"versionId":")" + version + R"("},"status":")" +
           status + R"(","valueString":")" + score + "\"}";
  }

  ScriptedClient client_;
  StillClock clock_;
  Counting random_;
  PatientMatcher patients_{client_, clock_, {"urn:mrn", 60'000'000}};
  DeliveryLadder ladder_{"http://h/fhir", {}};
  DeliverySettings settings_{"http://h/fhir", kBase, {}, 60'000'000};
};

TEST_F(UpdateWithoutAnswer, NewVersion_IsDelivered) {
  const outbox::DeliveryReport report = Deliver(Observation("2", "corrected", "3"));
  EXPECT_EQ(report.outcome, outbox::DeliveryOutcome::kDelivered);
  ASSERT_EQ(report.writes.size(), 1U);
  EXPECT_EQ(report.writes[0].version_id, "2");
}

TEST_F(UpdateWithoutAnswer, OldVersionWithOldContent_IsNotTakenForDelivered) {
  const outbox::DeliveryReport report = Deliver(Observation("1", "final", "7"));
  EXPECT_EQ(report.outcome, outbox::DeliveryOutcome::kAmbiguous);
  EXPECT_TRUE(report.writes.empty());
}

// A server that does not count versions where nothing changes.
TEST_F(UpdateWithoutAnswer, OldVersionWithTheNewContent_IsDelivered) {
  EXPECT_EQ(Deliver(Observation("1", "corrected", "3")).outcome, outbox::DeliveryOutcome::kDelivered);
}

// What reconciling found missing goes back to where it was, and is made anew where the server does not take
// that.
class Missing : public UpdateWithoutAnswer {
 protected:
  outbox::DeliveryReport Repair() {
    client_.Script("Patient?identifier=urn:mrn|100&_count=10",
                   Searchset(R"({"resourceType":"Patient","id":"7","identifier":[)"
                             R"({"system":"urn:mrn","value":"100"}]})"));
    outbox::WorkItem item = Work(2);
    item.kind = outbox::WorkKind::kRepair;
    item.resources = {Intended(kPain, R"("status":"final","valueString":"7")")};
    item.ledger = {Row(kPain, "o1", "", R"("status":"final","valueString":"7")")};
    item.ledger[0].sha256.clear();
    outbox::DeliveryReport report;
    Delivery delivery(std::move(item), {client_, patients_, single_, clock_, random_, settings_},
                      [&](Delivery& finished) { report = finished.TakeReport(); });
    delivery.Start();
    return report;
  }
  static std::string Url() {
    return "Observation?identifier=https://clinic.example/fhir/sid/it-observation|clinic.r1.pain.1";
  }
  DeliveryLadder single_{"http://h/fhir", Rung::kSingle};
};

TEST_F(Missing, WhereItWas_IsTakenFirst) {
  client_.Script("Observation/o1", R"({"resourceType":"Observation","id":"o1","meta":{"versionId":"4"},)"
                                   R"("status":"final","valueString":"7"})");
  const outbox::DeliveryReport report = Repair();
  EXPECT_EQ(report.outcome, outbox::DeliveryOutcome::kDelivered);
  ASSERT_EQ(report.writes.size(), 1U);
  EXPECT_EQ(report.writes[0].server_id, "o1");
}

TEST_F(Missing, WhereItWasIsNotTaken_IsMadeAnew) {
  client_.Script(Url(), Searchset(""));  // the answer to the PUT, which says nothing of its place
  client_.Script(Url() + "&_count=40",
                 Searchset(R"({"resourceType":"Observation","id":"o2","meta":{"versionId":"1"},"identifier":)"
                           R"([{"system":"https://clinic.example/fhir/sid/it-observation","value":)"
                           R"("clinic.r1.pain.1"}],"status":"final","valueString":"7"})"));
  const outbox::DeliveryReport report = Repair();
  EXPECT_EQ(report.outcome, outbox::DeliveryOutcome::kDelivered);
  ASSERT_EQ(report.writes.size(), 1U);
  EXPECT_EQ(report.writes[0].server_id, "o2");
  EXPECT_EQ(report.writes[0].version_id, "1");
}

}  // namespace
}  // namespace fhir_adapter::sync
