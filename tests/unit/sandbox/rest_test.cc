// The interactions with one resource, as the http page of FHIR R4 wants them.
#include <atomic>
#include <future>
#include <gmock/gmock.h>
#include <mutex>
#include <poll.h>

#include "support/temporary_directory.h"
#include "unit/sandbox/sandbox_fixture.h"

namespace fhir_adapter::sandbox {
namespace {

using test::HttpReply;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Rest : public SandboxFixture {};

TEST_F(Rest, Create_Gives201WithLocationETagAndLastModified) {
  const HttpReply reply = client().Post("/Patient", Patient("1"));
  EXPECT_EQ(reply.status, 201);
  const std::string id = At(reply, "/id");
  EXPECT_EQ(reply.Header("Location"), sandbox_->base_url() + "/Patient/" + id + "/_history/1");
  EXPECT_EQ(reply.Header("ETag"), "W/\"1\"");
  EXPECT_EQ(reply.Header("Last-Modified"), "Sun, 01 Mar 2026 12:00:00 GMT");
  EXPECT_EQ(reply.Header("Content-Type"), "application/fhir+json; charset=utf-8");
  EXPECT_EQ(At(reply, "/meta/versionId"), "1");
  EXPECT_EQ(At(reply, "/meta/lastUpdated"), "2026-03-01T12:00:00.000Z");
}

TEST_F(Rest, Create_ChoosesTheIdItself) {
  const HttpReply reply = client().Post("/Patient", Patient("1", R"("id":"mine")"));
  EXPECT_NE(At(reply, "/id"), "mine");
  EXPECT_EQ(client().Get("/Patient/mine").status, 404);
}

TEST_F(Rest, Read_GivesWhatWasWritten) {
  PutPatient("a");
  const HttpReply reply = client().Get("/Patient/a");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.Header("ETag"), "W/\"1\"");
  EXPECT_EQ(At(reply, "/identifier/0/value"), "mrn-a");
  EXPECT_EQ(client().Get("/Patient/a", {{"If-None-Match", "W/\"1\""}}).status, 304);
  EXPECT_EQ(client().Get("/Patient/b").status, 404);
  EXPECT_EQ(client().Get("/Observation/a").status, 404);
  EXPECT_EQ(client().Get("/Foo/a").status, 404);
}

TEST_F(Rest, Decimals_KeepTheirDigits) {
  PutPatient("a");
  const std::string observation =
      Observation("Patient/a", "o", R"("valueQuantity":{"value":250.00,"unit":"mg"})");
  const HttpReply reply = client().Post("/Observation", observation);
  ASSERT_EQ(reply.status, 201) << reply.body;
  EXPECT_THAT(client().Get("/Observation/" + At(reply, "/id")).body, HasSubstr("\"value\":250.00,"));
}

TEST_F(Rest, Update_MakesTheNextVersionAndKeepsTheOld) {
  PutPatient("a");
  clock_.now_us += 5'000'000;
  const HttpReply reply = client().Put("/Patient/a", Patient("2", R"("id":"a")"));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.Header("ETag"), "W/\"2\"");
  EXPECT_EQ(At(client().Get("/Patient/a"), "/identifier/0/value"), "2");
  EXPECT_EQ(At(client().Get("/Patient/a/_history/1"), "/identifier/0/value"), "mrn-a");
  EXPECT_EQ(At(client().Get("/Patient/a/_history/2"), "/meta/lastUpdated"), "2026-03-01T12:00:05.000Z");
  EXPECT_EQ(client().Get("/Patient/a/_history/3").status, 404);
}

TEST_F(Rest, UpdateOfUnknownId_CreatesOr405) {
  const HttpReply reply = client().Put("/Patient/a", Patient("1", R"("id":"a")"));
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(reply.Header("Location"), sandbox_->base_url() + "/Patient/a/_history/1");
  options_.behaviour.update_create = false;
  Restart();
  EXPECT_EQ(client().Put("/Patient/a", Patient("1", R"("id":"a")")).status, 405);
  options_.behaviour.update_create_refusal_status = 404;  // as HAPI without client ids
  Restart();
  EXPECT_EQ(client().Put("/Patient/a", Patient("1", R"("id":"a")")).status, 404);
}

