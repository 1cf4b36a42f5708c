#include "record/record_splitter.h"

#include <gtest/gtest.h>

namespace fhir_adapter::record {
namespace {

// `line:column pointer bytes`, or `line:column pointer !code` for a problem.
std::string Describe(const RecordText& text) {
  std::string line = std::to_string(text.line) + ":" + std::to_string(text.column) + " " + text.pointer + " ";
  if (text.problem) return line + "!" + std::string(Name(text.problem->code));
  return line + text.bytes;
}

std::vector<std::string> Split(std::string_view input, RecordFormat format, std::size_t chunk = 1,
                               std::size_t record_bytes_max = 1000) {
  RecordSplitter splitter(format, record_bytes_max);
  std::vector<std::string> texts;
  const auto drain = [&] {
    while (auto text = splitter.Next()) texts.push_back(Describe(*text));
  };
  for (std::size_t i = 0; i < input.size(); i += chunk) {
    splitter.Push(input.substr(i, chunk));
    drain();
  }
  splitter.Finish();
  drain();
  return texts;
}

struct SplitCase {
  std::string_view name;
  RecordFormat format;
  std::string_view input;
  std::vector<std::string> texts;
};

class SplitTest : public ::testing::TestWithParam<SplitCase> {};

TEST_P(SplitTest, AnyChunkSize_GivesTheSameRecords) {
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{1000}}) {
    EXPECT_EQ(Split(GetParam().input, GetParam().format, chunk), GetParam().texts) << "chunk " << chunk;
  }
}

constexpr RecordFormat kJson = RecordFormat::kJson;
constexpr RecordFormat kNdjson = RecordFormat::kNdjson;

INSTANTIATE_TEST_SUITE_P(
    Inputs, SplitTest,
    ::testing::Values(
        SplitCase{"OneRecord", kJson, "{\"a\":1}", {"1:1  {\"a\":1}"}},
        SplitCase{"OneRecordAfterBlankLine", kJson, "\n  {\"a\":1}\n", {"2:3  {\"a\":1}\n"}},
        SplitCase{"ByteOrderMark", kJson, "\xEF\xBB\xBF[{}]", {"1:5 /0 {}"}},
        SplitCase{"Scalar", kJson, "7", {"1:1  7"}},
        SplitCase{"Empty", kJson, " \n", {"2:1 /0 !json-syntax"}},
        SplitCase{"EmptyArray", kJson, " [ ] ", {}},
        SplitCase{
            "Array", kJson, "[{\"a\":[1,2]},\n {\"b\":{}}]", {"1:2 /0 {\"a\":[1,2]}", "2:2 /1 {\"b\":{}}"}},
        SplitCase{"StringsHideBrackets",
                  kJson,
                  R"([{"a":"]}\"]"},{"b":"\\"}])",
                  {R"(1:2 /0 {"a":"]}\"]"})", R"(1:16 /1 {"b":"\\"})"}},
        SplitCase{"BadElementLeavesTheOthers",
                  kJson,
                  R"([{"a":1},{"a":tru e},{"a":3}])",
                  {R"(1:2 /0 {"a":1})", R"(1:10 /1 {"a":tru e})", R"(1:22 /2 {"a":3})"}},
        SplitCase{
            "ScalarElements", kJson, R"([1, "x,y" ,{}])", {"1:2 /0 1", R"(1:5 /1 "x,y" )", "1:12 /2 {}"}},
        SplitCase{"TwoValuesWithoutComma", kJson, "[{} {},{}]", {"1:2 /0 {} {}", "1:8 /1 {}"}},
        SplitCase{"TrailingComma", kJson, "[{},]", {"1:2 /0 {}", "1:5 /1 !json-syntax"}},
        SplitCase{"LeadingComma", kJson, "[,{}]", {"1:2 /0 !json-syntax"}},
        SplitCase{"MismatchedBrackets", kJson, R"([{},{"a":[1},{}])", {"1:2 /0 {}", "1:12 /1 !json-syntax"}},
        SplitCase{"NoEnd", kJson, "[{},{\"a\":", {"1:2 /0 {}", "1:10 /1 !json-syntax"}},
        SplitCase{"NoEndAfterElement", kJson, "[{}", {"1:4 /0 !json-syntax"}},
        SplitCase{"TextAfterArray", kJson, "[{}] x", {"1:2 /0 {}", "1:6  !json-syntax"}},
        SplitCase{"Lines",
                  kNdjson,
                  "{\"a\":1}\n\r\n\n{\"a\":2}\r\n {\"a\":3}",
                  {"1:1  {\"a\":1}", "4:1  {\"a\":2}\r", "5:1   {\"a\":3}"}},
        SplitCase{"LineThatIsBad", kNdjson, "{\"a\n{\"b\":1}\n", {"1:1  {\"a", "2:1  {\"b\":1}"}},
        SplitCase{"LinesWithMark", kNdjson, "\xEF\xBB\xBF{}\n{}", {"1:4  {}", "2:1  {}"}},
        SplitCase{"NoLines", kNdjson, "", {}}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(RecordSplitter, RecordOfExactlyTheLimit_IsRead) {
  EXPECT_EQ(Split("[\"12345678\" ,\"1\"]", kJson, 3, 10),
            (std::vector<std::string>{"1:2 /0 \"12345678\"", "1:14 /1 \"1\""}));
  EXPECT_EQ(Split("\"12345678\"", kJson, 3, 10), (std::vector<std::string>{"1:1  \"12345678\""}));
  EXPECT_EQ(Split("\"12345678\"\n", kNdjson, 3, 10), (std::vector<std::string>{"1:1  \"12345678\""}));
}

TEST(RecordSplitter, RecordAboveTheLimit_IsReportedAndTheNextIsRead) {
  EXPECT_EQ(Split("[\"123456789\",\"1\"]", kJson, 3, 10),
            (std::vector<std::string>{"1:2 /0 !limit", "1:14 /1 \"1\""}));
  EXPECT_EQ(Split("\"123456789\"", kJson, 3, 10), (std::vector<std::string>{"1:1  !limit"}));
  EXPECT_EQ(Split("\"123456789\"\n1\n", kNdjson, 3, 10), (std::vector<std::string>{"1:1  !limit", "2:1  1"}));
}

TEST(GuessFormat, FirstLineAWholeObjectAndMoreFollows_IsNdjson) {
  EXPECT_EQ(GuessFormat("{\"a\":\"}\"}\n{\"a\":2}\n"), kNdjson);
  EXPECT_EQ(GuessFormat("{\"a\":1}\n"), kJson);
  EXPECT_EQ(GuessFormat("{\"a\":\n1}\n{"), kJson);
  EXPECT_EQ(GuessFormat("[{}]"), kJson);
  EXPECT_EQ(GuessFormat(""), kJson);
}

}  // namespace
}  // namespace fhir_adapter::record
