#include "sync/resource_merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sync/resource_content.h"

namespace fhir_adapter::sync {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kHead = R"({"resourceType":"Observation","status":"final","code":{"text":"pain"})";

std::string Observation(const std::string& members) {
  return kHead + (members.empty() ? "" : "," + members) + "}";
}

// Members after status and code. `contested` empty: merged as `merged`.
struct MergeRow {
  const char* name;
  const char* base;
  const char* theirs;
  const char* ours;
  std::vector<std::string> contested;
  const char* merged;
};

class Merge : public testing::TestWithParam<MergeRow> {};

TEST_P(Merge, ThreeVersions_GiveWhatTheTableSays) {
  const MergeRow& row = GetParam();
  Arena arena;
  const auto read = [&](const char* members) { return *ReadResource(Observation(members), arena); };
  const MergedResource merged =
      MergeResource(*read(row.base), *read(row.theirs), *read(row.ours), Contested::kReport, arena);
  EXPECT_EQ(merged.contested, row.contested);
  EXPECT_EQ(WriteOrdered(*merged.resource), WriteOrdered(*read(row.merged)));
}

#define SEVEN R"("valueQuantity":{"value":7,"unit":"mg"})"
#define THREE R"("valueQuantity":{"value":3,"unit":"mg"})"

INSTANTIATE_TEST_SUITE_P(
    Table, Merge,
    testing::Values(
        MergeRow{"Nothing", SEVEN, SEVEN, THREE, {}, THREE},
        MergeRow{"ElementAdded",
                 SEVEN,
                 SEVEN R"(,"note":[{"text":"x"}])",
                 THREE,
                 {},
                 THREE R"(,"note":[{"text":"x"}])"},
        MergeRow{"ItemAdded",
                 R"("note":[{"text":"a"}])",
                 R"("note":[{"text":"x"},{"text":"a"}])",
                 R"("note":[{"text":"a"},{"text":"b"}])",
                 {},
                 R"("note":[{"text":"a"},{"text":"b"},{"text":"x"}])"},
        MergeRow{"ItemAddedThatOursHasToo",
                 R"("note":[{"text":"a"}])",
                 R"("note":[{"text":"a"},{"text":"b"}])",
                 R"("note":[{"text":"a"},{"text":"b"}])",
                 {},
                 R"("note":[{"text":"a"},{"text":"b"}])"},
        MergeRow{"ItemRemoved",
                 R"("note":[{"text":"a"},{"text":"b"}])",
                 R"("note":[{"text":"a"}])",
                 R"("note":[{"text":"a"},{"text":"b"}])",
                 {"Observation.note"},
                 R"("note":[{"text":"a"},{"text":"b"}])"},
        MergeRow{"ItemExchanged",
                 R"("note":[{"text":"a"}])",
                 R"("note":[{"text":"x"},{"text":"y"}])",
                 R"("note":[{"text":"a"}])",
                 {"Observation.note"},
                 R"("note":[{"text":"a"}])"},
        MergeRow{"CodingAddedToText",
                 R"("method":{"text":"asked"})",
                 R"("method":{"text":"asked","coding":[{"system":"urn:s","code":"c"}]})",
                 R"("method":{"text":"asked"})",
                 {},
                 R"("method":{"text":"asked","coding":[{"system":"urn:s","code":"c"}]})"},
        MergeRow{"DisplayOfAReference",
                 R"("focus":[{"reference":"Procedure/1"}])",
                 R"("focus":[{"reference":"Procedure/1","display":"injection"}])",
                 R"("focus":[{"reference":"Procedure/1"}])",
                 {},
                 R"("focus":[{"reference":"Procedure/1","display":"injection"}])"},
        MergeRow{
            "DisplayOfAReferenceThatMoved",
            R"("focus":[{"reference":"Procedure/1"}])",
            R"("focus":[{"reference":"Procedure/1","display":"injection"}])",
            R"("focus":[{"reference":"Procedure/2"},{"reference":"Procedure/1"}])",
            {},
            R"("focus":[{"reference":"Procedure/2"},{"reference":"Procedure/1","display":"injection"}])"},
        MergeRow{"ValueChanged",
                 SEVEN,
                 R"("valueQuantity":{"value":9,"unit":"mg"})",
                 THREE,
                 {"Observation.valueQuantity.value"},
                 THREE},
        MergeRow{"ValueChangedWhereOursIsAsItWas",
                 SEVEN,
                 R"("valueQuantity":{"value":9,"unit":"mg"})",
                 SEVEN,
                 {"Observation.valueQuantity.value"},
                 SEVEN},
        MergeRow{"DigitsChanged",
                 R"("valueQuantity":{"value":7.0})",
                 R"("valueQuantity":{"value":7.00})",
                 R"("valueQuantity":{"value":3})",
                 {"Observation.valueQuantity.value"},
                 R"("valueQuantity":{"value":3})"},
        MergeRow{"SameChangeByBoth", SEVEN, THREE, THREE, {}, THREE},
        MergeRow{"ComparatorAdded",
                 SEVEN,
                 R"("valueQuantity":{"value":7,"unit":"mg","comparator":"<"})",
                 SEVEN,
                 {"Observation.valueQuantity.comparator"},
                 SEVEN},
        MergeRow{"ValueRemoved", SEVEN, "", THREE, {"Observation.valueQuantity"}, THREE},
        MergeRow{
            "AnotherKindOfValue", SEVEN, R"("valueString":"7")", SEVEN, {"Observation.valueQuantity"}, SEVEN},
        MergeRow{"BothAddAValueOfAnotherKind", "", R"("valueString":"7")", SEVEN, {"Observation"}, SEVEN},
        MergeRow{"BothAddTheElement",
                 "",
                 R"("bodySite":{"text":"a"})",
                 R"("bodySite":{"text":"b"})",
                 {"Observation.bodySite"},
                 R"("bodySite":{"text":"b"})"},
        MergeRow{"ModifierExtensionAdded",
                 SEVEN,
                 SEVEN R"(,"modifierExtension":[{"url":"urn:negated","valueBoolean":true}])",
                 SEVEN,
                 {"Observation.modifierExtension"},
                 SEVEN}),
    [](const auto& one) { return one.param.name; });

TEST(MergeResource, StatusOfACondition_IsNotExtendedByOthers) {
  Arena arena;
  const auto condition = [&](const std::string& codings) {
    return *ReadResource(
        R"({"resourceType":"Condition","subject":{"reference":"Patient/1"},"verificationStatus":{"coding":[)" +
            codings + "]}}",
        arena);
  };
  const std::string confirmed =
      R"({"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"confirmed"})";
  const std::string refuted =
      R"({"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"refuted"})";
  const MergedResource merged = MergeResource(*condition(confirmed), *condition(confirmed + "," + refuted),
                                              *condition(confirmed), Contested::kReport, arena);
  EXPECT_THAT(merged.contested, ElementsAre("Condition.verificationStatus"));
}

