#include "sync/single_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "planned_work.h"

namespace fhir_adapter::sync {
namespace {

const outbox::ResourceKey kProcedure = Key("Procedure", "it-procedure", "clinic.r1");
const outbox::ResourceKey kPain = Key("Observation", "it-observation", "clinic.r1.pain,1");

// One resource that is known to the server, one that is not.
DeliveryPlan Step(bool known) {
  outbox::WorkItem item = Work(2);
  item.resources = {Intended(kProcedure, R"("status":"not-done")")};
  if (known) item.ledger = {Row(kProcedure, "p1", "3", R"("status":"completed")")};
  const auto plan = PlanDelivery(item, Context());
  return plan ? *plan : DeliveryPlan{};
}

FhirAnswer Answered(const std::string& location, const std::string& content_location,
                    const std::string& etag) {
  FhirAnswer answer;
  answer.transport = Transport::kAnswered;
  answer.status = 201;
  answer.location = location;
  answer.content_location = content_location;
  answer.etag = etag;
  return answer;
}

TEST(SingleEncoder, KnownResource_IsPutByIdUnderItsVersion) {
  const FhirRequest request = SingleEncoder("http://h/fhir").Encode(Step(true));
  EXPECT_EQ(request.method, Method::kPut);
  EXPECT_EQ(request.path, "Procedure/p1");
  EXPECT_EQ(request.if_match, "W/\"3\"");
  EXPECT_EQ(request.body, R"({"resourceType":"Procedure","id":"p1","status":"not-done"})");
}

TEST(SingleEncoder, NewResource_IsPutByItsIdentifierWithoutId) {
  const FhirRequest request = SingleEncoder("http://h/fhir").Encode(Step(false));
  EXPECT_EQ(request.path, "Procedure?identifier=https://clinic.example/fhir/sid/it-procedure|clinic.r1");
  EXPECT_EQ(request.if_match, "");
  EXPECT_EQ(request.body, R"({"resourceType":"Procedure","status":"not-done"})");
}

TEST(SingleEncoder, NewResourceThatTheServerNames_IsPostedUnderItsIdentifier) {
  const CreateForms forms = ServerNamed();
  PlanContext context = Context();
  context.forms = &forms;
  outbox::WorkItem item = Work(1);
  item.resources = {Intended(kPain, R"("status":"final")")};
  const auto plan = PlanDelivery(item, context);
  ASSERT_TRUE(plan.has_value());
  const FhirRequest request = SingleEncoder("http://h/fhir").Encode(*plan);
  EXPECT_EQ(request.method, Method::kPost);
  EXPECT_EQ(request.path, "Observation");
  EXPECT_EQ(request.if_none_exist,
            "identifier=https://clinic.example/fhir/sid/it-observation|clinic.r1.pain%5C%2C1");
  EXPECT_EQ(request.body, R"({"resourceType":"Observation","status":"final"})");
}

TEST(SingleEncoder, WhatIsReferredTo_GoesFirst) {
  outbox::WorkItem item = Work(1);
  const std::string procedure_uuid = UuidOf(kProcedure.system, kProcedure.value);
  item.resources = {
      Intended(kPain, R"("status":"final","partOf":[{"reference":"urn:uuid:)" + procedure_uuid + R"("}])"),
      Intended(kProcedure, R"("status":"completed")")};
  auto plan = PlanDelivery(item, Context());
  ASSERT_TRUE(plan.has_value());
  const SingleEncoder encoder("http://h/fhir");
  EXPECT_EQ(encoder.NextEntries(*plan), std::vector<std::size_t>{1});
  plan->literals[procedure_uuid] = "Procedure/p1";
  EXPECT_EQ(encoder.NextEntries(*plan), std::vector<std::size_t>{0});
  EXPECT_TRUE(encoder.NextEntries(DeliveryPlan{}).empty());
}

struct HeaderRow {
  const char* name;
  const char* location;
  const char* content_location;
  const char* etag;
  const char* server_id;
  const char* version_id;
};

class AnswerHeaders : public testing::TestWithParam<HeaderRow> {};

TEST_P(AnswerHeaders, WhatTheServerSays_GivesIdAndVersion) {
  const HeaderRow& row = GetParam();
  const auto read = SingleEncoder("http://h/fhir")
                        .Read(Step(false), Answered(row.location, row.content_location, row.etag));
  ASSERT_TRUE(read.has_value());
  ASSERT_EQ(read->entries.size(), 1U);
  EXPECT_EQ(read->entries[0].server_id, row.server_id);
  EXPECT_EQ(read->entries[0].version_id, row.version_id);
  EXPECT_EQ(read->failed_status, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Table, AnswerHeaders,
    testing::Values(HeaderRow{"Location", "http://h/fhir/Procedure/9/_history/2", "", "", "9", "2"},
                    HeaderRow{"LocationAndEtag", "http://h/fhir/Procedure/9", "", "W/\"4\"", "9", "4"},
                    HeaderRow{"ContentLocation", "", "http://h/fhir/Procedure/9/_history/2", "W/\"2\"", "9",
                              "2"},
                    HeaderRow{"BareEtagOnly", "", "", "7", "", "7"},
                    HeaderRow{"OtherType", "http://h/fhir/Patient/9/_history/2", "", "", "", ""},
                    HeaderRow{"OtherServer", "http://evil/fhir/Procedure/9/_history/2", "", "", "", ""}),
    [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace fhir_adapter::sync
