#include "source_rules.h"

#include <gtest/gtest.h>

namespace fhir_adapter::lint {
namespace {

using Rule = void (*)(const SourceFile&, Findings&);

struct Check {
  const char* name;
  Rule rule;
  std::vector<std::string> folders;
  std::vector<std::string> endings;
};

std::ostream& operator<<(std::ostream& out, const Check& check) {
  return out << check.name;
}

class Tree : public testing::TestWithParam<Check> {};

TEST_P(Tree, EveryFile_KeepsTheRule) {
  Findings findings;
  const auto files = ReadTree(FHIR_ADAPTER_SOURCE_DIR, GetParam().folders, GetParam().endings);
  ASSERT_FALSE(files.empty());
  for (const SourceFile& file : files) GetParam().rule(file, findings);
  EXPECT_TRUE(findings.empty()) << ToText(findings);
}

const std::vector<std::string> kCode = {".cc", ".h"};
const std::vector<std::string> kText = {".cc",   ".h",   ".md",        ".sh",   ".py",
                                        ".json", ".map", ".sql",       ".toml", ".yml",
                                        ".java", ".xml", "Dockerfile", ".txt",  ".service"};

INSTANTIATE_TEST_SUITE_P(
    Lint, Tree,
    testing::Values(
        Check{"Includes", CheckIncludes, {"adapter", "tests"}, kCode},
        Check{"ThirdParty", CheckThirdParty, {"adapter"}, kCode},
        Check{"Sizes", CheckSizes, {"adapter", "tests"}, kCode},
        Check{"NoSql", CheckNoSql, {"adapter"}, kCode},
        Check{"StateWrites", CheckStateWrites, {"adapter"}, {".sql"}},
        Check{"NoClinicalWords", CheckNoClinicalWords, {"adapter"}, kCode},
        Check{"CoAwait", CheckCoAwait, {"adapter", "tests"}, kCode},
        Check{"Markdown", CheckMarkdown, {"adapter", "deploy", "fixtures", "mappings", "tests"}, {".md"}},
        Check{"StandsAlone", CheckStandsAlone, {"adapter", "mappings", "fixtures", "deploy"}, kText}),
    [](const testing::TestParamInfo<Check>& check) { return std::string(check.param.name); });

struct Planted {
  const char* name;
  Rule rule;
  const char* path;
  std::string text;
  std::size_t line;  // 0: nothing is found
};

std::ostream& operator<<(std::ostream& out, const Planted& planted) {
  return out << planted.name;
}

class PlantedViolation : public testing::TestWithParam<Planted> {};

TEST_P(PlantedViolation, IsFoundAtItsLine) {
  const Planted& planted = GetParam();
  Findings findings;
  planted.rule({planted.path, planted.text}, findings);
  if (planted.line == 0) {
    EXPECT_TRUE(findings.empty()) << ToText(findings);
    return;
  }
  ASSERT_EQ(findings.size(), 1U) << ToText(findings);
  EXPECT_EQ(findings[0].line, planted.line);
}

std::string Function(int body_lines) {
  std::string text = "int F(int n) {\n";
  for (int i = 0; i < body_lines; ++i) text += "  ++n;\n";
  return text + "}\n";
}

std::string Interface(int methods) {
  std::string text = "class Port {\n";
  for (int i = 0; i < methods; ++i) text += "  virtual void M" + std::to_string(i) + "() = 0;\n";
  return text + "};\n";
}

INSTANTIATE_TEST_SUITE_P(
    Lint, PlantedViolation,
    testing::Values(
        Planted{"IncludeAgainstTheRing", CheckIncludes, "adapter/fhir/a.cc",
                "\n#include \"fml/executor.h\"\n", 2},
        Planted{"IncludeAllowed", CheckIncludes, "adapter/fml/a.cc", "#include \"fhir/node.h\"\n", 0},
        Planted{"IncludeOfStorageOutsideABackend", CheckIncludes, "adapter/outbox/a.cc",
                "#include \"storage/sqlite/database.h\"\n", 1},
        Planted{"IncludeOfStorageInABackend", CheckIncludes, "adapter/outbox/sqlite/a.cc",
                "#include \"storage/sqlite/database.h\"\n", 0},
        Planted{"IncludeWithDots", CheckIncludes, "tests/unit/a.cc", "#include \"../a.h\"\n", 1},
        Planted{"RapidJsonOutsideFhir", CheckThirdParty, "adapter/record/a.cc",
                "#include <rapidjson/reader.h>\n", 1},
        Planted{"AsioInAHeader", CheckThirdParty, "adapter/net/a.h", "#include <boost/asio.hpp>\n", 1},
        Planted{"FileOf800Lines", CheckSizes, "adapter/core/a.cc", std::string(800, '\n'), 0},
        Planted{"FileOf801Lines", CheckSizes, "adapter/core/a.cc", std::string(801, '\n'), 801},
        Planted{"FunctionOf70Lines", CheckSizes, "adapter/core/a.cc", Function(68), 0},
        Planted{"FunctionOf71Lines", CheckSizes, "adapter/core/a.cc", Function(69), 1},
        Planted{"InterfaceOf15", CheckSizes, "adapter/core/a.h", Interface(15), 0},
        Planted{"InterfaceOf16", CheckSizes, "adapter/core/a.h", Interface(16), 17},
        Planted{"SqlInCode", CheckNoSql, "adapter/outbox/a.cc", "Run(\"SELECT id FROM work_item\");\n", 1},
        Planted{"SqlInAComment", CheckNoSql, "adapter/outbox/a.cc", "// \"SELECT id FROM work_item\"\n", 0},
        Planted{"StateWrittenElsewhere", CheckStateWrites, "adapter/outbox/q.sql",
                "-- name: sneak\nUPDATE work_item SET state = 'delivered' WHERE id = ?;\n", 2},
        Planted{"StateWrittenByTheOneQuery", CheckStateWrites, "adapter/outbox/q.sql",
                "-- name: change_state\nUPDATE work_item SET state = ? WHERE id = ?;\n", 0},
        Planted{"DrugInCode", CheckNoClinicalWords, "adapter/rules/a.cc", "\nif (drug == \"midazolam\") {}\n",
                2},
        Planted{"LoincInCode", CheckNoClinicalWords, "adapter/rules/a.cc", "auto code = \"72514-3\";\n", 1},
        Planted{"SnomedInCode", CheckNoClinicalWords, "adapter/rules/a.cc", "auto code = \"18629005\";\n", 1},
        Planted{"UnitInCode", CheckNoClinicalWords, "adapter/rules/a.cc", "auto unit = \"mg\";\n", 1},
        Planted{"CoAwaitOfABrace", CheckCoAwait, "adapter/net/a.cc",
                "void F() {\n  co_await G(Options{1});\n}\n", 2},
        Planted{"CoAwaitOfAChoice", CheckCoAwait, "adapter/net/a.cc",
                "void F() {\n  auto r = c ? x : co_await G();\n}\n", 2},
        Planted{"CoAwaitInAnIf", CheckCoAwait, "adapter/net/a.cc",
                "void F() {\n  if (auto r = co_await G()) {\n  }\n}\n", 0},
        Planted{"HeadingWithoutASpace", CheckMarkdown, "adapter/README.md", "\n#The engine\n", 2},
        Planted{"ParagraphInTheMiddle", CheckMarkdown, "adapter/README.md",
                "# A\n" + std::string(16, ' ') + "b\n", 2},
        Planted{"CommentInABlockOfCode", CheckMarkdown, "adapter/README.md", "# A\n```\n#!/bin/sh\n```\n", 0},
        Planted{"MachinePath", CheckStandsAlone, "deploy/a.md",
                "see "
                "/"
                "work/x\n",
                1}),
    [](const testing::TestParamInfo<Planted>& planted) { return std::string(planted.param.name); });

}  // namespace
}  // namespace fhir_adapter::lint
