// The surroundings of an evaluation: variables by slot, hosts, Bundles, records without FHIR types, budgets,
// positions of faults, and the command's answer.
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "core/limits.h"
#include "expression_fixture.h"

namespace fhir_adapter::fhirpath {
namespace {

class Evaluation : public testing::Test {
 protected:
  void SetUp() override {
    scope_.schema = &fhir::Schema::R4();
    context_.arena = &arena_;
    context_.schema = scope_.schema;
    context_.moment = &moment_;
  }

  Result<Collection> Run(std::string_view text, const Collection& input = {}) {
    auto parsed = Expression::Parse(text);
    if (!parsed) return Fail(parsed.error());
    expression_ = std::move(*parsed);
    ADAPTER_CHECK(expression_.Resolve(scope_));
    return expression_.Evaluate(context_, input);
  }

  fhir::Element Read(std::string_view json) {
    auto node = fhir::ReadJson(json, arena_);
    EXPECT_TRUE(node);
    return fhir::RootElement(**node, *scope_.schema);
  }

  std::string Text(const Result<Collection>& result) {
    if (!result) return "error: " + ToString(result.error());
    std::string text;
    for (const Item& item : *result) {
      text += (text.empty() ? "" : " | ") + std::string(TextOf(item, arena_).value_or("(complex)"));
    }
    return text;
  }

  Arena arena_;
  Scope scope_;
  EvaluationContext context_;
  Moment moment_ = FixedMoment();
  Expression expression_;
};

TEST_F(Evaluation, Variables_AreReadBySlot) {
  std::vector<Variable> variables(2);
  variables[0].name = "canonicalBase";
  variables[1].name = "src";
  variables[1].plain = true;
  scope_.variables = variables;
  std::vector<Collection> values(2);
  values[0] = Item::String("https://clinic.example/fhir");
  values[1].Append(Item::Integer(1), arena_);
  values[1].Append(Item::Integer(2), arena_);
  context_.variables = values;
  EXPECT_EQ(Text(Run("%canonicalBase & '/sid'")), "https://clinic.example/fhir/sid");
  EXPECT_EQ(Text(Run("src.select($this + 1)")), "2 | 3");
}

TEST_F(Evaluation, MissingVariableValue_IsAnError) {
  std::vector<Variable> variables(1);
  variables[0].name = "late";
  scope_.variables = variables;
  EXPECT_NE(Text(Run("%late")).find("has no value"), std::string::npos);
}

TEST_F(Evaluation, RecordWithoutFhirTypes_IsReadByItsJson) {
  fhir::Element record;
  auto node = fhir::ReadJson(R"({"dose": {"value": 1.10, "unit": "mg"}, "seq": 2, "at": "2014-05-06",
                                 "flags": [true, false], "name": "x"})",
                             arena_);
  ASSERT_TRUE(node);
  record.node = *node;
  EXPECT_EQ(Text(Run("dose.value", Item(record))), "1.10");
  EXPECT_EQ(Text(Run("dose.value = 1.1 and dose.value is Decimal", Item(record))), "true");
  EXPECT_EQ(Text(Run("seq + 1", Item(record))), "3");
  EXPECT_EQ(Text(Run("flags.where($this)", Item(record))), "true");
  EXPECT_EQ(Text(Run("name & '-' & at", Item(record))), "x-2014-05-06");
  EXPECT_EQ(Text(Run("at.toDate() < @2014-05-07", Item(record))), "true");
  EXPECT_EQ(Text(Run("nothing.exists()", Item(record))), "false");
}

class RecordingHost : public Host {
 public:
  Result<fhir::Element> ResolveReference(std::string_view reference) override {
    asked += std::string(reference) + ";";
    return fhir::Element{};
  }
  Result<std::optional<bool>> MemberOf(const Item&, std::string_view url) override {
    if (url == "http://example.org/broken") return Fail(Code::kExecution, "no terminology");
    return std::optional<bool>(url == "http://example.org/vs");
  }
  void Trace(std::string_view name, const Collection& values) override {
    traced += std::string(name) + ":" + std::to_string(values.size()) + ";";
  }
  std::string asked;
  std::string traced;
};

TEST_F(Evaluation, Host_IsAskedAndTraced) {
  RecordingHost host;
  context_.host = &host;
  const Collection patient = Item(Read(kPatient));
  EXPECT_EQ(Text(Run("name.trace('names').count()", patient)), "3");
  EXPECT_EQ(host.traced, "names:3;");
  EXPECT_EQ(Text(Run("'Organization/9'.resolve().exists()", patient)), "false");
  EXPECT_EQ(host.asked, "Organization/9;");
  EXPECT_EQ(Text(Run("'a'.memberOf('http://example.org/vs')")), "true");
  const auto broken = Run("1 = 1 and 'a'.memberOf('http://example.org/broken')");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().where.column, 15U);
}

