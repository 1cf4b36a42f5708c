#include "sync/bundle_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "planned_work.h"

namespace fhir_adapter::sync {
namespace {

using testing::HasSubstr;
using testing::Not;

const outbox::ResourceKey kPain = Key("Observation", "it-observation", "clinic.r1.pain,1");
const outbox::ResourceKey kProcedure = Key("Procedure", "it-procedure", "clinic.r1");

BundleEncoder Transaction() {
  return {"http://h/fhir", Rung::kTransaction};
}

FhirAnswer Answered(const std::string& body) {
  FhirAnswer answer;
  answer.transport = Transport::kAnswered;
  answer.status = 200;
  answer.body = body;
  return answer;
}

// A new Observation that refers to a Procedure delivered before, and a changed AdverseEvent.
DeliveryPlan SomePlan(const CreateForms* forms = nullptr) {
  outbox::WorkItem item = Work(2);
  const std::string procedure_uuid = UuidOf(kProcedure.system, kProcedure.value);
  item.resources = {
      Intended(kProcedure, R"("status":"completed")"),
      Intended(
          kPain,
          R"("status":"final","subject":{"reference":"Patient?identifier=s|1"},"partOf":[{"reference":"urn:uuid:)" +
              procedure_uuid + R"("}])"),
      Intended(Key("AdverseEvent", "it-adverse-event", "clinic.r1.e"),
               R"("actuality":"actual","subject":{"reference":"Patient?identifier=s|1"})"),
      ProvenanceOf(2)};
  item.ledger = {Row(kProcedure, "p1", "1", R"("status":"completed")")};
  PlanContext context = Context();
  context.forms = forms;
  const auto plan = PlanDelivery(item, context);
  return plan ? *plan : DeliveryPlan{};
}

TEST(BundleEncoder, NewResourcesThatTheServerNames_ArePostedWithoutId) {
  const CreateForms forms = ServerNamed();
  const std::string body = Transaction().Encode(SomePlan(&forms)).body;
  EXPECT_THAT(
      body,
      HasSubstr(
          R"({"method":"POST","url":"Observation","ifNoneExist":"identifier=https://clinic.example/fhir/sid/it-observation|clinic.r1.pain%5C%2C1"})"));
  EXPECT_THAT(body, HasSubstr(R"({"method":"POST","url":"AdverseEvent"})"));
  EXPECT_THAT(body, HasSubstr(R"({"resourceType":"AdverseEvent","actuality")"));
  EXPECT_THAT(body, HasSubstr(R"({"method":"POST","url":"Provenance"})"));
  // By which it is found again, R4 having no identifier for it.
  EXPECT_THAT(
      body,
      HasSubstr(
          R"("meta":{"tag":[{"system":"https://clinic.example/fhir/sid/it-provenance","code":"clinic.r1.2"}]})"));
}

TEST(BundleEncoder, NewResource_IsPutByItsEscapedIdentifierWithLiteralReferences) {
  const FhirRequest request = Transaction().Encode(SomePlan());
  EXPECT_EQ(request.method, Method::kPost);
  EXPECT_EQ(request.path, "");
  EXPECT_THAT(
      request.body,
      HasSubstr(
          R"({"method":"PUT","url":"Observation?identifier=https://clinic.example/fhir/sid/it-observation|clinic.r1.pain%5C%2C1"})"));
  EXPECT_THAT(request.body, HasSubstr(R"("partOf":[{"reference":"Procedure/p1"}])"));
  EXPECT_THAT(request.body, HasSubstr(R"("subject":{"reference":"Patient/7"})"));
  EXPECT_THAT(request.body, Not(HasSubstr("Patient?")));
  EXPECT_THAT(request.body, HasSubstr(R"("fullUrl":"urn:uuid:)" + UuidOf(kPain.system, kPain.value)));
}

TEST(BundleEncoder, TypeWithoutIdentifierSearch_IsPutByUuidWithThatId) {
  const FhirRequest request = Transaction().Encode(SomePlan());
  const std::string uuid = UuidOf(kBase + "/sid/it-adverse-event", "clinic.r1.e");
  EXPECT_THAT(request.body, HasSubstr(R"({"method":"PUT","url":"AdverseEvent/)" + uuid + "\"}"));
  EXPECT_THAT(request.body, HasSubstr(R"({"resourceType":"AdverseEvent","id":")" + uuid + "\""));
}

TEST(BundleEncoder, DeliveredResource_IsPutByIdUnderItsVersion) {
  outbox::WorkItem item = Work(2);
  item.resources = {Intended(kProcedure, R"("status":"not-done")")};
  item.ledger = {Row(kProcedure, "p1", "3", R"("status":"completed")")};
  const auto plan = PlanDelivery(item, Context());
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(
      Transaction().Encode(*plan).body,
      R"({"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"http://h/fhir/Procedure/p1",)"
      R"("resource":{"resourceType":"Procedure","id":"p1","status":"not-done"},)"
      R"("request":{"method":"PUT","url":"Procedure/p1","ifMatch":"W/\"3\""}}]})");
}