TEST_F(Rest, ServerThatNamesResourcesItself_TakesPostsAndSaysSo) {
  options_.behaviour = *BehaviourLike("server-ids");
  Restart();
  EXPECT_EQ(client().Put("/Patient/a", Patient("1", R"("id":"a")")).status, 405);
  EXPECT_EQ(client().Put("/Patient?identifier=1", Patient("1")).status, 405);
  EXPECT_EQ(client().Post("/Patient", Patient("1"), {{"If-None-Exist", "identifier=1"}}).status, 201);
  EXPECT_EQ(client().Post("/Patient", Patient("1"), {{"If-None-Exist", "identifier=1"}}).status, 200);
  const std::string metadata = client().Get("/metadata").body;
  EXPECT_THAT(metadata, HasSubstr("\"updateCreate\":false"));
  EXPECT_THAT(metadata, HasSubstr("\"conditionalUpdate\":false"));
  options_.behaviour.conditional_updates_announced = false;
  options_.behaviour.creates = false;
  Restart();
  EXPECT_THAT(client().Get("/metadata").body, Not(HasSubstr("conditionalUpdate")));
  EXPECT_EQ(client().Post("/Patient", Patient("1")).status, 405);
}

TEST_F(Rest, SameContent_KeepsTheVersion) {
  PutPatient("a");
  const HttpReply again = client().Put("/Patient/a", Patient("mrn-a", R"("id":"a")"));
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.Header("ETag"), "W/\"1\"");
  options_.behaviour.same_content_keeps_version = false;
  Restart();
  PutPatient("a");
  EXPECT_EQ(client().Put("/Patient/a", Patient("mrn-a", R"("id":"a")")).Header("ETag"), "W/\"2\"");
}

TEST_F(Rest, IdThatDoesNotFit_Is400) {
  EXPECT_EQ(client().Put("/Patient/a", Patient("1")).status, 400);
  EXPECT_EQ(client().Put("/Patient/a", Patient("1", R"("id":"b")")).status, 400);
  EXPECT_EQ(client().Put("/Patient/a_b", Patient("1", R"("id":"a_b")")).status, 400);
  const std::string longest(64, 'x');
  EXPECT_EQ(client().Put("/Patient/" + longest, Patient("1", R"("id":")" + longest + "\"")).status, 201);
  EXPECT_EQ(client().Put("/Patient/" + longest + "x", Patient("1", R"("id":")" + longest + "x\"")).status,
            400);
}

TEST_F(Rest, BodyOfOtherTypeOrNoJson_Is400) {
  EXPECT_EQ(client().Post("/Observation", Patient("1")).status, 400);
  EXPECT_EQ(client().Post("/Patient", "{").status, 400);
  EXPECT_EQ(client().Post("/Patient", "").status, 400);
  EXPECT_EQ(client().Post("/Patient", "[]").status, 400);
  EXPECT_EQ(client().Post("/Patient", R"({"resourceType":"Patient","active":true,"active":true})").status,
            400);
  const HttpReply reply = client().Post("/Patient", R"({"resourceType":"Patient","id":})");
  EXPECT_EQ(At(reply, "/resourceType"), "OperationOutcome");
}

TEST_F(Rest, OtherFormats_AreRefused) {
  EXPECT_EQ(client().Get("/metadata", {{"Accept", "application/fhir+xml"}}).status, 406);
  EXPECT_EQ(client().Get("/metadata?_format=xml").status, 406);
  EXPECT_EQ(client().Get("/metadata?_format=json", {{"Accept", "text/html"}}).status, 200);
  EXPECT_EQ(client().Post("/Patient", "<Patient/>", {{"Content-Type", "application/fhir+xml"}}).status, 415);
}

