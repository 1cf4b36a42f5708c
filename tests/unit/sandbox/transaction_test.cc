// Transactions and batches, as http 3.1.0.11 of FHIR R4 wants them, and where servers differ.
#include <gmock/gmock.h>

#include "core/limits.h"
#include "unit/sandbox/sandbox_fixture.h"

namespace fhir_adapter::sandbox {
namespace {

using test::HttpReply;

constexpr const char* kPatientUrl = "Patient?identifier=urn:mrn%7C1";

class TransactionTest : public SandboxFixture {
 protected:
  void StartLike(const char* server) {
    options_.behaviour = *BehaviourLike(server);
    Restart();
  }
};

TEST_F(TransactionTest, UrnReferences_AreResolvedWhateverTheOrder) {
  const HttpReply reply =
      client().Post("", Transaction(Entry("PUT", "Observation?identifier=urn:obs%7Co1",
                                          Observation("urn:uuid:p"), "", "urn:uuid:o") +
                                    "," + Entry("POST", "Patient", Patient("1"), "", "urn:uuid:p")));
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(At(reply, "/type"), "transaction-response");
  EXPECT_EQ(At(reply, "/entry/0/response/status"), "201 Created");
  EXPECT_EQ(At(reply, "/entry/0/response/etag"), "W/\"1\"");
  const std::string location = At(reply, "/entry/1/response/location");
  EXPECT_THAT(location, testing::MatchesRegex("Patient/[0-9a-f-]*/_history/1"));
  const std::string patient = location.substr(0, location.find("/_history"));
  EXPECT_EQ(At(client().Get("/Observation"), "/entry/0/resource/subject/reference"), patient);
  EXPECT_EQ(Size(reply, "/entry/0/resource"), 0u);
}

TEST_F(TransactionTest, Representation_IsGivenOnDemand) {
  const HttpReply reply = client().Post("/", Transaction(Entry("POST", "Patient", Patient("1"))),
                                        {{"Prefer", "return=representation"}});
  EXPECT_EQ(At(reply, "/entry/0/resource/resourceType"), "Patient");
}

TEST_F(TransactionTest, OneBadEntry_UndoesAll) {
  const HttpReply reply =
      client().Post("", Transaction(Entry("POST", "Patient", Patient("1")) + "," +
                                    Entry("POST", "Observation", Observation("Patient/none"))));
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(At(reply, "/issue/0/expression/0"), "Bundle.entry[1].resource.subject.reference");
  EXPECT_EQ(Total("/Patient"), "0");
  EXPECT_EQ(Total("/Observation"), "0");
  const HttpReply invalid = client().Post(
      "", Transaction(Entry("POST", "Patient", Patient("1")) + "," +
                      Entry("POST", "Observation", R"({"resourceType":"Observation","status":"final"})")));
  EXPECT_EQ(invalid.status, 422);
  EXPECT_THAT(At(invalid, "/issue/0/expression/0"), testing::StartsWith("Bundle.entry[1].resource"));
  EXPECT_EQ(Total("/Patient"), "0");
}

TEST_F(TransactionTest, Replay_ChangesNothing) {
  const auto bundle = [](const std::string& urn) {
    return Transaction(
        Entry("PUT", kPatientUrl, Patient("1"), "", "urn:uuid:" + urn) + "," +
        Entry("PUT", "Observation?identifier=urn:obs%7Co1", Observation("urn:uuid:" + urn)) + "," +
        Entry("PUT", "Provenance/v",
              R"({"resourceType":"Provenance","id":"v","target":[{"reference":"urn:uuid:)" + urn +
                  R"("}],"recorded":"2026-03-01T00:00:00Z","agent":[{"who":{"display":"x"}}]})"));
  };
  EXPECT_EQ(At(client().Post("", bundle("1")), "/entry/2/response/status"), "201 Created");
  clock_.now_us += 1'000'000;
  const HttpReply again = client().Post("", bundle("2"));
  for (const char* entry : {"0", "1", "2"}) {
    EXPECT_EQ(At(again, std::string("/entry/") + entry + "/response/status"), "200 OK");
    EXPECT_EQ(At(again, std::string("/entry/") + entry + "/response/etag"), "W/\"1\"");
  }
  EXPECT_EQ(Total("/Observation"), "1");
}

