#include "app/unmapped_table.h"

#include <gtest/gtest.h>
#include <sstream>
#include <vector>

#include "core/limits.h"

namespace fhir_adapter::app {
namespace {

std::string Text(const UnmappedTable& table) {
  std::ostringstream out;
  table.Print(out);
  return out.str();
}

TEST(UnmappedTable, Codes_AreCountedTheMostFrequentFirst) {
  UnmappedTable table;
  const fml::UnmappedCode route{"http://example.org/route", "", "epidural", fml::UnmappedPolicy::kTextOnly};
  const fml::UnmappedCode drug{"http://example.org/drug", "http://example.org/s", "x",
                               fml::UnmappedPolicy::kQuarantine};
  table.Count(std::vector{drug, route});
  table.Count(std::vector{route});
  EXPECT_EQ(Text(table),
            "unmapped codes (count, what became of it, ConceptMap, code):\n"
            "      2  text-only  http://example.org/route  epidural\n"
            "      1  quarantine  http://example.org/drug  http://example.org/s|x\n");
}

TEST(UnmappedTable, NoCode_PrintsNothing) {
  EXPECT_EQ(Text(UnmappedTable()), "");
}

TEST(UnmappedTable, DifferentCodes_AtTheLimitAndAbove) {
  const auto with = [](std::size_t codes) {
    UnmappedTable table;
    for (std::size_t i = 0; i < codes; ++i) {
      table.Count(std::vector{fml::UnmappedCode{"m", "", std::to_string(i), fml::UnmappedPolicy::kTextOnly}});
    }
    return Text(table);
  };
  EXPECT_EQ(with(limits::kMapIssuesMax).find("more of other codes"), std::string::npos);
  EXPECT_NE(with(limits::kMapIssuesMax + 1).find("        and 1 more of other codes\n"), std::string::npos);
}

}  // namespace
}  // namespace fhir_adapter::app