TEST(BundleEncoder, Batch_HoldsOnlyWhatRefersToNothingThatIsStillToCome) {
  outbox::WorkItem item = Work(1);
  const std::string procedure_uuid = UuidOf(kProcedure.system, kProcedure.value);
  item.resources = {
      Intended(kProcedure, R"("status":"completed")"),
      Intended(kPain, R"("status":"final","partOf":[{"reference":"urn:uuid:)" + procedure_uuid + R"("}])"),
      Intended(Key("Device", "it-device", "clinic.r1.needle"), ""), ProvenanceOf(1)};
  auto plan = PlanDelivery(item, Context());
  ASSERT_TRUE(plan.has_value());
  const BundleEncoder batch("http://h/fhir", Rung::kBatch);
  EXPECT_EQ(batch.NextEntries(*plan), (std::vector<std::size_t>{0, 2}));
  EXPECT_EQ(Transaction().NextEntries(*plan), (std::vector<std::size_t>{0, 1, 2, 3}));
  EXPECT_THAT(batch.Encode(*plan).body, HasSubstr(R"({"resourceType":"Bundle","type":"batch","entry":[)"));
  plan->literals[procedure_uuid] = "Procedure/p1";
  EXPECT_EQ(batch.NextEntries(*plan), (std::vector<std::size_t>{0, 1, 2}));
}

std::string Answer(const std::string& entries) {
  return R"({"resourceType":"Bundle","type":"transaction-response","entry":[)" + entries + "]}";
}
std::string Entry(const std::string& status, const std::string& location, const std::string& etag = "") {
  return R"({"response":{"status":")" + status + "\"" +
         (location.empty() ? "" : R"(,"location":")" + location + "\"") +
         (etag.empty() ? "" : R"(,"etag":")" + etag + "\"") + "}}";
}

class Answers : public testing::Test {
 protected:
  EncodedAnswer Read(const std::string& body) {
    auto read = Transaction().Read(plan_, Answered(body));
    EXPECT_TRUE(read.has_value());
    return read ? *read : EncodedAnswer{};
  }
  const DeliveryPlan plan_ = SomePlan();
  const std::string event_ = plan_.entries.at(1).server_id;
  const std::string provenance_ = plan_.entries.at(2).server_id;
};

TEST_F(Answers, RelativeLocationsAndBareEtag_GiveIdsAndVersions) {
  const EncodedAnswer read =
      Read(Answer(Entry("201 Created", "Observation/o9/_history/1", "1") + "," +
                  Entry("200 OK", "AdverseEvent/" + event_ + "/_history/4") + "," +
                  Entry("201 Created", "http://h/fhir/Provenance/" + provenance_, "W/\\\"2\\\"")));
  ASSERT_EQ(read.entries.size(), 3U);
  EXPECT_EQ(read.entries[0].server_id, "o9");
  EXPECT_EQ(read.entries[0].version_id, "1");
  EXPECT_EQ(read.entries[1].server_id, event_);
  EXPECT_EQ(read.entries[1].version_id, "4");
  EXPECT_EQ(read.entries[2].version_id, "2");
  EXPECT_EQ(read.failed_status, 0);
}

