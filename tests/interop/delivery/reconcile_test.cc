// What others do to our resources on HAPI, and what `reconcile` says of it: thirty differences of four kinds,
// planted directly on the server, are found, and nothing else is.
#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <sstream>

#include "daemon/running_adapter.h"
#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "hapi_server.h"
#include "mapped_records.h"
#include "sync/resource_content.h"

namespace fhir_adapter::test {
namespace {

using fhir::MemberText;
using fhir::Node;

constexpr int kRecords = 12;
const std::string kBase = "https://clinic.example/fhir/sid/";

// "kind url" and, for what was changed, the paths.
using Found = std::multiset<std::string>;

Found ReadFound(const std::string& ndjson) {
  Found found;
  std::istringstream lines(ndjson);
  for (std::string line; std::getline(lines, line);) {
    Arena arena;
    const auto read = fhir::ReadJson(line, arena);
    EXPECT_TRUE(read.has_value()) << line;
    if (!read) continue;
    std::string text = std::string(MemberText(**read, "kind")) + " " + std::string(MemberText(**read, "url"));
    for (const Node* path : (*read)->Find("paths")->items()) text += " " + std::string(path->text);
    found.insert(text);
  }
  return found;
}

class ReconcileOnHapi : public testing::Test {
 protected:
  static std::string Record(int i) {
    const std::string number = std::to_string(i);
    std::string record = Replaced(Fixture("records/mg-1.json"), "\"MG-1\"", "\"REC-" + number + "\"");
    return Replaced(record, "\"100001\"", "\"rec-" + number + "\"");
  }

  void SetUp() override {
    DaemonOptions options;
    options.endpoint = server_.url();
    options.more_configuration = "request_timeout_s = 120\n";
    daemon_ = std::make_unique<RunningDaemon>(options);
    for (int i = 0; i < kRecords; ++i) {
      server_.RegisterPatient("rec-" + std::to_string(i), "", "");
      ASSERT_EQ(daemon_->Submit(Record(i)).status, 202);
    }
    for (int i = 0; i < kRecords; ++i) {
      ASSERT_EQ(daemon_->WaitForState("REC-" + std::to_string(i), 1, {"delivered", "quarantined"}),
                "delivered");
    }
  }

  // A resource of ours as it stands on the server.
  Node* Get(const std::string& type, const std::string& system, const std::string& value) {
    Node* found = nullptr;
    server_.ForEach(type + "?identifier=" + kBase + system + "%7C" + value, arena_,
                    [&](Node& resource) { found = &resource; });
    EXPECT_NE(found, nullptr) << type << " " << value;
    return found;
  }
  static std::string Url(const Node& resource) {
    return std::string(MemberText(resource, "resourceType")) + "/" + std::string(MemberText(resource, "id"));
  }
  void Put(const Node& resource) {
    const HttpReply reply = server_.client().Put("/" + Url(resource), fhir::ToJson(resource));
    EXPECT_EQ(reply.status, 200) << reply.body;
  }
  void Delete(const Node& resource) {
    EXPECT_EQ(server_.client().Delete("/" + Url(resource)).status, 200);
    planted_.insert("missing " + Url(resource));
  }
  std::string PostCopy(const Node& resource) {
    Arena arena;
    Node* copy = fhir::Clone(resource, arena);
    copy->Remove("id");
    copy->Remove("meta");
    const HttpReply reply =
        server_.client().Post("/" + std::string(MemberText(resource, "resourceType")), fhir::ToJson(*copy));
    EXPECT_EQ(reply.status, 201) << reply.body;
    const std::string location = reply.Header("Location");
    const std::size_t begin = location.find("/fhir/") + 6;
    return location.substr(begin, location.find("/_history") - begin);
  }

