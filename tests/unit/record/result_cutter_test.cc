// Records made of the rows that a database gave.
#include "record/result_cutter.h"

#include <gtest/gtest.h>

#include "core/limits.h"
#include "record/record_reader.h"
#include "shipped_model.h"

namespace fhir_adapter::record {
namespace {

using Rows = std::vector<std::vector<ResultCell>>;

TableLayout Layout() {
  TableLayout layout;
  layout.model = &ShippedModel();
  return layout;
}

std::vector<TableColumn> Columns(const std::vector<std::string>& names, const TableLayout& layout) {
  std::vector<CsvCell> header;
  for (const std::string& name : names) {
    header.push_back({name, 1, static_cast<std::uint32_t>(header.size() + 1)});
  }
  return ReadHeader(header, layout).value();
}

const std::vector<std::string> kNames = {"site", "recordId", "revision", "administrations.seq",
                                         "administrations.dose.value"};

std::vector<RecordText> Cut(const Rows& rows) {
  const TableLayout layout = Layout();
  ResultCutter cutter(layout, Columns(kNames, layout));
  for (const auto& row : rows) cutter.AddRow(row);
  std::vector<RecordText> texts;
  while (auto text = cutter.Next()) texts.push_back(std::move(*text));
  return texts;
}

// The record, or the code and place of the problem.
std::string Said(const RecordText& text) {
  if (!text.problem) return text.bytes;
  return std::string(Name(text.problem->code)) + " " + std::to_string(text.problem->where.line) + ":" +
         std::to_string(text.problem->where.column);
}

std::vector<ResultCell> Row(const std::string& id, const std::string& seq, const std::string& dose = "1.10") {
  return {{"a"}, {id}, {"1"}, {seq}, {dose}};
}

TEST(ResultCutter, Rows_AreARecordWithTheirDigits) {
  const auto texts = Cut({Row("R", "1"), Row("S", "1", ""), Row("R", "2", "500")});
  ASSERT_EQ(texts.size(), 2U);
  EXPECT_EQ(Said(texts[0]),
            R"({"site":"a","recordId":"R","revision":1,"administrations":[{"seq":1,"dose":{"value":1.10}},)"
            R"({"seq":2,"dose":{"value":500}}]})");
  EXPECT_EQ(Said(texts[1]), R"({"site":"a","recordId":"S","revision":1,"administrations":[{"seq":1}]})");
}

TEST(ResultCutter, OrderOfRows_MakesNoOtherRecord) {
  const auto one = Cut({Row("R", "2"), Row("R", "10"), Row("R", "1")});
  const auto other = Cut({Row("R", "10"), Row("R", "1"), Row("R", "2")});
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].bytes, other[0].bytes);
  EXPECT_LT(one[0].bytes.find("\"seq\":2,"), one[0].bytes.find("\"seq\":10,"));
}

TEST(ResultCutter, Values_KnowTheirRowAndColumn) {
  const auto texts = Cut({Row("R", "1"), Row("S", "1", "1,5")});
  Arena arena;
  const RecordReading reading = ReadRecord(texts.at(1), ShippedModel(), arena);
  for (const Issue& issue : reading.issues) {
    if (issue.code != Code::kType) continue;
    EXPECT_EQ(issue.where.line, 2U);
    EXPECT_EQ(issue.where.column, 5U);
    EXPECT_EQ(issue.where.pointer, "/administrations/0/dose/value");
    return;
  }
  ADD_FAILURE() << "the dose is taken";
}

TEST(ResultCutter, BadCell_RefusesItsRecordAlone) {
  Rows rows = {Row("R", "1"), Row("R", "2"), Row("S", "1"), Row("T", "1"), Row("", "1")};
  rows[1][4].text = "\xFF";
  rows[2][4].is_bytes = true;
  const auto texts = Cut(rows);
  ASSERT_EQ(texts.size(), 4U);
  EXPECT_EQ(Said(texts[0]), "encoding 2:5");
  EXPECT_EQ(texts[0].bytes, "a,R,1,1,1.10\na,R,1,2,\xFF\n") << "all its rows, for whoever looks";
  EXPECT_EQ(Said(texts[1]), "type 3:5");
  EXPECT_EQ(Said(texts[2]).substr(0, 1), "{");
  EXPECT_EQ(Said(texts[3]), "csv-rows 5:2");
}

TEST(ResultCutter, RowsOfOneRecord_AreLimited) {
  Rows rows;
  for (std::size_t i = 0; i < limits::kTableRecordRowsMax; ++i) rows.push_back(Row("R", std::to_string(i)));
  EXPECT_FALSE(Cut(rows).at(0).problem);
  rows.push_back(Row("R", "x"));
  EXPECT_EQ(Said(Cut(rows).at(0)), "limit " + std::to_string(limits::kTableRecordRowsMax + 1) + ":1");
}

TEST(ResultCutter, RecordOfTooManyBytes_IsRefusedUnderItsName) {
  const auto texts = Cut({Row("R", "1", std::string(limits::kRecordBytesMax, '1')), Row("S", "1")});
  EXPECT_EQ(Said(texts.at(0)), "limit 1:1");
  EXPECT_EQ(texts[0].bytes, "a/R/1");
  EXPECT_FALSE(texts.at(1).problem);
}

}  // namespace
}  // namespace fhir_adapter::record
