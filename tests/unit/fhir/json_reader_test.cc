#include "fhir/json_reader.h"

#include <gtest/gtest.h>
#include <string>

#include "fhir/json_writer.h"

namespace fhir_adapter::fhir {
namespace {

using std::string_literals::operator""s;

std::string Repeat(std::string_view text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

TEST(JsonReader, Digits_AreKept) {
  for (const char* number : {"1.10", "1E+2", "-0", "0", "-0.0", "1e-400", "0.1234567890123456789012345678901",
                             "18446744073709551616", "-9223372036854775809", "100000000000000000000.50"}) {
    Arena arena;
    const Result<Node*> result = ReadJson(number, arena);
    ASSERT_TRUE(result) << number;
    EXPECT_TRUE((*result)->is_number());
    EXPECT_EQ((*result)->text, number);
  }
}

struct StringCase {
  std::string json;
  std::string value;
};

TEST(JsonReader, Strings_AreUnescaped) {
  const StringCase cases[] = {{R"("")", ""},
                              {R"("a\"\\\/\b\f\n\r\t")", "a\"\\/\b\f\n\r\t"},
                              {R"("\u00e9\u20AC")", "\xC3\xA9\xE2\x82\xAC"},
                              {R"("\uD83D\uDE00")", "\xF0\x9F\x98\x80"},
                              {"\"\xED\x9F\xBF\xEE\x80\x80\"", "\xED\x9F\xBF\xEE\x80\x80"},
                              {R"("a\u0000b")", "a\0b"s}};
  for (const StringCase& test : cases) {
    Arena arena;
    const Result<Node*> result = ReadJson(test.json, arena);
    ASSERT_TRUE(result) << test.json << ToString(result.error());
    EXPECT_EQ((*result)->text, test.value);
  }
}

TEST(JsonReader, Positions_AreLineAndByteColumn) {
  Arena arena;
  const Result<Node*> result =
      ReadJson("\xEF\xBB\xBF{\n  \"\xC3\xA9\": [1,\r\n\t{\"b\" : true}]\n}\n", arena);
  ASSERT_TRUE(result);
  const Node& root = **result;
  EXPECT_EQ(root.line, 1U);
  EXPECT_EQ(root.column, 1U);
  const Node& list = *root.Find("\xC3\xA9");
  EXPECT_EQ(list.line, 2U);
  EXPECT_EQ(list.column, 9U);
  EXPECT_EQ(list.items()[0]->column, 10U);
  const Node& flag = *list.items()[1]->Find("b");
  EXPECT_EQ(flag.line, 3U);
  EXPECT_EQ(flag.column, 9U);
}

// Strings are unescaped where they stand: what follows keeps its bytes and its place.
TEST(JsonReader, EscapeAtEveryPlace_LeavesItsSurroundingsAlone) {
  for (std::size_t before = 0; before < 18; ++before) {
    for (std::size_t after = 0; after < 18; ++after) {
      const std::string head(before, 'x');
      std::string rest;
      for (std::size_t i = 0; i < after; ++i) rest += "\xC3\xA9";
      const std::string json = R"({"a\n":")" + head + R"(\n)" + rest + R"(","b": [ 12.50,"c"]})";
      Arena arena;
      const Result<Node*> result = ReadJson(json, arena);
      ASSERT_TRUE(result) << json;
      const Node& root = **result;
      ASSERT_NE(root.Find("a\n"), nullptr) << json;
      EXPECT_EQ(root.Find("a\n")->text, head + "\n" + rest);
      const Node& number = *root.Find("b")->items()[0];
      EXPECT_EQ(number.text, "12.50");
      EXPECT_EQ(number.line, 1U);
      EXPECT_EQ(number.column, json.find("12.50") + 1);
      EXPECT_EQ(root.Find("b")->items()[1]->text, "c");
    }
  }
}

TEST(JsonReader, SourceText_IsNotChangedAndNotNeededAnyMore) {
  Arena arena;
  std::string json = R"({"a":"\u00e9","b":1})";
  const std::string before = json;
  const Result<Node*> result = ReadJson(json, arena);
  ASSERT_TRUE(result);
  EXPECT_EQ(json, before);
  json.assign(json.size(), '?');
  EXPECT_EQ((*result)->Find("a")->text, "\xC3\xA9");
  EXPECT_EQ((*result)->Find("b")->text, "1");
}

struct ErrorCase {
  const char* name;
  std::string json;
  Code code;
  std::uint32_t line;
  std::uint32_t column;
  std::string pointer;
};

void PrintTo(const ErrorCase& test, std::ostream* out) {
  *out << test.name;
}

class JsonReaderErrorTest : public testing::TestWithParam<ErrorCase> {};

TEST_P(JsonReaderErrorTest, NamesCodeAndPosition) {
  Arena arena;
  const Result<Node*> result = ReadJson(GetParam().json, arena);
  ASSERT_FALSE(result);
  EXPECT_EQ(Name(result.error().code), Name(GetParam().code));
  EXPECT_EQ(result.error().where, (Location{{}, GetParam().line, GetParam().column, GetParam().pointer}))
      << ToString(result.error());
}

INSTANTIATE_TEST_SUITE_P(
    Syntax, JsonReaderErrorTest,
    testing::Values(ErrorCase{"Empty", "", Code::kJsonSyntax, 1, 1, ""},
                    ErrorCase{"OnlySpace", " \n ", Code::kJsonSyntax, 2, 2, ""},
                    ErrorCase{"OnlyByteOrderMark", "\xEF\xBB\xBF", Code::kJsonSyntax, 1, 1, ""},
                    ErrorCase{"Trailing", "{}\n x", Code::kJsonSyntax, 2, 2, ""},
                    ErrorCase{"TwoValues", "1 2", Code::kJsonSyntax, 1, 3, ""},
                    ErrorCase{"LeadingZero", "01", Code::kJsonSyntax, 1, 2, ""},
                    ErrorCase{"Plus", "[+1]", Code::kJsonSyntax, 1, 2, "/0"},
                    ErrorCase{"NoFraction", "[1.]", Code::kJsonSyntax, 1, 4, "/0"},
                    ErrorCase{"NoIntegerPart", "[.5]", Code::kJsonSyntax, 1, 2, "/0"},
                    ErrorCase{"NoExponent", "[1e]", Code::kJsonSyntax, 1, 4, "/0"},
                    ErrorCase{"NotANumber", "[NaN]", Code::kJsonSyntax, 1, 2, "/0"},
                    ErrorCase{"TrailingCommaInArray", "[1,]", Code::kJsonSyntax, 1, 4, "/1"},
                    ErrorCase{"TrailingCommaInObject", R"({"a":1,})", Code::kJsonSyntax, 1, 8, "/a"},
                    ErrorCase{"MissingComma", "{\"a\":1\n\"b\":2}", Code::kJsonSyntax, 2, 1, "/a"},
                    ErrorCase{"MissingColon", R"({"a" 1})", Code::kJsonSyntax, 1, 6, "/a"},
                    ErrorCase{"UnquotedName", "{a:1}", Code::kJsonSyntax, 1, 2, ""},
                    ErrorCase{"OpenArray", "[1", Code::kJsonSyntax, 1, 3, "/1"},
                    ErrorCase{"OpenString", "[\"abc", Code::kJsonSyntax, 1, 6, "/0"},
                    ErrorCase{"ControlCharacter", "[\"a\tb\"]", Code::kJsonSyntax, 1, 4, "/0"},
                    ErrorCase{"LineEndInString", "[\"a\nb\"]", Code::kJsonSyntax, 1, 4, "/0"},
                    ErrorCase{"UnknownEscape", R"(["a\x"])", Code::kJsonSyntax, 1, 4, "/0"},
                    ErrorCase{"ShortHexEscape", R"(["a\u12"])", Code::kJsonSyntax, 1, 4, "/0"},
                    ErrorCase{"Comment", "[/**/]", Code::kJsonSyntax, 1, 2, "/0"},
                    ErrorCase{"NulAfterValue", "{}\0"s, Code::kJsonSyntax, 1, 3, ""},
                    ErrorCase{"NulBeforeGarbage", "{}\0x"s, Code::kJsonSyntax, 1, 3, ""},
                    ErrorCase{"NulInString", "[\"a\0\"]"s, Code::kJsonSyntax, 1, 4, "/0"},
                    ErrorCase{"NulBetweenTokens", "[1,\0 2]"s, Code::kJsonSyntax, 1, 4, "/1"},
                    ErrorCase{"MisspelledLiteral", "[true,flase]", Code::kJsonSyntax, 1, 8, "/1"},
                    ErrorCase{"SecondByteOrderMark", "\xEF\xBB\xBF\xEF\xBB\xBF{}", Code::kJsonSyntax, 1, 1,
                              ""}));

INSTANTIATE_TEST_SUITE_P(
    Encoding, JsonReaderErrorTest,
    testing::Values(ErrorCase{"Latin1", "{\n\"a\":\"\xE9\"}", Code::kEncoding, 2, 6, ""},
                    ErrorCase{"OverlongTwo", "\"\xC0\x80\"", Code::kEncoding, 1, 2, ""},
                    ErrorCase{"OverlongThree", "\"\xE0\x9F\xBF\"", Code::kEncoding, 1, 2, ""},
                    ErrorCase{"OverlongFour", "\"\xF0\x8F\xBF\xBF\"", Code::kEncoding, 1, 2, ""},
                    ErrorCase{"EncodedSurrogate", "\"\xED\xA0\x80\"", Code::kEncoding, 1, 2, ""},
                    ErrorCase{"AboveUnicode", "\"\xF4\x90\x80\x80\"", Code::kEncoding, 1, 2, ""},
                    ErrorCase{"LoneContinuation", "\"abcdefghij\x80\"", Code::kEncoding, 1, 12, ""},
                    ErrorCase{"CutOff", "\"abcdefg\xE2\x82", Code::kEncoding, 1, 9, ""},
                    ErrorCase{"Utf16", "\xFF\xFE{\0}\0"s, Code::kEncoding, 1, 1, ""},
                    ErrorCase{"LoneHighEscape", R"({"a":"x\uD83D"})", Code::kEncoding, 1, 8, "/a"},
                    ErrorCase{"HighThenLetter", R"({"a":"\uD83Dx"})", Code::kEncoding, 1, 7, "/a"},
                    ErrorCase{"HighThenHigh", R"(["\uD83D\uD83D"])", Code::kEncoding, 1, 3, "/0"},
                    ErrorCase{"LoneLowEscape", R"(["\\uD83D \uD83D\uDE00\uDE00"])", Code::kEncoding, 1, 23,
                              "/0"},
                    ErrorCase{"LoneLowInName", R"({"a":1,"\uDC00":2})", Code::kEncoding, 1, 9, "/a"}));

INSTANTIATE_TEST_SUITE_P(
    DuplicateKey, JsonReaderErrorTest,
    testing::Values(ErrorCase{"Root", "{\"a\":1,\n \"a\":2}", Code::kDuplicateKey, 2, 2, "/a"},
                    ErrorCase{"Nested", R"({"x":[0,{"a~/b":1,"c":{},"a~/b":2}]})", Code::kDuplicateKey, 1, 26,
                              "/x/1/a~0~1b"},
                    ErrorCase{"AfterNestedList", R"([[{"p":[{"q":1}],"p":1}]])", Code::kDuplicateKey, 1, 18,
                              "/0/0/p"},
                    ErrorCase{"EscapedSpelling", R"({"a":1,"\u0061":2})", Code::kDuplicateKey, 1, 8, "/a"}));

INSTANTIATE_TEST_SUITE_P(Number, JsonReaderErrorTest,
                         testing::Values(ErrorCase{"TooBig", "[1E309]", Code::kLimit, 1, 2, "/0"}));

TEST(JsonReader, DuplicateKey_IsFoundInBigObjects) {
  for (const std::size_t count : {15U, 16U, 17U, 18U, 1000U}) {
    std::string json = "{";
    for (std::size_t i = 0; i < count; ++i) json += "\"m" + std::to_string(i) + "\":0,";
    Arena arena;
    EXPECT_TRUE(ReadJson(json + "\"last\":0}", arena)) << count;
    const Result<Node*> result = ReadJson(json + "\"m" + std::to_string(count - 1) + "\":0}", arena);
    ASSERT_FALSE(result) << count;
    EXPECT_EQ(result.error().code, Code::kDuplicateKey);
    EXPECT_EQ(result.error().where.pointer, "/m" + std::to_string(count - 1));
  }
}

TEST(JsonReader, SameNameInDifferentObjects_IsNoDuplicate) {
  Arena arena;
  EXPECT_TRUE(ReadJson(R"([{"a":1},{"a":2,"b":{"a":3}}])", arena));
}

TEST(JsonReader, Depth_LimitIsTheDeepestAllowed) {
  const JsonLimits limits{1000, 64, 1000};
  Arena arena;
  EXPECT_TRUE(ReadJson(Repeat("[", 64) + Repeat("]", 64), arena, limits));
  EXPECT_TRUE(ReadJson(Repeat("{\"a\":", 64) + "1" + Repeat("}", 64), arena, limits));
  const Result<Node*> result = ReadJson(Repeat("[", 65) + Repeat("]", 65), arena, limits);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kLimit);
  EXPECT_EQ(result.error().where.column, 65U);
  EXPECT_EQ(result.error().where.pointer, Repeat("/0", 64));
}

TEST(JsonReader, MillionBrackets_AreRefusedWithoutACrash) {
  Arena arena;
  EXPECT_EQ(ReadJson(Repeat("[", 1'000'000), arena).error().code, Code::kLimit);
  EXPECT_EQ(ReadJson(Repeat("{\"a\":", 1'000'000), arena).error().code, Code::kLimit);
}

TEST(JsonReader, Elements_LimitCountsEveryValue) {
  const JsonLimits limits{1000, 64, 5};
  Arena arena;
  EXPECT_TRUE(ReadJson(R"([1,{"a":2},3])", arena, limits));
  const Result<Node*> result = ReadJson(R"([1,{"a":2},3,4])", arena, limits);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kLimit);
  EXPECT_EQ(result.error().where, (Location{{}, 1, 14, "/3"}));
}

