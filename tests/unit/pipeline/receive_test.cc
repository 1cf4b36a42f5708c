#include "pipeline/receive.h"

#include <gmock/gmock.h>

#include "core/limits.h"
#include "pipeline_fixture.h"

namespace fhir_adapter::pipeline {
namespace {

using outbox::WorkState;

class ReceiveTest : public PipelineTest {
 protected:
  static std::vector<RecordOutcome> Outcomes(const ReceiveAnswer& answer) {
    std::vector<RecordOutcome> outcomes;
    for (const RecordAnswer& record : answer.records) outcomes.push_back(record.outcome);
    return outcomes;
  }
  static InputRecord Rejected(const std::string& record_id, Code code) {
    InputRecord record = MakeRecord(record_id);
    record.issues.push_back(Issue{code, Location{{}, 3, 4, "/status"}, "not usable"});
    return record;
  }
};

TEST_F(ReceiveTest, Submission_IsAnsweredInItsOrder) {
  Receiver receiver = MakeReceiver();
  ASSERT_TRUE(receiver.ReceiveNow(MakeSubmission({MakeRecord("R1")})));
  InputRecord conflict = MakeRecord("R1");
  conflict.content_sha256.front() ^= 1;
  auto answer = receiver.ReceiveNow(MakeSubmission(
      {MakeRecord("R1"), MakeRecord("R2"), Rejected("R3", Code::kMissing), conflict, MakeRecord("R2")}));
  ASSERT_TRUE(answer);
  EXPECT_THAT(Outcomes(*answer), ::testing::ElementsAre(RecordOutcome::kKnown, RecordOutcome::kAccepted,
                                                        RecordOutcome::kRejected, RecordOutcome::kConflict,
                                                        RecordOutcome::kKnown));
  EXPECT_EQ(answer->http_status(), 202);
  EXPECT_STREQ(answer->hl7_acknowledgement(), "AE");
  EXPECT_EQ(answer->records[1].receipt, answer->records[4].receipt);
  EXPECT_EQ(answer->records[2].issues.at(0).code, Code::kMissing);
  EXPECT_EQ(answer->records[3].issues.at(0).code, Code::kRevisionConflict);
  EXPECT_EQ(Revisions("R3").at(0).state, WorkState::kRejected);
}

// The mark is looked at for each piece: one record more than fits a piece meets it, and what was stored
// before stays.
TEST_F(ReceiveTest, SubmissionOfOnePieceAndOfOneRecordMore_AreStoredByPieces) {
  std::vector<InputRecord> records;
  for (std::size_t i = 0; i <= limits::kAcceptRecordsMax; ++i)
    records.push_back(MakeRecord("R" + std::to_string(i)));
  Receiver full = MakeReceiver({.sites = {}, .high_water = limits::kAcceptRecordsMax});
  const auto refused = full.ReceiveNow(MakeSubmission(records));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kHighWater);
  Receiver receiver = MakeReceiver();
  const auto again = receiver.ReceiveNow(MakeSubmission(records));
  ASSERT_TRUE(again);
  for (std::size_t i = 0; i <= limits::kAcceptRecordsMax; ++i) {
    EXPECT_EQ(again->records[i].record_id, "R" + std::to_string(i));
    const bool is_new = i == limits::kAcceptRecordsMax;
    EXPECT_EQ(again->records[i].outcome, is_new ? RecordOutcome::kAccepted : RecordOutcome::kKnown) << i;
  }
  records.pop_back();
  Receiver fresh = MakeReceiver({.sites = {}, .high_water = 2 * limits::kAcceptRecordsMax});
  const auto whole = fresh.ReceiveNow(MakeSubmission(records));
  ASSERT_TRUE(whole) << "one piece looks at the mark once";
}

struct Row {
  const char* name;
  std::vector<RecordOutcome> outcomes;
  Code code;
  int http_status;
  const char* hl7;
};

TEST(ReceiveAnswer, Status_FollowsTheBestOutcome) {
  using enum RecordOutcome;
  const Row rows[] = {
      {"new", {kAccepted}, Code::kMissing, 202, "AA"},
      {"known", {kKnown, kKnown}, Code::kMissing, 200, "AA"},
      {"new and known", {kKnown, kAccepted}, Code::kMissing, 202, "AA"},
      {"new and rejected", {kRejected, kAccepted}, Code::kMissing, 202, "AE"},
      {"known and rejected", {kRejected, kKnown}, Code::kMissing, 200, "AE"},
      {"every one conflicts", {kConflict, kConflict}, Code::kRevisionConflict, 409, "AE"},
      {"conflict and rejected", {kConflict, kRejected}, Code::kMissing, 409, "AE"},
      {"none usable", {kRejected, kRejected}, Code::kJsonSyntax, 422, "AE"},
      {"one, not JSON", {kRejected}, Code::kJsonSyntax, 400, "AE"},
      {"one, a member missing", {kRejected}, Code::kMissing, 422, "AE"},
  };
  for (const Row& row : rows) {
    ReceiveAnswer answer;
    for (const RecordOutcome outcome : row.outcomes) {
      RecordAnswer record;
      record.outcome = outcome;
      record.issues.push_back(Issue{row.code, {}, ""});
      answer.records.push_back(record);
    }
    EXPECT_EQ(answer.http_status(), row.http_status) << row.name;
    EXPECT_STREQ(answer.hl7_acknowledgement(), row.hl7) << row.name;
  }
}

TEST_F(ReceiveTest, RecordOfAnotherSite_IsRejectedWhereSitesAreNamed) {
  Receiver receiver = MakeReceiver({.sites = {"pain-clinic"}});
  InputRecord other = MakeRecord("R2");
  other.site = "other-clinic";
  auto answer = receiver.ReceiveNow(MakeSubmission({MakeRecord("R1"), other}));
  ASSERT_TRUE(answer);
  EXPECT_THAT(Outcomes(*answer), ::testing::ElementsAre(RecordOutcome::kAccepted, RecordOutcome::kRejected));
  EXPECT_EQ(answer->records[1].issues.at(0).code, Code::kWrongSite);
  EXPECT_EQ(answer->records[1].issues.at(0).where.pointer, "/site");
}

TEST_F(ReceiveTest, QuarantinedIssue_DoesNotRefuseTheRecord) {
  Receiver receiver = MakeReceiver();
  InputRecord record = MakeRecord("R1");
  record.issues.push_back(Issue{Code::kValueNegative, {}, "negative"});
  record.issues.push_back(Issue{Code::kUnknownField, {}, "kept"});
  auto answer = receiver.ReceiveNow(MakeSubmission({record}));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->records[0].outcome, RecordOutcome::kAccepted);
  EXPECT_EQ(answer->records[0].issues.size(), 1U) << "the note";
}

