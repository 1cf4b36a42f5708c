// Which rules and rows a record reached, counted against all that there are.
#include "fml/rule_coverage.h"

#include <gtest/gtest.h>

#include "map_run.h"

namespace fhir_adapter::fml::test {
namespace {

std::vector<SourceFile> Files() {
  return {
      {"m.map", PatientMap("src.active as v -> tgt.active = v \"active\";\n"
                           "src.name as n then {\n  n.family as f -> tgt.id = f \"family\";\n};\n"
                           "src.id as v -> translate(v, '#t', 'code') as code then {\n"
                           "  src -> tgt.language = code \"language\";\n};")},
      {"t.json",
       R"({"resourceType":"ConceptMap","id":"t","url":"http://x/t","group":[{"unmapped":{"mode":"provided"},
"element":[{"code":"a","target":[{"code":"b"}]},{"code":"c","target":[{"code":"d"}]},
{"code":"e","display":"none","target":[{"equivalence":"unmatched"}]}]}]})"},
      {"other.json",
       R"({"resourceType":"ConceptMap","id":"o","url":"http://x/o","group":[{"element":[{"code":"q"}]}]})"}};
}

TEST(RuleCoverage, Report_NamesWhatNoRecordReached) {
  RuleCoverage coverage;
  RunOptions options;
  options.lineage = &coverage;
  RunMap(Files(), R"({"resourceType":"Patient","active":true,"id":"a"})", options);
  RunMap(Files(), R"({"resourceType":"Patient","name":[{"text":"x"}],"id":"e"})", options);
  std::vector<Finding> findings;
  MapSetOptions set_options;
  set_options.require_unmapped_policy = false;
  const CoverageReport report = coverage.Report(*MapSet::Compile(Files(), set_options, findings));
  EXPECT_EQ(report.rules, 5u);
  EXPECT_EQ(report.rules_missed, (std::vector<std::string>{"m.map:8:3: group Main, rule family"}));
  // The table that no rule translates with does not count.
  EXPECT_EQ(report.rows, 3u);
  EXPECT_EQ(report.rows_missed, (std::vector<std::string>{"http://x/t: c"}));
}

}  // namespace
}  // namespace fhir_adapter::fml::test