TEST_F(Evaluation, Resolve_FindsEntriesOfTheBundle) {
  const Collection bundle = Item(Read(R"({"resourceType": "Bundle", "type": "collection", "entry": [
    {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Patient", "id": "a", "active": true}},
    {"fullUrl": "http://h/fhir/Observation/b", "resource": {"resourceType": "Observation", "id": "b", "status": "final",
      "subject": {"reference": "urn:uuid:1"}, "performer": [{"reference": "Patient/a"}, {"reference": "Patient/c"}]}}]})"));
  EXPECT_EQ(Text(Run("entry.resource.ofType(Observation).subject.resolve().id", bundle)), "a");
  EXPECT_EQ(Text(Run("entry.resource.ofType(Observation).performer.resolve().id", bundle)), "a");
}

// R4 references.html#contained: "#id" is contained in the resource that the reference stands in, here an
// entry's.
TEST_F(Evaluation, Resolve_FindsContainedOfTheEntry) {
  const Collection bundle = Item(Read(R"({"resourceType": "Bundle", "type": "collection", "entry": [
    {"resource": {"resourceType": "Patient", "managingOrganization": {"reference": "#o"},
      "contained": [{"resourceType": "Organization", "id": "o", "name": "first"}]}},
    {"resource": {"resourceType": "Patient", "managingOrganization": {"reference": "#o"},
      "contained": [{"resourceType": "Organization", "id": "o", "name": "second"}]}}]})"));
  EXPECT_EQ(Text(Run("entry.resource.managingOrganization.resolve().name", bundle)), "first | second");
  EXPECT_EQ(Text(Run("entry.resource.managingOrganization.reference.resolve().name", bundle)),
            "first | second");
  context_.steps_max = 8;
  EXPECT_FALSE(Run("entry[1].resource.managingOrganization.resolve().name", bundle))
      << "the search is counted";
}

TEST_F(Evaluation, ClockMissing_IsAnError) {
  context_.moment = nullptr;
  EXPECT_FALSE(Run("now()"));
  EXPECT_TRUE(Run("@2014"));
}

TEST_F(Evaluation, Steps_AreLimited) {
  // A literal is one step, each item of the sum three: the budget that suffices, and one less.
  constexpr std::string_view kText = "1 + 1";
  context_.steps_max = 3;
  EXPECT_TRUE(Run(kText));
  context_.steps_max = 2;
  const auto stopped = Run(kText);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Code::kMapLimit);
}

TEST_F(Evaluation, Steps_CountOverSeveralEvaluations) {
  std::uint64_t used = 0;
  context_.steps_used = &used;
  context_.steps_max = 6;
  EXPECT_TRUE(Run("1 + 1"));
  EXPECT_EQ(used, 3U);
  EXPECT_TRUE(Run("1 + 1"));
  EXPECT_FALSE(Run("1 + 1"));
}

TEST_F(Evaluation, EndlessRepeat_EndsInTheBudget) {
  context_.steps_max = 100'000;
  const auto stopped = Run("1.repeatAll($this)");
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Code::kMapLimit);
}

TEST_F(Evaluation, CollectionItems_AreLimited) {
  Collection many;
  many.Reserve(limits::kFhirPathCollectionItemsMax, arena_);
  for (std::uint32_t i = 0; i < limits::kFhirPathCollectionItemsMax - 1; ++i)
    many.Append(Item::Integer(i), arena_);
  EXPECT_TRUE(Run("combine(1)", many));
  const auto more = Run("combine(1.combine(2))", many);
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, Code::kMapLimit);
}

TEST_F(Evaluation, TextBytes_AreLimited) {
  const std::string longest(limits::kFhirPathTextBytesMax - 1, 'a');
  const Collection text = Item::String(longest);
  EXPECT_TRUE(Run("$this & 'a'", text));
  EXPECT_FALSE(Run("$this & 'aa'", text));
  EXPECT_TRUE(Run("(1|2).select('a').first() & ''", text));
  EXPECT_FALSE(Run("replace('a', 'bb')", text));
}

TEST_F(Evaluation, PatternBytes_AreLimited) {
  const std::string longest(limits::kFhirPathPatternBytesMax, 'a');
  EXPECT_TRUE(Run("'a'.matches('" + longest + "')"));
  EXPECT_FALSE(Run("'a'.matches('" + longest + "a')"));
}

TEST_F(Evaluation, DeepestTrees_FitOnTheStack) {
  const auto nested = [](std::string_view open, std::string_view inner, std::string_view close,
                         std::size_t depth) {
    std::string text;
    for (std::size_t i = 0; i < depth; ++i) text += open;
    text += inner;
    for (std::size_t i = 0; i < depth; ++i) text += close;
    return text;
  };
  constexpr std::size_t kDepth = limits::kFhirPathDepthMax;
  EXPECT_EQ(Text(Run(nested("1.select(", "5", ")", kDepth - 1))), "5");
  EXPECT_EQ(Text(Run(nested("iif(true, ", "5", ")", kDepth - 1))), "5");
  EXPECT_EQ(Text(Run(nested("", "true", ".not()", kDepth - 1))), (kDepth - 1) % 2 == 0 ? "true" : "false");
  EXPECT_FALSE(Run(nested("1.select(", "5", ")", kDepth)));
}

