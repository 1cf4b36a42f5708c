// Expressions spliced from pieces of good ones, from a fixed seed: none may crash or overrun its budget, each
// that parses prints to a text that parses to the same tree, and each that resolves ends with a result or an
// error.
#include <cstdint>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "expression_fixture.h"

namespace fhir_adapter::fhirpath {
namespace {

constexpr std::string_view kSeeds[] = {
    "name.where(use = 'official' and given.exists()).given.first() & ' ' & family",
    "(1|2|3).aggregate($this + $total, 0) = 45.50",
    "iif(birthDate < @2000-01-01T10:00:00.5+02:00, 4 days, 10.1 'mg/mL').toString().length()",
    "Patient.descendants().repeat(children()).ofType(HumanName).period.start.lowBoundary(8)",
    "-5.abs() div 2 mod 3 * (1.2 / 1.8).round(2) - 7L",
    "%resource.contained.where(id = 'o1').select(defineVariable('a', name).id | %a).trace('t').isDistinct()",
    "name.given[0].substring(1, 2).matches('^[a-z]+$') implies {} xor true or false",
    "'a\\u0041\\n'.replaceMatches('(a)', '$1$1').upper().split('A').join('-') ~ 'x' !~ \"y\"",
    "@T10:30.highBoundary() > timeOfDay() is Boolean",
    "multipleBirth as integer in (1 | 2) contains 3 != `odd name`.is(FHIR.string)",
    "(3 'g').toQuantity('mg').value.sqrt().power(2).ln() >= now().toString().indexOf('T')",
    "name.sort(-family, "
    "given.first()).skip(1).take(2).tail().combine(name).exclude(name.last()).distinct().count()",
    "managingOrganization.resolve().name.encode('base64').decode('base64').escape('json').identifierPart()",
    "active.not().allTrue().type().name.convertsToInteger() <= %`vs-a`.searchValue().startsWith(%ucum)",
};

class Generator {
 public:
  std::uint32_t Next(std::size_t below) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::uint32_t>((state_ >> 33) % below);
  }
  std::string Expression() {
    std::string text(Seed());
    const std::uint32_t edits = 1 + Next(3);
    for (std::uint32_t i = 0; i < edits; ++i) {
      const std::size_t at = Next(text.size() + 1);
      const std::size_t length = Next(text.size() - at + 1) % 12;
      const std::string_view other = Seed();
      const std::size_t from = Next(other.size());
      text.replace(at, length, other.substr(from, Next(24)));
    }
    return text;
  }

 private:
  std::string_view Seed() { return kSeeds[Next(std::size(kSeeds))]; }
  std::uint64_t state_ = 20260301;
};

TEST(Mutation, SplicedExpressions_EndInAResultOrAnError) {
  Generator generator;
  Arena tree;
  const fhir::Schema& schema = fhir::Schema::R4();
  const auto patient = fhir::ReadJson(kPatient, tree);
  ASSERT_TRUE(patient);
  const fhir::Element root = fhir::RootElement(**patient, schema);
  const Moment moment = FixedMoment();
  int parsed_count = 0;
  int evaluated_count = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = generator.Expression();
    auto expression = Expression::Parse(text);
    if (!expression) continue;
    ++parsed_count;
    const std::string printed = expression->ToText();
    const auto again = Expression::Parse(printed);
    ASSERT_TRUE(again) << text << "\n" << printed << "\n" << ToString(again.error());
    ASSERT_EQ(again->Dump(), expression->Dump()) << text << "\n" << printed;
    Scope scope;
    scope.schema = &schema;
    scope.strict = i % 2 == 0;
    if (i % 3 != 0) scope.context = StaticType::Of(*root.type);
    if (!expression->Resolve(scope)) continue;
    Arena arena;
    EvaluationContext context;
    context.arena = &arena;
    context.schema = &schema;
    context.moment = &moment;
    context.steps_max = 20'000;
    const auto result = expression->Evaluate(context, Item(root));
    if (result) ++evaluated_count;
  }
  // The generator must reach the evaluator often enough to mean something.
  EXPECT_GT(parsed_count, 500);
  EXPECT_GT(evaluated_count, 100);
}

}  // namespace
}  // namespace fhir_adapter::fhirpath
