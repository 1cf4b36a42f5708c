// Maps that are begun from a sample, as the commands that come after it find them.
#include <algorithm>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "core/limits.h"
#include "running_adapter.h"

namespace fhir_adapter::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kTable =
    "Case no.;Patient no.;Patient name;Recorded;Given on;Drug;Dose;Repeated;Remark;Unused\n"
    "C-1;100001;Doe, John;06.05.2014 10:00:00 +09:00;06.05.2014;magnesium-sulfate;50,5;true;\"it's "
    "\"\"well\"\"\";\n"
    "C-2;100002;Roe, Jane;07.05.2014 10:00:00 +09:00;07.05.2014;midazolam;2;false;;\n"
    "C-3;100003;Poe, Ann;08.05.2014 10:00:00 +09:00;08.05.2014;midazolam;2;false;a | b;\n";

// A message as a laboratory sends it, with what the shipped maps do not know.
constexpr const char* kMessage =
    "MSH|^~\\&|LAB|pain-clinic|ADAPTER|HOSPITAL|20140506211000+0900||ORU^R01^ORU_R01|MSG1|P|2.5\r"
    "PID|1||100003^^^CLINIC^MR||Doe^John||19680203|M\r"
    "OBR|1|P-1|F-1|NRS^Pain|||20140506100000\r"
    "OBX|1|NM|NRS^Pain^L||7||||||F|||20140506100000\r"
    "OBX|2|ST|REG^Region^L||lower back||||||F\r";

std::size_t Count(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

class MapInit : public testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    folder_.Write(name, text);
    return folder_.File(name);
  }
  std::string Maps() const { return folder_.File("maps"); }
  ProcessResult Init(const std::string& sample, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"map", "init", "--map-dir", Maps(), sample};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunAdapter(arguments);
  }
  std::string Read(const std::string& path) const { return ReadFile(Maps() + "/" + path); }
  // A member of the element of a model that is called so.
  std::string Element(const std::string& model, const std::string& path, const std::string& member) {
    const std::string json = Read("models/" + model + ".json");
    for (int i = 0;; ++i) {
      const std::string place = "/differential/element/" + std::to_string(i);
      const std::string found = AtPointer(json, place + "/path");
      if (found.empty()) break;
      if (found == model + "." + path) return AtPointer(json, place + member);
    }
    ADD_FAILURE() << path;
    return "";
  }
  // `check`, `map` of the whole sample and `map test` take what was written as it is. What `check` said.
  std::string ExpectUsable(const std::string& sample, std::vector<std::string> map_options,
                           std::size_t records) {
    const ProcessResult check = RunAdapter({"check", "--map-dir", Maps()});
    EXPECT_EQ(check.exit_code, 0) << check.standard_output << check.standard_error;
    EXPECT_THAT(check.standard_output, AllOf(Not(HasSubstr("error")), Not(HasSubstr("no map reads"))));
    map_options.insert(map_options.begin(), {"map", "--map-dir", Maps()});
    map_options.push_back(sample);
    const ProcessResult map = RunAdapter(map_options);
    EXPECT_EQ(map.exit_code, 0) << map.standard_error;
    EXPECT_EQ(Count(map.standard_output, "\"resourceType\":\"Bundle\""), records);
    output_ = map.standard_output;
    const ProcessResult test = RunAdapter({"map", "test", Maps()});
    EXPECT_EQ(test.exit_code, 0) << test.standard_output << test.standard_error;
    EXPECT_THAT(test.standard_output, HasSubstr("1 cases, 0 failed"));
    return check.standard_output;
  }

  TemporaryDirectory folder_;
  std::string output_;
};