TEST_F(ReceiveTest, HighWater_StoresNothingMore) {
  Receiver receiver = MakeReceiver({.sites = {}, .high_water = 2});
  ASSERT_TRUE(receiver.ReceiveNow(MakeSubmission({MakeRecord("R1"), MakeRecord("R2")})));
  auto refused = receiver.ReceiveNow(MakeSubmission({MakeRecord("R3")}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kHighWater);
  EXPECT_TRUE(Revisions("R3").empty());
  MappingPool pool = MakePool();
  pool.SetMapper(std::make_shared<TestMapper>());
  ASSERT_TRUE(pool.Drain());
  DeliverAll();
  EXPECT_TRUE(receiver.ReceiveNow(MakeSubmission({MakeRecord("R3")}))) << "delivered work does not count";
}

TEST_F(ReceiveTest, AcceptedRecords_WakeTheMapping) {
  Receiver receiver = MakeReceiver();
  int woken = 0;
  receiver.OnAccepted([&] { ++woken; });
  ASSERT_TRUE(receiver.ReceiveNow(MakeSubmission({MakeRecord("R1")})));
  EXPECT_EQ(woken, 1);
  ASSERT_TRUE(receiver.ReceiveNow(MakeSubmission({MakeRecord("R1")})));
  ASSERT_TRUE(receiver.ReceiveNow(MakeSubmission({Rejected("R2", Code::kMissing)})));
  EXPECT_EQ(woken, 1) << "nothing new";
}

}  // namespace
}  // namespace fhir_adapter::pipeline
