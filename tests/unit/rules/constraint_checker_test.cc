#include "rules/constraint_checker.h"

#include <gtest/gtest.h>

#include "record/record_reader.h"
#include "unit/rules/rule_record.h"

namespace fhir_adapter::rules {
namespace {

Issues CheckWith(const std::string& record, std::uint64_t steps_max) {
  Arena arena;
  record::RecordText text;
  text.bytes = record;
  auto reading = record::ReadRecord(text, record::ShippedModel(), arena);
  EXPECT_TRUE(reading.issues.empty());
  ShippedConstraints().Check(*reading.root, arena, "", "", reading.issues, steps_max);
  return reading.issues;
}

// The least number for which `holds` is true; it must be false below and true above.
template <class Predicate>
std::uint64_t Least(std::uint64_t low, std::uint64_t high, Predicate holds) {
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (holds(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

TEST(ConstraintChecker, StepsAtTheLimit_AreRunAndOneLessIsReportedOnce) {
  const std::string record = PlausibleRecord();
  const std::uint64_t needed = Least(1, limits::kConstraintStepsMax,
                                     [&](std::uint64_t steps) { return CheckWith(record, steps).empty(); });
  ASSERT_GT(needed, 10U);
  const Issues issues = CheckWith(record, needed - 1);
  ASSERT_EQ(issues.size(), 1U);
  EXPECT_EQ(issues[0].code, Code::kMapLimit);
}

TEST(ConstraintChecker, LargestRecord_StaysWithinItsSteps) {
  std::string pain = "[";
  for (std::size_t i = 0; i < limits::kRecordElementsMax / 5 - 20; ++i) {
    pain += std::string(i == 0 ? "" : ",") + R"({"rowId":")" + std::to_string(i) +
            R"(","timing":"after","scale":"NRS","value":3})";
  }
  EXPECT_TRUE(CheckWith(PlausibleRecord({{"pain", pain + "]"}}), limits::kConstraintStepsMax).empty());
}

TEST(RuleEngine, StepsAtTheLimit_AreRunAndOneLessSkipsARuleWithANote) {
  Arena arena;
  const auto record = fhir::ReadJson(PlausibleRecord(), arena);
  const PatientFacts facts = EmptyStore();
  const auto notes = [&](std::uint64_t steps) {
    RuleRequest request;
    request.record = *record;
    request.record_key = "s.R";
    request.facts = &facts;
    request.steps_max = steps;
    return RunRules(ShippedRules(), request, arena).notes;
  };
  const std::uint64_t needed =
      Least(1, limits::kRuleStepsMax, [&](std::uint64_t steps) { return notes(steps).empty(); });
  ASSERT_GT(needed, 10U);
  const Issues issues = notes(needed - 1);
  ASSERT_EQ(issues.size(), 1U);
  EXPECT_EQ(issues[0].code, Code::kRuleSkipped);
}

TEST(ConstraintChecker, ExpressionThatIsWrong_NamesItsConstraint) {
  const auto build = [](const std::string& expression) {
    Arena arena;
    const auto structure = fhir::ReadJson(
        R"({"resourceType":"StructureDefinition","kind":"logical","url":"u","type":"ProcedureRecord","differential":{"element":[
        {"path":"ProcedureRecord","constraint":[{"key":"wrong-one","expression":")" +
            expression +
            R"(","extension":[{"url":"x/StructureDefinition/record-issue-code","valueCode":"value-negative"}]}]}]}})",
        arena);
    auto model = record::RecordModel::Build(**structure, {});
    EXPECT_TRUE(model.has_value());
    return ConstraintChecker::Build(*model, ShippedSchema());
  };
  EXPECT_TRUE(build("revision > 0").has_value());
  const auto syntax = build("revision >");
  ASSERT_FALSE(syntax.has_value());
  EXPECT_EQ(syntax.error().code, Code::kConfiguration);
  EXPECT_NE(syntax.error().message.find("constraint wrong-one: "), std::string::npos);
  const auto unknown = build("revisions > 0");
  ASSERT_FALSE(unknown.has_value());
  EXPECT_NE(unknown.error().message.find("constraint wrong-one: "), std::string::npos);
}

}  // namespace
}  // namespace fhir_adapter::rules
