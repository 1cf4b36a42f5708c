// A message takes the shape of its model: groups, fields, components and types. HL7 v2.5 chapters 2 and 2.A.
#include "record/hl7v2_shape.h"

#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "record/hl7v2_reader.h"

namespace fhir_adapter::record {
namespace {

constexpr const char* kModel =
    R"({"resourceType":"StructureDefinition","url":"http://x/M","type":"M","kind":"logical",
 "differential":{"element":[
  {"id":"M","path":"M","min":0,"max":"*"},
  {"path":"M.sent","min":0,"max":"1","type":[{"code":"integer"}]},
  {"path":"M.MSH","min":0,"max":"1","type":[{"code":"BackboneElement"}]},
  {"path":"M.MSH.f1","min":0,"max":"1","type":[{"code":"string"}]},
  {"path":"M.MSH.f2","min":0,"max":"1","type":[{"code":"string"}]},
  {"path":"M.MSH.f7","min":0,"max":"1","type":[{"code":"instant"}]},
  {"path":"M.groups","min":0,"max":"*","type":[{"code":"BackboneElement"}]},
  {"path":"M.groups.OBR","min":0,"max":"1","type":[{"code":"BackboneElement"}]},
  {"path":"M.groups.OBR.f1","min":0,"max":"1","type":[{"code":"date"}]},
  {"path":"M.groups.OBR.f2","min":0,"max":"1","type":[{"code":"dateTime"}]},
  {"path":"M.groups.OBR.f3","min":0,"max":"1","type":[{"code":"instant"}]},
  {"path":"M.groups.OBR.f4","min":0,"max":"1","type":[{"code":"decimal"}]},
  {"path":"M.groups.OBR.f5","min":0,"max":"1","type":[{"code":"integer"}]},
  {"path":"M.groups.OBR.f6","min":0,"max":"*","type":[{"code":"BackboneElement"}]},
  {"path":"M.groups.OBR.f6.c1","min":0,"max":"1","type":[{"code":"string"}]},
  {"path":"M.groups.OBR.f6.c4s2","min":0,"max":"1","type":[{"code":"string"}]},
  {"path":"M.groups.NTE","min":0,"max":"*","type":[{"code":"BackboneElement"}]},
  {"path":"M.groups.NTE.f3","min":0,"max":"1","type":[{"code":"string"}]},
  {"path":"M.groups.inner","min":0,"max":"*","type":[{"code":"BackboneElement"}]},
  {"path":"M.groups.inner.OBX","min":0,"max":"1","type":[{"code":"BackboneElement"}]},
  {"path":"M.groups.inner.OBX.f1","min":0,"max":"1","type":[{"code":"string"}]},
  {"path":"M.groups.inner.NTE","min":0,"max":"*","type":[{"code":"BackboneElement"}]},
  {"path":"M.groups.inner.NTE.f3","min":0,"max":"1","type":[{"code":"string"}]}]}})";

// The shaped message as JSON, then its issues, one a line.
std::string Shape(const std::string& segments, const std::string& sent = "", const TimeZone* zone = nullptr) {
  Arena arena;
  const auto structure = fhir::ReadJson(kModel, arena);
  const auto model = RecordModel::Build(**structure, {});
  const auto message = ReadHl7Message("MSH|^~\\&|||||" + sent + "\r" + segments, arena);
  if (!model || !message) return "unreadable";
  Issues issues;
  std::string out = fhir::ToJson(*ShapeHl7Message(**message, *model, arena, issues, zone));
  for (const Issue& issue : issues) {
    out += "\n" + issue.where.pointer + " " + std::string(Name(issue.code)) + " " +
           std::to_string(issue.where.line) + ":" + std::to_string(issue.where.column);
  }
  return out;
}

