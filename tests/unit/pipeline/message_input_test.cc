// What an HL7 v2 message asks the store to take, with the shipped maps.
#include "pipeline/message_input.h"

#include <gmock/gmock.h>
#include <string>
#include <utility>
#include <vector>

#include "core/limits.h"
#include "pipeline/message_mapping.h"
#include "pipeline/pushed_observation.h"
#include "shipped_set.h"

namespace fhir_adapter::pipeline {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Header(const std::string& type, const std::string& sent = "20140507090000+0900") {
  return "MSH|^~\\&|EMAR|pain-clinic|ADAPTER|HOSPITAL|" + sent + "||" + type + "|M1|P|2.5\r";
}

std::string Result(const std::string& observations) {
  return Header("ORU^R01") + "PID|1||100003\rOBR|1|REQ-1|pain-clinic.H1.1\r" + observations;
}

std::string Administration(const std::string& amount, const std::string& procedure = "H1",
                           const std::string& sent = "20140507090000+0900") {
  return Header("RAS^O17", sent) +
         "PID|1||100003\rPR1|1||intrathecal-injection||20140506100000||||||||||||||" + procedure +
         "\rORC|RE\rRXA|0|1|||midazolam|" + amount + "|mg\rRXR|IT\r";
}

MessageInput Read(const std::string& message) {
  RecordMapping records(SharedShippedSet());
  return MessageMapping(records).Read(message, nullptr);
}

// What it becomes where nothing of the patient is on a server.
MapOutput MappedAlone(const MessageObservation& one) {
  outbox::MappingFacts facts;
  facts.mrn = "100003";
  return MapPushedObservation("s.ehr.x", one.observation.bytes, facts, ShippedSet().maps()->schema(),
                              MappingSettings{});
}

std::string IssuesOf(const Issues& issues) {
  std::string text;
  for (const Issue& issue : issues) {
    if (issue.disposition() == Disposition::kNote) continue;
    text += issue.where.pointer + " " + std::string(Name(issue.code)) + " " +
            std::to_string(issue.where.line) + "\n";
  }
  return text;
}

TEST(MessageInput, Administration_BecomesARecord) {
  const MessageInput input = Read(Administration("2.50"));
  ASSERT_TRUE(input.record);
  EXPECT_FALSE(input.is_refused) << IssuesOf(input.issues);
  EXPECT_EQ(input.record->site + " " + input.record->record_id + " " + input.record->mrn,
            "pain-clinic H1 100003");
  EXPECT_EQ(input.record->revision, 452736000);
  EXPECT_THAT(input.record->bytes, HasSubstr("\"value\":2.50"));
}

TEST(MessageInput, RecordThatCanBeNamed_IsKeptAsTheMessage) {
  const MessageInput input = Read(Administration("2x"));
  EXPECT_FALSE(input.is_refused);
  ASSERT_TRUE(input.record);
  EXPECT_EQ(input.record->bytes, Administration("2x"));
  EXPECT_EQ(input.record->record_id, "H1");
  EXPECT_EQ(IssuesOf(input.issues), "RXA-6 map-failed 5\n");
}

TEST(MessageInput, RecordThatCannotBeNamed_IsRefused) {
  EXPECT_TRUE(Read(Administration("2x", "")).is_refused);
  EXPECT_TRUE(Read(Administration("2", "")).is_refused);
  const MessageInput untimed = Read(Administration("2", "H1", "20140507090000"));
  EXPECT_TRUE(untimed.is_refused) << "the second of MSH-7 is the revision";
  EXPECT_THAT(IssuesOf(untimed.issues), HasSubstr("MSH-7 time-ambiguous 1\n"));
}

TEST(MessageInput, UnknownKindAndUnreadableBytes_AreRefused) {
  EXPECT_EQ(IssuesOf(Read(Header("ADT^A01")).issues), "MSH-9 not-supported 1\n");
  EXPECT_TRUE(Read(Header("ADT^A01")).is_refused);
  EXPECT_TRUE(Read("MSH|^~\\&|\xFF\r").is_refused);
  EXPECT_TRUE(Read(Result("")).is_refused) << "no observation";
}

TEST(MessageInput, Result_IsAnObservationForEachValue) {
  const MessageInput input =
      Read(Result("OBX|1|NM|NRS|1|4||||||F\rNTE|1||at night\rOBX|2|NM|VAS|1|32|mm|||||P\r"));
  ASSERT_FALSE(input.is_refused) << IssuesOf(input.issues);
  ASSERT_EQ(input.observations.size(), 2U);
  EXPECT_EQ(input.observations[0].identity->value, "pain-clinic.hl7.pain-clinic~2EH1~2E1.REQ-1.NRS.1");
  EXPECT_EQ(*input.observations[0].identity->system, "https://clinic.example/fhir/sid/it-observation-hl7v2");
  EXPECT_EQ(input.observations[1].observation.status, "preliminary");
  EXPECT_THAT(input.observations[0].observation.bytes, HasSubstr("at night"));
  EXPECT_THAT(input.observations[1].observation.bytes, Not(HasSubstr("at night")));
}

TEST(MessageInput, ValueThatCannotBeRead_KeepsItsObservationOnlyFromBeingSent) {
  const MessageInput input = Read(Result("OBX|1|NM|NRS|1|4||||||F\rOBX|2|NM|VAS|1|five|mm|||||F\r"));
  ASSERT_FALSE(input.is_refused) << IssuesOf(input.issues);
  ASSERT_EQ(input.observations.size(), 2U);
  EXPECT_EQ(MappedAlone(input.observations[0]).issues.at(0).code, Code::kUnresolvedLink);
  const Issues issues = MappedAlone(input.observations[1]).issues;
  ASSERT_EQ(issues.size(), 1U);
  EXPECT_EQ(issues[0].code, Code::kMapFailed);
  EXPECT_THAT(issues[0].where.pointer, HasSubstr("OBX-5"));
}

// What stands in a segment that all share keeps all of them.
TEST(MessageInput, SharedValueThatCannotBeRead_KeepsAll) {
  const MessageInput input = Read(Header("ORU^R01") + "PID|1||100003\rOBR|1|REQ-1|a.b.1||||someday\r" +
                                  "OBX|1|NM|NRS|1|4||||||F\rOBX|2|NM|VAS|1|3||||||F\r");
  ASSERT_FALSE(input.is_refused) << IssuesOf(input.issues);
  ASSERT_EQ(input.observations.size(), 2U);
  for (const MessageObservation& one : input.observations) {
    EXPECT_THAT(one.observation.bytes, HasSubstr("it-unread")) << one.observation.bytes;
  }
}

// Whether the map's own check refuses it or FHIR R4 does: it waits, and the others go their way.
TEST(MessageInput, ObservationThatCannotBeSent_IsKeptFromBeingSentOnly) {
  struct Case {
    std::string segment;
    Code code;
    std::string place;
    std::string identity;
  };
  for (const Case& one : {Case{"OBX|2|ED|VAS|1|3||||||F", Code::kMapCheck, "OBX", "VAS.1"},
                          Case{"OBX|2|NM||1|3||||||F", Code::kOutputInvalid, "OBX", ".1"}}) {
    const MessageInput input = Read(Result("OBX|1|NM|NRS|1|4||||||F\r" + one.segment + "\r"));
    EXPECT_FALSE(input.is_refused) << one.segment << IssuesOf(input.issues);
    EXPECT_THAT(IssuesOf(input.issues), HasSubstr(one.place + " " + std::string(Name(one.code)) + " 5\n"));
    ASSERT_EQ(input.observations.size(), 2U) << one.segment;
    EXPECT_EQ(MappedAlone(input.observations[0]).issues.at(0).code, Code::kUnresolvedLink);
    const MessageObservation& waiting = input.observations[1];
    ASSERT_TRUE(waiting.identity);
    EXPECT_THAT(waiting.identity->value, testing::EndsWith(one.identity));
    ASSERT_FALSE(MappedAlone(waiting).issues.empty()) << waiting.observation.bytes;
    EXPECT_EQ(MappedAlone(waiting).issues[0].code, one.code);
    EXPECT_THAT(MappedAlone(waiting).resources, testing::IsEmpty());
  }
}

// Two of them must not take each other's place.
TEST(MessageInput, ObservationThatCannotBeKnownAgain_HasNoIdentity) {
  const MessageInput input =
      Read(Header("ORU^R01") + "PID|1||100003\rOBR|1||a.b.1\rOBX|1|NM|NRS||4||||||F\r");
  EXPECT_FALSE(input.is_refused) << IssuesOf(input.issues);
  ASSERT_EQ(input.observations.size(), 1U);
  EXPECT_FALSE(input.observations[0].identity);
  EXPECT_EQ(MappedAlone(input.observations[0]).issues.at(0).code, Code::kMapCheck);
}

TEST(MessageInput, ObservationOfNobody_RefusesTheMessage) {
  const MessageInput input =
      Read(Header("ORU^R01") + "PID|1||\rOBR|1|REQ-1|a.b.1\rOBX|1|ED|NRS|1|4||||||F\r");
  EXPECT_TRUE(input.is_refused);
  EXPECT_TRUE(input.observations.empty());
}

// The check stands before anything that says which record it is.
TEST(MessageInput, RecordThatACheckRefuses_IsKeptAsTheMessage) {
  std::vector<fml::SourceFile> files = ShippedSet().maps()->files();
  for (fml::SourceFile& file : files) {
    if (file.path != "hl7v2/ras-o17.map") continue;
    const std::string first = "  message.MSH as header ->";
    file.bytes.replace(file.bytes.find(first), first.size(),
                       "  message.MSH as h check (%h.f3 = 'OTHER') then { } \"own\";\n" + first);
  }
  std::vector<fml::Finding> findings;
  RecordMapping records(MappingSet::Build(std::move(files), MappingSettings{}, findings));
  const MessageInput input = MessageMapping(records).Read(Administration("2"), nullptr);
  EXPECT_FALSE(input.is_refused) << IssuesOf(input.issues);
  ASSERT_TRUE(input.record);
  EXPECT_EQ(input.record->bytes, Administration("2"));
  EXPECT_EQ(input.record->site + " " + input.record->record_id + " " + input.record->mrn,
            "pain-clinic H1 100003");
  EXPECT_THAT(IssuesOf(input.issues), HasSubstr("map-check"));
  const MappedRecord mapped = MessageMapping(records).Map({input.record->bytes, 1}, RecordForm::kIntended);
  EXPECT_EQ(Gravest(mapped.issues), Disposition::kQuarantined);
}

TEST(MessageInput, Observations_HaveALimit) {
  const auto message_of = [](std::size_t count) {
    std::string observations;
    for (std::size_t i = 0; i < count; ++i)
      observations += "OBX|1|NM|NRS|" + std::to_string(i) + "|4||||||F\r";
    return Result(observations);
  };
  const MessageInput full = Read(message_of(limits::kHl7ObservationsMax));
  EXPECT_FALSE(full.is_refused);
  EXPECT_EQ(full.observations.size(), limits::kHl7ObservationsMax);
  const MessageInput more = Read(message_of(limits::kHl7ObservationsMax + 1));
  EXPECT_TRUE(more.is_refused);
  EXPECT_THAT(IssuesOf(more.issues), HasSubstr("limit"));
}

}  // namespace
}  // namespace fhir_adapter::pipeline
