// Lexer and parser: {text, tree} tables, the printer's identity, positions of faults, and the limits.
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "core/limits.h"
#include "fhirpath/fhirpath.h"

namespace fhir_adapter::fhirpath {
namespace {

struct TreeCase {
  std::string text;
  std::string tree;
};

class ParserTree : public testing::TestWithParam<TreeCase> {};

TEST_P(ParserTree, Text_GivesTree) {
  const auto expression = Expression::Parse(GetParam().text);
  ASSERT_TRUE(expression) << ToString(expression.error());
  EXPECT_EQ(expression->Dump(), GetParam().tree);
}

TEST_P(ParserTree, PrintedText_ParsesToTheSameTree) {
  const auto expression = Expression::Parse(GetParam().text);
  ASSERT_TRUE(expression);
  const auto again = Expression::Parse(expression->ToText());
  ASSERT_TRUE(again) << expression->ToText();
  EXPECT_EQ(again->Dump(), expression->Dump()) << expression->ToText();
  EXPECT_EQ(again->ToText(), expression->ToText());
}

INSTANTIATE_TEST_SUITE_P(
    Literals, ParserTree,
    testing::Values(TreeCase{"1", "1"}, TreeCase{"1.50", "1.50"}, TreeCase{"10L", "10L"},
                    TreeCase{"007", "7"}, TreeCase{"00.50", "0.50"}, TreeCase{"0", "0"},
                    TreeCase{"true", "true"}, TreeCase{"{}", "{}"}, TreeCase{"{ }", "{}"},
                    TreeCase{R"('it\'s')", R"('it\'s')"}, TreeCase{R"('\u0041\n')", R"('A\n')"},
                    TreeCase{R"('\uD83D\uDE00')", "'\xF0\x9F\x98\x80'"}, TreeCase{"@2015", "@2015"},
                    TreeCase{"@2015-02T", "@2015-02T"},
                    TreeCase{"@2015-02-04T14:34:28.123+10:00", "@2015-02-04T14:34:28.123+10:00"},
                    TreeCase{"@T14:34", "@T14:34"}, TreeCase{"4 days", "4 days"},
                    TreeCase{"10.1 'mg'", "10.1 'mg'"}, TreeCase{"\"text\"", "'text'"}));

INSTANTIATE_TEST_SUITE_P(Paths, ParserTree,
                         testing::Values(TreeCase{"name", "name"}, TreeCase{"name.given", "(. name given)"},
                                         TreeCase{"`div`.`odd name`", "(. `div` `odd name`)"},
                                         TreeCase{"text.div", "(. text `div`)"},
                                         TreeCase{"name[0].given", "(. ([] name 0) given)"},
                                         TreeCase{"$this.length()", "(.call length $this)"},
                                         TreeCase{"today()", "(call today)"},
                                         TreeCase{"f(1, a.b)", "(call f 1 (. a b))"},
                                         TreeCase{"%resource.id", "(. %resource id)"},
                                         TreeCase{"%`vs-x`", "%`vs-x`"}, TreeCase{"%'vs-x'", "%`vs-x`"},
                                         TreeCase{"1.abs()", "(.call abs 1)"},
                                         TreeCase{"5 days.toString()", "(.call toString 5 days)"},
                                         TreeCase{"as.is", "(. `as` `is`)"}));

// N1 section 6.9: from the tightest to the loosest, and left to right.
INSTANTIATE_TEST_SUITE_P(
    Precedence, ParserTree,
    testing::Values(TreeCase{"1 + 2 * 3", "(+ 1 (* 2 3))"}, TreeCase{"(1 + 2) * 3", "(* (+ 1 2) 3)"},
                    TreeCase{"1 - 2 - 3", "(- (- 1 2) 3)"}, TreeCase{"-1.abs()", "(unary- (.call abs 1))"},
                    TreeCase{"(-1).abs()", "(.call abs (unary- 1))"}, TreeCase{"- -1", "(unary- (unary- 1))"},
                    TreeCase{"1 > 2 is Boolean", "(> 1 (is 2 Boolean))"},
                    TreeCase{"a as FHIR.Quantity", "(as a FHIR.Quantity)"},
                    TreeCase{"1 | 2 is Integer", "(| 1 (is 2 Integer))"},
                    TreeCase{"a = b | c", "(= a (| b c))"}, TreeCase{"a < b = c", "(= (< a b) c)"},
                    TreeCase{"a = b in c", "(in (= a b) c)"},
                    TreeCase{"a in b and c contains d", "(and (in a b) (contains c d))"},
                    TreeCase{"a and b or c xor d", "(xor (or (and a b) c) d)"},
                    TreeCase{"a implies b implies c", "(implies (implies a b) c)"},
                    TreeCase{"a or b implies c", "(implies (or a b) c)"},
                    TreeCase{"1 + 2 & 'a' div 2 mod 3", "(& (+ 1 2) (mod (div 'a' 2) 3))"},
                    TreeCase{"a !~ b ~ c != d", "(!= (~ (!~ a b) c) d)"}, TreeCase{"a<=b", "(<= a b)"},
                    TreeCase{"a /* c */ + // d\n b", "(+ a b)"}));

struct FaultCase {
  std::string text;
  std::uint32_t line;
  std::uint32_t column;
};

class ParserFault : public testing::TestWithParam<FaultCase> {};

TEST_P(ParserFault, Text_IsRefusedAtItsPlace) {
  const auto expression = Expression::Parse(GetParam().text);
  ASSERT_FALSE(expression);
  EXPECT_EQ(expression.error().code, Code::kSyntax);
  EXPECT_EQ(expression.error().where.line, GetParam().line);
  EXPECT_EQ(expression.error().where.column, GetParam().column) << expression.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    Faults, ParserFault,
    testing::Values(FaultCase{"", 1, 1}, FaultCase{"2 + 2 /", 1, 8}, FaultCase{"a b", 1, 3},
                    FaultCase{"a.\n.b", 2, 1}, FaultCase{"a[1", 1, 4}, FaultCase{"f(1,)", 1, 5},
                    FaultCase{"'open", 1, 1}, FaultCase{"'\\q'", 1, 1}, FaultCase{"'\\uD800'", 1, 1},
                    FaultCase{"1 /* open", 1, 3}, FaultCase{"@20", 1, 1}, FaultCase{"1 + @2023-02-29", 1, 5},
                    FaultCase{"@2023-01-01T25:00", 1, 1}, FaultCase{"@T10:60", 1, 1}, FaultCase{"@T1", 1, 1},
                    FaultCase{"$that", 1, 1}, FaultCase{"a.$this", 1, 3}, FaultCase{"a ; b", 1, 3},
                    FaultCase{"%", 1, 2}, FaultCase{"2147483649", 1, 1}, FaultCase{"a is", 1, 5},
                    FaultCase{"{1}", 1, 2}, FaultCase{"@T14:34:28Z", 1, 11}));

TEST(Parser, FaultInsideFile_HasItsLineAndColumn) {
  Location where;
  where.file = "a.map";
  where.line = 12;
  where.column = 30;
  const auto first = Expression::Parse("a +", where);
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().where.file, "a.map");
  EXPECT_EQ(first.error().where.line, 12U);
  EXPECT_EQ(first.error().where.column, 33U);
  const auto second = Expression::Parse("a +\n  ]", where);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().where.line, 13U);
  EXPECT_EQ(second.error().where.column, 3U);
}