TEST(JsonReader, Bytes_LimitCountsTheWholeText) {
  const JsonLimits limits{10, 64, 100};
  Arena arena;
  EXPECT_TRUE(ReadJson("[1,2,3,45]", arena, limits));
  EXPECT_EQ(ReadJson("[1,2,3,45] ", arena, limits).error().code, Code::kLimit);
}

struct NamedLimits {
  const char* name;
  const JsonLimits* limits;
  std::size_t bytes;
  std::size_t depth;
  std::size_t elements;
};

class JsonLimitsTest : public testing::TestWithParam<NamedLimits> {};

TEST_P(JsonLimitsTest, AreAllowedAndNotOneMore) {
  const NamedLimits& test = GetParam();
  const auto accepts = [&](const std::string& text) {
    Arena arena;
    const Result<Node*> result = ReadJson(text, arena, *test.limits);
    if (!result) {
      EXPECT_EQ(result.error().code, Code::kLimit);
    }
    return result.has_value();
  };
  EXPECT_TRUE(accepts("1" + std::string(test.bytes - 1, ' ')));
  EXPECT_FALSE(accepts("1" + std::string(test.bytes, ' ')));
  EXPECT_TRUE(accepts(std::string(test.depth, '[') + std::string(test.depth, ']')));
  EXPECT_FALSE(accepts(std::string(test.depth + 1, '[') + std::string(test.depth + 1, ']')));
  EXPECT_TRUE(accepts("[0" + Repeat(",0", test.elements - 2) + "]"));
  EXPECT_FALSE(accepts("[0" + Repeat(",0", test.elements - 1) + "]"));
}

