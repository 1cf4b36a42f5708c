#include "fml/parser.h"

#include <gtest/gtest.h>
#include <string>

#include "core/limits.h"
#include "fml/printer.h"

namespace fhir_adapter::fml {
namespace {

struct ParseCase {
  const char* name;
  std::string input;
  std::string printed;
};

void PrintTo(const ParseCase& c, std::ostream* out) {
  *out << c.name;
}

class ParserTest : public testing::TestWithParam<ParseCase> {};

TEST_P(ParserTest, Text_GivesTree) {
  const auto map = ParseMap(GetParam().input, "m.map");
  ASSERT_TRUE(map) << ToString(map.error());
  const std::string printed = PrintMap(*map);
  EXPECT_EQ(printed, GetParam().printed);
  const auto again = ParseMap(printed, "printed");
  ASSERT_TRUE(again) << ToString(again.error());
  EXPECT_EQ(*again, *map);
  EXPECT_EQ(PrintMap(*again), printed);
}

std::string Group(const std::string& rules) {
  return "group G(source s, target t) {\n" + rules + "\n}";
}
std::string PrintedGroup(const std::string& rules) {
  return "\ngroup G(source s, target t) {\n  " + rules + "\n}\n";
}

const ParseCase kCases[] = {
    {"R4Header",
     "map \"http://x/StructureMap/m\" = \"m\"\nuses \"http://x/A\" alias A as source\n"
     "imports \"http://x/*\"\ngroup G(source s : A, target t : B) extends H <<types>> { s.a -> t.b; }",
     "\nmap \"http://x/StructureMap/m\" = \"m\"\n\nuses \"http://x/A\" alias A as source\n\n"
     "imports \"http://x/*\"\n\ngroup G(source s : A, target t : B) extends H <<types>> {\n  s.a -> "
     "t.b;\n}\n"},
    {"Metadata",
     "/// url = 'http://x/m'\n/// name = 'M'\n/// experimental = true\n/// jurisdiction.coding =\n"
     "/// description = \"\"\"\nTwo\nlines\n\"\"\"\n" +
         Group("s.a -> t.b;"),
     "/// url = 'http://x/m'\n/// name = 'M'\n/// experimental = true\n/// jurisdiction.coding =\n"
     "/// description = \"\"\"\nTwo\nlines\n\"\"\"\n" +
         PrintedGroup("s.a -> t.b;")},
    {"ConceptMap",
     "conceptmap \"#c\" { prefix s = \"http://s\" prefix t = \"http://t\" unmapped for s = provided\n"
     "s:male == t:M  s:\"a b\" - t:'x' }" +
         Group("s.a -> t.b;"),
     "\nconceptmap \"c\" {\n  prefix s = \"http://s\"\n  prefix t = \"http://t\"\n  unmapped for s = "
     "provided\n"
     "  s:\"male\" == t:\"M\"\n  s:\"a b\" - t:\"x\"\n}\n" +
         PrintedGroup("s.a -> t.b;")},
    {"Constant", "let a = 'x' & \"y\";\n" + Group("s.a -> t.b;"),
     "\nlet a = 'x' & \"y\";\n" + PrintedGroup("s.a -> t.b;")},
    {"GroupForTypes", "group for type+types G(source s : A, target t : B) { s.a -> t.b; }",
     "\ngroup G(source s : A, target t : B) <<type+>> {\n  s.a -> t.b;\n}\n"},
    {"SourceClauses",
     Group("s.a : integer 0..* default (10) first as v where (v >= 10) check (v <= 100) log (v) -> t.b = v;"),
     PrintedGroup(
         "s.a : integer 0..* default (10) first as v where (v >= 10) check (v <= 100) log (v) -> t.b = v;")},
    {"OldDefault", Group("s.a default \"x\" as v -> t.b = v;"),
     PrintedGroup("s.a default ('x') as v -> t.b = v;")},
    {"WhereWithoutParentheses",
     Group("s.item as item where linkId.value in ('patient.sex') -> t.gender = (item.answer.valueString);"),
     PrintedGroup(
         "s.item as item where (linkId.value in ('patient.sex')) -> t.gender = (item.answer.valueString);")},
    {"WhereThatBeginsWithParentheses", Group("s.a as v where (v = 1) or (v = 2) check true then { };"),
     PrintedGroup("s.a as v where ((v = 1) or (v = 2)) check (true) then {\n  };")},
    {"WhereBeforeName", Group("s.a where (b.check = 1) \"named\";"),
     PrintedGroup("s.a where (b.check = 1) \"named\";")},
    {"SeveralSources", Group("s.a as a, a.b as b -> t.c as c, c.d = b;"),
     PrintedGroup("s.a as a, a.b as b -> t.c as c, c.d = b;")},
    {"Batch", Group("s -> t: a, b, c \"n\";"), PrintedGroup("s -> t: a, b, c \"n\";")},
    {"Dependents", Group("s.a as a -> t.b as b then A(a, b, 'x'), B(a) { a.c -> b.c; } \"n\";"),
     "\ngroup G(source s, target t) {\n  s.a as a -> t.b as b then A(a, b, 'x'), B(a) {\n    a.c -> b.c;\n  "
     "} "
     "\"n\";\n}\n"},
    {"BareExpression", Group("s -> ('x' & %v) as e, (1 + 1) as f;"),
     PrintedGroup("s -> ('x' & %v) as e, (1 + 1) as f;")},
    {"GroupAsTarget", Group("s -> Other(s, t);"), PrintedGroup("s -> Other(s, t);")},
    {"Evaluate", Group("s as v -> t.a = evaluate(v, given.join(', ') & family);"),
     PrintedGroup("s as v -> t.a = evaluate(v, given.join(', ') & family);")},
    {"Literals",
     Group("s -> t.a = 'x\\'y', t.b = -1.50, t.c = true, t.d = @2020-01, t.e = @2020-01-01T10:00:00+01:00, "
           "t.f = @T10:00;"),
     PrintedGroup("s -> t.a = 'x\\'y', t.b = -1.50, t.c = true, t.d = @2020-01, t.e = "
                  "@2020-01-01T10:00:00+01:00, t.f = @T10:00;")},
    {"QuantityLiteral", Group("s -> t.a = 5 'mg', t.b = 4 days;"),
     PrintedGroup("s -> t.a = (5 'mg'), t.b = (4 days);")},
    {"DottedCopy", Group("s -> t.a = s.name.first().given;"),
     PrintedGroup("s -> t.a = (s.name.first().given);")},
    {"TargetListModes", Group("s -> t.a as x first, t.b = 'v' last, t.c as z single, t.d as y share id;"),
     PrintedGroup("s -> t.a as x first, t.b = 'v' last, t.c as z single, t.d as y share id;")},
    {"Collate", Group("s -> t.a as x collate;"), PrintedGroup("s -> t.a as x single;")},
    {"ShareInQuotes", Group("s -> t.a as x share \"first name\";"),
     PrintedGroup("s -> t.a as x share `first name`;")},
    {"Backticks", Group("s.`section4.5` as v -> t.`group#` = v;"),
     PrintedGroup("s.`section4.5` as v -> t.`group#` = v;")},
    {"ChoiceWithBrackets", Group("s.value[x] as v -> t.value[x] = v;"),
     PrintedGroup("s.value as v -> t.value = v;")},
    {"KeywordsAsElements", Group("s.where as v -> t.target.check = v, t.group.source = v;"),
     PrintedGroup("s.where as v -> t.target.check = v, t.group.source = v;")},
    {"Comments", "// head\n" + Group("/* a */ s.a -> t.b; // after\n/// not metadata here"),
     PrintedGroup("s.a -> t.b;")},
};

INSTANTIATE_TEST_SUITE_P(Dialects, ParserTest, testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

struct FaultCase {
  const char* name;
  std::string input;
  std::uint32_t line;
  std::uint32_t column;
  const char* message;
};

void PrintTo(const FaultCase& c, std::ostream* out) {
  *out << c.name;
}

class ParserFaultTest : public testing::TestWithParam<FaultCase> {};

TEST_P(ParserFaultTest, Text_IsRefusedAtItsPlace) {
  const auto map = ParseMap(GetParam().input, "m.map");
  ASSERT_FALSE(map);
  EXPECT_EQ(map.error().code, Code::kSyntax);
  EXPECT_EQ(map.error().where.file, "m.map");
  EXPECT_EQ(map.error().where.line, GetParam().line);
  EXPECT_EQ(map.error().where.column, GetParam().column);
  EXPECT_NE(map.error().message.find(GetParam().message), std::string::npos) << map.error().message;
}

const FaultCase kFaults[] = {
    {"NoGroup", "/// url = 'x'\n", 2, 1, "expected a group"},
    {"MissingSemicolon", Group("s.a -> t.b\ns.c -> t.d;"), 2, 11, "expected ;"},
    {"UnclosedText", Group("s.a as v -> t.b = 'x;\ns.c -> t.d;"), 2, 19, "not closed"},
    {"UnclosedComment", Group("/* s.a -> t.b;"), 2, 1, "not closed"},
    {"UnclosedExpression", Group("s.a as v where (v = (1 -> t.b = v;"), 2, 16, "not closed"},
    {"UnclosedGroup", "group G(source s, target t) {\n s.a -> t.b;\n", 3, 1, "expected } or a rule"},
    {"ForeignCharacter", Group("s.a ? t.b;"), 2, 5, "no meaning"},
    {"NoMode", "group G(s, target t) { s.a -> t.b; }", 1, 9, "expected source or target"},
    {"BadUses", "uses \"x\" as input\ngroup G(source s, target t) { }", 1, 13,
     "expected source, queried, target or produced"},
    {"EmptyWhere", Group("s.a where () -> t.b = 'x';"), 2, 11, "expected"},
    {"NoRuleEnd", Group("s.a -> t.b then ;"), 2, 17, "expected a group or {"},
    {"MetadataWithoutSign", "/// url 'x'\ngroup G(source s, target t) { }", 1, 9, "expected ="},
};

INSTANTIATE_TEST_SUITE_P(Faults, ParserFaultTest, testing::ValuesIn(kFaults),
                         [](const auto& test) { return std::string(test.param.name); });

std::string Nested(std::size_t depth) {
  std::string text = "group G(source s, target t) ";
  for (std::size_t i = 1; i < depth; ++i) text += "{ s then ";
  text += "{ }";
  for (std::size_t i = 1; i < depth; ++i) text += "; }";
  return text;
}

TEST(ParserLimits, Nesting_AtTheLimitAndAbove) {
  EXPECT_TRUE(ParseMap(Nested(limits::kMapNestingMax), "m.map"));
  const auto above = ParseMap(Nested(limits::kMapNestingMax + 1), "m.map");
  ASSERT_FALSE(above);
  EXPECT_NE(above.error().message.find("kMapNestingMax"), std::string::npos);
}

TEST(ParserLimits, Bytes_AtTheLimitAndAbove) {
  std::string text = Group("s.a -> t.b;");
  text.resize(limits::kMapFileBytesMax, ' ');
  EXPECT_TRUE(ParseMap(text, "m.map"));
  const auto above = ParseMap(text + " ", "m.map");
  ASSERT_FALSE(above);
  EXPECT_EQ(above.error().code, Code::kLimit);
}

}  // namespace
}  // namespace fhir_adapter::fml