TEST(Parser, Prefix_EndsWhereTheGrammarEnds) {
  struct Case {
    std::string text;
    std::size_t offset;
    std::string expression;
    std::string rest;
  };
  for (const Case& c : std::vector<Case>{{"where a.b = 'x' then y", 6, "a.b = 'x'", " then y"},
                                         {"x.exists() -> tgt.a = b", 0, "x.exists()", " -> tgt.a = b"},
                                         {"(a or b) check c", 0, "(a or b)", " check c"},
                                         {"evaluate(src, a + 1) \"rule\";", 14, "a + 1", ") \"rule\";"},
                                         {"a ; 'never closed", 0, "a", " ; 'never closed"}}) {
    const auto prefix = Expression::ParsePrefix(c.text, c.offset);
    ASSERT_TRUE(prefix) << c.text << ToString(prefix.error());
    EXPECT_EQ(prefix->expression.text(), c.expression);
    EXPECT_EQ(c.text.substr(prefix->end), c.rest);
  }
}

TEST(Parser, Prefix_FaultIsCountedFromTheOffset) {
  Location where;
  where.line = 3;
  where.column = 7;
  const auto prefix = Expression::ParsePrefix("xxxx a + )", 5, where);
  ASSERT_FALSE(prefix);
  EXPECT_EQ(prefix.error().where.line, 3U);
  EXPECT_EQ(prefix.error().where.column, 11U);
}

TEST(Parser, ExpressionBytes_AreLimited) {
  const std::string longest = "'" + std::string(limits::kFhirPathExpressionBytesMax - 2, 'a') + "'";
  EXPECT_TRUE(Expression::Parse(longest));
  const auto longer = Expression::Parse(longest + " ");
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().code, Code::kLimit);
}

TEST(Parser, Nesting_IsLimited) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '(') + "1" + std::string(depth, ')');
  };
  EXPECT_TRUE(Expression::Parse(nested(limits::kFhirPathDepthMax - 1)));
  const auto deeper = Expression::Parse(nested(limits::kFhirPathDepthMax));
  ASSERT_FALSE(deeper);
  EXPECT_EQ(deeper.error().code, Code::kLimit);
  EXPECT_FALSE(Expression::Parse(std::string(60'000, '(')));
  EXPECT_FALSE(Expression::Parse(std::string(60'000, '-') + "1"));
}

TEST(Parser, Chains_AreLimitedByTheHeightOfTheTree) {
  const auto path = [](std::size_t names) {
    std::string text = "a";
    for (std::size_t i = 1; i < names; ++i) text += ".a";
    return text;
  };
  EXPECT_TRUE(Expression::Parse(path(limits::kFhirPathDepthMax)));
  EXPECT_FALSE(Expression::Parse(path(limits::kFhirPathDepthMax + 1)));
  std::string sum = "1";
  for (std::size_t i = 1; i < limits::kFhirPathDepthMax; ++i) sum += "+1";
  EXPECT_TRUE(Expression::Parse(sum));
  EXPECT_FALSE(Expression::Parse(sum + "+1"));
}

}  // namespace
}  // namespace fhir_adapter::fhirpath