TEST_F(TransactionTest, ConditionalReference_MustFindExactlyOne) {
  const std::string bundle =
      Transaction(Entry("POST", "Observation", Observation("Patient?identifier=urn:mrn%7C1")));
  const HttpReply none = client().Post("", bundle);
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(At(none, "/issue/0/expression/0"), "Bundle.entry[0].resource.subject.reference");
  client().Put("/Patient/a", Patient("1", R"("id":"a")"));
  EXPECT_EQ(client().Post("", bundle).status, 200);
  EXPECT_EQ(At(client().Get("/Observation"), "/entry/0/resource/subject/reference"), "Patient/a");
  client().Put("/Patient/b", Patient("1", R"("id":"b")"));
  EXPECT_EQ(client().Post("", bundle).status, 412);
  EXPECT_EQ(Total("/Observation"), "1");
}

TEST_F(TransactionTest, ConditionalReference_FindsAnEntryOfItsBundle) {
  const std::string bundle = Transaction(Entry("PUT", kPatientUrl, Patient("1")) + "," +
                                         Entry("POST", "Observation", Observation(kPatientUrl)));
  EXPECT_EQ(client().Post("", bundle).status, 200);
  EXPECT_EQ(Total("/Observation?patient.identifier=urn:mrn%7C1"), "1");
  StartLike("helios");
  EXPECT_EQ(client().Post("", bundle).status, 400);
  EXPECT_EQ(Total("/Patient"), "0");
}

TEST_F(TransactionTest, UnresolvedUrn_IsRefusedButNotByHelios) {
  const std::string bundle = Transaction(Entry("POST", "Observation", Observation("urn:uuid:nobody")));
  EXPECT_EQ(client().Post("", bundle).status, 400);
  StartLike("helios");
  EXPECT_EQ(client().Post("", bundle).status, 200);
}

TEST_F(TransactionTest, SameResourceTwice_Is400) {
  const std::string patient = Patient("1", R"("id":"a")");
  const HttpReply reply = client().Post(
      "", Transaction(Entry("PUT", "Patient/a", patient) + "," + Entry("PUT", "Patient/a", patient)));
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(At(reply, "/issue/0/expression/0"), "Bundle.entry[1]");
  EXPECT_EQ(client().Get("/Patient/a").status, 404);
  client().Put("/Patient/a", patient);
  EXPECT_EQ(
      client()
          .Post("", Transaction(Entry("PUT", kPatientUrl, Patient("1")) + "," + Entry("DELETE", "Patient/a")))
          .status,
      400);
}

TEST_F(TransactionTest, TwoConditionalUpdatesWithOneIdentifier_DifferByServer) {
  const std::string bundle =
      Transaction(Entry("PUT", kPatientUrl, Patient("1"), "", "urn:uuid:1") + "," +
                  Entry("PUT", kPatientUrl, Patient("1", R"("active":true)"), "", "urn:uuid:2"));
  const HttpReply refused = client().Post("", bundle);
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(At(refused, "/issue/0/code"), "duplicate");
  EXPECT_EQ(Total("/Patient"), "0");
  StartLike("hapi");
  const HttpReply dropped = client().Post("", bundle);
  EXPECT_EQ(dropped.status, 200);
  EXPECT_EQ(Size(dropped, "/entry"), 1u);
  EXPECT_EQ(Total("/Patient"), "1");
  EXPECT_EQ(Total("/Patient?active=true"), "0");  // the first wins
  StartLike("helios");
  EXPECT_EQ(Size(client().Post("", bundle), "/entry"), 2u);
  EXPECT_EQ(Total("/Patient"), "2");
}

TEST_F(TransactionTest, TwoCreatesWithOneCondition_StoreOne) {
  const std::string once = R"("ifNoneExist":"identifier=urn:mrn%7C1")";
  const std::string bundle = Transaction(Entry("POST", "Patient", Patient("1"), once, "urn:uuid:1") + "," +
                                         Entry("POST", "Patient", Patient("1"), once, "urn:uuid:2") + "," +
                                         Entry("POST", "Observation", Observation("urn:uuid:2")));
  const HttpReply reply = client().Post("", bundle);
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(At(reply, "/entry/0/response/status"), "201 Created");
  EXPECT_EQ(At(reply, "/entry/1/response/status"), "200 OK");
  EXPECT_EQ(At(reply, "/entry/0/response/location"), At(reply, "/entry/1/response/location"));
  EXPECT_EQ(Total("/Patient"), "1");
  EXPECT_EQ(Total("/Observation?patient.identifier=1"), "1");
  StartLike("hapi");
  EXPECT_EQ(Size(client().Post("", bundle), "/entry"), 2u);
}

