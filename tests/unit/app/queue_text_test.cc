#include "app/queue_text.h"

#include <gtest/gtest.h>

#include "app/queue_changes.h"

namespace fhir_adapter::app {
namespace {

outbox::QueueEntry HeldEntry() {
  outbox::QueueEntry entry;
  entry.id.value = "w-1";
  entry.site = "pain-clinic";
  entry.record_id = "MG-3";
  entry.revision = 2;
  entry.state = outbox::WorkState::kHeld;
  entry.reasons = {{Code::kPatientNotFound, "/patient/mrn", "no patient with this number"}};
  entry.next_attempt = TimeUs{0};
  return entry;
}

TEST(QueueText, EntryJson_HasTheMembersOfTheContract) {
  EXPECT_EQ(
      EntryJson(HeldEntry()),
      "{\"id\":\"w-1\",\"recordId\":\"MG-3\",\"site\":\"pain-clinic\",\"revision\":2,\"state\":\"held\","
      "\"reason\":\"patient-not-found\",\"nextAttempt\":\"1970-01-01T00:00:00.000000Z\"}\n");
}

TEST(QueueText, EntryWithoutReasonOrTime_HasEmptyAndNull) {
  outbox::QueueEntry entry = HeldEntry();
  entry.reasons.clear();
  entry.next_attempt.reset();
  EXPECT_NE(EntryJson(entry).find("\"reason\":\"\",\"nextAttempt\":null}"), std::string::npos);
}

TEST(QueueText, Detail_SaysWhatToDo) {
  outbox::QueueDetail detail;
  detail.entry = HeldEntry();
  const std::string text = DetailText(detail);
  EXPECT_NE(text.find("patient-not-found: /patient/mrn"), std::string::npos);
  EXPECT_NE(text.find(std::string(Describe(Code::kPatientNotFound).help)), std::string::npos);
}

TEST(QueueText, Statistics_SayHowTheDaemonSendsAndWhy) {
  sync::SyncStatistics sending;
  sending.rung = {sync::Rung::kBatch, sync::RungReason::kTakenApart};
  sending.posted = {{"AdverseEvent", sync::FormReason::kListed}, {"Provenance", sync::FormReason::kRefused}};
  sending.route = sync::RouteState::kHalfOpen;
  sending.has_trouble = true;
  sending.trouble = Code::kServerBusy;
  sending.server_software = "HAPI \"x\"";
  sending.concurrency = 4;
  sending.in_flight = 1;
  sending.audit_events = sync::AuditEventState::kRefused;
  const auto state = ParseEndpointState(ToJson(EndpointStateOf(sending)));
  ASSERT_TRUE(state);
  const std::string text = StatisticsText({}, *state, DiskUse{});
  EXPECT_NE(text.find("server       HAPI \"x\", trouble: server-busy, one record is tried\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("sent as      batch (taken-apart), 1 patients at the moment, 4 at most\n"),
            std::string::npos);
  EXPECT_NE(text.find("new ids      by the server for AdverseEvent (listed), Provenance (refused)\n"),
            std::string::npos);
  EXPECT_NE(text.find("AuditEvents  not sent: the server does not take them (refused)\n"), std::string::npos);
  EXPECT_NE(StatisticsJson({}, *state, DiskUse{})
                .find("\"endpoint\":{\"rung\":\"batch\",\"rungReason\":\"taken-apart\""),
            std::string::npos);
  const Result<EndpointState> none = Fail(Code::kUnreachable, "no daemon runs");
  EXPECT_NE(StatisticsText({}, none, DiskUse{}).find("server       no daemon runs\n"), std::string::npos);
  EXPECT_NE(StatisticsJson({}, none, DiskUse{}).find("\"endpoint\":null}"), std::string::npos);
}

TEST(QueueText, Conflict_ShowsEachElementOfBothSides) {
  outbox::QueueDetail detail;
  detail.entry = HeldEntry();
  outbox::ResourceConflict conflict;
  conflict.key = {"Observation", "urn:s", "r1.pain.1"};
  conflict.server_id = "12";
  conflict.version_id = "3";
  conflict.delivered = R"({"valueString":"7"})";
  conflict.ours = R"({"valueString":"3"})";
  conflict.theirs = R"({"valueString":"9","note":[{"text":"seen"}]})";
  detail.conflicts = {conflict};
  const std::string text = DetailText(detail);
  EXPECT_NE(text.find("conflict  Observation/12/_history/3 is someone else's\n"
                      "  valueString\n    ours       \"3\"\n    theirs     \"9\"\n    delivered  \"7\"\n"
                      "  note\n    ours       –\n    theirs     [{\"text\":\"seen\"}]\n    delivered  –\n"),
            std::string::npos)
      << text;
  EXPECT_NE(
      DetailJson(detail).find(
          R"("conflicts":[{"resource":"Observation/12","identifier":"urn:s|r1.pain.1","theirVersion":"3",)"
          R"("removed":false,"elements":[{"path":"valueString","ours":"3","theirs":"9","delivered":"7"},)"
          R"({"path":"note","ours":null,"theirs":[{"text":"seen"}],"delivered":null}]}])"),
      std::string::npos)
      << DetailJson(detail);
}

TEST(QueueChange, JsonOfARequest_IsReadBack) {
  const QueueChange change{"link", {"a", "b\"c"}, "code table \"x\" corrected", "Patient/1", "ours"};
  const auto parsed = ParseQueueChange(ToJson(change));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->action, change.action);
  EXPECT_EQ(parsed->ids, change.ids);
  EXPECT_EQ(parsed->reason, change.reason);
  EXPECT_EQ(parsed->patient, change.patient);
  EXPECT_EQ(parsed->decision, change.decision);
}

TEST(QueueChange, WithoutReasonOrIds_IsRefused) {
  EXPECT_FALSE(ParseQueueChange(R"({"action":"retry","ids":["a"],"reason":""})"));
  EXPECT_FALSE(ParseQueueChange(R"({"action":"retry","ids":[],"reason":"x"})"));
  EXPECT_FALSE(ParseQueueChange(R"({"action":"delete","ids":["a"],"reason":"x"})"));
  EXPECT_FALSE(ParseQueueChange(R"({"action":"release","ids":["a"],"reason":"x","decision":"both"})"));
}

TEST(QueueChange, Results_AreReadBack) {
  const auto parsed =
      ParseQueueChangeResults(ToJson(std::vector<QueueChangeResult>{{"a", true, ""}, {"b", false, "no"}}));
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->size(), 2U);
  EXPECT_TRUE((*parsed)[0].done);
  EXPECT_EQ((*parsed)[1].message, "no");
}

}  // namespace
}  // namespace fhir_adapter::app