class Rules : public testing::Test {
 protected:
  MergedResource Run(const std::string& ours, Contested rule) {
    const auto read = [this](const std::string& members) {
      return *ReadResource(Observation(members), arena_);
    };
    const std::string theirs = R"("note":[{"text":"x"}],"valueQuantity":{"value":9,"unit":"mg"})";
    return MergeResource(*read(SEVEN), *read(theirs), *read(ours), rule, arena_);
  }
  static std::string Noted(const std::string& value) {
    Arena arena;
    return WriteOrdered(**ReadResource(Observation(value + R"(,"note":[{"text":"x"}])"), arena));
  }
  Arena arena_;
};

TEST_F(Rules, KeepTheirs_HoldsWhereOursSaysWhatItSaidBefore) {
  const MergedResource same = Run(SEVEN, Contested::kKeepTheirs);
  EXPECT_THAT(same.contested, IsEmpty());
  EXPECT_EQ(WriteOrdered(*same.resource), Noted(R"("valueQuantity":{"value":9,"unit":"mg"})"));
  EXPECT_THAT(Run(THREE, Contested::kKeepTheirs).contested, ElementsAre("Observation.valueQuantity.value"));
}

TEST_F(Rules, TakeOurs_KeepsWhatTheyAdded) {
  const MergedResource merged = Run(THREE, Contested::kTakeOurs);
  EXPECT_THAT(merged.contested, IsEmpty());
  EXPECT_TRUE(merged.has_theirs);
  EXPECT_EQ(WriteOrdered(*merged.resource), Noted(THREE));
}

}  // namespace
}  // namespace fhir_adapter::sync