TEST_F(Answers, NoLocation_GivesNoIdForAConditionalUpdate) {
  const EncodedAnswer read =
      Read(Answer(Entry("200", "", "3") + "," + Entry("200", "", "1") + "," + Entry("200", "", "1")));
  ASSERT_EQ(read.entries.size(), 3U);
  EXPECT_EQ(read.entries[0].server_id, "");
  EXPECT_EQ(read.entries[1].server_id, event_);
}

TEST_F(Answers, FewerEntriesThanSent_AreMatchedByIdOnlyNeverByPlace) {
  const EncodedAnswer read = Read(Answer(Entry("200", "Observation/o9/_history/1") + "," +
                                         Entry("200", "Provenance/" + provenance_ + "/_history/1")));
  ASSERT_EQ(read.entries.size(), 1U);
  EXPECT_EQ(read.entries[0].entry, 2U);
}

TEST_F(Answers, ExchangedEntries_AreMatchedById) {
  const EncodedAnswer read = Read(Answer(Entry("200", "Provenance/" + provenance_ + "/_history/1") + "," +
                                         Entry("200", "Observation/o9/_history/1") + "," +
                                         Entry("200", "AdverseEvent/" + event_ + "/_history/1")));
  ASSERT_EQ(read.entries.size(), 2U);
  EXPECT_EQ(read.entries[0].entry, 2U);
  EXPECT_EQ(read.entries[1].entry, 1U);
}

TEST_F(Answers, EntryThatFailed_ShowsThoughTheWholeSucceeded) {
  const EncodedAnswer read = Read(Answer(Entry("201", "Observation/o9/_history/1") + "," + Entry("422", "") +
                                         "," + Entry("201", "Provenance/" + provenance_ + "/_history/1")));
  EXPECT_EQ(read.failed_status, 422);
  ASSERT_EQ(read.entries.size(), 2U);
}

TEST_F(Answers, NoBundle_IsAnError) {
  for (const char* body : {"", "{", "[]", R"({"resourceType":"OperationOutcome"})"}) {
    EXPECT_FALSE(Transaction().Read(plan_, Answered(body)).has_value()) << body;
  }
}

TEST_F(Answers, BundleOfAnotherType_IsNoAnswer) {
  for (const char* type : {R"("type":"searchset",)", ""}) {
    const std::string body = R"({"resourceType":"Bundle",)" + std::string(type) + R"("entry":[]})";
    const auto read = Transaction().Read(plan_, Answered(body));
    ASSERT_FALSE(read.has_value()) << type;
    EXPECT_EQ(read.error().code, Code::kServerAnswer);
  }
}

TEST_F(Answers, TransactionCarriedOutAsBatch_WasTakenApartThoughEveryEntrySucceeded) {
  const std::string entries = Entry("201", "Observation/o9/_history/1", "1") + "," +
                              Entry("201", "AdverseEvent/" + event_ + "/_history/1", "1") + "," +
                              Entry("201", "Provenance/" + provenance_ + "/_history/1", "1");
  EXPECT_FALSE(Read(Answer(entries)).was_taken_apart);
  const std::string apart = R"({"resourceType":"Bundle","type":"batch-response","entry":[)" + entries + "]}";
  EXPECT_TRUE(Read(apart).was_taken_apart);
  const auto batch = BundleEncoder("http://h/fhir", Rung::kBatch).Read(plan_, Answered(apart));
  ASSERT_TRUE(batch.has_value());
  EXPECT_FALSE(batch->was_taken_apart);
}

TEST_F(Answers, EntryThatFailedInATransaction_ShowsThatItWasTakenApart) {
  EXPECT_TRUE(Read(Answer(Entry("201", "Observation/o9/_history/1") + "," + Entry("422", "") + "," +
                          Entry("201", "Provenance/" + provenance_ + "/_history/1")))
                  .was_taken_apart);
}

TEST_F(Answers, MoreEntriesThanSent_IsNoAnswer) {
  const std::string one = Entry("200", "Observation/o9/_history/1");
  EXPECT_TRUE(Transaction().Read(plan_, Answered(Answer(one + "," + one + "," + one))).has_value());
  EXPECT_FALSE(
      Transaction().Read(plan_, Answered(Answer(one + "," + one + "," + one + "," + one))).has_value());
}

}  // namespace
}  // namespace fhir_adapter::sync