const TimeZone& Berlin() {
  static const TimeZone zone = [] {
    std::ifstream file("/usr/share/zoneinfo/Europe/Berlin", std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    return TimeZone::Parse(bytes, "Europe/Berlin").value();
  }();
  return zone;
}

// What stands behind the header.
std::string Groups(const std::string& segments, const std::string& sent = "") {
  const std::string all = Shape(segments, sent);
  const std::size_t begin = all.find("\"groups\":");
  return begin == std::string::npos ? all : all.substr(begin + 9);
}

TEST(Hl7Shape, Group_BeginsWithItsFirstSegment) {
  EXPECT_EQ(
      Groups("OBR|2014\rNTE|||a\rOBX|1\rNTE|||b\rNTE|||c\rOBX|2\rOBR|2015\rOBX|3\r"),
      R"([{"OBR":{"f1":"2014"},"NTE":[{"f3":"a"}],"inner":[{"OBX":{"f1":"1"},"NTE":[{"f3":"b"},{"f3":"c"}]},)"
      R"({"OBX":{"f1":"2"}}]},{"OBR":{"f1":"2015"},"inner":[{"OBX":{"f1":"3"}}]}]})");
}

TEST(Hl7Shape, SegmentWithoutPlace_IsNotedAndClosesNoGroup) {
  EXPECT_EQ(Groups("OBR|2014\rOBX|1\rZZZ|1\rNTE|||b\r"),
            "[{\"OBR\":{\"f1\":\"2014\"},\"inner\":[{\"OBX\":{\"f1\":\"1\"},\"NTE\":[{\"f3\":\"b\"}]}]}]}\n"
            "ZZZ unknown-field 4:1");
  EXPECT_TRUE(Shape("OBX|1\r").ends_with("\nOBX unknown-field 2:1"));
}

TEST(Hl7Shape, Field_GivesComponentsSubcomponentsAndRepetitions) {
  EXPECT_EQ(Groups("OBR||||||a^^^b&1.2~c\r"), R"([{"OBR":{"f6":[{"c1":"a","c4s2":"1.2"},{"c1":"c"}]}}]})");
  EXPECT_EQ(Groups("OBR|2014~2015|||||||x\r"),
            "[{\"OBR\":{\"f1\":\"2014\"}}]}\nOBR-1 unknown-field 2:10\nOBR-8 unknown-field 2:21");
}

TEST(Hl7Shape, DeletedAndEmpty_AreLeftOut) {
  EXPECT_EQ(Groups("OBR|\"\"|||\"\"||\"\"^^^x&1\r"), R"([{"OBR":{"f6":[{"c4s2":"1"}]}}]})");
}

// IANA, Europe/Berlin 2014: summer time from 30 March 02:00 to 26 October 03:00.
TEST(Hl7Shape, TimesWithoutAnyOffset_AreThoseOfTheZone) {
  const auto times = [](const std::string& sent, const std::string& time) {
    const std::string all = Shape("OBR||" + time + "\r", sent, &Berlin());
    return all.substr(all.find("\"groups\":") + 9);
  };
  EXPECT_EQ(times("20140701120000", "20140115103000"), "[{\"OBR\":{\"f2\":\"2014-01-15T10:30:00+01:00\"}}]}");
  EXPECT_EQ(times("20140115120000", "201407011030"), "[{\"OBR\":{\"f2\":\"2014-07-01T10:30:00+02:00\"}}]}");
  EXPECT_EQ(times("20140115120000", "20140701"), "[{\"OBR\":{\"f2\":\"2014-07-01\"}}]}");
  // The message's own offset goes before the zone.
  EXPECT_EQ(times("20140115120000+0900", "20140701103000"),
            "[{\"OBR\":{\"f2\":\"2014-07-01T10:30:00+09:00\"}}]}");
  for (const char* unsettled : {"20141026023000", "20140330023000"}) {
    EXPECT_EQ(times("20140115120000", unsettled), "[{\"OBR\":{}}]}\nOBR-2 time-ambiguous 2:6") << unsettled;
  }
  EXPECT_TRUE(Shape("OBX|1\r", "20140701120000", &Berlin()).starts_with("{\"sent\":457524000,"));
}

struct ValueCase {
  const char* name;
  std::string field;  // f1 date, f2 dateTime, f3 instant, f4 decimal, f5 integer
  std::string written;
  std::string value;  // JSON; or the code
};

void PrintTo(const ValueCase& c, std::ostream* out) {
  *out << c.name;
}

class Hl7Value : public testing::TestWithParam<ValueCase> {};

TEST_P(Hl7Value, Text_TakesTheTypeOfTheModel) {
  const ValueCase& c = GetParam();
  const int place = c.field[1] - '0';
  const std::string got = Groups("OBR" + std::string(static_cast<std::size_t>(place), '|') + c.written + "\r",
                                 "20140506100000+0900");
  const std::string expected =
      c.value.starts_with("\"") || std::isdigit(static_cast<unsigned char>(c.value[0])) != 0 ||
              c.value[0] == '-'
          ? "[{\"OBR\":{\"" + c.field + "\":" + c.value + "}}]}"
          : "[{\"OBR\":{}}]}\nOBR-" + c.field.substr(1) + " " + c.value + " 2:" + std::to_string(4 + place);
  EXPECT_EQ(got, expected);
}

const ValueCase kValues[] = {
    {"Year", "f2", "2014", "\"2014\""},
    {"Month", "f2", "201402", "\"2014-02\""},
    {"Day", "f2", "20140228", "\"2014-02-28\""},
    {"NoSuchDay", "f2", "20140230", "map-failed"},
    {"Hour", "f2", "2014022810", "map-failed"},
    {"Minute", "f2", "201402281030", "\"2014-02-28T10:30:00+09:00\""},
    {"Second", "f2", "20140228103059", "\"2014-02-28T10:30:59+09:00\""},
    {"Fraction", "f2", "20140228103059.1230", "\"2014-02-28T10:30:59.1230+09:00\""},
    {"OwnOffset", "f2", "20140228103059-0330", "\"2014-02-28T10:30:59-03:30\""},
    {"ShortOffset", "f2", "20140228103059-03", "map-failed"},
    {"NotATime", "f2", "yesterday", "map-failed"},
    {"OddDigits", "f2", "2014022", "map-failed"},
    {"HourTooLarge", "f2", "20140228250000", "map-failed"},
    {"DateOfATime", "f1", "20140228103059", "\"2014-02-28\""},
    {"Instant", "f3", "20140228103059", "\"2014-02-28T10:30:59+09:00\""},
    {"InstantOfAMinute", "f3", "201402281030", "map-failed"},
    {"InstantOfADay", "f3", "20140228", "map-failed"},
    {"Decimal", "f4", "1.10", "1.10"},
    {"PlusAndZeros", "f4", "+007.50", "7.50"},
    {"PointFirst", "f4", ".5", "0.5"},
    {"Zero", "f4", "000", "0"},
    {"Negative", "f4", "-0.5", "-0.5"},
    {"PointLast", "f4", "5.", "map-failed"},
    {"Exponent", "f4", "1e3", "map-failed"},
    {"Words", "f4", "five", "map-failed"},
    {"TwoSigns", "f4", "+-5", "map-failed"},
    {"Integer", "f5", "12", "12"},
    {"IntegerWithAPoint", "f5", "1.0", "map-failed"},
};

INSTANTIATE_TEST_SUITE_P(Values, Hl7Value, testing::ValuesIn(kValues),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Hl7Shape, TimeWithoutAnyOffset_IsAmbiguousButADateIsNot) {
  EXPECT_EQ(Groups("OBR||20140228103059\r"), "[{\"OBR\":{}}]}\nOBR-2 time-ambiguous 2:6");
  EXPECT_EQ(Groups("OBR||20140228\r"), R"([{"OBR":{"f2":"2014-02-28"}}]})");
}

// `date -u -d 2014-05-06T01:00:00Z +%s` less that of 2000-01-01.
TEST(Hl7Shape, Sent_IsTheSecondOfTheHeaderInUtc) {
  EXPECT_TRUE(Shape("", "20140506100000+0900").starts_with(R"({"sent":452653200,"MSH":)"));
  EXPECT_TRUE(Shape("", "20140506010000.9+0000").starts_with(R"({"sent":452653200,"MSH":)"));
  EXPECT_TRUE(Shape("", "201405061000+0900").starts_with(R"({"MSH":)"));
}

}  // namespace
}  // namespace fhir_adapter::record