TEST_F(Rest, IfMatch_GuardsTheVersion) {
  PutPatient("a");
  const std::string changed = Patient("2", R"("id":"a")");
  const HttpReply stale = client().Put("/Patient/a", changed, {{"If-Match", "W/\"7\""}});
  EXPECT_EQ(stale.status, 412);
  EXPECT_EQ(At(stale, "/issue/0/code"), "conflict");
  EXPECT_EQ(client().Put("/Patient/a", changed, {{"If-Match", "W/\"1\""}}).status, 200);
  EXPECT_EQ(client().Put("/Patient/b", Patient("1", R"("id":"b")"), {{"If-Match", "W/\"1\""}}).status, 412);
  EXPECT_EQ(client().Put("/Patient/a", changed, {{"If-None-Match", "*"}}).status, 412);
  options_.behaviour = *BehaviourLike("hapi");
  Restart();
  PutPatient("a");
  EXPECT_EQ(client().Put("/Patient/a", changed, {{"If-Match", "W/\"7\""}}).status, 409);
  EXPECT_EQ(client().Put("/Patient/b", Patient("1", R"("id":"b")"), {{"If-Match", "W/\"1\""}}).status, 201);
}

TEST_F(Rest, Delete_Gives410AndTheNextVersionAfterwards) {
  PutPatient("a");
  EXPECT_EQ(client().Delete("/Patient/a").status, 200);
  EXPECT_EQ(client().Get("/Patient/a").status, 410);
  EXPECT_EQ(client().Get("/Patient/a/_history/1").status, 200);
  EXPECT_EQ(Total("/Patient?identifier=mrn-a"), "0");
  EXPECT_EQ(client().Delete("/Patient/a").status, 200);
  EXPECT_EQ(client().Delete("/Patient/never").status, 200);
  const HttpReply again = client().Put("/Patient/a", Patient("mrn-a", R"("id":"a")"));
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.Header("ETag"), "W/\"3\"");
}

TEST_F(Rest, DeleteOfReferencedResource_Is409) {
  PutPatient("a");
  client().Post("/Observation", Observation("Patient/a"));
  EXPECT_EQ(client().Delete("/Patient/a").status, 409);
  EXPECT_EQ(client().Get("/Patient/a").status, 200);
}

TEST_F(Rest, ConditionalDelete_DeletesExactlyOne) {
  PutPatient("a");
  PutPatient("b");
  EXPECT_EQ(client().Delete("/Patient?identifier=mrn-a,mrn-b").status, 412);
  EXPECT_EQ(client().Delete("/Patient?identifier=mrn-a").status, 200);
  EXPECT_EQ(client().Get("/Patient/a").status, 410);
  EXPECT_EQ(client().Delete("/Patient").status, 412);
}

TEST_F(Rest, Prefer_DecidesTheBody) {
  const HttpReply minimal = client().Post("/Patient", Patient("1"), {{"Prefer", "return=minimal"}});
  EXPECT_EQ(minimal.status, 201);
  EXPECT_EQ(minimal.body, "");
  const HttpReply outcome = client().Post("/Patient", Patient("2"), {{"Prefer", "return=OperationOutcome"}});
  EXPECT_EQ(At(outcome, "/resourceType"), "OperationOutcome");
  const HttpReply whole = client().Post("/Patient", Patient("3"), {{"Prefer", "return=representation"}});
  EXPECT_EQ(At(whole, "/resourceType"), "Patient");
}

TEST_F(Rest, ConditionalCreate_FollowsTheNumberOfMatches) {
  const test::HeaderList once = {{"If-None-Exist", "identifier=urn:mrn%7C1"}};
  EXPECT_EQ(client().Post("/Patient", Patient("1"), once).status, 201);
  const HttpReply again = client().Post("/Patient", Patient("1", R"("active":true)"), once);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.Header("ETag"), "W/\"1\"");
  EXPECT_FALSE(again.Header("Location").empty());
  EXPECT_EQ(Total("/Patient"), "1");
  client().Post("/Patient", Patient("1"));
  EXPECT_EQ(client().Post("/Patient", Patient("1"), once).status, 412);
}

