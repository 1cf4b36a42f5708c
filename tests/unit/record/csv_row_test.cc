// Rows of CSV: RFC 4180, its variations, and what is refused.
#include "record/csv_row.h"

#include <gtest/gtest.h>

namespace fhir_adapter::record {
namespace {

// Cells with | between them, a line a row; of an error its code and place.
std::string Rows(std::string_view text, CsvForm form = {}) {
  CsvRowReader reader(text, form);
  std::string rows;
  while (!reader.at_end()) {
    const auto cells = reader.Next();
    if (!cells) {
      const Location& where = cells.error().where;
      return std::string(Name(cells.error().code)) + " " + std::to_string(where.line) + ":" +
             std::to_string(where.column) + " cell " + std::to_string(reader.cell_number());
    }
    for (std::size_t i = 0; i < cells->size(); ++i) rows += (i == 0 ? "" : "|") + (*cells)[i].text;
    rows += "/";
  }
  return rows;
}

struct RowCase {
  const char* name;
  std::string text;
  std::string rows;
};
void PrintTo(const RowCase& c, std::ostream* out) {
  *out << c.name;
}
class CsvRow : public testing::TestWithParam<RowCase> {};

TEST_P(CsvRow, Text_GivesRows) {
  EXPECT_EQ(Rows(GetParam().text), GetParam().rows);
}

// The first six are the rules of RFC 4180, section 2.
const RowCase kRows[] = {
    {"LineEndsAreCrLf", "a,b\r\n1,2\r\n", "a|b/1|2/"},
    {"LastLineNeedsNoEnd", "a,b\r\n1,2", "a|b/1|2/"},
    {"SpacesBelongToTheCell", " 1 ,2\n", " 1 |2/"},
    {"QuotedCells", "\"1\",\"2\"\n", "1|2/"},
    {"SeparatorAndLineEndInQuotes", "\"1,\r\n5\",2\n3,4\n", "1,\r\n5|2/3|4/"},
    {"DoubledQuote", "\"x\"\"y\"\n", "x\"y/"},
    {"LineEndsAreLf", "1,2\n", "1|2/"},
    {"EmptyCells", "1,,\"\"\n", "1||/"},
    {"LastCellIsEmpty", "1,\n2,", "1|/2|/"},
    {"BlankLineHasNoCells", "1\n\n2\n", "1//2/"},
    {"LoneCrIsAByte", "1\r2\n", "1\r2/"},
    {"QuoteInsideACell", "1,x\"y\"\n", "csv-syntax 1:4 cell 2"},
    {"TextAfterTheQuote", "a\n\"1\"x,2\n", "csv-syntax 2:4 cell 1"},
    {"QuoteNotClosed", "1,\"2\n3,4\n", "csv-syntax 1:3 cell 2"},
};
INSTANTIATE_TEST_SUITE_P(Texts, CsvRow, testing::ValuesIn(kRows),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(CsvRowForm, OtherSeparatorAndQuote_AreTaken) {
  EXPECT_EQ(Rows("1,5;'a;''b'\n", CsvForm{';', '\''}), "1,5|a;'b/");
  EXPECT_EQ(Rows("a\tb\n", CsvForm{'\t', '"'}), "a|b/");
}

TEST(CsvRowPlace, Cell_KnowsLineAndColumn) {
  CsvRowReader reader("\"x\ny\",2\n3,4\n", {});
  const auto first = reader.Next();
  EXPECT_EQ((*first)[1].line, 2U);
  EXPECT_EQ((*first)[1].column, 4U);
  const auto second = reader.Next();
  EXPECT_EQ((*second)[1].line, 3U);
  EXPECT_EQ((*second)[1].column, 3U);
}

TEST(CsvRowText, Cell_IsQuotedWhereItMustBeAndReadsBack) {
  EXPECT_EQ(CsvText("plain", ','), "plain");
  for (const std::string text : {"a,b", "a\"b", "a\nb", " a"}) {
    EXPECT_EQ(Rows(CsvText(text, ',') + "\n"), text + "/");
  }
}

}  // namespace
}  // namespace fhir_adapter::record
