// Records made of the rows of a table.
#include "record/table_cutter.h"

#include <gtest/gtest.h>

#include "core/limits.h"
#include "record/record_envelope.h"
#include "record/record_reader.h"
#include "shipped_model.h"

namespace fhir_adapter::record {
namespace {

TableLayout Layout() {
  TableLayout layout;
  layout.model = &ShippedModel();
  return layout;
}

DeclaredColumn Column(const std::string& header, const std::string& path, CellValues values = {}) {
  return {header, ColumnPath::Parse(path, ShippedModel()).value(), std::move(values)};
}

std::vector<RecordText> Cut(const std::string& table, const TableLayout& layout,
                            std::optional<TextEncoding> encoding = std::nullopt) {
  TableCutter cutter(layout, encoding);
  std::vector<RecordText> texts;
  for (std::size_t at = 0; at < table.size(); at += 1'000)
    cutter.Push(std::string_view(table).substr(at, 1'000));
  EXPECT_FALSE(cutter.Next().has_value());
  cutter.Finish();
  while (auto text = cutter.Next()) texts.push_back(std::move(*text));
  return texts;
}

// The record, or the code and place of the problem, a line each.
std::string Records(const std::string& table, const TableLayout& layout) {
  std::string records;
  for (const RecordText& text : Cut(table, layout)) {
    if (text.problem) {
      const Location& where = text.problem->where;
      records += std::string(Name(text.problem->code)) + " " + std::to_string(where.line) + ":" +
                 std::to_string(where.column);
    } else {
      records += text.bytes;
    }
    records += "\n";
  }
  return records;
}

// All that is said of the records of a table: `row:column pointer code`, a line each.
std::string IssuesOf(const std::string& table, const TableLayout& layout) {
  std::string said;
  Arena arena;
  for (const RecordText& text : Cut(table, layout)) {
    for (const Issue& issue : ReadRecord(text, ShippedModel(), arena).issues) {
      said += std::to_string(issue.where.line) + ":" + std::to_string(issue.where.column) + " " +
              issue.where.pointer + " " + std::string(Name(issue.code)) + "\n";
    }
  }
  return said;
}

constexpr const char* kKey = R"("site":"a","recordId":"R","revision":1)";

TEST(TableCutter, Row_IsARecordWithTheTypesOfTheModel) {
  EXPECT_EQ(
      Records("site,recordId,revision,patient.weightKg,administrations.seq,administrations.dose.value,"
              "administrations.preservativeFree,notes\n"
              "a,R,1,61.50,1,1.10,true,5\n",
              Layout()),
      std::string("{") + kKey +
          R"(,"patient":{"weightKg":61.50},)"
          R"("administrations":[{"seq":1,"dose":{"value":1.10},"preservativeFree":true}],"notes":["5"]})"
          "\n");
}

TEST(TableCutter, EmptyCell_IsNotRecorded) {
  EXPECT_EQ(Records("site,recordId,revision,patient.mrn,setting\na,R,1,,\"\"\n", Layout()),
            std::string("{") + kKey + "}\n");
}

TEST(TableCutter, RowsOfOneRecord_AreOneWhereverTheyStand) {
  EXPECT_EQ(
      Records("site,recordId,revision,administrations.seq\na,R,1,1\na,S,1,1\na,R,2,1\na,R,1,2\n", Layout()),
      std::string("{") + kKey +
          R"(,"administrations":[{"seq":1},{"seq":2}]})"
          "\n"
          R"({"site":"a","recordId":"S","revision":1,"administrations":[{"seq":1}]})"
          "\n"
          R"({"site":"a","recordId":"R","revision":2,"administrations":[{"seq":1}]})"
          "\n");
}

// As a join exports it: each row repeats what belongs to the record and to the administration.
TEST(TableCutter, RepeatedItemOfAKey_IsOneItem) {
  EXPECT_EQ(
      Records("site,recordId,revision,administrations.seq,administrations.drug,pain.rowId,pain.value\n"
              "a,R,1,1,x,p1,8\na,R,1,1,x,p2,3\na,R,1,1,,p2,3\n",
              Layout()),
      std::string("{") + kKey +
          R"(,"administrations":[{"seq":1,"drug":"x"}],"pain":[{"rowId":"p1","value":8},{"rowId":"p2","value":3}]})"
          "\n");
}

TEST(TableCutter, NumberedItems_StandInTheirOrder) {
  EXPECT_EQ(Records("pain[2].rowId,site,recordId,revision,pain[1].rowId,adverseEvents.symptomRowIds[2],"
                    "adverseEvents.symptomRowIds\n"
                    "p2,a,R,1,p1,s2,s1\n",
                    Layout()),
            std::string("{") + kKey +
                R"(,"pain":[{"rowId":"p1"},{"rowId":"p2"}],"adverseEvents":[{"symptomRowIds":["s1","s2"]}]})"
                "\n");
}

TEST(TableCutter, RowsThatDisagree_RefuseTheirRecordAtTheSecondCell) {
  const std::string table =
      "site,recordId,revision,administrations.seq,administrations.dose.value\n"
      "a,R,1,1,50\na,S,1,1,50\na,R,1,1,500\n";
  const auto texts = Cut(table, Layout());
  ASSERT_EQ(texts.size(), 2U);
  ASSERT_EQ(texts[0].issues.size(), 1U);
  EXPECT_EQ(texts[0].issues[0].code, Code::kCsvRows);
  EXPECT_EQ(texts[0].issues[0].where, (Location{"", 4, 5, "/administrations/0/dose/value"}));
  EXPECT_EQ(texts[0].issues[0].message, "row 2 of the same record says otherwise");
  EXPECT_TRUE(texts[1].issues.empty());
  // 50 and 50.0 are not the same digits.
  EXPECT_EQ(Cut("site,recordId,revision,patient.weightKg\na,R,1,50\na,R,1,50.0\n", Layout())[0].issues.size(),
            1U);
}

TEST(TableCutter, RecordThatIsRefused_HasItsKeyStill) {
  Arena arena;
  const auto texts = Cut("site,recordId,revision,patient.mrn\na,R,1,1\na,R,1,2\n", Layout());
  const RecordReading reading = ReadRecord(texts[0], ShippedModel(), arena);
  EXPECT_TRUE(reading.is_rejected());
  EXPECT_EQ(ReadKey(*reading.root), (RecordKey{"a", "R", 1}));
}

TEST(TableCutter, Issues_HaveRowAndCell) {
  EXPECT_EQ(IssuesOf("site,recordId,revision,status,recorded,patient.mrn,patient.ageYears,performed.start,"
                     "procedure.kind,administrations.seq,administrations.purpose,administrations.drug\n"
                     "a,R,1,done,2014,1,36.5,2014-02-30,k,1,therapeutic,d\n"
                     "\n"
                     "a,S,1,completed,2014-01-01T00:00:00Z,1,36,2014,k,x,,d\n",
                     Layout()),
            "2:4 /status not-allowed\n"
            "2:5 /recorded type\n"
            "2:7 /patient/ageYears type\n"
            "2:8 /performed/start type\n"
            "4:10 /administrations/0/seq type\n"
            "4:10 /administrations/0/purpose missing\n");
}

TEST(TableCutter, CellWithLineEnds_IsOneRow) {
  EXPECT_EQ(IssuesOf("site,recordId,revision,notes\na,R,1,\"x\n\ny\"\na,S,0,z\n", Layout()).substr(0, 4),
            "2:1 ");
  const std::string said = IssuesOf("site,recordId,revision,notes\na,R,1,\"x\n\ny\"\na,S,0,z\n", Layout());
  EXPECT_NE(said.find("3:3 /revision not-allowed"), std::string::npos) << said;
}

TEST(TableCutter, NumbersThatNobodyCanBeSureOf_StayTextsAndAreRefused) {
  for (const char* text : {"007", ".5", "5.", "1,5", "+5", "1.500,0", "5 mg", "0x1"}) {
    const std::string table =
        std::string("site,recordId,revision,patient.weightKg\na,R,1,\"") + text + "\"\n";
    EXPECT_NE(IssuesOf(table, Layout()).find("2:4 /patient/weightKg type"), std::string::npos) << text;
  }
}

TEST(TableCutter, DecimalComma_IsTheOnlyDecimalSign) {
  TableLayout layout = Layout();
  layout.form.separator = ';';
  layout.decimal_sign = ',';
  EXPECT_EQ(Records("site;recordId;revision;patient.weightKg\na;R;1;61,50\n", layout),
            std::string("{") + kKey + ",\"patient\":{\"weightKg\":61.50}}\n");
  EXPECT_NE(IssuesOf("site;recordId;revision;patient.weightKg\na;R;1;1.500\n", layout).find("weightKg type"),
            std::string::npos);
}

TEST(TableCutter, DeclaredColumns_GiveTheirPathsAndValues) {
  TableLayout layout = Layout();
  layout.columns = {Column("Case", "recordId"), Column("Sex", "patient.sex", {{"f", "female"}, {"-", ""}}),
                    DeclaredColumn{"Printed", std::nullopt, {}}};
  layout.fixed = {{ColumnPath::Parse("site", ShippedModel()).value(), "a"},
                  {ColumnPath::Parse("revision", ShippedModel()).value(), "1"},
                  {ColumnPath::Parse("pain.scale", ShippedModel()).value(), "NRS"}};
  EXPECT_EQ(
      Records("Case,Sex,Printed,pain.rowId\nR,f,x,p1\nS,-,x,\nT,male,x,\n", layout),
      R"({"recordId":"R","patient":{"sex":"female"},"pain":[{"rowId":"p1","scale":"NRS"}],"site":"a","revision":1})"
      "\n"
      R"({"recordId":"S","site":"a","revision":1})"
      "\n"
      R"({"recordId":"T","patient":{"sex":"male"},"site":"a","revision":1})"
      "\n");
}

TEST(TableCutter, UnknownColumn_IsKeptAndReported) {
  const std::string table = "site,recordId,revision,Ward\na,R,1,3B\na,R,1,\na,R,1,4\n";
  EXPECT_EQ(Records(table, Layout()), std::string("{") + kKey +
                                          R"(,"Ward":["3B","4"]})"
                                          "\n");
  EXPECT_NE(IssuesOf(table, Layout()).find("2:4 /Ward unknown-field"), std::string::npos);
}

TEST(TableCutter, ListSeparator_DividesCellsOfLists) {
  TableLayout layout = Layout();
  layout.list_separator = "|";
  EXPECT_EQ(Records("site,recordId,revision,notes,statusReason\na,R,1,x|y||z|,p|q\n", layout),
            std::string("{") + kKey +
                R"(,"statusReason":"p|q","notes":["x","y","z"]})"
                "\n");
}

struct RefusedTable {
  const char* name;
  std::string table;
  std::string problem;
};
void PrintTo(const RefusedTable& c, std::ostream* out) {
  *out << c.name;
}
class TableCutterRefusal : public testing::TestWithParam<RefusedTable> {};

TEST_P(TableCutterRefusal, Table_IsOneProblem) {
  EXPECT_EQ(Records(GetParam().table, Layout()), GetParam().problem + "\n");
}

const RefusedTable kRefused[] = {
    {"Nothing", "", "csv-header 1:1"},
    {"FirstRowIsEmpty", "\nsite,recordId,revision\n", "csv-header 1:1"},
    {"NoRevision", "site,recordId\na,R\n", "csv-header 1:1"},
    {"ColumnWithoutName", "site,recordId,revision,\na,R,1,\n", "csv-header 1:4"},
    {"ColumnTwice", "site,recordId,revision,site\na,R,1,a\n", "duplicate-key 1:4"},
    {"PathTwice", "site,recordId,revision,pain.rowId,pain[1].rowId\na,R,1,p,p\n", "duplicate-key 1:5"},
    {"PathOfAnObject", "site,recordId,revision,patient\na,R,1,x\n", "csv-header 1:4"},
    {"TooFewCells", "site,recordId,revision\na,R,1\na,S\n", "csv-syntax 3:2"},
    {"TooManyCells", "site,recordId,revision\na,R,1,x\n", "csv-syntax 2:3"},
    {"QuoteNotClosed", "site,recordId,revision\na,R,1\na,\"S,1\n", "csv-syntax 3:2"},
    {"NoRecordId", "site,recordId,revision,notes\na,R,1,x\na,,1,y\n", "csv-rows 3:2"},
    {"NotUtf8", "site,recordId,revision\na,R,1\na,R\xE4,1\n", "encoding 3:2"},
    {"NotUtf8AfterACellWithLineEnds", "site,recordId,revision,notes\na,R,1,\"x\n\n\"\na,R,1,\"y\n\xE4\"\n",
     "encoding 3:4"},
    {"Utf16", "\xFF\xFEs", "encoding 1:1"},
};
INSTANTIATE_TEST_SUITE_P(Tables, TableCutterRefusal, testing::ValuesIn(kRefused),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(TableCutter, DeclaredColumnThatIsNotThere_IsNamed) {
  TableLayout layout = Layout();
  layout.columns = {Column("Dose", "administrations.dose.value")};
  const auto texts = Cut("site,recordId,revision,Dose (mg)\na,R,1,50\n", layout);
  ASSERT_EQ(texts.size(), 1U);
  EXPECT_EQ(texts[0].problem->code, Code::kCsvHeader);
  EXPECT_EQ(texts[0].problem->message, "the column 'Dose' of the columns file is not in the table");
  EXPECT_EQ(texts[0].bytes, "site,recordId,revision,Dose (mg)\na,R,1,50\n");
}

TEST(TableCutter, OnlyAHeaderOrEmptyRows_IsNoRecord) {
  EXPECT_TRUE(Cut("site,recordId,revision\r\n", Layout()).empty());
  EXPECT_TRUE(Cut("site,recordId,revision\r\n,,\r\n\r\n,,,,\r\n", Layout()).empty());
}

TEST(TableCutter, Encoding_IsThatOfTheLayoutOrTheSender) {
  TableLayout layout = Layout();
  layout.encoding = TextEncoding::kWindows1252;
  const std::string table = "site,recordId,revision,notes\na,R,1,\xB5g\n";
  EXPECT_EQ(Records(table, layout), std::string("{") + kKey + ",\"notes\":[\"µg\"]}\n");
  EXPECT_TRUE(Cut(table, layout, TextEncoding::kUtf8)[0].problem.has_value());
  EXPECT_EQ(Records("\xEF\xBB\xBFsite,recordId,revision,notes\na,R,1,µg\n", layout),
            std::string("{") + kKey + ",\"notes\":[\"µg\"]}\n");
}

TEST(TableCutter, LocalTimeThatItsZoneDoesNotSettle_IsQuarantined) {
  TableLayout layout = Layout();
  layout.time_zone = std::make_shared<const TimeZone>(
      TimeZone::Parse(ReadFileBytes("/usr/share/zoneinfo/Europe/Berlin"), "Europe/Berlin").value());
  const std::string header = "site,recordId,revision,administrations.seq,administrations.at\n";
  EXPECT_NE(IssuesOf(header + "a,R,1,1,2014-10-26 02:30\n", layout)
                .find("2:5 /administrations/0/at time-ambiguous"),
            std::string::npos);
  EXPECT_EQ(IssuesOf(header + "a,R,1,1,2014-10-26 03:30\n", layout).find("time-ambiguous"),
            std::string::npos);
  layout.time_zone = nullptr;
  EXPECT_NE(IssuesOf(header + "a,R,1,1,2014-10-26 03:30\n", layout).find("2:5 /administrations/0/at type"),
            std::string::npos);
}

TEST(TableCutterLimit, Bytes_AreTakenUpToTheLimit) {
  const std::string header = "site,recordId,revision\n";
  const std::string full = header + std::string(limits::kTableBytesMax - header.size(), '\n');
  EXPECT_EQ(Records(full, Layout()), "");
  EXPECT_EQ(Records(full + "\n", Layout()), "limit 1:1\n");
}

TEST(TableCutterLimit, Rows_AreTakenUpToTheLimit) {
  const auto read = [](std::size_t rows) {
    std::string table = "site,recordId,revision\n";
    for (std::size_t i = 0; i < rows; ++i) table += "a," + std::to_string(i) + ",1\n";
    TableLayout layout = Layout();
    TableCutter cutter(layout);
    cutter.Push(table);
    cutter.Finish();
    return cutter.Next().value().problem.has_value();
  };
  EXPECT_FALSE(read(limits::kTableRowsMax));
  EXPECT_TRUE(read(limits::kTableRowsMax + 1));
}

TEST(TableCutterLimit, RowsOfARecord_AreTakenUpToTheLimit) {
  const auto read = [](std::size_t rows) {
    std::string table = "site,recordId,revision,notes\n";
    for (std::size_t i = 0; i < rows; ++i) table += "a,R,1," + std::to_string(i) + "\n";
    const auto texts = Cut(table, Layout());
    return texts.size() == 1 && texts[0].problem ? texts[0].problem->code : Code::kInternal;
  };
  EXPECT_EQ(read(limits::kTableRecordRowsMax), Code::kInternal);
  EXPECT_EQ(read(limits::kTableRecordRowsMax + 1), Code::kLimit);
}

TEST(TableCutterLimit, Columns_AreTakenUpToTheLimit) {
  const auto header = [](std::size_t columns) {
    std::string text = "site,recordId,revision";
    for (std::size_t i = 3; i < columns; ++i) text += ",c" + std::to_string(i);
    return text + "\n";
  };
  EXPECT_EQ(Records(header(limits::kTableColumnsMax), Layout()), "");
  EXPECT_EQ(Records(header(limits::kTableColumnsMax + 1), Layout()), "limit 1:1001\n");
}

TEST(ColumnPath, Paths_AreThoseOfTheModel) {
  const auto text = [](std::string_view path) {
    const auto parsed = ColumnPath::Parse(path, ShippedModel());
    return parsed ? parsed->text() : std::string(Name(parsed.error().code));
  };
  EXPECT_EQ(text("administrations.order.dose.value"), "administrations.order.dose.value");
  EXPECT_EQ(text("pain[1].value"), "pain.value");
  EXPECT_EQ(text("pain[2].value"), "pain[2].value");
  EXPECT_EQ(text("notes"), "notes");
  EXPECT_EQ(text("patient"), "type");
  for (const char* path : {"", "patient.", ".mrn", "patient.mrm", "patient[2].mrn", "pain[0].value",
                           "pain[x].value", "pain[2.value", "pain[1001].value", "patient.mrn.x"}) {
    EXPECT_EQ(text(path), "not-found") << path;
  }
  EXPECT_EQ(text("pain[1000].value"), "pain[1000].value");
}

}  // namespace
}  // namespace fhir_adapter::record
