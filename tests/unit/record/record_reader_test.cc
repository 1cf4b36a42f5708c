#include "record/record_reader.h"

#include <gtest/gtest.h>

#include "fhir/json_writer.h"
#include "unit/record/shipped_model.h"

namespace fhir_adapter::record {
namespace {

constexpr std::string_view kMinimal =
    R"({"recordId":"R","revision":1,"site":"s","status":"completed","recorded":"2014-05-06T10:00:00Z","patient":{"mrn":"1"},"performed":{"start":"2014"},"procedure":{"kind":"k"})";

// A complete record, with further members on a line of their own.
std::string Record(std::string_view more = "") {
  return std::string(kMinimal) + (more.empty() ? "" : ",\n") + std::string(more) + "}";
}

RecordText Text(std::string bytes) {
  RecordText text;
  text.bytes = std::move(bytes);
  return text;
}

// `pointer code line:column` of each issue.
std::vector<std::string> Read(RecordText text, const fhir::JsonLimits& limits = fhir::kRecordLimits) {
  Arena arena;
  const RecordReading reading = ReadRecord(text, ShippedModel(), arena, "f.json", limits);
  std::vector<std::string> lines;
  for (const Issue& issue : reading.issues) {
    EXPECT_EQ(issue.where.file, "f.json");
    lines.push_back(issue.where.pointer + " " + std::string(Name(issue.code)) + " " +
                    std::to_string(issue.where.line) + ":" + std::to_string(issue.where.column));
  }
  return lines;
}

using Lines = std::vector<std::string>;

TEST(ReadRecord, CompleteRecord_HasNoIssue) {
  EXPECT_EQ(Read(Text(Record())), Lines());
}

TEST(ReadRecord, NumbersKeepTheirDigits) {
  Arena arena;
  const auto reading =
      ReadRecord(Text(Record(R"("pain":[{"rowId":"p","timing":"after","scale":"NRS","value":1.50e0}])")),
                 ShippedModel(), arena);
  ASSERT_NE(reading.root, nullptr);
  EXPECT_EQ(fhir::AtPointer(*reading.root, "/pain/0/value")->text, "1.50e0");
}

TEST(ReadRecord, NullMember_CountsAsAbsent) {
  Arena arena;
  const auto reading = ReadRecord(
      Text(Record(R"("setting":null,"stranger":null,"history":{"implants":null})")), ShippedModel(), arena);
  EXPECT_TRUE(reading.issues.empty());
  EXPECT_EQ(reading.root->Find("setting"), nullptr);
  EXPECT_EQ(fhir::ToJson(*reading.root->Find("history")), "{}");
}

TEST(ReadRecord, NullWhereAValueIsRequired_IsMissing) {
  EXPECT_EQ(Read(Text(Record(R"("indications":[{"code":null}])"))),
            (Lines{"/indications/0/code missing 2:16"}));
}

TEST(ReadRecord, NullInAList_IsAType) {
  EXPECT_EQ(Read(Text(Record(R"("notes":[null])"))), (Lines{"/notes/0 type 2:10"}));
}

TEST(ReadRecord, UnknownField_IsKeptAndReportedOnceWithAnEscapedPointer) {
  Arena arena;
  const auto reading = ReadRecord(Text(Record(R"("a/b~":{"deep":[1]})")), ShippedModel(), arena);
  ASSERT_EQ(reading.issues.size(), 1U);
  EXPECT_EQ(reading.issues[0].code, Code::kUnknownField);
  EXPECT_EQ(reading.issues[0].where.pointer, "/a~1b~0");
  EXPECT_FALSE(reading.is_rejected());
  EXPECT_NE(fhir::AtPointer(*reading.root, "/a~1b~0/deep/0"), nullptr);
}

TEST(ReadRecord, NotAnObject_IsATypeOfTheWholeDocument) {
  EXPECT_EQ(Read(Text("[]")), (Lines{" type 1:1"}));
  EXPECT_EQ(Read(Text(" 7")), (Lines{" type 1:2"}));
}

TEST(ReadRecord, EmptyObject_MissesEveryRequiredFieldAtItsOwnPointer) {
  EXPECT_EQ(Read(Text("{}")), (Lines{"/recordId missing 1:1", "/revision missing 1:1", "/site missing 1:1",
                                     "/status missing 1:1", "/recorded missing 1:1", "/patient missing 1:1",
                                     "/performed missing 1:1", "/procedure missing 1:1"}));
}

TEST(ReadRecord, MissingMember_HasThePositionOfItsParent) {
  EXPECT_EQ(Read(Text(Record("\n \"indications\":\n  [{\"text\":\"x\"}]"))),
            (Lines{"/indications/0/code missing 4:4"}));
}

TEST(ReadRecord, ElementOfAnArray_HasPlacesOfTheWholeInput) {
  RecordSplitter splitter(RecordFormat::kJson);
  splitter.Push("[" + Record() + ",\n  " + Record("\"site\":1") + ",\n  {\"a\":tru}]");
  splitter.Finish();
  EXPECT_EQ(Read(*splitter.Next()), Lines());
  EXPECT_EQ(Read(*splitter.Next()), (Lines{"/1/site duplicate-key 3:1"}));
  EXPECT_EQ(Read(*splitter.Next()), (Lines{"/2/a json-syntax 4:11"}));
}

TEST(ReadRecord, ProblemOfTheSplitter_IsTheOnlyIssue) {
  RecordText text;
  text.problem = Issue{Code::kLimit, Location{{}, 3, 4, "/9"}, "too large"};
  EXPECT_EQ(Read(text), (Lines{"/9 limit 3:4"}));
}

std::string Nested(std::size_t depth) {
  return Record("\"x\":" + std::string(depth, '[') + std::string(depth, ']'));
}

TEST(ReadRecord, DepthAtTheLimit_IsReadAndOneDeeperIsNot) {
  // The root is the first level.
  EXPECT_EQ(Read(Text(Nested(limits::kRecordDepthMax - 1))), (Lines{"/x unknown-field 2:5"}));
  const Lines deeper = Read(Text(Nested(limits::kRecordDepthMax)));
  ASSERT_EQ(deeper.size(), 1U);
  EXPECT_NE(deeper[0].find(" limit "), std::string::npos) << deeper[0];
}

TEST(ReadRecord, ElementsAtTheLimit_AreReadAndOneMoreIsNot) {
  // 13 elements: the root, its 8 members, and what is inside three of them; then notes with its items.
  constexpr std::size_t kOthers = 13;
  std::string notes = "\"notes\":[";
  for (std::size_t i = 0; i + kOthers < limits::kRecordElementsMax; ++i) notes += i == 0 ? "\"x\"" : ",\"x\"";
  EXPECT_EQ(Read(Text(Record(notes + "]"))), Lines());
  const Lines more = Read(Text(Record(notes + ",\"x\"]")));
  ASSERT_EQ(more.size(), 1U);
  EXPECT_NE(more[0].find(" limit "), std::string::npos) << more[0];
}

TEST(ReadRecord, BytesAtTheLimit_AreReadAndOneMoreIsNot) {
  const std::string record = Record("\"x\":\"");
  const std::string fill(limits::kRecordBytesMax - record.size() - 1, 'y');
  const std::string full = record.substr(0, record.size() - 1) + fill + "\"}";
  ASSERT_EQ(full.size(), limits::kRecordBytesMax);
  EXPECT_EQ(Read(Text(full)), (Lines{"/x unknown-field 2:5"}));
  EXPECT_EQ(Read(Text(" " + full)), (Lines{" limit 1:1"}));
}

TEST(ReadRecord, NumberAtTheLimit_IsReadAndOneDigitMoreIsNot) {
  const std::string digits(limits::kRecordNumberCharactersMax, '7');
  EXPECT_EQ(Read(Text(Record("\"outcome\":{\"reliefPercent\":" + digits + "}"))), Lines());
  EXPECT_EQ(Read(Text(Record("\"outcome\":{\"reliefPercent\":" + digits + "7}"))),
            (Lines{"/outcome/reliefPercent limit 2:28"}));
  EXPECT_EQ(Read(Text(Record(R"("outcome":{"reliefPercent":1e-100})"))), Lines());
  EXPECT_EQ(Read(Text(Record(R"("outcome":{"reliefPercent":1e-101})"))),
            (Lines{"/outcome/reliefPercent limit 2:28"}));
}

TEST(ReadRecord, TextAtTheLengthLimit_IsReadAndOneCharacterMoreIsNot) {
  std::string name;
  for (int i = 0; i < 64; ++i) name += "ä";
  EXPECT_EQ(Read(Text(Record(R"("sedation":[{"rowId":")" + name + R"("}])"))), Lines());
  EXPECT_EQ(Read(Text(Record(R"("sedation":[{"rowId":")" + name + R"(x"}])"))),
            (Lines{"/sedation/0/rowId not-allowed 2:22"}));
}

struct ValueCase {
  std::string_view name;
  std::string_view member;
  std::string_view code;  // empty: accepted
};

class RecordValue : public ::testing::TestWithParam<ValueCase> {};

TEST_P(RecordValue, IsAcceptedOrReportedWithItsCode) {
  const Lines lines = Read(Text(Record(GetParam().member)));
  if (GetParam().code.empty()) {
    EXPECT_EQ(lines, Lines());
  } else {
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_NE(lines[0].find(" " + std::string(GetParam().code) + " "), std::string::npos) << lines[0];
  }
}

INSTANTIATE_TEST_SUITE_P(
    Types, RecordValue,
    ::testing::Values(
        ValueCase{"EmptyText", R"("statusReason":"")", "not-allowed"},
        ValueCase{"TextWithLineEnd", R"("statusReason":"a\nb")", ""},
        ValueCase{"TextWithControl", R"("statusReason":"a\u0001b")", "not-allowed"},
        ValueCase{"TextIsNumber", R"("statusReason":1)", "type"},
        ValueCase{"KeyWithLineEnd", R"("sedation":[{"rowId":"a\nb"}])", "not-allowed"},
        ValueCase{"KeyWithC1Control", R"("sedation":[{"rowId":"a\u0085b"}])", "not-allowed"},
        ValueCase{"CodeWithDoubleBlank", R"("coProcedures":[{"rowId":"c","kind":"a  b"}])", "not-allowed"},
        ValueCase{"CodeWithBlankAtEnd", R"("coProcedures":[{"rowId":"c","kind":"a "}])", "not-allowed"},
        ValueCase{"LocalCode", R"("coProcedures":[{"rowId":"c","kind":"a b"}])", ""},
        ValueCase{"CodeOutsideList", R"("setting":"home")", "not-allowed"},
        ValueCase{"CodeInOtherCase", R"("setting":"Outpatient")", "not-allowed"},
        ValueCase{"IntegerWithFraction", R"("algorithmStage":1.0)", "type"},
        ValueCase{"IntegerWithExponent", R"("algorithmStage":1e0)", "type"},
        ValueCase{"IntegerAsText", R"("algorithmStage":"1")", "type"},
        ValueCase{"IntegerAbove32Bits", R"("seriesNumber":2147483648)", "type"},
        ValueCase{"IntegerOf32Bits", R"("seriesNumber":2147483647)", ""},
        ValueCase{"StageZero", R"("algorithmStage":0)", "not-allowed"},
        ValueCase{"StageThree", R"("algorithmStage":3)", ""},
        ValueCase{"StageFour", R"("algorithmStage":4)", "not-allowed"},
        ValueCase{"SeriesZero", R"("seriesNumber":0)", "not-allowed"},
        ValueCase{"ExponentAtTheLimit", R"("outcome":{"reliefPercent":1e-100})", ""},
        ValueCase{"ExponentAboveTheLimit", R"("outcome":{"reliefPercent":1e-101})", "limit"},
        ValueCase{"DecimalAsText", R"("outcome":{"reliefPercent":"50"})", "type"},
        ValueCase{"BooleanAsText", R"("outcome":{"analgesicHoliday":"true"})", "type"},
        ValueCase{"ObjectAsText", R"("outcome":"good")", "type"},
        ValueCase{"ListAsObject", R"("pain":{})", "type"},
        ValueCase{"SingleAsList", R"("setting":["outpatient"])", "type"},
        ValueCase{"EmptyList", R"("pain":[])", ""}, ValueCase{"YearOnly", R"("consent":{"at":"2011"})", ""},
        ValueCase{"MonthOnly", R"("consent":{"at":"2011-03"})", ""},
        ValueCase{"DayOnly", R"("consent":{"at":"2011-03-08"})", ""},
        ValueCase{"FullTime", R"("consent":{"at":"2011-03-08T23:59:59.123+09:00"})", ""},
        ValueCase{"LeapSecond", R"("consent":{"at":"2016-12-31T23:59:60Z"})", ""},
        ValueCase{"NoOffset", R"("consent":{"at":"2011-03-08T10:00:00"})", "type"},
        ValueCase{"NoSeconds", R"("consent":{"at":"2011-03-08T10:00Z"})", "type"},
        ValueCase{"HourTwentyFour", R"("consent":{"at":"2011-03-08T24:00:00Z"})", "type"},
        ValueCase{"OffsetTooFar", R"("consent":{"at":"2011-03-08T10:00:00+14:01"})", "type"},
        ValueCase{"MonthThirteen", R"("consent":{"at":"2011-13"})", "type"},
        ValueCase{"LeapDay", R"("consent":{"at":"2012-02-29"})", ""},
        ValueCase{"NoLeapDay", R"("consent":{"at":"2011-02-29"})", "type"},
        ValueCase{"CenturyWithoutLeapDay", R"("consent":{"at":"1900-02-29"})", "type"},
        ValueCase{"YearZero", R"("consent":{"at":"0000"})", "type"},
        ValueCase{"PartialInstant", R"("correction":{"at":"2011-03-08"})", "type"},
        ValueCase{"DateAsNumber", R"("consent":{"at":2011})", "type"}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(ReadRecord, RowsAreComparedOnlyInARecordThatIsNotRejected) {
  const std::string rows = R"("sedation":[{"rowId":"a"},{"rowId":"b"},{"rowId":"a"}])";
  EXPECT_EQ(Read(Text(Record(rows))), (Lines{"/sedation/2/rowId duplicate-row 2:50"}));
  EXPECT_EQ(Read(Text(Record(rows + R"(,"setting":"home")"))), (Lines{"/setting not-allowed 2:66"}));
}

TEST(ReadRecord, ReferenceToARowFurtherDown_IsFound) {
  EXPECT_EQ(
      Read(Text(Record(
          R"("adverseEvents":[{"eventId":"e","symptomRowIds":["s1","s2"]}],"symptoms":[{"rowId":"s1"}])"))),
      (Lines{"/adverseEvents/0/symptomRowIds/1 dangling-row 2:55"}));
}

}  // namespace
}  // namespace fhir_adapter::record
