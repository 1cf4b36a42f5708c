// AuditEvents: one for each resource that is written, on every rung and through lost answers, and no trouble
// for anything else where the server does not take them.

#include "sync/audit_event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <set>
#include <utility>

#include "core/uuid.h"
#include "delivery_rig.h"
#include "editing_client.h"

namespace fhir_adapter::test {
namespace {

using outbox::WorkState;
using sandbox::Behaviour;
using sync::AuditEventState;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kTypes[] = {"Procedure", "Observation", "Provenance"};

struct Server {
  std::string name;
  Behaviour behaviour;
};

Behaviour OnRung(Behaviour behaviour, const std::string& rung) {
  behaviour.transactions = rung == "Transaction";
  behaviour.batches = rung != "Single";
  behaviour.same_content_keeps_version = false;  // a second sending shows
  return behaviour;
}

std::vector<Server> Servers() {
  std::vector<Server> servers;
  for (const char* rung : {"Transaction", "Batch", "Single"}) {
    servers.push_back({rung, OnRung({}, rung)});
    servers.push_back({std::string(rung) + "ServerIds", OnRung(*sandbox::BehaviourLike("server-ids"), rung)});
  }
  return servers;
}

void SwitchOn(DeliveryRig& rig) {
  rig.Configure([](sync::SyncSettings& settings) {
    settings.audit_events = true;
    settings.client = "adapter-host";
  });
}

Record Scored(std::int64_t revision, const std::string& score) {
  Record record;
  record.revision = revision;
  record.parts = ScoredParts(score);
  return record;
}

bool IsAboutAuditEvents(const sync::FhirRequest& request) {
  return request.path.starts_with("AuditEvent") ||
         request.body.find(R"("resourceType":"AuditEvent")") != std::string::npos;
}

// "Type/id/_history/n" of all that was ever written.
std::set<std::string> Written(DeliveryRig& rig) {
  std::set<std::string> written;
  for (const char* type : kTypes) {
    for (const std::string& resource : rig.direct().All(type)) {
      const std::string id = DeliveryRig::IdIn(resource);
      const std::size_t versions = rig.direct().VersionsOf(type, id).size();
      for (std::size_t n = 1; n <= versions; ++n) {
        written.insert(std::string(type) + "/" + id + "/_history/" + std::to_string(n));
      }
    }
  }
  return written;
}

std::multiset<std::string> Told(DeliveryRig& rig) {
  std::multiset<std::string> told;
  for (const std::string& event : rig.direct().All("AuditEvent")) {
    const std::string begin = R"("what":{"reference":")";
    const std::size_t at = event.find(begin) + begin.size();
    told.insert(event.substr(at, event.find('"', at) - at));
  }
  return told;
}

class AuditEvents : public testing::TestWithParam<Server> {};

INSTANTIATE_TEST_SUITE_P(Table, AuditEvents, testing::ValuesIn(Servers()),
                         [](const auto& one) { return one.param.name; });

TEST_P(AuditEvents, EachWrite_IsToldOnceAndTellingMakesNone) {
  DeliveryRig rig(DeliveryRig::Direct{GetParam().behaviour});
  const std::string patient = rig.AddPatient("100");
  SwitchOn(rig);
  rig.Submit(Scored(1, "7"));
  rig.RunUntilQuiet();
  EXPECT_THAT(Told(rig), SizeIs(3)) << "Procedure, Observation, Provenance";
  rig.Submit(Scored(2, "3"));
  rig.RunUntilQuiet();
  const std::set<std::string> written = Written(rig);
  EXPECT_THAT(written, SizeIs(5)) << "and the Observation again, with a Provenance";
  EXPECT_EQ(Told(rig), std::multiset<std::string>(written.begin(), written.end()));
  int updates = 0;
  for (const std::string& event : rig.direct().All("AuditEvent")) {
    EXPECT_THAT(event, HasSubstr(R"("reference":"Patient/)" + patient + "\""));
    EXPECT_THAT(event, HasSubstr(R"("code":"XrequestId")"));
    EXPECT_THAT(event, HasSubstr(R"("versionId":"1")"));
    updates += event.find(R"("action":"U")") != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(updates, 1);
}

TEST_P(AuditEvents, EachAnswerLostAfterTheCommit_TellsNothingTwice) {
  for (int lost = 1;; ++lost) {
    DeliveryRig rig(DeliveryRig::Direct{GetParam().behaviour});
    rig.AddPatient("100");
    SwitchOn(rig);
    int writes = 0;
    rig.direct().fate = [&](const sync::FhirRequest& request) {
      return request.kind == sync::RequestKind::kWrite && ++writes == lost ? Fate::kAnswerLost : Fate::kGood;
    };
    rig.Submit(Scored(1, "7"));
    rig.RunUntilQuiet();
    const std::set<std::string> written = Written(rig);
    EXPECT_THAT(written, SizeIs(3)) << "lost write " << lost;
    EXPECT_EQ(Told(rig), std::multiset<std::string>(written.begin(), written.end())) << "lost write " << lost;
    if (writes < lost || HasFailure()) break;
  }
}

TEST_P(AuditEvents, SwitchedOff_AreNotMade) {
  DeliveryRig rig(DeliveryRig::Direct{GetParam().behaviour});
  rig.AddPatient("100");
  rig.Submit(Scored(1, "7"));
  rig.RunUntilQuiet();
  EXPECT_THAT(rig.direct().All("AuditEvent"), IsEmpty());
  EXPECT_EQ(rig.statistics().audit_events, AuditEventState::kOff);
}

// Of a server that takes everything else; it says so or not.
TEST_P(AuditEvents, ServerThatDoesNotListThem_IsSentNone) {
  Behaviour behaviour = GetParam().behaviour;
  behaviour.stores_audit_events = false;
  DeliveryRig rig(DeliveryRig::Direct{behaviour});
  rig.AddPatient("100");
  SwitchOn(rig);
  int asked = 0;
  rig.direct().carried_out = [&](const sync::FhirRequest& request) { asked += IsAboutAuditEvents(request); };
  rig.Submit(Scored(1, "7"));
  rig.RunUntilState(Scored(1, "7"), WorkState::kDelivered);
  rig.RunUntilQuiet();
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(rig.statistics().audit_events, AuditEventState::kNotListed);
  EXPECT_EQ(rig.Statistics().undelivered(), 0);
}

// Answers writes of AuditEvents with this status, without carrying them out, as long as `refuses` says so.
void Refuse(DeliveryRig& rig, const bool& refuses, int status) {
  auto refused = std::make_shared<bool>(false);  // shared: by the two halves of one exchange
  Without(
      rig,
      [&refuses, refused](sync::FhirRequest& request) {
        *refused = refuses && IsAboutAuditEvents(request) && request.kind == sync::RequestKind::kWrite;
        if (!*refused) return;
        request.method = sync::Method::kGet;
        request.path = "metadata";
        request.body.clear();
      },
      [refused, status](const sync::FhirRequest&, sync::FhirAnswer& answer) {
        if (!std::exchange(*refused, false)) return;
        answer = {};
        answer.transport = sync::Transport::kAnswered;
        answer.status = status;
      });
}

TEST_P(AuditEvents, ServerThatRefusesThem_GetsEverythingElseAsBefore) {
  for (const int status : {403, 404, 405, 501}) {
    DeliveryRig rig(DeliveryRig::Direct{GetParam().behaviour});
    rig.AddPatient("100");
    SwitchOn(rig);
    const bool refuses = true;
    Refuse(rig, refuses, status);
    rig.Submit(Scored(1, "7"));
    rig.RunUntilQuiet();
    EXPECT_EQ(rig.StateOf(Scored(1, "7")), WorkState::kDelivered);
    EXPECT_EQ(rig.statistics().audit_events, AuditEventState::kRefused) << status;
    const sync::RungChoice before = rig.statistics().rung;
    rig.Submit(Scored(2, "3"));
    rig.RunUntilQuiet();
    EXPECT_EQ(rig.StateOf(Scored(2, "3")), WorkState::kDelivered);
    EXPECT_EQ(rig.statistics().rung, before) << status;
    EXPECT_EQ(rig.statistics().troubles, 0) << status;
    EXPECT_EQ(rig.Statistics().Count(WorkState::kHeld), 1) << "what was made before it said so; none later";
    EXPECT_EQ(rig.Statistics().held_audit_events, 1) << "for which nobody is called";
    EXPECT_EQ(rig.Statistics().Count(WorkState::kQuarantined), 0);
  }
}

// A person asks for it (SIGHUP) once the server takes them.
TEST(AuditEventsAgain, WhatWasRefused_IsSentWhenAskedFor) {
  DeliveryRig rig(DeliveryRig::Direct{});
  rig.AddPatient("100");
  SwitchOn(rig);
  bool refuses = true;
  Refuse(rig, refuses, 403);
  rig.Submit(Scored(1, "7"));
  rig.RunUntilQuiet();
  EXPECT_EQ(rig.statistics().audit_events, AuditEventState::kRefused);
  refuses = false;
  rig.loop().Rematch();
  rig.RunUntil([&] { return rig.direct().All("AuditEvent").size() == 3; });
  rig.RunUntilQuiet();
  EXPECT_EQ(rig.Statistics().Count(WorkState::kHeld), 0);
}

TEST(AuditEventsApart, ServerThatFailsAtThem_KeepsNoRecordWaiting) {
  DeliveryRig rig(DeliveryRig::Direct{});
  rig.AddPatient("100");
  SwitchOn(rig);
  rig.direct().fate = [](const sync::FhirRequest& request) {
    return IsAboutAuditEvents(request) ? Fate::kBusy : Fate::kGood;
  };
  for (int revision = 1; revision <= 5; ++revision) {
    rig.Submit(Scored(revision, std::to_string(revision)));
    rig.RunUntilState(Scored(revision, std::to_string(revision)), WorkState::kDelivered);
  }
  EXPECT_FALSE(rig.statistics().has_trouble);
  rig.direct().fate = nullptr;
  rig.RunUntilQuiet();
  EXPECT_THAT(rig.direct().All("AuditEvent"), SizeIs(Written(rig).size()));
}

// The id is made of the entry that says `written`.
TEST(AuditEventsIdentity, Id_IsMadeOfTheEntryOfTheLog) {
  DeliveryRig rig(DeliveryRig::Direct{});
  rig.AddPatient("100");
  SwitchOn(rig);
  rig.Submit(Scored(1, "7"));
  rig.RunUntilQuiet();
  std::set<std::string> expected;
  for (const std::string& entry : rig.LogOf("r1", "written")) {
    const std::size_t at = entry.find("\"seq\":") + 6;
    const std::string sequence = entry.substr(at, entry.find(',', at) - at);
    expected.insert(UuidOfUrl(kCanonicalBase + "/sid/it-audit|clinic." + sequence));
  }
  std::set<std::string> found;
  for (const std::string& event : rig.direct().All("AuditEvent")) found.insert(DeliveryRig::IdIn(event));
  EXPECT_THAT(found, SizeIs(3));
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace fhir_adapter::test
