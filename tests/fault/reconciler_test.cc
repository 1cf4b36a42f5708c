// What the reconciler sees after others have changed our resources on the server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/limits.h"
#include "delivery_rig.h"

namespace fhir_adapter::test {
namespace {

using outbox::WorkState;
using sync::Difference;
using sync::DifferenceKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

Record Simple(const std::string& id = "r1") {
  Record record;
  record.id = id;
  record.parts = {{"Procedure", "", R"("status":"completed")"},
                  {"Observation", "pain.1", R"("status":"final","code":{"text":"pain"})"}};
  return record;
}

const std::string kPain = DeliveryRig::Query("Observation", "it-observation", "clinic.r1.pain.1");

class ReconcilerTest : public testing::Test {
 protected:
  void SetUp() override {
    rig_.AddPatient("100");
    rig_.Submit(Simple());
    rig_.RunUntilState(Simple(), WorkState::kDelivered);
  }
  // The Observation with more members, put in its place by somebody else.
  void Edit(const std::string& members) {
    std::string json = rig_.OneOnServer(kPain);
    const std::string id = IdIn(json);
    json.pop_back();
    EXPECT_EQ(rig_.server().Put("/Observation/" + id, json + "," + members + "}").status, 200);
  }
  static std::string IdIn(const std::string& json) {
    const std::size_t start = json.find(R"("id":")") + 6;
    return json.substr(start, json.find('"', start) - start);
  }
  std::vector<Difference> Differences() {
    const auto differences = rig_.Reconcile();
    EXPECT_TRUE(differences) << (differences ? "" : ToString(differences.error()));
    return differences ? *differences : std::vector<Difference>();
  }

  DeliveryRig rig_;
};

TEST_F(ReconcilerTest, UntouchedServer_HasNoDifference) {
  EXPECT_THAT(Differences(), SizeIs(0));
}

TEST_F(ReconcilerTest, RemovedResource_IsMissing) {
  const std::string id = IdIn(rig_.OneOnServer("Provenance"));
  ASSERT_EQ(rig_.server().Delete("/Provenance/" + id).status, 200);
  const std::vector<Difference> found = Differences();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].kind, DifferenceKind::kMissing);
  EXPECT_EQ(found[0].url, "Provenance/" + id);
  EXPECT_EQ(found[0].subject_key, "clinic.r1");
}

TEST_F(ReconcilerTest, SecondResourceWithOurIdentifier_IsADuplicate) {
  std::string copy = rig_.OneOnServer(kPain);
  const std::string id = IdIn(copy);
  copy.replace(copy.find(id), id.size(), "copy");
  ASSERT_EQ(rig_.server().Put("/Observation/copy", copy).status, 201);
  const std::vector<Difference> found = Differences();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].kind, DifferenceKind::kDuplicate);
  EXPECT_EQ(found[0].url, "Observation/copy");
}

TEST_F(ReconcilerTest, ResourceOfOursThatTheLedgerLacks_IsOrphaned) {
  const std::string orphan =
      R"({"resourceType":"Observation","id":"orphan","status":"final","code":{"text":"pain"},"identifier":)"
      R"([{"system":")" +
      kCanonicalBase + R"(/sid/it-observation","value":"clinic.r2.pain.1"}]})";
  ASSERT_EQ(rig_.server().Put("/Observation/orphan", orphan).status, 201);
  const std::vector<Difference> found = Differences();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].kind, DifferenceKind::kOrphaned);
  EXPECT_EQ(found[0].url, "Observation/orphan");
}

TEST_F(ReconcilerTest, ChangedElement_IsNamed) {
  Edit(R"("bodySite":{"text":"back"})");
  const std::vector<Difference> found = Differences();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].kind, DifferenceKind::kChanged);
  EXPECT_THAT(found[0].paths, ElementsAre("Observation.bodySite"));
}

// A resource with as many elements as ours lacks: `paths` of them are named.
TEST_F(ReconcilerTest, ChangedElements_AreNamedUpToTheLimit) {
  const auto components = [](std::size_t count) {
    std::string list = R"("status":"final","code":{"text":"pain"},"component":[)";
    for (std::size_t i = 0; i < count; ++i) {
      list += (i == 0 ? "" : ",") + std::string(R"({"code":{"text":"c"},"valueString":"v"})");
    }
    return list + "]";
  };
  std::size_t number = 10;
  for (const std::size_t count : {limits::kReconcilePathsMax, limits::kReconcilePathsMax + 1}) {
    Record record;
    record.id = "many" + std::to_string(++number);
    record.parts = {{"Observation", "pain.1", components(count)}};
    rig_.Submit(record);
    rig_.RunUntilState(record, WorkState::kDelivered);
    std::string json = rig_.OneOnServer(
        DeliveryRig::Query("Observation", "it-observation", "clinic." + record.id + ".pain.1"));
    for (std::size_t at = json.find(R"("v")"); at != std::string::npos; at = json.find(R"("v")")) {
      json.replace(at, 3, R"("w")");
    }
    ASSERT_EQ(rig_.server().Put("/Observation/" + IdIn(json), json).status, 200);
  }
  const std::vector<Difference> found = Differences();
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(found[0].paths, SizeIs(limits::kReconcilePathsMax));
  EXPECT_THAT(found[1].paths, SizeIs(limits::kReconcilePathsMax));
}

// Two pages of Observations: a server that gives more pages than are read is an error, never an end.
TEST_F(ReconcilerTest, MorePagesThanAreRead_IsAnError) {
  for (std::size_t i = 0; i < limits::kReconcileEntriesPerPage; ++i) {
    Record record;
    record.id = "page" + std::to_string(i);
    record.parts = {{"Observation", "pain.1", R"("status":"final","code":{"text":"pain"})"}};
    rig_.Submit(record);
  }
  rig_.RunUntilQuiet();
  const auto all = rig_.Reconcile(2);
  ASSERT_TRUE(all) << ToString(all.error());
  EXPECT_THAT(*all, SizeIs(0));
  const auto cut = rig_.Reconcile(1);
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, Code::kLimit);
}

}  // namespace
}  // namespace fhir_adapter::test