TEST_F(Evaluation, Fault_HasThePlaceOfItsOperator) {
  const auto fault = Run("true and\n  1 + 'a' = 2");
  ASSERT_FALSE(fault);
  EXPECT_EQ(fault.error().where.line, 2U);
  EXPECT_EQ(fault.error().where.column, 5U);
}

TEST_F(Evaluation, Errors_NameNoValues) {
  const Collection patient = Item(Read(kPatient));
  for (const std::string_view text :
       {"name.family.single()", "name.given.upper()", "name.family + 1", "birthDate + 3"}) {
    const auto fault = Run(text, patient);
    ASSERT_FALSE(fault) << text;
    for (const std::string_view value : {"Chalmers", "Peter", "1974"}) {
      EXPECT_EQ(fault.error().message.find(value), std::string::npos) << fault.error().message;
    }
  }
}

TEST_F(Evaluation, Boolean_FollowsSingletonEvaluation) {
  const auto boolean = [&](std::string_view text) {
    auto parsed = Expression::Parse(text);
    EXPECT_TRUE(parsed);
    EXPECT_TRUE(parsed->Resolve(scope_));
    return parsed->EvaluateBoolean(context_, {});
  };
  EXPECT_EQ(*boolean("{}"), std::nullopt);
  EXPECT_EQ(*boolean("1 = 2"), std::optional(false));
  EXPECT_EQ(*boolean("'text'"), std::optional(true));
  EXPECT_FALSE(boolean("1 | 2"));
}

TEST_F(Evaluation, UnionOfManyItems_IsNotQuadratic) {
  Collection many;
  for (std::uint32_t i = 0; i < 50'000; ++i) many.Append(Item::Integer(i), arena_);
  std::uint64_t used = 0;
  context_.steps_used = &used;
  const auto result = Run("(distinct() | $this).count()", many);
  EXPECT_EQ(Text(result), "50000");
  EXPECT_LT(used, 500'000U);
}

TEST(Answer, Values_AreWrittenWithTypeAndDigits) {
  struct Case {
    std::string expression;
    std::string answer;
  };
  Arena arena;
  const auto observation = fhir::ReadJson(kObservation, arena);
  ASSERT_TRUE(observation);
  for (
      const Case& c : std::vector<Case>{
          {"status", R"([{"type":"FHIR.code","value":"final"}])"},
          {"250.00 | 1", R"([{"type":"System.Decimal","value":250.00},{"type":"System.Integer","value":1}])"},
          {"value.value", R"([{"type":"FHIR.decimal","value":72.50}])"},
          {"5 'mg'",
           R"([{"type":"System.Quantity","value":{"value":5,"unit":"mg","system":"http://unitsofmeasure.org","code":"mg"}}])"},
          {"@2014-05-06 | @T10:30",
           R"([{"type":"System.Date","value":"2014-05-06"},{"type":"System.Time","value":"10:30"}])"},
          {"code.coding.first()",
           R"([{"type":"FHIR.Coding","value":{"system":"http://loinc.org","code":"29463-7"}}])"},
          {"true", R"([{"type":"System.Boolean","value":true}])"},
          {"component", "[]"}}) {
    const auto answer =
        Answer({c.expression, *observation, true, false}, fhir::Schema::R4(), FixedMoment(), nullptr, arena);
    ASSERT_TRUE(answer) << c.expression << ToString(answer.error());
    EXPECT_EQ(*answer, c.answer);
  }
}

TEST(Answer, Errors_HaveTheirKind) {
  Arena arena;
  const auto kind = [&](std::string_view expression) {
    const auto answer =
        Answer({expression, nullptr, true, false}, fhir::Schema::R4(), FixedMoment(), nullptr, arena);
    return answer ? std::string_view("none") : KindOfError(answer.error());
  };
  EXPECT_EQ(kind("1 +"), "syntax");
  EXPECT_EQ(kind("nobody()"), "semantic");
  EXPECT_EQ(kind("(1 | 2).single()"), "execution");
}

TEST(Collection, Copies_DoNotShareRoomToGrow) {
  Arena arena;
  Collection first;
  for (int i = 0; i < 3; ++i) first.Append(Item::Integer(i), arena);
  Collection second = first;
  second.Append(Item::Integer(10), arena);
  first.Append(Item::Integer(20), arena);
  EXPECT_EQ(second[3].integer(), 10);
  EXPECT_EQ(first[3].integer(), 20);
  EXPECT_EQ(second.size(), 4U);
}

}  // namespace
}  // namespace fhir_adapter::fhirpath
