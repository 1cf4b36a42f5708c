// HL7 v2 messages: delimiters, structure, escapes, positions, and everything that is refused. HL7 v2.5
// chapter 2.
#include "record/hl7v2_reader.h"

#include <gtest/gtest.h>
#include <vector>

#include "fhir/json_reader.h"
#include "fhir/json_writer.h"

namespace fhir_adapter::record {
namespace {

constexpr const char* kHeader = "MSH|^~\\&|APP\r";

std::string Read(std::string_view text) {
  Arena arena;
  const auto message = ReadHl7Message(text, arena);
  if (message) return fhir::ToJson(**message);
  const Error& error = message.error();
  return std::string(Name(error.code)) + " " + std::to_string(error.where.line) + ":" +
         std::to_string(error.where.column);
}

// The value at a pointer of a message with the ordinary header.
std::string At(std::string_view segments, std::string_view pointer) {
  Arena arena;
  const auto message = ReadHl7Message(kHeader + std::string(segments), arena);
  if (!message) return ToString(message.error());
  const fhir::Node* node = fhir::AtPointer(**message, pointer);
  return node == nullptr ? "absent" : fhir::ToJson(*node);
}

TEST(Hl7Reader, Message_GivesSegmentsByNameAndTheirOrder) {
  EXPECT_EQ(Read("MSH|^~\\&|A\rPID|1\rOBX|1\rOBX|2\r"),
            R"x({"MSH":[{"1":[{"1":"|"}],"2":[{"1":"^~\\&"}],"3":[{"1":"A"}]}],"PID":[{"1":[{"1":"1"}]}],)x"
            R"x("OBX":[{"1":[{"1":"1"}]},{"1":[{"1":"2"}]}],"segments":["MSH","PID","OBX","OBX"]})x");
}

TEST(Hl7Reader, LineEnds_MayBeCrLfOrBoth) {
  const std::string expected = Read("MSH|^~\\&|A\rPID|1\r");
  EXPECT_EQ(Read("MSH|^~\\&|A\nPID|1\n"), expected);
  EXPECT_EQ(Read("MSH|^~\\&|A\r\nPID|1"), expected);
}

TEST(Hl7Reader, Field_HasRepetitionsComponentsAndSubcomponents) {
  EXPECT_EQ(At("PID|1||100^^^CLINIC&1.2&ISO~200", "/PID/0/3"),
            R"([{"1":"100","4":{"1":"CLINIC","2":"1.2","3":"ISO"}},{"1":"200"}])");
  EXPECT_EQ(At("PID|1||100", "/PID/0/2"), "absent");
  EXPECT_EQ(At("PID|1||^^", "/PID/0/3"), "absent");
}

TEST(Hl7Reader, DeleteMark_IsNotEmpty) {
  EXPECT_EQ(At("PID|1|\"\"", "/PID/0/2/0/1"), R"("\"\"")");
}

TEST(Hl7Reader, Delimiters_ComeFromTheHeader) {
  EXPECT_EQ(
      Read("MSH*%@!$*A\rPID*1%2@3$4*x^y\r"),
      R"({"MSH":[{"1":[{"1":"*"}],"2":[{"1":"%@!$"}],"3":[{"1":"A"}]}],)"
      R"("PID":[{"1":[{"1":"1","2":"2"},{"1":{"1":"3","2":"4"}}],"2":[{"1":"x^y"}]}],"segments":["MSH","PID"]})");
}

struct EscapeCase {
  const char* name;
  std::string written;
  std::string value;
};

void PrintTo(const EscapeCase& c, std::ostream* out) {
  *out << c.name;
}

class Hl7Escape : public testing::TestWithParam<EscapeCase> {};

TEST_P(Hl7Escape, Text_IsResolved) {
  EXPECT_EQ(UnescapeHl7(GetParam().written, {}), GetParam().value);
}

const EscapeCase kEscapes[] = {
    {"Field", R"(a\F\b)", "a|b"},
    {"Component", R"(a\S\b)", "a^b"},
    {"Subcomponent", R"(a\T\b)", "a&b"},
    {"Repetition", R"(a\R\b)", "a~b"},
    {"Escape", R"(a\E\b)", "a\\b"},
    {"Hex", R"(a\X0D0A\b)", "a\r\nb"},
    {"HexOfUtf8", R"(\XC3A4\)", "ä"},
    {"HexThatIsNotUtf8", R"(\XFF\)", R"(\XFF\)"},
    {"HexOfOddLength", R"(\XABC\)", R"(\XABC\)"},
    {"LineEnd", R"(one\.br\two)", "one\ntwo"},
    {"Highlight", R"(\H\loud\N\)", "loud"},
    {"Unknown", R"(\Q\x)", R"(\Q\x)"},
    {"UnknownBeforeAnother", R"(5\Q\F\)", R"(5\Q|)"},
    {"NotClosed", R"(5\6)", R"(5\6)"},
    {"Several", R"(\F\\S\\T\)", "|^&"},
};

INSTANTIATE_TEST_SUITE_P(Escapes, Hl7Escape, testing::ValuesIn(kEscapes),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Hl7Reader, EscapedDelimiter_DoesNotSplit) {
  EXPECT_EQ(At(R"(OBX|1|a\F\b\S\c)", "/OBX/0/2"), R"([{"1":"a|b^c"}])");
}

TEST(Hl7Reader, Value_KnowsItsSegmentAndColumn) {
  Arena arena;
  const auto message = ReadHl7Message(std::string(kHeader) + "PID|1||100^^^CLINIC&1.2\r", arena);
  const fhir::Node* part = fhir::AtPointer(**message, "/PID/0/3/0/4/2");
  EXPECT_EQ(part->line, 2u);
  EXPECT_EQ(part->column, 21u);
  const fhir::Node* app = fhir::AtPointer(**message, "/MSH/0/3/0/1");
  EXPECT_EQ(app->column, 10u);
}

TEST(Hl7Reader, WhatIsNoMessage_IsRefusedWithItsPlace) {
  EXPECT_EQ(Read(""), "not-allowed 1:1");
  EXPECT_EQ(Read("PID|1\r"), "not-allowed 1:1");
  EXPECT_EQ(Read("MSH|^~\\"), "not-allowed 1:1");
  EXPECT_EQ(Read("MSH|^^\\&|A\r"), "not-allowed 1:6");
  EXPECT_EQ(Read("MSH|^~a&|A\r"), "not-allowed 1:7");
  EXPECT_EQ(Read("MSH|^~\\&x|A\r"), "not-allowed 1:9");
  EXPECT_EQ(Read("MSH|^~\\&|A\rpid|1\r"), "not-allowed 2:1");
  EXPECT_EQ(Read("MSH|^~\\&|A\rPIDX|1\r"), "not-allowed 2:1");
  EXPECT_EQ(Read("MSH|^~\\&|A\rMSH|^~\\&|B\r"), "not-allowed 2:1");
  EXPECT_EQ(Read("MSH|^~\\&|\xFF\r"), "encoding 1:10");
}

// The sanitizer sees a look behind the last byte.
TEST(Hl7Reader, SegmentShorterThanItsName_IsRefusedAndNothingBehindItIsRead) {
  for (const std::string end : {"P", "PI", "PID"}) {
    const std::string text = "MSH|^~\\&|A\r" + end;
    const std::vector<char> bytes(text.begin(), text.end());
    Arena arena;
    const auto message = ReadHl7Message(std::string_view(bytes.data(), bytes.size()), arena);
    ASSERT_EQ(message.has_value(), end == "PID") << end;
    if (!message) {
      EXPECT_EQ(message.error().where.line, 2u);
    }
  }
}

TEST(Hl7ReaderLimit, Segments_CountAsValues) {
  const auto segments = [](std::size_t count) {
    std::string text = "MSH|^~\\&\r";
    for (std::size_t i = 1; i < count; ++i) text += "NTE\r";
    return Read(text).substr(0, 6);
  };
  EXPECT_EQ(segments(limits::kRecordElementsMax), R"({"MSH")");
  EXPECT_EQ(segments(limits::kRecordElementsMax + 1), "limit ");
}

TEST(Hl7ReaderCharset, Bytes_AreThoseThatTheHeaderDeclares) {
  const auto name = [](const std::string& charset, const std::string& bytes) {
    return Read("MSH|^~\\&|" + bytes + "|||||||||||||||" + charset + "\r").substr(0, 72);
  };
  EXPECT_TRUE(name("UNICODE UTF-8", "\xC3\xA4")
                  .starts_with(R"x({"MSH":[{"1":[{"1":"|"}],"2":[{"1":"^~\\&"}],"3":[{"1":"ä"}])x"));
  EXPECT_TRUE(name("8859/1", "\xE4")
                  .starts_with(R"x({"MSH":[{"1":[{"1":"|"}],"2":[{"1":"^~\\&"}],"3":[{"1":"ä"}])x"));
  EXPECT_TRUE(name("8859/1", "\\XE4\\")
                  .starts_with(R"x({"MSH":[{"1":[{"1":"|"}],"2":[{"1":"^~\\&"}],"3":[{"1":"ä"}])x"));
  EXPECT_EQ(name("ASCII", "\xC3\xA4"), "encoding 1:10");
  EXPECT_EQ(name("", "\xE4"), "encoding 1:10");
  EXPECT_EQ(name("ISO IR87", "a"), "encoding 1:1");
}

TEST(Hl7Split, File_GivesItsMessagesWithTheirLines) {
  const auto messages = SplitHl7Messages(
      "FHS|^~\\&\rBHS|^~\\&\r\x0BMSH|^~\\&|A\rPID|1\r\x1C\r\nMSH|^~\\&|B\r\nPID|2\r\nBTS|2\rFTS|1\r");
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].bytes, "MSH|^~\\&|A\rPID|1\r\r");
  EXPECT_EQ(messages[0].line, 3u);
  EXPECT_EQ(messages[1].bytes, "MSH|^~\\&|B\rPID|2\r");
  EXPECT_EQ(messages[1].line, 6u);
  EXPECT_EQ(SplitHl7Messages("PID|1\r").size(), 1u);
  EXPECT_TRUE(SplitHl7Messages("\r\n").empty());
}

TEST(Hl7ReaderLimit, ValuesAndBytes_AreTakenUpToTheLimit) {
  const auto values = [](std::size_t count) {
    std::string text = "MSH|^~\\&\rOBX|a";  // two segments and a value
    for (std::size_t i = 1; i < count; ++i) text += "~a";
    return Read(text);
  };
  EXPECT_TRUE(values(limits::kRecordElementsMax - 2).starts_with("{"));
  EXPECT_TRUE(values(limits::kRecordElementsMax - 1).starts_with("limit 2:"));
  const auto bytes = [](std::size_t count) { return Read(kHeader + std::string(count - 13, '\r')); };
  EXPECT_TRUE(bytes(limits::kRecordBytesMax).starts_with("{"));
  EXPECT_EQ(bytes(limits::kRecordBytesMax + 1), "limit 0:0");
}

}  // namespace
}  // namespace fhir_adapter::record