TEST_F(Rest, ConditionalUpdate_FollowsTheNumberOfMatches) {
  const std::string url = "/Patient?identifier=urn:mrn%7C1";
  const HttpReply created = client().Put(url, Patient("1"));
  EXPECT_EQ(created.status, 201);
  EXPECT_EQ(client().Put(url, Patient("1", R"("active":true)")).status, 200);
  EXPECT_EQ(At(client().Get("/Patient/" + At(created, "/id")), "/meta/versionId"), "2");
  EXPECT_EQ(client().Put(url, Patient("1", R"("id":"other")")).status, 400);
  client().Post("/Patient", Patient("1"));
  EXPECT_EQ(client().Put(url, Patient("1")).status, 412);
  EXPECT_EQ(client().Put("/Patient", Patient("1")).status, 412);
}

TEST_F(Rest, ConditionalUpdateWithoutMatch_TakesTheIdOfTheBody) {
  EXPECT_EQ(client().Put("/Patient?identifier=urn:mrn%7C1", Patient("1", R"("id":"mine")")).status, 201);
  EXPECT_EQ(client().Get("/Patient/mine").status, 200);
  EXPECT_EQ(client().Put("/Patient?identifier=urn:mrn%7C2", Patient("2", R"("id":"mine")")).status, 409);
}

TEST_F(Rest, ConditionalUpdate_ChecksVersionAndBody) {
  const std::string url = "/Patient?identifier=urn:mrn%7C1";
  client().Put(url, Patient("1"));
  EXPECT_EQ(client().Put(url, Patient("1", R"("active":true)"), {{"If-Match", "W/\"9\""}}).status, 412);
  EXPECT_EQ(client().Put(url, Patient("2")).status, 400);
  options_.behaviour = *BehaviourLike("hapi");
  Restart();
  client().Put(url, Patient("1"));
  EXPECT_EQ(client().Put(url, Patient("1", R"("active":true)"), {{"If-Match", "W/\"9\""}}).status, 200);
  options_.behaviour = *BehaviourLike("helios");
  Restart();
  EXPECT_EQ(client().Put(url, Patient("2")).status, 201);
  EXPECT_EQ(client().Put(url, Patient("2")).status, 201);
}

TEST_F(Rest, ReferenceToAbsentResource_Is400WithExpression) {
  const HttpReply reply = client().Post("/Observation", Observation("Patient/none"));
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(At(reply, "/issue/0/expression/0"), "Observation.subject.reference");
  EXPECT_EQ(client().Post("/Observation", Observation("urn:uuid:1")).status, 400);
  EXPECT_EQ(client().Post("/Observation", Observation("Patient?identifier=1")).status, 400);
  EXPECT_EQ(Total("/Observation"), "0");
  options_.behaviour = *BehaviourLike("helios");
  Restart();
  EXPECT_EQ(client().Post("/Observation", Observation("Patient/none")).status, 201);
}

TEST_F(Rest, ConditionalReferenceOutsideTransaction_WorksAsOnHapi) {
  options_.behaviour = *BehaviourLike("hapi");
  Restart();
  PutPatient("a");
  const HttpReply reply = client().Post("/Observation", Observation("Patient?identifier=urn:mrn%7Cmrn-a"));
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(At(reply, "/subject/reference"), "Patient/a");
}

TEST_F(Rest, InvalidResource_Is422WithExpression) {
  PutPatient("a");
  const HttpReply reply =
      client().Post("/Observation", R"({"resourceType":"Observation","status":"bogus","code":{"text":"x"}})");
  EXPECT_EQ(reply.status, 422);
  EXPECT_THAT(At(reply, "/issue/0/expression/0"), StartsWith("Observation.status"));
  EXPECT_THAT(reply.body, Not(HasSubstr("bogus")));
  options_.behaviour.validates = false;
  Restart();
  EXPECT_EQ(
      client()
          .Post("/Observation", R"({"resourceType":"Observation","status":"bogus","code":{"text":"x"}})")
          .status,
      201);
}

TEST_F(Rest, Versions_OfReferencesAreKeptOrStripped) {
  PutPatient("a");
  const std::string body = Observation("Patient/a/_history/1");
  EXPECT_EQ(At(client().Post("/Observation", body), "/subject/reference"), "Patient/a/_history/1");
  EXPECT_EQ(Total("/Observation?subject=Patient/a"), "1");
  options_.behaviour.strips_reference_versions = true;
  Restart();
  PutPatient("a");
  EXPECT_EQ(At(client().Post("/Observation", body), "/subject/reference"), "Patient/a");
}

