// The static check: what it refuses, where, and what it suggests; what it knows of results.
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "expression_fixture.h"

namespace fhir_adapter::fhirpath {
namespace {

Result<void> Resolved(Expression& expression, std::string_view type, std::span<const Variable> variables = {},
                      bool strict = true, bool check_order = false) {
  Scope scope;
  scope.schema = &fhir::Schema::R4();
  if (!type.empty()) scope.context = StaticType::Of(*scope.schema->FindType(type));
  scope.variables = variables;
  scope.strict = strict;
  scope.check_order = check_order;
  return expression.Resolve(scope);
}

struct Case {
  std::string expression;
  std::string type;
  std::uint32_t column;
  std::string message_part;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.expression;
}

class ResolverFault : public testing::TestWithParam<Case> {};

TEST_P(ResolverFault, Expression_IsRefusedAtItsPlace) {
  auto expression = Expression::Parse(GetParam().expression);
  ASSERT_TRUE(expression);
  const auto resolved = Resolved(*expression, GetParam().type, {}, true, true);
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().code, Code::kSemantic);
  EXPECT_EQ(resolved.error().where.column, GetParam().column);
  EXPECT_NE(resolved.error().message.find(GetParam().message_part), std::string::npos)
      << resolved.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    Faults, ResolverFault,
    testing::Values(
        Case{"name.given1", "Patient", 6, "did you mean 'given'"},
        Case{"Encounter.name", "Patient", 1, "has no element 'Encounter'"},
        Case{"Observation.valueQuantity.unit", "Observation", 13, "write 'value'"},
        Case{"(Observation.value as Period).unit", "Observation", 31, "Period has no element 'unit'"},
        Case{"name.wher(use = 'x')", "Patient", 6, "did you mean 'where'"},
        Case{"name.where()", "Patient", 6, "takes 1 arguments, not 0"},
        Case{"name.substring(1, 2, 3)", "Patient", 6, "takes 1 to 2"},
        Case{"name.startsWith('x')", "Patient", 6, "needs a String, not HumanName"},
        Case{"%contex", "Patient", 1, "did you mean 'context'"},
        Case{"name is Humanname", "Patient", 6, "type 'Humanname' is not known"},
        Case{"children().skip(1)", "Patient", 12, "order"}, Case{"descendants()[0]", "Patient", 14, "order"},
        Case{"iif('text', 1, 2)", "Patient", 5, "must be a Boolean"},
        Case{"name.where(usage = 'x')", "Patient", 12, "has no element 'usage'"},
        Case{"matches('(')", "", 9, "regular expression"}, Case{"1.ofType(2)", "", 10, "name of a type"}));

TEST(Resolver, NotStrict_UnknownElementIsEmpty) {
  EXPECT_EQ(Evaluated("name.given1", kPatient, false), "");
  EXPECT_EQ(Evaluated("valueQuantity.unit", kObservation, false), "");
  EXPECT_EQ(Evaluated("name.nobody()", kPatient, false), "error: semantic");
}

TEST(Resolver, JsonNames_AreTakenOnlyWhereAccepted) {
  const fhir::Schema& schema = fhir::Schema::R4();
  Arena arena;
  const auto node = fhir::ReadJson(kObservation, arena);
  ASSERT_TRUE(node);
  const Collection input = Item(fhir::RootElement(**node, schema));
  EvaluationContext context;
  context.arena = &arena;
  context.schema = &schema;
  Scope scope;
  scope.schema = &schema;
  for (const StaticType& type : {StaticType::Any(), StaticType::Of(*schema.FindType("Observation"))}) {
    scope.context = type;
    scope.accepts_json_names = true;
    auto expression = Expression::Parse("valueQuantity.unit | status.value | valueString");
    ASSERT_TRUE(expression);
    ASSERT_TRUE(expression->Resolve(scope));
    const auto result = expression->Evaluate(context, input);
    ASSERT_TRUE(result);
    ASSERT_EQ(result->size(), 2U);
    EXPECT_EQ(*TextOf((*result)[0], arena), "kg");
    EXPECT_EQ(*TextOf((*result)[1], arena), "final");
  }
  scope.accepts_json_names = false;
  auto refused = Expression::Parse("valueQuantity.unit");
  ASSERT_TRUE(refused);
  EXPECT_FALSE(refused->Resolve(scope));
}

TEST(Resolver, Result_HasTypeAndNumber) {
  struct Expected {
    std::string expression;
    std::string type;
    bool repeats;
  };
  for (const Expected& expected :
       std::vector<Expected>{{"name", "HumanName", true},
                             {"name.first()", "HumanName", false},
                             {"name[0].period.start", "dateTime", false},
                             {"birthDate", "date", false},
                             {"contact.name", "HumanName", true},
                             {"multipleBirth.ofType(integer)", "integer", false}}) {
    auto expression = Expression::Parse(expected.expression);
    ASSERT_TRUE(expression);
    ASSERT_TRUE(Resolved(*expression, "Patient")) << expected.expression;
    const StaticType& type = expression->result_type();
    ASSERT_EQ(type.types.size(), 1U) << expected.expression;
    EXPECT_EQ(type.types[0].fhir->name, expected.type);
    EXPECT_EQ(type.repeats, expected.repeats) << expected.expression;
  }
}

TEST(Resolver, ElementsRead_AreListedOnce) {
  auto expression = Expression::Parse("name.given | name.family");
  ASSERT_TRUE(expression);
  ASSERT_TRUE(Resolved(*expression, "Patient"));
  std::vector<std::string> names;
  for (const fhir::ElementInfo* element : expression->elements_read()) names.emplace_back(element->name);
  EXPECT_EQ(names, (std::vector<std::string>{"name", "given", "family"}));
}

TEST(Resolver, PlainVariable_ComesBeforeElements) {
  const fhir::Schema& schema = fhir::Schema::R4();
  std::vector<Variable> variables(2);
  variables[0].name = "src";
  variables[0].type = StaticType::Of(*schema.FindType("Observation"));
  variables[0].plain = true;
  variables[1].name = "limit";
  auto good = Expression::Parse("src.status = 'final' and %limit > 1 and %src.exists()");
  ASSERT_TRUE(good);
  EXPECT_TRUE(Resolved(*good, "Patient", variables));
  auto bad = Expression::Parse("src.name");
  ASSERT_TRUE(bad);
  EXPECT_FALSE(Resolved(*bad, "Patient", variables));
  auto hidden = Expression::Parse("limit > 1");  // only as %limit
  ASSERT_TRUE(hidden);
  EXPECT_FALSE(Resolved(*hidden, "Patient", variables));
}

TEST(Resolver, UnresolvedExpression_IsAnExecutionError) {
  auto expression = Expression::Parse("1");
  ASSERT_TRUE(expression);
  Arena arena;
  EvaluationContext context;
  context.arena = &arena;
  context.schema = &fhir::Schema::R4();
  const auto result = expression->Evaluate(context, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kExecution);
  EXPECT_FALSE(Expression().Evaluate(context, {}));
}

TEST(Resolver, SecondResolve_IsRefused) {
  auto expression = Expression::Parse("1");
  ASSERT_TRUE(expression);
  ASSERT_TRUE(Resolved(*expression, ""));
  EXPECT_FALSE(Resolved(*expression, ""));
}

}  // namespace
}  // namespace fhir_adapter::fhirpath