  // Eight of each of the first three kinds, and six orphans.
  void PlantAll() {
    for (int i = 0; i < 8; ++i) {
      const std::string record = "pain-clinic.REC-" + std::to_string(i);
      // HAPI lets be deleted what nothing refers to: the Provenance, and then what only it referred to.
      if (i < 4) {
        server_.ForEach("Provenance?target=" + Url(*Get("Procedure", "it-procedure", record)), arena_,
                        [&](Node& provenance) { Delete(provenance); });
        Delete(*Get("Observation", "it-observation", record + ".pain.p2"));
      }
      Node* administration = Get("MedicationAdministration", "it-administration", record + ".1");
      administration->Find("dosage")->Set(arena_, "text", Node::String(arena_, "changed by the ward"));
      Put(*administration);
      planted_.insert("changed " + Url(*administration) + " MedicationAdministration.dosage.text");
      planted_.insert("duplicate " + PostCopy(*Get("Procedure", "it-procedure", record)));
    }
    for (int i = 0; i < 6; ++i) {
      Arena arena;
      Node* copy = fhir::Clone(*Get("Procedure", "it-procedure", "pain-clinic.REC-11"), arena);
      copy->Find("identifier")
          ->items()[0]
          ->Set(arena, "value", Node::String(arena, "pain-clinic.GONE-" + std::to_string(i)));
      planted_.insert("orphaned " + PostCopy(*copy));
    }
    ASSERT_EQ(planted_.size(), 30U);
  }

  HapiServer server_;
  std::unique_ptr<RunningDaemon> daemon_;
  Arena arena_;
  Found planted_;
};

TEST_F(ReconcileOnHapi, ThirtyPlantedDifferences_AreFoundAndNothingElse) {
  const ProcessResult before = daemon_->Command({"reconcile", "--json"});
  EXPECT_EQ(before.exit_code, 0) << before.standard_output << before.standard_error;
  PlantAll();
  const ProcessResult found = daemon_->Command({"reconcile", "--json"});
  EXPECT_EQ(found.exit_code, 1) << found.standard_error;
  EXPECT_EQ(ReadFound(found.standard_output), planted_);

  // Killed after its first page it goes on with the second.
  ProcessOptions killed;
  killed.arguments = {AdapterBinary(), "--config", daemon_->configuration_file(), "reconcile", "--json"};
  killed.environment = {{"FHIR_ADAPTER_FAULT", "reconcile-page-read"}};
  EXPECT_EQ(RunProcess(killed).exit_code, 128 + 9);
  const ProcessResult resumed = daemon_->Command({"reconcile", "--json"});
  EXPECT_NE(resumed.standard_error.find("going on after"), std::string::npos) << resumed.standard_error;
  EXPECT_EQ(ReadFound(resumed.standard_output), planted_);

  // One patient.
  Found of_patient;
  for (const std::string& one :
       ReadFound(daemon_->Command({"reconcile", "--json", "--patient", "rec-3"}).standard_output)) {
    EXPECT_TRUE(planted_.contains(one)) << one;
    of_patient.insert(one.substr(0, one.find(' ')));
  }
  EXPECT_EQ(of_patient, (Found{"changed", "duplicate", "missing", "missing"}));

  // What is missing is sent, what is doubled is held; the rest stays for people.
  const ProcessResult repaired =
      daemon_->Command({"reconcile", "--repair", "--reason", "deleted by mistake", "--json"});
  EXPECT_EQ(repaired.exit_code, 1) << repaired.standard_error;
  ASSERT_TRUE(daemon_->WaitUntilSettled());
  Found rest;
  for (const std::string& one : planted_) {
    if (!one.starts_with("missing")) rest.insert(one);
  }
  const ProcessResult after = daemon_->Command({"reconcile", "--json"});
  EXPECT_EQ(ReadFound(after.standard_output), rest) << after.standard_error;
  const std::string held = daemon_->Command({"queue", "list", "--state", "held", "--json"}).standard_output;
  EXPECT_EQ(std::ranges::count(held, '\n'), 8) << held;
}

}  // namespace
}  // namespace fhir_adapter::test