TEST_F(MapInit, Table_BecomesAMapThatTakesIt) {
  const std::string sample = Write("clinic-export.csv", kTable);
  const ProcessResult init = Init(sample);
  ASSERT_EQ(init.exit_code, 0) << init.standard_output << init.standard_error;
  EXPECT_THAT(init.standard_output, HasSubstr("clinic-export/clinic-export.map\n"));
  EXPECT_THAT(init.standard_error, HasSubstr("column 'Case no.' is taken as recordId"));
  EXPECT_THAT(init.standard_error, HasSubstr("column 'Patient no.' is taken as patient.mrn"));

  const std::string model = "ClinicExportRecord";
  EXPECT_EQ(Element(model, "dose", "/type/0/code"), "decimal");
  EXPECT_EQ(Element(model, "givenOn", "/type/0/code"), "dateTime");
  EXPECT_EQ(Element(model, "repeated", "/type/0/code"), "boolean");
  EXPECT_EQ(Element(model, "drug", "/type/0/code"), "string");
  EXPECT_EQ(Element(model, "recorded", "/type/0/code"), "instant");
  EXPECT_EQ(Element(model, "dose", "/min"), "1");
  EXPECT_EQ(Element(model, "remark", "/min"), "0") << "a cell of it is empty";
  EXPECT_EQ(Element(model, "drug", "/short"), "Drug");
  const std::string columns = Read("columns/clinic-export.toml");
  EXPECT_THAT(columns,
              AllOf(HasSubstr("delimiter = \";\"\n"), HasSubstr("decimal = \",\"\n"),
                    HasSubstr("dates = \"DD.MM.YYYY\"\n"), HasSubstr("\"Case no.\" = \"recordId\"\n")));
  const std::string table = Read("terminology/clinic-export-drug.json");
  EXPECT_EQ(AtPointer(table, "/group/0/element/0/code"), "magnesium-sulfate");
  EXPECT_EQ(AtPointer(table, "/group/0/element/1/code"), "midazolam");
  EXPECT_EQ(AtPointer(table, "/group/0/element/2/code"), "");

  const std::string check = ExpectUsable(sample, {"--map", "clinic-export", "--columns", "clinic-export"}, 3);
  // revision, Patient name and the column without values
  EXPECT_THAT(check, HasSubstr("clinic-export/clinic-export.map"));
  EXPECT_THAT(check, HasSubstr("3 source elements are listed as not mapped"));
  EXPECT_THAT(output_, AllOf(HasSubstr("\"value\":50.5"), HasSubstr("\"valueDateTime\":\"2014-05-06\""),
                             HasSubstr("it's \\\"well\\\""), HasSubstr("pain-clinic.C-1.clinic-export"),
                             Not(HasSubstr("Doe"))));
}

TEST_F(MapInit, TableWithRowsOfOneRecord_GetsAListOfRows) {
  const std::string sample = Write("rows.csv", "recordId,ward,item,amount\nA,3,x,1\nA,3,y,2\nB,4,z,3\n");
  ASSERT_EQ(Init(sample).exit_code, 0);
  EXPECT_EQ(Element("RowsRecord", "ward", "/max"), "1");
  EXPECT_EQ(Element("RowsRecord", "rows", "/max"), "*");
  EXPECT_EQ(Element("RowsRecord", "rows.amount", "/type/0/code"), "integer");
  ExpectUsable(sample, {"--map", "rows", "--columns", "rows"}, 2);
  EXPECT_EQ(Count(output_, "\"valueInteger\":"), 5U);
}

TEST_F(MapInit, RecordsOfOurOwnForm_BecomeAMapThatServeTakes) {
  const std::string sample = FHIR_ADAPTER_SOURCE_DIR "/fixtures/records/mg-3-revision-2.json";
  const ProcessResult init = Init(sample, {"--name", "own"});
  ASSERT_EQ(init.exit_code, 0) << init.standard_error;
  EXPECT_THAT(init.standard_error, Not(HasSubstr("serve")));
  EXPECT_EQ(Element("OwnRecord", "administrations", "/max"), "*");
  EXPECT_EQ(Element("OwnRecord", "administrations", "/type/0/code"), "BackboneElement");
  ExpectUsable(sample, {"--map", "own"}, 1);

  DaemonOptions options;
  options.maps = Maps();
  options.more_configuration =
      "[[source]]\nname = \"inbox\"\nkind = \"directory\"\nmap = \"own\"\npath = \"" + folder_.File("inbox") +
      "\"\n";
  std::filesystem::create_directories(folder_.File("inbox"));
  RunningDaemon daemon(options);
  ASSERT_EQ(daemon.Submit(Fixture("records/mg-3-revision-2.json")).status, 202);
  EXPECT_EQ(daemon.WaitForState("MG-3", 2, {"queued", "quarantined"}), "queued");
}

