// The commands that need no daemon: what they print, where, and their exit status.
#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <sys/stat.h>
#include <vector>

#include "running_adapter.h"

namespace fhir_adapter::test {
namespace {

std::string RecordFile(const std::string& name) {
  return std::string(FHIR_ADAPTER_SOURCE_DIR "/fixtures/records/") + name;
}

TEST(Map, GoodRecord_GivesOneTransactionBundleALine) {
  const ProcessResult result = RunAdapter({"map", RecordFile("mg-1.json"), RecordFile("mg-2.json")});
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  EXPECT_EQ(std::count(result.standard_output.begin(), result.standard_output.end(), '\n'), 2);
  const std::string first = result.standard_output.substr(0, result.standard_output.find('\n'));
  EXPECT_EQ(AtPointer(first, "/resourceType"), "Bundle");
  EXPECT_EQ(AtPointer(first, "/type"), "transaction");
}

TEST(Map, Ndjson_GivesAResourceALineWithId) {
  const ProcessResult result = RunAdapter({"map", "--format", "ndjson", RecordFile("mg-1.json")});
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  const std::string first = result.standard_output.substr(0, result.standard_output.find('\n'));
  EXPECT_NE(AtPointer(first, "/resourceType"), "Bundle");
  EXPECT_EQ(AtPointer(first, "/id").size(), 36U);
}

TEST(Map, StandardInput_IsReadAndTheSameRecordGivesTheSameBytes) {
  const ProcessResult file = RunAdapter({"map", RecordFile("mg-3-revision-2.json")});
  const ProcessResult piped = RunAdapter({"map", "-"}, Fixture("records/mg-3-revision-2.json"));
  EXPECT_EQ(piped.exit_code, 0) << piped.standard_error;
  EXPECT_EQ(piped.standard_output, file.standard_output);
}

TEST(Map, BadRecord_WritesNothingAndTheRestGoesOn) {
  TemporaryDirectory folder;
  const std::string bad = folder.Write("bad.json", "{\"recordId\": \"A\"}");
  const ProcessResult result = RunAdapter({"map", bad, RecordFile("mg-1.json")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(std::count(result.standard_output.begin(), result.standard_output.end(), '\n'), 1);
  EXPECT_NE(result.standard_error.find(bad + ":1:1: /site: missing: "), std::string::npos)
      << result.standard_error;
  EXPECT_NE(result.standard_error.find("(rejected)"), std::string::npos);
}

TEST(Map, JsonErrors_HaveTheMembersOfTheContract) {
  TemporaryDirectory folder;
  const std::string bad = folder.Write("bad.json", "{\"recordId\": \"A\"}");
  const ProcessResult result = RunAdapter({"map", "--json", bad});
  const std::string first = result.standard_error.substr(0, result.standard_error.find('\n'));
  for (const char* member : {"file", "line", "column", "pointer", "code", "class", "message"}) {
    EXPECT_NE(AtPointer(first, std::string("/") + member), "") << member << " in " << first;
  }
}

// One line of the shipped maps is another: the record is quarantined with this code, at this place.
struct BrokenMap {
  const char* name;
  const char* line;  // of procedure-record/procedure.map
  const char* replacement;
  const char* issue;  // what stands behind the file's name
};

class EditedShippedMap : public testing::TestWithParam<BrokenMap> {};

TEST_P(EditedShippedMap, Record_IsQuarantinedWithItsFilePlaceAndCode) {
  TemporaryDirectory folder;
  std::filesystem::copy(FHIR_ADAPTER_SOURCE_DIR "/mappings", folder.File("maps"),
                        std::filesystem::copy_options::recursive);
  std::string text = ReadFile(folder.File("maps/procedure-record/procedure.map"));
  const std::size_t at = text.find(GetParam().line);
  ASSERT_NE(at, std::string::npos);
  folder.Write("maps/procedure-record/procedure.map",
               text.replace(at, std::string(GetParam().line).size(), GetParam().replacement));
  const ProcessResult result = RunAdapter({"map", "--map-dir", folder.File("maps"), RecordFile("mg-1.json")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.standard_output, "");
  EXPECT_NE(result.standard_error.find(RecordFile("mg-1.json") + GetParam().issue), std::string::npos)
      << result.standard_error;
}

constexpr const char* kCategoryRule = "  record -> procedure.category =";
INSTANTIATE_TEST_SUITE_P(
    Codes, EditedShippedMap,
    testing::Values(
        BrokenMap{"OutputInvalid",
                  "  record.status as status -> procedure.status = translate(status, '#status-procedure', "
                  "'code') \"status\";\n",
                  "", ": : output-invalid: Procedure pain-clinic.MG-1: Procedure.status: "},
        BrokenMap{"MapCheck", kCategoryRule,
                  "  record where (true) check (%record.recordId = 'other') -> procedure.category =",
                  ":1:1: : map-check: "},
        BrokenMap{"MapLimit", kCategoryRule,
                  "  record where ((1).repeat($this + 1).count() > 0) -> procedure.category =",
                  ":1:1: : map-limit: "}),
    [](const auto& info) { return info.param.name; });

class UnknownCode : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(UnknownCode, OfProcedureOrDrug_IsQuarantined) {
  TemporaryDirectory folder;
  std::string record = Fixture("records/mg-1.json");
  const auto& [word, pointer] = GetParam();
  for (std::size_t at = record.find(word); at != std::string::npos; at = record.find(word))
    record.replace(at, std::string(word).size(), "unheard-of");
  const ProcessResult result = RunAdapter({"map", folder.Write("unknown.json", record)});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.standard_output, "");
  EXPECT_NE(result.standard_error.find(std::string(": ") + pointer + ": unmapped-code: "), std::string::npos)
      << result.standard_error;
  EXPECT_NE(result.standard_error.find("(quarantined)"), std::string::npos) << result.standard_error;
}

INSTANTIATE_TEST_SUITE_P(Places, UnknownCode,
                         testing::Values(std::pair{"intrathecal-injection", "/procedure/kind"},
                                         std::pair{"magnesium-sulfate", "/administrations/0/drug"}));

TEST(Map, MissingFile_IsAnInputError) {
  EXPECT_EQ(RunAdapter({"map", "no-such-file.json"}).exit_code, 3);
}

TEST(Map, OtherEnding_IsAUsageError) {
  EXPECT_EQ(RunAdapter({"map", "x.xml"}).exit_code, 2);
}

TEST(Map, RawOfTheShippedMap_GivesItsTargetWithTheRecordsIdentifiers) {
  const ProcessResult result = RunAdapter({"map", "--raw", RecordFile("mg-1.json")});
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  EXPECT_EQ(AtPointer(result.standard_output, "/resourceType"), "Bundle");
  EXPECT_NE(result.standard_output.find("\"value\":\"pain-clinic.MG-1.1\""), std::string::npos);
}

TEST(Map, RawOfAMapThatIsNotThere_NamesTheNearest) {
  const ProcessResult result =
      RunAdapter({"map", "--raw", "--map", "procedure-recrod", RecordFile("mg-1.json")});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.standard_error.find("there is no map 'procedure-recrod'; did you mean"), std::string::npos)
      << result.standard_error;
}

TEST(Check, NamedShippedMap_IsCheckedWithTheVariablesThatServeGives) {
  const ProcessResult result =
      RunAdapter({"check", "--map-dir", FHIR_ADAPTER_SOURCE_DIR "/mappings",
                  FHIR_ADAPTER_SOURCE_DIR "/mappings/procedure-record/procedure-record.map"});
  EXPECT_EQ(result.exit_code, 0) << result.standard_output << result.standard_error;
}

TEST(Check, ConfigurationWithoutFault_TellsWhatWouldRun) {
  TemporaryDirectory folder;
  const std::string file =
      folder.Write("c.toml",
                   "[store]\nurl = \"sqlite:/srv/a.db\"\n[http]\nlisten = \"127.0.0.1:8999\"\n"
                   "[endpoint]\nbase_url = \"http://127.0.0.1:8998/fhir\"\n"
                   "[[source]]\nname = \"export\"\nkind = \"directory\"\npath = \"/srv/inbox\"\n");
  const ProcessResult result = RunAdapter({"--config", file, "check"});
  EXPECT_EQ(result.exit_code, 0) << result.standard_output << result.standard_error;
  for (const char* part : {"127.0.0.1:8999", "source export, directory /srv/inbox, map procedure-record",
                           "sqlite:/srv/a.db", "http://127.0.0.1:8998/fhir"}) {
    EXPECT_NE(result.standard_error.find(part), std::string::npos) << part << " in " << result.standard_error;
  }
}

TEST(Check, WrongKeyForAScript_IsAFindingAsJson) {
  TemporaryDirectory folder;
  const std::string file = folder.Write("c.toml", "[http]\nlitsen = \"127.0.0.1:1\"\n");
  const ProcessResult result = RunAdapter({"--json", "--config", file, "check"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(AtPointer(result.standard_output, "/severity"), "error");
  EXPECT_EQ(AtPointer(result.standard_output, "/file"), file);
  EXPECT_EQ(AtPointer(result.standard_output, "/line"), "2");
}

TEST(Check, ShippedMaps_AreClean) {
  const ProcessResult result = RunAdapter({"check"});
  EXPECT_EQ(result.exit_code, 0) << result.standard_output << result.standard_error;
}

TEST(Check, WrongKey_NamesFileLineAndValidKeys) {
  TemporaryDirectory folder;
  const std::string file = folder.Write("c.toml", "[http]\nlitsen = \"127.0.0.1:1\"\n");
  const ProcessResult result = RunAdapter({"--config", file, "check"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.standard_output.find(file + ":2:1: error: unknown key 'litsen'"), std::string::npos)
      << result.standard_output;
  EXPECT_NE(result.standard_output.find("did you mean 'listen'"), std::string::npos);
}

TEST(Check, ExampleConfiguration_IsAccepted) {
  EXPECT_EQ(
      RunAdapter({"--config", FHIR_ADAPTER_SOURCE_DIR "/deploy/config.example.toml", "check"}).exit_code, 0);
}

TEST(Serve, WrongConfiguration_EndsWithStatus2AndStartsNothing) {
  TemporaryDirectory folder;
  const std::string file = folder.Write("c.toml", "[stoer]\n");
  EXPECT_EQ(RunAdapter({"--config", file, "serve"}).exit_code, 2);
}

TEST(Serve, AddressOutsideLoopback_IsRefused) {
  TemporaryDirectory folder;
  const std::string file = folder.Write(
      "c.toml", "[http]\nlisten = \"0.0.0.0:0\"\n[store]\nurl = \"sqlite:" + folder.File("a.db") + "\"\n");
  const ProcessResult result = RunAdapter({"--config", file, "serve"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.standard_error.find("TLS"), std::string::npos) << result.standard_error;
}

TEST(Serve, SecretThatOthersMayRead_EndsWithStatus2AndIsNotShown) {
  TemporaryDirectory folder;
  const std::string token = folder.Write("token", "s3cret-token\n");
  ASSERT_EQ(chmod(token.c_str(), 0640), 0);
  const std::string file = folder.Write(
      "c.toml", "[http]\nlisten = \"127.0.0.1:0\"\n[store]\nurl = \"sqlite:" + folder.File("a.db") +
                    "\"\n[endpoint]\nbase_url = \"http://127.0.0.1:1/fhir\"\n"
                    "[endpoint.auth]\nkind = \"bearer\"\ntoken_file = \"" +
                    token + "\"\n");
  const ProcessResult result = RunAdapter({"--config", file, "serve"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.standard_error.find(token + ": others may read this secret: chmod 600"), std::string::npos)
      << result.standard_error;
  EXPECT_EQ(result.standard_error.find("s3cret-token"), std::string::npos);
}

TEST(Serve, MapsWithAnError_EndWithStatus2) {
  TemporaryDirectory folder;
  folder.Write("maps/procedure-record/broken.map", "map \"x\" = \"y\"\ngroup {\n");
  const std::string file =
      folder.Write("c.toml", "[maps]\ndirectory = \"" + folder.File("maps") +
                                 "\"\n[store]\nurl = \"sqlite:" + folder.File("a.db") + "\"\n");
  const ProcessResult result = RunAdapter({"--config", file, "serve"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.standard_error.find("broken.map:2:"), std::string::npos) << result.standard_error;
  EXPECT_FALSE(std::filesystem::exists(folder.File("a.db")));
}

TEST(FhirPath, Expression_GivesTypesAndDigits) {
  TemporaryDirectory folder;
  const std::string file = folder.Write(
      "o.json",
      R"({"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":250.00,"unit":"mg"}})");
  const ProcessResult result = RunAdapter({"fhirpath", "Observation.value.value", file});
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  EXPECT_EQ(result.standard_output, "[{\"type\":\"FHIR.decimal\",\"value\":250.00}]\n");
}

TEST(FhirPath, FailingExpression_IsAnErrorAndInABatchOnlyItsLine) {
  EXPECT_NE(RunAdapter({"fhirpath", "1 +"}).exit_code, 0);
  const ProcessResult batch = RunAdapter({"fhirpath", "--batch", "-"},
                                         "{\"id\":7,\"expression\":\"1 +\"}\n{\"expression\":\"1 + 1\"}\n");
  EXPECT_EQ(batch.exit_code, 0);
  const std::size_t end = batch.standard_output.find('\n');
  EXPECT_EQ(AtPointer(batch.standard_output.substr(0, end), "/error/kind"), "syntax");
  EXPECT_EQ(AtPointer(batch.standard_output.substr(0, end), "/id"), "7");
  EXPECT_EQ(batch.standard_output.substr(end + 1),
            "{\"result\":[{\"type\":\"System.Integer\",\"value\":2}]}\n");
}

class Help : public testing::TestWithParam<const char*> {};

TEST_P(Help, Command_ShowsAnExample) {
  std::vector<std::string> arguments;
  std::istringstream words(GetParam());
  for (std::string word; words >> word;) arguments.push_back(word);
  arguments.emplace_back("--help");
  const ProcessResult result = RunAdapter(arguments);
  EXPECT_EQ(result.exit_code, 0);
  const std::size_t example = result.standard_output.find("Example: fhir-adapter");
  ASSERT_NE(example, std::string::npos) << result.standard_output;
  EXPECT_NE(result.standard_output.find(" " + arguments.front(), example), std::string::npos)
      << result.standard_output;
}

INSTANTIATE_TEST_SUITE_P(Commands, Help,
                         testing::Values("serve", "map", "map test", "map init", "map explain", "map diff",
                                         "map terminology", "check", "fhirpath", "submit", "trace", "audit",
                                         "audit verify", "audit prove", "queue", "queue list", "reconcile",
                                         "remap", "token", "erase", "backup", "restore", "sandbox"));

TEST(CommandLine, UnknownCommandOrNone_IsAUsageError) {
  EXPECT_EQ(RunAdapter({}).exit_code, 2);
  const ProcessResult unknown = RunAdapter({"recnocile"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_NE(unknown.standard_error.find("there is no command 'recnocile'; did you mean reconcile?"),
            std::string::npos)
      << unknown.standard_error;
  const ProcessResult nested = RunAdapter({"queue", "transmogrify"});
  EXPECT_EQ(nested.exit_code, 2);
  EXPECT_NE(nested.standard_error.find("there is no command 'transmogrify'"), std::string::npos)
      << nested.standard_error;
  EXPECT_NE(nested.standard_error.find("stats list show"), std::string::npos) << nested.standard_error;
}

TEST(CommandLine, Version_NamesWhatItStandsOn) {
  const ProcessResult result = RunAdapter({"--version"});
  EXPECT_EQ(result.exit_code, 0);
  for (const char* part : {"fhir-adapter 0.1.0", "FHIR 4.0.1", "SQLite", "OpenSSL"}) {
    EXPECT_NE(result.standard_output.find(part), std::string::npos) << part;
  }
}

TEST(CommandLine, GlobalOptions_MayStandBehindTheCommand) {
  EXPECT_EQ(
      RunAdapter({"check", "--config", FHIR_ADAPTER_SOURCE_DIR "/deploy/config.example.toml"}).exit_code, 0);
}

TEST(Submit, NobodyListens_EndsWithStatus4) {
  EXPECT_EQ(RunAdapter({"submit", "--to", "http://127.0.0.1:9", RecordFile("mg-1.json")}).exit_code, 4);
}

TEST(Submit, RunningDaemon_CountsWhatBecameOfTheRecords) {
  RunningDaemon daemon(DaemonOptions{});
  TemporaryDirectory folder;
  const std::string bad = folder.Write("bad.json", "{\"recordId\": \"A\"}");
  const ProcessResult first =
      RunAdapter({"submit", "--to", daemon.url(), RecordFile("mg-1.json"), RecordFile("mg-2.json")});
  EXPECT_EQ(first.exit_code, 0) << first.standard_error;
  EXPECT_EQ(first.standard_output, "2 accepted, 0 known before, 0 rejected\n");
  const ProcessResult second = RunAdapter({"submit", "--to", daemon.url(), RecordFile("mg-1.json"), bad});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_EQ(second.standard_output, "0 accepted, 1 known before, 1 rejected\n");
  EXPECT_NE(second.standard_error.find("/site: missing"), std::string::npos) << second.standard_error;
}

}  // namespace
}  // namespace fhir_adapter::test