// The figures are those of the record model (10 MB, depth 64, 100,000 elements) and of core/limits.h.
INSTANTIATE_TEST_SUITE_P(Table, JsonLimitsTest,
                         testing::Values(NamedLimits{"Record", &kRecordLimits, 10'000'000, 64, 100'000},
                                         NamedLimits{"Resource", &kResourceLimits, 64'000'000, 64,
                                                     2'000'000}),
                         [](const auto& test) { return test.param.name; });

TEST(JsonReader, WideObject_TakesLinearTime) {
  // A quadratic search for duplicates would need minutes here.
  std::string json = "{";
  for (int i = 0; i < 200'000; ++i) json += "\"member" + std::to_string(i) + "\":0,";
  json += "\"end\":0}";
  Arena arena;
  const Result<Node*> result = ReadJson(json, arena);
  ASSERT_TRUE(result);
  EXPECT_EQ((*result)->size, 200'001U);
}

TEST(JsonPointer, RoundTrip_FindsTheNode) {
  Arena arena;
  const Result<Node*> result = ReadJson(R"({"a/b":[0,{"~":null}],"":1})", arena);
  ASSERT_TRUE(result);
  const Node& root = **result;
  const Node* tilde = AtPointer(root, "/a~1b/1/~0");
  ASSERT_NE(tilde, nullptr);
  EXPECT_TRUE(tilde->is_null());
  EXPECT_EQ(PointerTo(root, *tilde), "/a~1b/1/~0");
  EXPECT_EQ(PointerTo(root, root), "");
  EXPECT_EQ(AtPointer(root, ""), &root);
  EXPECT_EQ(AtPointer(root, "/")->text, "1");
}

TEST(JsonPointer, Missing_IsNull) {
  Arena arena;
  const Node& root = **ReadJson(R"({"a":[0]})", arena);
  for (const char* pointer : {"/b", "/a/1", "/a/00", "/a/-", "/a/0/x", "a", "/a/18446744073709551616"}) {
    EXPECT_EQ(AtPointer(root, pointer), nullptr) << pointer;
  }
}

}  // namespace
}  // namespace fhir_adapter::fhir