TEST_F(MapInit, DocumentsOfAnotherForm_AreMappedAndNotServed) {
  const std::string sample = Write(
      "visits.ndjson",
      R"({"visit":{"number":"V 1","at":"2014-05-06T10:00:00+09:00"},"pid":17,"scores":[7,6.5],"drugs":[{"code":"a"}],"odd-name":1,"where":"x"})"
      "\n"
      R"({"visit":{"number":"V 2","at":"2014-05-07T10:00:00+09:00"},"pid":18,"scores":[],"drugs":[{"code":"b"},{"code":"a"}],"note":null})"
      "\n");
  const ProcessResult none = Init(sample);
  ASSERT_EQ(none.exit_code, 0) << none.standard_error;
  EXPECT_THAT(none.standard_error, HasSubstr("visit.number is taken as what names a record"));
  EXPECT_EQ(Element("VisitsRecord", "scores", "/max"), "*");
  EXPECT_EQ(Element("VisitsRecord", "scores", "/type/0/code"), "decimal");
  EXPECT_EQ(Element("VisitsRecord", "visit", "/min"), "1");
  EXPECT_EQ(Element("VisitsRecord", "where", "/min"), "0");
  const std::string check = ExpectUsable(sample, {"--map", "visits"}, 2);
  EXPECT_THAT(check, HasSubstr("1 source element is listed as not mapped"));
  EXPECT_THAT(output_,
              AllOf(HasSubstr("visits.V~201.visits"), HasSubstr("|17\""), HasSubstr("\"value\":6.5")));

  const std::string config =
      Write("config.toml", "[store]\nurl = \"sqlite:" + folder_.File("adapter.db") +
                               "\"\n[maps]\ndirectory = \"" + Maps() +
                               "\"\n[[source]]\nname = \"a\"\nkind = \"directory\"\nmap = "
                               "\"visits\"\npath = \"" +
                               folder_.File("inbox") + "\"\n");
  const ProcessResult serve = RunAdapter({"--config", config, "serve"});
  EXPECT_EQ(serve.exit_code, 2);
  EXPECT_THAT(serve.standard_error, HasSubstr("cannot be told apart"));
}

TEST_F(MapInit, Messages_BecomeAMapOfTheirKind) {
  const std::string sample = Write("results.hl7", kMessage);
  const ProcessResult init = Init(sample);
  ASSERT_EQ(init.exit_code, 0) << init.standard_error;
  const std::string model = "Hl7v2OruR01";
  EXPECT_EQ(Element(model, "OBX", "/max"), "*");
  EXPECT_EQ(Element(model, "OBX.f3.c1", "/type/0/code"), "string");
  EXPECT_EQ(Element(model, "OBX.f14", "/type/0/code"), "dateTime");
  EXPECT_EQ(Element(model, "OBX.f5", "/short"), "OBX-5");
  const std::string table = Read("terminology/hl7v2-oru-r01-obx-f3-c1.json");
  EXPECT_EQ(AtPointer(table, "/group/0/element/0/code"), "NRS");
  EXPECT_EQ(AtPointer(table, "/group/0/element/1/code"), "REG");
  const std::string check = ExpectUsable(sample, {"--map", "hl7v2/oru-r01.map"}, 1);
  EXPECT_THAT(check, HasSubstr("source elements are listed as not mapped"));
  EXPECT_THAT(output_,
              AllOf(HasSubstr("pain-clinic.hl7.MSG1"), HasSubstr("|100003\""), Not(HasSubstr("Doe"))));
}