TEST_F(Rest, History_HasTheNewestFirst) {
  PutPatient("a");
  clock_.now_us += 1'000'000;
  client().Put("/Patient/a", Patient("2", R"("id":"a")"));
  clock_.now_us += 1'000'000;
  client().Delete("/Patient/a");
  PutPatient("b");
  const HttpReply instance = client().Get("/Patient/a/_history");
  EXPECT_EQ(At(instance, "/type"), "history");
  EXPECT_EQ(At(instance, "/total"), "3");
  EXPECT_EQ(At(instance, "/entry/0/request/method"), "DELETE");
  EXPECT_EQ(At(instance, "/entry/1/response/etag"), "W/\"2\"");
  EXPECT_EQ(At(instance, "/entry/2/response/status"), "201 Created");
  EXPECT_EQ(At(client().Get("/Patient/_history"), "/total"), "4");
  EXPECT_EQ(At(client().Get("/_history"), "/total"), "4");
  EXPECT_EQ(At(client().Get("/Patient/a/_history?_since=2026-03-01T12:00:01Z"), "/total"), "2");
  EXPECT_EQ(client().Get("/Patient/none/_history").status, 404);
}

TEST_F(Rest, Metadata_SaysItIsNotForProduction) {
  const HttpReply reply = client().Get("/metadata");
  EXPECT_EQ(At(reply, "/resourceType"), "CapabilityStatement");
  EXPECT_EQ(At(reply, "/fhirVersion"), "4.0.1");
  EXPECT_THAT(At(reply, "/description"), HasSubstr("Not for production"));
  EXPECT_THAT(reply.body, HasSubstr("\"updateCreate\":true"));
  EXPECT_THAT(reply.body, HasSubstr("{\"code\":\"transaction\"},{\"code\":\"batch\"}"));
  EXPECT_THAT(BannerText(sandbox_->base_url(), ""), HasSubstr("NOT FOR PRODUCTION"));
  options_.behaviour = *BehaviourLike("single-only");
  Restart();
  EXPECT_THAT(client().Get("/metadata").body, Not(HasSubstr("transaction")));
}

// Both work there all the same.
TEST_F(Rest, MetadataLikeHapi_LeavesOutUpdateCreateAndBatch) {
  options_.behaviour = *BehaviourLike("hapi");
  Restart();
  const std::string statement = client().Get("/metadata").body;
  EXPECT_THAT(statement, Not(HasSubstr("updateCreate")));
  EXPECT_THAT(statement, HasSubstr("{\"code\":\"transaction\"}"));
  EXPECT_THAT(statement, Not(HasSubstr("{\"code\":\"batch\"}")));
  EXPECT_EQ(client().Put("/Patient/new", R"({"resourceType":"Patient","id":"new"})").status, 201);
  EXPECT_EQ(client().Post("", R"({"resourceType":"Bundle","type":"batch"})").status, 200);
}

TEST_F(Rest, Metadata_IsValidItself) {
  const std::string statement = client().Get("/metadata").body;
  Arena arena;
  fhir::Node* node = *fhir::ReadJson(statement, arena);
  ASSERT_NE(node->Find("rest"), nullptr);
  EXPECT_EQ(client().Post("/CapabilityStatement", statement).status, 201)
      << client().Post("/CapabilityStatement", statement).body;
}

TEST_F(Rest, UnlistedRoute_IsAnOperationOutcome) {
  HttpReply reply = client().Send("PATCH", "/Patient/a", "[]");
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(At(reply, "/resourceType"), "OperationOutcome");
  EXPECT_EQ(reply.Header("Allow"), "DELETE, GET, HEAD, PUT");
  EXPECT_EQ(client().Get("/Patient/a/b/c").status, 404);
}

