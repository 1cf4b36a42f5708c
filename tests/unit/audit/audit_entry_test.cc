#include "audit/audit_entry.h"

#include <gtest/gtest.h>
#include <set>

namespace fhir_adapter::audit {
namespace {

Entry FullEntry() {
  Entry entry;
  entry.time = TimeUs{1'399'378'200'000'001};
  entry.event = EventKind::kWritten;
  entry.actor.kind = ActorKind::kCredential;
  entry.actor.id = "ward \"7\"\n";
  entry.actor.authentication = "token";
  entry.actor.client_address = "127.0.0.1";
  entry.actor.client_application = "clinic";
  entry.actor.request_id = "req-1";
  entry.role = "operator";
  entry.patient_token = "aa";
  entry.local = LocalReference{"pain-clinic", "MG-3", 2, "bb"};
  entry.mapping = MappingReference{"procedure-record", "1.0.0", "cc", "fml 1"};
  entry.fhir = FhirReference{"http://server.example/fhir", "Procedure", "17", "2", "W/\"2\"", "dd"};
  entry.operation = "transaction";
  entry.attempt = 3;
  entry.outcome = "ok";
  entry.status = 200;
  entry.supersedes = Supersedes{41, "higher-revision"};
  return entry;
}

const Position kPosition{42, "b00t", "7race", 5};

// The format of version 1, written out: whoever changes it has to change the version.
TEST(AuditEntry, EveryMember_StandsInItsPlace) {
  EXPECT_EQ(Encode(FullEntry(), kPosition),
            R"({"v":1,"seq":42,"time_utc":"2014-05-06T12:10:00.000001Z","boot_id":"b00t","event":"written",)"
            R"("trace_id":"7race","trace_seq":5,)"
            R"("actor":{"kind":"credential","id":"ward \"7\"\u000a","role":"operator","auth":"token"},)"
            R"("client":{"addr":"127.0.0.1","app":"clinic"},"request_id":"req-1","patient_token":"aa",)"
            R"("local":{"system":"pain-clinic","record":"MG-3","revision":2,"commit":"bb"},)"
            R"("mapping":{"id":"procedure-record","version":"1.0.0","sha256":"cc","engine":"fml 1"},)"
            R"("fhir":{"base":"http://server.example/fhir","type":"Procedure","id":"17","version":"2",)"
            R"("etag":"W/\"2\"","commit":"dd"},)"
            R"("op":"transaction","attempt":3,"outcome":"ok","status":200,)"
            R"("supersedes":{"seq":41,"reason":"higher-revision"}})");
}

TEST(AuditEntry, AbsentMembers_AreLeftOut) {
  Entry entry;
  entry.event = EventKind::kStarted;
  entry.actor = SystemPrincipal();
  EXPECT_EQ(Encode(entry, kPosition),
            R"({"v":1,"seq":42,"time_utc":"1970-01-01T00:00:00.000000Z","boot_id":"b00t","event":"started",)"
            R"("trace_id":"7race","trace_seq":5,"actor":{"kind":"system","id":"daemon","auth":"internal"}})");
}

TEST(AuditEntry, EventNames_AreDistinct) {
  std::set<std::string_view> names;
  int events = 0;
#define AUDIT_EVENT(name, text)           \
  names.insert(Name(EventKind::name));    \
  EXPECT_EQ(Name(EventKind::name), text); \
  ++events;
#include "audit/events.def"
#undef AUDIT_EVENT
  EXPECT_EQ(names.size(), static_cast<std::size_t>(events));
}

TEST(TraceOfSubject, IsAsLongAsATraceIdAndDiffersByRecord) {
  EXPECT_EQ(TraceOfSubject("a.b").size(), 32U);
  EXPECT_NE(TraceOfSubject("a.b"), TraceOfSubject("a.c"));
}

}  // namespace
}  // namespace fhir_adapter::audit