TEST_F(MapInit, MessagesOfANewKind_JoinTheMapsThatAreThere) {
  std::filesystem::copy(FHIR_ADAPTER_SOURCE_DIR "/mappings", Maps(),
                        std::filesystem::copy_options::recursive);
  std::string message = Replaced(kMessage, "ORU^R01^ORU_R01", "ORU^R30^ORU_R30");
  const std::string sample = Write("results.hl7", message);
  ASSERT_EQ(Init(sample).exit_code, 0);
  EXPECT_EQ(RunAdapter({"check", "--map-dir", Maps()}).exit_code, 0);
  EXPECT_EQ(RunAdapter({"map", "--map-dir", Maps(), sample}).exit_code, 0);
  const ProcessResult test = RunAdapter({"map", "test", Maps() + "/hl7v2/tests/oru-r30-sample"});
  EXPECT_EQ(test.exit_code, 0) << test.standard_output << test.standard_error;

  // A kind that has a map is not begun again.
  const std::string known = Write("known.hl7", kMessage);
  const std::string before = Read("hl7v2/oru-r01.map");
  const ProcessResult again = Init(known);
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_THAT(again.standard_error, HasSubstr("nothing is overwritten"));
  EXPECT_EQ(Read("hl7v2/oru-r01.map"), before);
}

TEST_F(MapInit, SecondTime_WritesNothing) {
  const std::string sample = Write("clinic-export.csv", kTable);
  ASSERT_EQ(Init(sample).exit_code, 0);
  folder_.Write("maps/clinic-export/clinic-export.map", "edited");
  const ProcessResult again = Init(sample);
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_EQ(again.standard_output, "");
  EXPECT_EQ(Read("clinic-export/clinic-export.map"), "edited");
}

struct Refused {
  const char* name;
  const char* text;
  const char* why;
};

TEST_F(MapInit, SampleThatNoModelCanSay_IsRefusedAndNothingWritten) {
  const Refused all[] = {
      {"a.csv", "x,y\n1,2\n1,2\n", "no column looks like the number of a record"},
      {"b.csv", "id,id\n1,2\n", "a column of this name stands here twice"},
      {"c.csv", "id,x\n1\n", "another number of cells"},
      {"d.csv", "id,x\n", "at least one row"},
      {"e.json", R"({"x":"y"})", "nothing in the sample looks like the number of a record"},
      {"f.json", R"([{"id":"1","x":"y"},{"id":"2","x":3}])", "something else there"},
      {"g.json", R"({"id":"1","x":[[1]]})", "a list in a list"},
      {"h.json", R"({"id":"1","a.b":1})", "no element of a logical model can be called so"},
      {"i.json", "{", "i.json:1:2: the text ends too early"},
      {"j.hl7", "MSH|^~\\&|A|B|||20140506||ADT|1|P|2.5\r", "MSH-9"},
      {"k.txt", "x", "a sample is .csv, .json, .ndjson or .hl7"},
  };
  for (const Refused& refused : all) {
    const ProcessResult init = Init(Write(refused.name, refused.text));
    EXPECT_NE(init.exit_code, 0) << refused.name;
    EXPECT_THAT(init.standard_error, HasSubstr(refused.why)) << refused.name;
    EXPECT_FALSE(std::filesystem::exists(Maps())) << refused.name;
  }
}

// So many elements, the record's id among them.
std::string Wide(std::size_t elements) {
  std::string json = R"({"id":"1")";
  for (std::size_t i = 1; i < elements; ++i) json += ",\"e" + std::to_string(i) + "\":1";
  return json + "}";
}

// So many objects one in the other.
std::string Deep(std::size_t levels) {
  std::string json = R"({"id":"1")";
  for (std::size_t i = 1; i < levels; ++i) json += ",\"x\":{\"y\":1";
  return json + std::string(levels, '}');
}

TEST_F(MapInit, Limits_AreTakenAndOneMoreIsNot) {
  const std::string bytes(limits::kSampleBytesMax - Wide(2).size(), '\n');
  const std::pair<std::string, bool> samples[] = {{Wide(limits::kSampleElementsMax), true},
                                                  {Wide(limits::kSampleElementsMax + 1), false},
                                                  {Deep(limits::kSampleDepthMax), true},
                                                  {Deep(limits::kSampleDepthMax + 1), false},
                                                  {Wide(2) + bytes, true},
                                                  {Wide(2) + bytes + "\n", false}};
  for (const auto& [text, is_taken] : samples) {
    std::filesystem::remove_all(Maps());
    const ProcessResult init = Init(Write("limit.ndjson", text));
    EXPECT_EQ(init.exit_code == 0, is_taken) << init.standard_error;
    if (!is_taken) EXPECT_FALSE(std::filesystem::exists(Maps()));
  }
}

}  // namespace
}  // namespace fhir_adapter::test
