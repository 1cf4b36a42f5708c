// All fixtures through the real daemon to HAPI: once, then twice more from an empty store, in order and
// shuffled. The tests of this file build on one another and share the server: they run in the order in which
// they stand.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <numeric>
#include <random>
#include <set>
#include <thread>

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
using testing::HasSubstr;
using testing::IsEmpty;

constexpr unsigned kShuffleSeed = 20'260'301;
constexpr int kDeliveryMinutesMax = 12;
constexpr std::int64_t kLookMs = 200;

class DeliveryToHapi : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = std::make_unique<HapiServer>();
    fixtures_ = RecordFixtures();
    cohort_ = CohortRecords();
    std::set<std::string> registered;
    for (const auto* records : {&fixtures_, &cohort_}) {
      for (const RecordText& record : *records) {
        if (!registered.insert(record.mrn).second) continue;
        server_->RegisterPatient(record.mrn, record.sex, record.birth_date);
      }
    }
  }
  static void TearDownTestSuite() { server_.reset(); }

  static std::vector<RecordText> All() {
    std::vector<RecordText> all = fixtures_;
    all.insert(all.end(), cohort_.begin(), cohort_.end());
    return all;
  }

  static std::unique_ptr<RunningDaemon> StartDaemon() {
    DaemonOptions options;
    options.endpoint = server_->url();
    options.more_configuration = "request_timeout_s = 120\n";
    return std::make_unique<RunningDaemon>(options);
  }

  // Until nothing is under way any more. Another process works on it, so this looks now and then.
  static void WaitUntilDelivered(RunningDaemon& daemon) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(kDeliveryMinutesMax);
    while (std::chrono::steady_clock::now() < deadline) {
      if (daemon.client().Get("/metrics").body.find("\nfhir_adapter_undelivered 0\n") != std::string::npos)
        return;
      if (daemon.process().Wait(kLookMs)) FAIL() << "the daemon ended: " << daemon.process().StandardError();
    }
    FAIL() << "not delivered in time: " << daemon.Command({"queue", "stats"}).standard_output;
  }

  static void Deliver(RunningDaemon& daemon, const std::vector<RecordText>& records) {
    const HttpReply reply = daemon.Submit(ToNdjson(records), "application/x-ndjson");
    ASSERT_EQ(reply.status, 202) << reply.body.substr(0, 1'000);
    WaitUntilDelivered(daemon);
    const std::string stats = daemon.Command({"queue", "stats", "--json"}).standard_output;
    EXPECT_THAT(stats, HasSubstr("\"quarantined\":0"));
    EXPECT_THAT(stats, HasSubstr("\"held\":0"));
  }

  static std::string MappedText(RunningDaemon& daemon, const std::vector<RecordText>& records) {
    const std::string file = daemon.folder().Write("records.ndjson", ToNdjson(records));
    const ProcessResult mapped = daemon.Command({"map", "--format", "ndjson", file});
    EXPECT_EQ(mapped.exit_code, 0) << mapped.standard_error.substr(0, 2'000);
    return mapped.standard_output;
  }

  static std::unique_ptr<HapiServer> server_;
  static std::vector<RecordText> fixtures_;
  static std::vector<RecordText> cohort_;
  static std::map<std::string, std::string> versions_;  // after the first delivery
};

std::unique_ptr<HapiServer> DeliveryToHapi::server_;
std::vector<RecordText> DeliveryToHapi::fixtures_;
std::vector<RecordText> DeliveryToHapi::cohort_;
std::map<std::string, std::string> DeliveryToHapi::versions_;

// `what` is new, gone or has another version.
std::vector<std::string> Changes(const std::map<std::string, std::string>& before,
                                 const std::map<std::string, std::string>& after) {
  std::vector<std::string> changes;
  for (const auto& [place, version] : after) {
    const auto old = before.find(place);
    if (old == before.end()) {
      changes.push_back(place + " is new");
    } else if (old->second != version) {
      changes.push_back(place + ": version " + old->second + " became " + version);
    }
  }
  for (const auto& [place, version] : before) {
    if (!after.contains(place)) changes.push_back(place + " is gone");
  }
  return changes;
}

TEST_F(DeliveryToHapi, A_AllFixtures_StandThereOnceAndAsTheyWereMapped) {
  const auto daemon = StartDaemon();
  // Revisions that others follow go first, so that corrections correct something.
  std::vector<RecordText> earlier;
  std::vector<RecordText> rest;
  const std::vector<RecordText> last = LastRevisions(All());
  for (const RecordText& record : All()) {
    const bool is_last = std::ranges::any_of(last, [&](const RecordText& other) {
      return other.id == record.id && other.revision == record.revision;
    });
    (is_last ? rest : earlier).push_back(record);
  }
  ASSERT_FALSE(earlier.empty());
  Deliver(*daemon, earlier);
  Deliver(*daemon, rest);
  const ServerContent content = server_->Content();
  versions_ = content.Versions();
  const MappedResources mapped = ReadMapped(MappedText(*daemon, rest));
  EXPECT_GT(mapped.resources.size(), 5'000U);
  EXPECT_THAT(Differences(mapped, content, server_->url()), IsEmpty());
  // Nothing but what some revision was mapped to; findings and Provenance also come from rules over the
  // store.
  std::set<std::string> intended;
  for (const auto* records : {&earlier, &rest}) {
    for (const Node* resource : ReadMapped(MappedText(*daemon, *records)).resources) {
      intended.insert(std::string(MemberText(*resource, "resourceType")) + "/" +
                      std::string(MemberText(*resource, "id")));
    }
  }
  std::map<std::string, int> expected;
  for (const std::string& place : intended) ++expected[place.substr(0, place.find('/'))];
  std::map<std::string, int> found = content.CountByType();
  EXPECT_GE(found["Provenance"], expected["Provenance"]);
  EXPECT_GE(found["DetectedIssue"], expected["DetectedIssue"]);
  for (const char* type : {"Provenance", "DetectedIssue"}) {
    expected.erase(type);
    found.erase(type);
  }
  EXPECT_EQ(found, expected);
}

TEST_F(DeliveryToHapi, B_TenfoldOverdoseCorrected_IsTheSameResourceInItsSecondVersion) {
  Arena arena;
  int administrations = 0;
  const std::string identifier = "https://clinic.example/fhir/sid/it-administration|pain-clinic.MG-3.1";
  server_->ForEach("MedicationAdministration?identifier=" + identifier, arena, [&](Node& administration) {
    ++administrations;
    EXPECT_EQ(MemberText(*administration.Find("meta"), "versionId"), "2");
    const Node* dose = fhir::AtPointer(administration, "/dosage/dose/value");
    ASSERT_NE(dose, nullptr);
    EXPECT_EQ(dose->text, "500");
  });
  EXPECT_EQ(administrations, 1);
}

constexpr int kAdministrations = 748;

// Of the administrations, rounded as the paper does.
int Percent(int count) {
  return (count * 200 + kAdministrations) / (2 * kAdministrations);
}

std::string OwnValue(const Node& resource) {
  return std::string(MemberText(*resource.Find("identifier")->items()[0], "value"));
}

// What a search finds of the cohort: the records MID-….
void ForEachOfCohort(HapiServer& server, const std::string& query, Arena& arena,
                     const std::function<void(Node&)>& visit) {
  server.ForEach(query, arena, [&](Node& resource) {
    if (OwnValue(resource).find(".MID-") != std::string::npos) visit(resource);
  });
}

int CountOfCohort(HapiServer& server, const std::string& query) {
  Arena arena;
  int count = 0;
  ForEachOfCohort(server, query, arena, [&](Node&) { ++count; });
  return count;
}

double NumberAt(const Node& resource, const char* pointer) {
  const Node* value = fhir::AtPointer(resource, pointer);
  return value == nullptr ? -1 : std::stod(std::string(value->text));
}

TEST_F(DeliveryToHapi, C_CohortAdministrations_AreCountedOnTheServerAsPublished) {
  Arena arena;
  std::map<std::string, std::string> sex_of;
  server_->ForEach("Patient", arena, [&](Node& patient) {
    sex_of["Patient/" + std::string(MemberText(patient, "id"))] = MemberText(patient, "gender");
  });
  std::map<std::string, int> doses;
  std::map<std::string, int> sexes;
  std::map<std::string, std::map<std::string, std::string>> doses_by_time;  // of each patient
  ForEachOfCohort(*server_, "MedicationAdministration", arena, [&](Node& administration) {
    const Node* dose = fhir::AtPointer(administration, "/dosage/dose/value");
    const std::string text = dose == nullptr ? "none" : std::string(dose->text);
    ++doses[text];
    const std::string patient(MemberText(*administration.Find("subject"), "reference"));
    ++sexes[sex_of[patient]];
    // One offset all year: the texts are in order of time.
    doses_by_time[patient][std::string(MemberText(administration, "effectiveDateTime"))] = text;
  });
  EXPECT_EQ(doses, (std::map<std::string, int>{{"2", 211}, {"3", 184}, {"4", 154}, {"5", 199}}));
  EXPECT_EQ(sexes, (std::map<std::string, int>{{"male", 319}, {"female", 429}}));
  std::map<std::string, int> patients;
  std::map<std::string, int> first_doses;
  int more_than_ten = 0;
  std::size_t most = 0;
  for (const auto& [patient, given] : doses_by_time) {
    ++patients[sex_of[patient]];
    ++first_doses[given.begin()->second];
    more_than_ten += given.size() > 10 ? 1 : 0;
    most = std::max(most, given.size());
  }
  EXPECT_EQ(patients, (std::map<std::string, int>{{"male", 63}, {"female", 85}}));
  EXPECT_EQ(first_doses, (std::map<std::string, int>{{"2", 148}}));
  EXPECT_EQ(more_than_ten, 16);
  EXPECT_EQ(most, 57U);
  EXPECT_EQ(CountOfCohort(*server_, "Condition?code=http://snomed.info/sct|278860009"), 93);
  EXPECT_EQ(CountOfCohort(*server_, "Condition?code=http://snomed.info/sct|202725007"), 655);
}

TEST_F(DeliveryToHapi, C_CohortOutcomes_AreCountedOnTheServerAsPublished) {
  Arena arena;
  std::map<std::string, int> outcomes;
  ForEachOfCohort(*server_, "Procedure?code=http://snomed.info/sct|18629005", arena, [&](Node& procedure) {
    const Node* code = fhir::AtPointer(procedure, "/outcome/coding/0/code");
    ++outcomes[std::string(code != nullptr ? code->text : MemberText(*procedure.Find("outcome"), "text"))];
  });
  const int unsuccessful = outcomes["385671000"];
  const int unknown = outcomes["Unknown"];
  EXPECT_EQ(unsuccessful, 83);  // none, weak or too short
  EXPECT_EQ(unknown, 32);
  EXPECT_EQ(Percent(unsuccessful), 11);
  EXPECT_EQ(Percent(unknown), 4);
  EXPECT_EQ(unsuccessful + unknown + outcomes["385669000"] + outcomes["385670004"], kAdministrations);

  const std::string local = "Observation?code=https://clinic.example/fhir/CodeSystem/it-local|";
  int relieved = 0;
  ForEachOfCohort(*server_, local + "relief-percent", arena, [&](Node& observation) {
    if (NumberAt(observation, "/valueQuantity/value") >= 50) ++relieved;
  });
  EXPECT_EQ(Percent(relieved), 65);
  std::vector<double> weeks;
  ForEachOfCohort(*server_, local + "relief-duration", arena, [&](Node& observation) {
    const double value = NumberAt(observation, "/valueQuantity/value");
    weeks.push_back(MemberText(*observation.Find("valueQuantity"), "code") == "d" ? value / 7 : value);
  });
  ASSERT_FALSE(weeks.empty());
  std::ranges::sort(weeks);
  EXPECT_EQ(std::lround(std::accumulate(weeks.begin(), weeks.end(), 0.0) / static_cast<double>(weeks.size())),
            9);
  EXPECT_EQ((weeks[(weeks.size() - 1) / 2] + weeks[weeks.size() / 2]) / 2, 5);
  EXPECT_EQ(weeks.back(), 156);  // three years
}

TEST_F(DeliveryToHapi, C_CohortSideEffects_AreCountedOnTheServerAsPublished) {
  const auto with_code = [&](const std::string& codes) {
    return CountOfCohort(*server_, "Condition?code=" + codes);
  };
  EXPECT_EQ(Percent(with_code("http://snomed.info/sct|271782001")), 31);  // drowsiness
  EXPECT_EQ(Percent(with_code("http://snomed.info/sct|25064002")), 4);    // headache
  EXPECT_EQ(Percent(with_code("http://snomed.info/sct|422587007")), 1);   // nausea
  // Neurotoxicity: none. A case of the fixtures has it, so that the search can find something.
  const std::string bladder_bowel_radiculopathy =
      "http://snomed.info/sct|40492006,http://snomed.info/sct|235594008,http://snomed.info/sct|128196005";
  EXPECT_EQ(with_code(bladder_bowel_radiculopathy), 0);
  EXPECT_GT(server_->Count("Condition?code=" + bladder_bowel_radiculopathy), 0);
  // No code that may be sent is known for the pain that became worse for a while.
  Arena arena;
  int worsened = 0;
  ForEachOfCohort(*server_, "Condition", arena, [&](Node& condition) {
    if (MemberText(*condition.Find("code"), "text") == "pain worsened") ++worsened;
  });
  EXPECT_EQ(Percent(worsened), 7);
  // Drowsy is who has a sedation of 1 to 3.
  int sedated = 0;
  ForEachOfCohort(*server_, "Observation?code=https://clinic.example/fhir/CodeSystem/it-local|sedation",
                  arena,
                  [&](Node& observation) { sedated += NumberAt(observation, "/valueInteger") >= 1 ? 1 : 0; });
  EXPECT_EQ(Percent(sedated), 31);
}

TEST_F(DeliveryToHapi, D_EmptyStoreAgain_ChangesNothingOnTheServer) {
  const auto daemon = StartDaemon();
  Deliver(*daemon, All());
  EXPECT_THAT(Changes(versions_, server_->Content().Versions()), IsEmpty());
}

TEST_F(DeliveryToHapi, E_EmptyStoreInShuffledOrder_ChangesNothingOnTheServer) {
  std::vector<RecordText> records = All();
  std::mt19937 random(kShuffleSeed);
  std::shuffle(records.begin(), records.end(), random);
  const auto daemon = StartDaemon();
  Deliver(*daemon, records);
  EXPECT_THAT(Changes(versions_, server_->Content().Versions()), IsEmpty()) << "seed " << kShuffleSeed;
}

// A record of its own, made from a fixture.
std::string Changed(const std::string& json,
                    const std::vector<std::pair<std::string, std::string>>& members) {
  Arena arena;
  Node* record = *fhir::ReadJson(json, arena, fhir::kRecordLimits);
  for (const auto& [name, value] : members) {
    Node* node = *fhir::ReadJson(value, arena, fhir::kRecordLimits);
    if (name == "mrn") {
      record->Find("patient")->Set(arena, name, node);
    } else {
      record->Set(arena, name, node);
    }
  }
  return fhir::ToJson(*record);
}

TEST_F(DeliveryToHapi, F_RecordOfAnotherPatientAndThenAVoid_EndRetractedInBothCharts) {
  server_->RegisterPatient("move-from", "", "");
  server_->RegisterPatient("move-to", "", "");
  const std::string correction = R"({"at":"2026-03-01T12:00:00Z","reason":"another patient"})";
  const std::string first =
      Changed(Fixture("records/bare.json"), {{"recordId", "\"MOVE-1\""}, {"mrn", "\"move-from\""}});
  const std::string second = Changed(
      first,
      {{"revision", "2"}, {"status", "\"corrected\""}, {"mrn", "\"move-to\""}, {"correction", correction}});
  const std::string third = Changed(second, {{"revision", "3"}, {"status", "\"voided\""}});
  const auto procedures = [&](const std::string& mrn, const std::string& status) {
    return server_->Count("Procedure?status=" + status + "&patient.identifier=" + kMrnSystem + "|" + mrn);
  };
  const auto daemon = StartDaemon();
  Deliver(*daemon, {ReadRecordText(first)});
  const int all = procedures("move-from", "completed");
  EXPECT_GE(all, 1);
  Deliver(*daemon, {ReadRecordText(second)});
  EXPECT_EQ(procedures("move-from", "completed"), 0);
  EXPECT_EQ(procedures("move-from", "entered-in-error"), all);
  EXPECT_EQ(procedures("move-to", "completed"), all);
  Deliver(*daemon, {ReadRecordText(third)});
  EXPECT_EQ(procedures("move-to", "completed"), 0);
  EXPECT_EQ(procedures("move-to", "entered-in-error"), all);
  // An older revision that comes late revives nothing.
  const HttpReply late = daemon->Submit(Changed(first, {{"revision", "1"}, {"notes", "[\"late\"]"}}));
  EXPECT_EQ(late.status, 409);
  EXPECT_EQ(procedures("move-from", "completed"), 0);
}

// HAPI answers 409 to a version that is not the newest one.
TEST_F(DeliveryToHapi, G_EditsOfOthers_AreKeptOrHeldForAPerson) {
  server_->RegisterPatient("edited", "", "");
  const std::string first =
      Changed(Fixture("records/bare.json"), {{"recordId", "\"EDIT-1\""}, {"mrn", "\"edited\""}});
  const auto revision = [&first](int number) {
    return Changed(first, {{"revision", std::to_string(number)},
                           {"status", "\"corrected\""},
                           {"notes", "[\"" + std::to_string(number) + "\"]"},
                           {"correction", R"({"at":"2026-03-01T12:00:00Z","reason":"more"})"}});
  };
  const std::string query =
      "Procedure?identifier=https://clinic.example/fhir/sid/it-procedure|pain-clinic.EDIT-1";
  const auto edit = [&query](const std::function<void(Node&, Arena&)>& change) {
    Arena arena;
    server_->ForEach(query, arena, [&](Node& procedure) {
      change(procedure, arena);
      const std::string place = "/Procedure/" + std::string(MemberText(procedure, "id"));
      EXPECT_EQ(server_->client().Put(place, fhir::ToJson(procedure)).status, 200);
    });
  };
  const auto stands = [&query](const std::string& text) {
    Arena arena;
    bool found = false;
    server_->ForEach(query, arena,
                     [&](Node& one) { found = fhir::ToJson(one).find(text) != std::string::npos; });
    return found;
  };
  const auto daemon = StartDaemon();
  Deliver(*daemon, {ReadRecordText(first)});
  edit([](Node& procedure, Arena& arena) {
    procedure.Set(arena, "location", *fhir::ReadJson(R"({"display":"room 2"})", arena));
  });
  Deliver(*daemon, {ReadRecordText(revision(2))});
  EXPECT_TRUE(stands("room 2"));
  EXPECT_TRUE(stands("Note: 2"));

  edit([](Node& procedure, Arena& arena) { procedure.Set(arena, "status", Node::String(arena, "stopped")); });
  ASSERT_EQ(daemon->Submit(revision(3)).status, 202);
  ASSERT_EQ(daemon->WaitForState("EDIT-1", 3, {"held", "delivered", "quarantined"}), "held");
  EXPECT_TRUE(stands("\"stopped\""));
  const std::string held =
      AtPointer(daemon->Command({"--json", "queue", "list", "--state", "held"}).standard_output, "/id");
  const std::string shown = daemon->Command({"queue", "show", held}).standard_output;
  EXPECT_THAT(shown, HasSubstr("  status\n    ours       \"completed\"\n    theirs     \"stopped\"\n"));
  ASSERT_EQ(daemon->Command({"queue", "release", held, "--ours", "--reason", "it was given"}).exit_code, 0);
  ASSERT_EQ(daemon->WaitForState("EDIT-1", 3, {"delivered"}), "delivered");
  EXPECT_TRUE(stands("\"completed\""));
  EXPECT_TRUE(stands("Note: 3"));
  EXPECT_TRUE(stands("room 2"));
}

}  // namespace
}  // namespace fhir_adapter::test