TEST_F(Rest, AuditEvent_IsRefusedAsOnHelios) {
  const std::string event =
      R"({"resourceType":"AuditEvent","type":{"code":"rest"},"recorded":"2026-03-01T12:00:00Z",)"
      R"("agent":[{"requestor":true}],"source":{"observer":{"display":"adapter"}}})";
  EXPECT_EQ(client().Post("/AuditEvent", event).status, 201);
  options_.behaviour = *BehaviourLike("helios");
  Restart();
  EXPECT_EQ(client().Post("/AuditEvent", event).status, 405);
}

TEST_F(Rest, Store_OutlivesTheProcess) {
  const test::TemporaryDirectory directory;
  options_.store_path = directory.File("sandbox.db");
  Restart();
  PutPatient("a");
  Restart();
  EXPECT_EQ(client().Get("/Patient/a").status, 200);
  EXPECT_EQ(Total("/Patient?identifier=mrn-a"), "1");
}

TEST_F(Rest, Faults_DoWhatTheySay) {
  options_.faults = {*ParseFault("status:503:1:retry-after=3:POST"), *ParseFault("drop:1:PUT"),
                     *ParseFault("reset:1:GET /Patient/x"), *ParseFault("delay:1:1:GET /Patient/y")};
  Restart();
  client().set_fresh_connections(true);
  const HttpReply busy = client().Post("/Patient", Patient("1"));
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(busy.Header("Retry-After"), "3");
  EXPECT_EQ(Total("/Patient"), "0");
  EXPECT_EQ(client().Post("/Patient", Patient("1")).status, 201);
  EXPECT_EQ(client().Put("/Patient/a", Patient("2", R"("id":"a")")).status, 0);
  EXPECT_EQ(client().Get("/Patient/a").status, 200);  // dropped after the commit
  EXPECT_EQ(client().Get("/Patient/x").status, 0);
  EXPECT_EQ(client().Get("/Patient/x").status, 404);
  EXPECT_EQ(client().Get("/Patient/y").status, 404);
}

TEST_F(Rest, RequestsWaiting_AreLimited) {
  // The log is written by the thread that does the work, so it can hold that thread back.
  std::promise<void> working;
  std::promise<void> go_on;
  std::atomic<bool> is_first = true;
  options_.requests_waiting_max = 2;
  options_.log = [&](const std::string&) {
    if (!is_first.exchange(false)) return;
    working.set_value();
    go_on.get_future().wait();
  };
  Restart();
  const std::string request = "GET /fhir/metadata HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  test::RawConnection first(sandbox_->port());
  first.Send(request);
  working.get_future().wait();
  test::RawConnection second(sandbox_->port());
  test::RawConnection third(sandbox_->port());
  test::RawConnection fourth(sandbox_->port());
  std::vector<test::RawConnection*> others = {&second, &third, &fourth};
  for (const test::RawConnection* connection : others) connection->Send(request);
  // One of the three is refused while the worker still stands.
  pollfd ready[] = {
      {second.descriptor(), POLLIN, 0}, {third.descriptor(), POLLIN, 0}, {fourth.descriptor(), POLLIN, 0}};
  EXPECT_EQ(poll(ready, 3, 10'000), 1);
  go_on.set_value();
  int refused = 0;
  for (test::RawConnection* connection : others) {
    refused += connection->ReadAll().starts_with("HTTP/1.1 503 ") ? 1 : 0;
  }
  EXPECT_EQ(refused, 1);
  EXPECT_THAT(first.ReadAll(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(Rest, Log_HoldsIdsAndNoQueries) {
  std::mutex mutex;
  std::vector<std::string> lines;
  options_.log = [&](const std::string& line) {
    const std::lock_guard lock(mutex);
    lines.push_back(line);
  };
  Restart();
  client().Put("/Patient/a", Patient("secret", R"("id":"a")"), {{"X-Request-Id", "r1"}});
  client().Get("/Patient?identifier=secret", {{"X-Request-Id", "r2"}});
  client_.reset();
  sandbox_.reset();
  EXPECT_THAT(lines,
              testing::ElementsAre("PUT /Patient/a 201 /Patient/a/_history/1 r1", "GET /Patient 200 r2"));
}

}  // namespace
}  // namespace fhir_adapter::sandbox
