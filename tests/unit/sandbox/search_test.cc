// Searches, as the search page of FHIR R4 wants them.
#include <gmock/gmock.h>

#include "core/limits.h"
#include "unit/sandbox/sandbox_fixture.h"

namespace fhir_adapter::sandbox {
namespace {

using test::HttpReply;
using testing::HasSubstr;

class Search : public SandboxFixture {
 protected:
  void SetUp() override {
    SandboxFixture::SetUp();
    client().Put("/Patient/a",
                 R"({"resourceType":"Patient","id":"a","active":true,"gender":"female",)"
                 R"("birthDate":"1960-04-05","name":[{"family":"Rossi","given":["Anna"]}],)"
                 R"("identifier":[{"system":"urn:mrn","value":"1,2|3$4\\5"},{"value":"plain"}]})");
    clock_.now_us += 60'000'000;
    client().Put("/Patient/b", R"({"resourceType":"Patient","id":"b","birthDate":"1971",)"
                               R"("identifier":[{"system":"urn:other","value":"plain"}]})");
    client().Put("/Observation/o",
                 Observation("Patient/a", "o", R"("id":"o","effectiveDateTime":"2026-02-03T10:00:00Z")"));
    client().Put("/Observation/p", Observation("Patient/b", "p",
                                               R"("id":"p","effectivePeriod":{"start":"2026-02-04"},)"
                                               R"("focus":[{"reference":"Patient/a"}])"));
    client().Put("/Provenance/v",
                 R"({"resourceType":"Provenance","id":"v","target":[{"reference":"Observation/o"}],)"
                 R"("recorded":"2026-03-01T00:00:00Z","agent":[{"who":{"display":"x"}}]})");
    client().Put("/Encounter/x",
                 R"({"resourceType":"Encounter","id":"x","status":"finished",)"
                 R"("class":{"code":"AMB"},"period":{"start":"2026-02-01","end":"2026-02-04"}})");
    client().Put("/AdverseEvent/e",
                 R"({"resourceType":"AdverseEvent","id":"e","actuality":"actual",)"
                 R"("subject":{"reference":"Patient/a"},"identifier":{"system":"urn:ae","value":"1"}})");
  }
};

struct Case {
  const char* name;
  const char* path;
  const char* total;  // "400": refused
};

class SearchTable : public Search, public testing::WithParamInterface<Case> {};

TEST_P(SearchTable, Query_FindsSoMany) {
  const HttpReply reply = client().Get(GetParam().path);
  if (std::string(GetParam().total) == "400") {
    EXPECT_EQ(reply.status, 400) << reply.body;
    EXPECT_EQ(At(reply, "/resourceType"), "OperationOutcome");
    return;
  }
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(At(reply, "/total"), GetParam().total) << reply.body;
}

INSTANTIATE_TEST_SUITE_P(
    R4, SearchTable,
    testing::Values(
        Case{"all", "/Patient", "2"}, Case{"id", "/Patient?_id=a", "1"},
        Case{"ids", "/Patient?_id=a,b,c", "2"}, Case{"id_unknown", "/Patient?_id=none", "0"},
        // identifier=system|value, with what FHIR escapes
        Case{"identifier", "/Patient?identifier=urn:mrn%7C1%5C,2%5C%7C3%5C$4%5C%5C5", "1"},
        Case{"identifier_unescaped", "/Patient?identifier=urn:mrn%7C1,2%7C3$4", "0"},
        Case{"identifier_any_system", "/Patient?identifier=plain", "2"},
        Case{"identifier_no_system", "/Patient?identifier=%7Cplain", "1"},
        Case{"identifier_system", "/Patient?identifier=urn:other%7C", "1"},
        Case{"identifier_case", "/Patient?identifier=PLAIN", "0"},
        Case{"identifier_or", "/Patient?identifier=urn:other%7Cplain,%7Cplain", "2"},
        Case{"identifier_and", "/Patient?identifier=urn:other%7Cplain&identifier=%7Cplain", "0"},
        Case{"code_token", "/Patient?gender=female", "1"}, Case{"boolean_token", "/Patient?active=true", "1"},
        Case{"empty_value", "/Patient?gender=", "2"},
        // references
        Case{"patient", "/Observation?patient=Patient/a", "1"},
        Case{"patient_id_only", "/Observation?patient=a", "1"},
        Case{"subject", "/Observation?subject=Patient/b", "1"},
        Case{"subject_type", "/Observation?subject:Patient=b", "1"},
        Case{"subject_other_type", "/Observation?subject=Group/b", "0"},
        Case{"focus", "/Observation?focus=Patient/a", "1"},
        Case{"target", "/Provenance?target=Observation/o", "1"},
        Case{"target_none", "/Provenance?target=Observation/p", "0"},
        Case{"patient_is_no_other_type", "/Provenance?patient=o", "0"},
        Case{"adverse_event_subject", "/AdverseEvent?subject=Patient/a", "1"},
        Case{"chain", "/Observation?patient.identifier=urn:other%7Cplain", "1"},
        Case{"chain_typed", "/Observation?subject:Patient.identifier=plain", "2"},
        Case{"chain_untyped", "/Observation?subject.identifier=plain", "400"},
        // dates
        Case{"birthdate", "/Patient?birthdate=1960-04-05", "1"},
        Case{"birthdate_year", "/Patient?birthdate=1960", "1"},
        Case{"birthdate_finer", "/Patient?birthdate=1971-01-01", "0"},
        Case{"birthdate_gt", "/Patient?birthdate=gt1960-04-05", "1"},
        Case{"birthdate_ge", "/Patient?birthdate=ge1960-04-05", "2"},
        Case{"birthdate_lt", "/Patient?birthdate=lt1971", "1"},
        Case{"birthdate_ne", "/Patient?birthdate=ne1971", "1"},
        Case{"date_point", "/Observation?date=2026-02-03", "1"},
        Case{"period_reaches_beyond", "/Encounter?date=ge2026-02-03", "1"},
        Case{"period_ends_with_it", "/Encounter?date=ge2026-02-04", "0"},
        Case{"date_open_period", "/Observation?date=ge2027", "1"},
        Case{"date_sa", "/Observation?date=sa2026-02-03", "1"},
        Case{"date_eb", "/Observation?date=eb2026-02-04", "1"},
        Case{"last_updated_ge", "/Patient?_lastUpdated=ge2026-03-01T12:01:00Z", "1"},
        Case{"last_updated_lt", "/Patient?_lastUpdated=lt2026-03-01T12:01:00Z", "1"},
        Case{"last_updated_range",
             "/Patient?_lastUpdated=ge2026-03-01T12:00:00Z&_lastUpdated=le2026-03-01T12:02:00Z", "2"},
        // strings
        Case{"family_prefix", "/Patient?family=ros", "1"}, Case{"given", "/Patient?name=ANNA", "1"},
        Case{"family_inner", "/Patient?family=ossi", "0"},
        // what is refused
        Case{"unknown", "/Patient?bogus=1", "400"},
        Case{"unknown_control", "/Patient?_include=Patient:x", "400"},
        Case{"adverse_event_identifier", "/AdverseEvent?identifier=1", "400"},
        Case{"provenance_identifier", "/Provenance?identifier=1", "400"},
        Case{"administration_part_of", "/MedicationAdministration?part-of=Procedure/1", "400"},
        Case{"bad_date", "/Patient?birthdate=yesterday", "400"},
        Case{"bad_count", "/Patient?_count=x", "400"}, Case{"modifier", "/Patient?identifier:text=x", "400"},
        Case{"missing", "/Patient?gender:missing=true", "400"},
        Case{"summary_count", "/Patient?_summary=count", "2"},
        Case{"summary_text", "/Patient?_summary=text", "400"}),
    [](const testing::TestParamInfo<Case>& example) { return example.param.name; });

TEST_F(Search, Lenient_IgnoresUnknownParameters) {
  EXPECT_EQ(At(client().Get("/Patient?bogus=1", {{"Prefer", "handling=lenient"}}), "/total"), "2");
  EXPECT_EQ(client().Get("/Patient?bogus=1", {{"Prefer", "handling=strict"}}).status, 400);
}

TEST_F(Search, Post_SearchesToo) {
  const HttpReply reply = client().Post("/Patient/_search", "identifier=plain&_count=1",
                                        {{"Content-Type", "application/x-www-form-urlencoded"}});
  EXPECT_EQ(At(reply, "/total"), "2");
  EXPECT_EQ(Size(reply, "/entry"), 1u);
}

TEST_F(Search, Entries_HaveFullUrlAndMode) {
  const HttpReply reply = client().Get("/Patient?_id=a");
  EXPECT_EQ(At(reply, "/type"), "searchset");
  EXPECT_EQ(At(reply, "/entry/0/fullUrl"), sandbox_->base_url() + "/Patient/a");
  EXPECT_EQ(At(reply, "/entry/0/search/mode"), "match");
  EXPECT_EQ(At(reply, "/entry/0/resource/id"), "a");
  EXPECT_EQ(At(reply, "/link/0/relation"), "self");
}

TEST_F(Search, NextLinks_LeadThroughAllPages) {
  for (int i = 0; i < 5; ++i) PutPatient("n" + std::to_string(i));
  std::string url = sandbox_->base_url() + "/Patient?_count=3";
  std::vector<std::string> ids;
  std::vector<std::size_t> sizes;
  test::HttpClient follow("");
  while (!url.empty()) {
    const HttpReply reply = follow.Get(url);
    ASSERT_EQ(reply.status, 200) << url;
    EXPECT_EQ(At(reply, "/total"), "7");
    sizes.push_back(Size(reply, "/entry"));
    for (std::size_t i = 0; i < sizes.back(); ++i) {
      ids.push_back(At(reply, "/entry/" + std::to_string(i) + "/resource/id"));
    }
    url = At(reply, "/link/1/relation") == "next" ? At(reply, "/link/1/url") : "";
  }
  EXPECT_THAT(sizes, testing::ElementsAre(3, 3, 1));
  EXPECT_THAT(ids, testing::ElementsAre("a", "b", "n0", "n1", "n2", "n3", "n4"));
}

TEST_F(Search, NextLink_KeepsTheCriteria) {
  const HttpReply reply = client().Get("/Patient?identifier=%7Cplain,urn:other%7Cplain&_count=1");
  EXPECT_THAT(At(reply, "/link/1/url"), HasSubstr("identifier=%7Cplain%2Curn%3Aother%7Cplain"));
}

TEST_F(Search, CountOnly_HasNoEntries) {
  EXPECT_EQ(Size(client().Get("/Patient?_summary=count"), "/entry"), 0u);
  EXPECT_EQ(Size(client().Get("/Patient?_count=0"), "/entry"), 0u);
}

TEST_F(Search, PageSize_IsLimited) {
  const std::size_t page = limits::kSandboxPageSizeMax;
  std::string entries;
  for (std::size_t i = 0; i + 2 < page + 1; ++i) {
    entries += (entries.empty() ? "" : ",") + Entry("POST", "Patient", Patient(std::to_string(i)));
  }
  ASSERT_EQ(client().Post("", Transaction(entries)).status, 200);
  const std::string more = std::to_string(page + 1);
  EXPECT_EQ(Total("/Patient?_summary=count"), more);
  EXPECT_EQ(Size(client().Get("/Patient?_count=" + std::to_string(page)), "/entry"), page);
  EXPECT_EQ(Size(client().Get("/Patient?_count=" + more), "/entry"), page);
  EXPECT_EQ(Size(client().Get("/Patient"), "/entry"), limits::kSandboxPageSizeDefault);
}

TEST_F(Search, ChangedResource_IsFoundByItsNewValuesOnly) {
  client().Put("/Patient/b", Patient("new", R"("id":"b")"));
  EXPECT_EQ(Total("/Patient?identifier=urn:other%7Cplain"), "0");
  EXPECT_EQ(Total("/Patient?identifier=urn:mrn%7Cnew"), "1");
}

}  // namespace
}  // namespace fhir_adapter::sandbox