TEST_F(TransactionTest, ConditionalCreate_FindsWhatIsThere) {
  client().Put("/Patient/a", Patient("1", R"("id":"a")"));
  const std::string once = R"("ifNoneExist":"identifier=urn:mrn%7C1")";
  const HttpReply reply =
      client().Post("", Transaction(Entry("POST", "Patient", Patient("1"), once, "urn:uuid:1") + "," +
                                    Entry("POST", "Observation", Observation("urn:uuid:1"))));
  EXPECT_EQ(At(reply, "/entry/0/response/status"), "200 OK");
  EXPECT_EQ(At(reply, "/entry/0/response/location"), "Patient/a/_history/1");
  EXPECT_EQ(Total("/Observation?patient=a"), "1");
  client().Put("/Patient/b", Patient("1", R"("id":"b")"));
  EXPECT_EQ(client().Post("", Transaction(Entry("POST", "Patient", Patient("1"), once))).status, 412);
}

TEST_F(TransactionTest, StaleVersion_DiffersByServer) {
  const std::string bundle =
      Transaction(Entry("PUT", "Patient/a", Patient("2", R"("id":"a")"), R"("ifMatch":"W/\"7\"")"));
  const std::pair<const char*, int> expected[] = {{"single-only", 412}, {"hapi", 409}, {"helios", 400}};
  for (const auto& [server, status] : expected) {
    StartLike(server);
    options_.behaviour.transactions = true;
    Restart();
    PutPatient("a");
    EXPECT_EQ(client().Post("", bundle).status, status) << server;
    EXPECT_EQ(At(client().Get("/Patient/a"), "/meta/versionId"), "1");
  }
}

TEST_F(TransactionTest, DeletesComeFirstAndReadsLast) {
  PutPatient("a");
  const HttpReply reply =
      client().Post("", Transaction(Entry("GET", "Patient?identifier=urn:mrn%7Cnew") + "," +
                                    Entry("POST", "Patient", Patient("new")) + "," +
                                    Entry("DELETE", "Patient/a") + "," + Entry("GET", "Patient?_id=a")));
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(At(reply, "/entry/0/resource/total"), "1");
  EXPECT_EQ(At(reply, "/entry/3/resource/total"), "0");
}

TEST_F(TransactionTest, DeleteOfWhatTheBundleStillNeeds_Is409) {
  PutPatient("a");
  client().Post("/Observation", Observation("Patient/a"));
  EXPECT_EQ(client().Post("", Transaction(Entry("DELETE", "Patient/a"))).status, 409);
  EXPECT_EQ(client()
                .Post("", Transaction(Entry("DELETE", "Patient/a") + "," +
                                      Entry("DELETE", "Observation?identifier=urn:obs%7Co1")))
                .status,
            200);
}

TEST_F(TransactionTest, EmptyTransaction_Is200) {
  EXPECT_EQ(client().Post("", R"({"resourceType":"Bundle","type":"transaction"})").status, 200);
  EXPECT_EQ(client().Post("", R"({"resourceType":"Bundle","type":"batch"})").status, 200);
}

TEST_F(TransactionTest, WhatIsNoTransaction_Is400) {
  for (const char* body : {R"({"resourceType":"Bundle","type":"collection"})",
                           R"({"resourceType":"Patient"})", "[]", "7", R"({"resourceType":"Bundle"})"}) {
    EXPECT_EQ(client().Post("", body).status, 400) << body;
  }
  for (const std::string& entry :
       {Entry("PATCH", "Patient/a"), Entry("PUT", "Patient/a"), Entry("PUT", "Patient", Patient("1")),
        Entry("POST", "Patient/a", Patient("1")), Entry("POST", "", Patient("1")), std::string("{}"),
        Entry("DELETE", "Patient/a/_history/1")}) {
    EXPECT_EQ(client().Post("", Transaction(entry)).status, 400) << entry;
  }
  EXPECT_EQ(client().Post("", Transaction(Entry("POST", "Foo", Patient("1")))).status, 404);
}

TEST_F(TransactionTest, SameFullUrlTwice_Is400) {
  EXPECT_EQ(client()
                .Post("", Transaction(Entry("POST", "Patient", Patient("1"), "", "urn:uuid:1") + "," +
                                      Entry("POST", "Patient", Patient("2"), "", "urn:uuid:1")))
                .status,
            400);
}

TEST_F(TransactionTest, Entries_AreLimited) {
  options_.behaviour.bundle_entries_max = 2;
  Restart();
  const std::string entry = Entry("POST", "Patient", Patient("1"));
  EXPECT_EQ(client().Post("", Transaction(entry + "," + entry)).status, 200);
  EXPECT_EQ(client().Post("", Transaction(entry + "," + entry + "," + entry)).status, 413);
  EXPECT_EQ(Behaviour().bundle_entries_max, limits::kSandboxBundleEntriesMax);
}

TEST_F(TransactionTest, AuditEvent_FailsTheWholeTransactionAsOnHelios) {
  StartLike("helios");
  const std::string event = R"({"resourceType":"AuditEvent","id":"e"})";
  EXPECT_EQ(client()
                .Post("", Transaction(Entry("POST", "Patient", Patient("1")) + "," +
                                      Entry("PUT", "AuditEvent/e", event)))
                .status,
            405);
  EXPECT_EQ(Total("/Patient"), "0");
}

TEST_F(TransactionTest, Batch_AnswersEachEntryForItself) {
  PutPatient("a");
  const HttpReply reply = client().Post(
      "", Transaction(Entry("POST", "Observation", Observation("Patient/none")) + "," +
                          Entry("PUT", kPatientUrl, Patient("1")) + "," + Entry("GET", "Patient/a") + "," +
                          Entry("GET", "Patient/none") + "," +
                          Entry("POST", "Observation", Observation("urn:uuid:1"), "", "urn:uuid:2"),
                      "batch"));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(At(reply, "/type"), "batch-response");
  EXPECT_EQ(At(reply, "/entry/0/response/status"), "400 Bad Request");
  EXPECT_EQ(At(reply, "/entry/0/response/outcome/resourceType"), "OperationOutcome");
  EXPECT_EQ(At(reply, "/entry/1/response/status"), "201 Created");
  EXPECT_EQ(At(reply, "/entry/2/resource/id"), "a");
  EXPECT_EQ(At(reply, "/entry/3/response/status"), "404 Not Found");
  EXPECT_EQ(At(reply, "/entry/4/response/status"), "400 Bad Request");
}

TEST_F(TransactionTest, SingleOnlyServer_TakesNoBundles) {
  StartLike("single-only");
  EXPECT_EQ(client().Post("", Transaction(Entry("POST", "Patient", Patient("1")))).status, 501);
  EXPECT_EQ(client().Post("", Transaction(Entry("POST", "Patient", Patient("1")), "batch")).status, 501);
  EXPECT_EQ(client().Post("/Patient", Patient("1")).status, 201);
}

TEST_F(TransactionTest, TransactionAsBatch_DoesNotRollBack) {
  options_.behaviour.transaction_becomes_batch = true;
  Restart();
  const HttpReply reply =
      client().Post("", Transaction(Entry("POST", "Patient", Patient("1")) + "," +
                                    Entry("POST", "Observation", Observation("Patient/none"))));
  EXPECT_EQ(At(reply, "/type"), "batch-response");
  EXPECT_EQ(Total("/Patient"), "1");
}

TEST(Behaviour, UnknownServer_NamesTheKnown) {
  const auto behaviour = BehaviourLike("other");
  ASSERT_FALSE(behaviour);
  EXPECT_EQ(behaviour.error().code, Code::kUsage);
  EXPECT_THAT(behaviour.error().message,
              testing::HasSubstr("hapi, helios, batch-only, single-only, server-ids, silent or lying"));
}

}  // namespace
}  // namespace fhir_adapter::sandbox
