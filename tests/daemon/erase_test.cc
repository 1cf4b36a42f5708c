// What erasing a record leaves behind: nothing of what stood in it, in no file of the state directory and in
// no trace, while the log goes on being provable. Each string, date and odd number of the record is one that
// stands nowhere else.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/arena.h"
#include "core/limits.h"
#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "running_adapter.h"

namespace fhir_adapter::test {
namespace {

using fhir::Node;

constexpr const char* kReason = "asked for by letter";

// Codes of closed lists and units, which stand in every record; what names the record, which the log keeps.
const std::set<std::string> kKept = {"recordId", "site",      "status",   "sex",      "setting",  "function",
                                     "code",     "level",     "guidance", "position", "purpose",  "drug",
                                     "unit",     "route",     "timing",   "scale",    "severity", "success",
                                     "facets",   "turbidity", "kind",     "outcome",  "causality"};
// Numbers that may have any digits.
const std::map<std::string, std::string> kNumbers = {{"61.50", "61.50713"},
                                                     {"3.30", "3.30917"},
                                                     {"1.10", "1.10729"},
                                                     {"0.50", "0.50837"},
                                                     {"62.5", "62.50939"}};

// Makes a record of which every part can be told from everything else.
class CanaryRecord {
 public:
  explicit CanaryRecord(const std::string& text) {
    auto root = fhir::ReadJson(text, arena_);
    EXPECT_TRUE(root);
    Visit(**root, {});
    text_ = fhir::ToJson(**root);
  }
  const std::string& text() const { return text_; }
  const std::vector<std::string>& canaries() const { return canaries_; }
  std::string Of(const std::string& original) const { return names_.at(original); }

 private:
  void Visit(Node& node, const std::string& name) {
    if (node.is_object()) {
      for (const fhir::Member& member : node.members()) Visit(*member.value, std::string(member.name));
      return;
    }
    for (Node* item : node.items()) Visit(*item, name);
    const std::string text(node.text);
    if (node.is_number() && kNumbers.contains(text)) Set(node, kNumbers.at(text));
    if (!node.is_string()) return;
    if (text.size() > 4 && std::isdigit(static_cast<unsigned char>(text[0])) != 0 && text[4] == '-') {
      VisitDate(node, text);
    } else if (!kKept.contains(name)) {
      Set(node, Named(text));
    }
  }
  // A whole second becomes one of its own; the days are of years in which nothing else happens.
  void VisitDate(Node& node, std::string text) {
    const std::size_t seconds = text.find(":00+");
    if (seconds != std::string::npos) {
      text.replace(seconds + 1, 2, std::to_string(10 + next_second_++ % 50));
    }
    Set(node, text);
  }
  std::string Named(const std::string& original) {
    std::string& name = names_[original];
    if (name.empty()) name = "Kanari" + std::to_string(1000 + names_.size()) + "vogel";
    return name;
  }
  void Set(Node& node, const std::string& text) {
    node.text = arena_.Copy(text);
    if (std::ranges::find(canaries_, text) == canaries_.end()) canaries_.push_back(text);
  }

  Arena arena_;
  std::string text_;
  std::vector<std::string> canaries_;
  std::map<std::string, std::string> names_;
  int next_second_ = 0;
};

std::string FullRecord(const std::string& record_id) {
  const std::string event =
      R"("adverseEvents": [{"eventId": "ev1", "kind": "overdose", "severity": "mild", "causality": "possible",)"
      R"( "outcome": "resolved", "onset": "2012-03-08T09:50:00+01:00", "cause": "a syringe", "symptomRowIds": ["s1"]}],)";
  return Replaced(Replaced(Fixture("records/full.json"), "EDGE-FULL", record_id), "\"visits\"",
                  event + "\"visits\"");
}

std::string BytesOf(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Erase : public testing::Test {
 protected:
  Erase() {
    std::filesystem::create_directories(folder_.File("state/inbox"));
    DaemonOptions options;
    options.endpoint = sandbox_.url();
    options.state_directory = folder_.File("state");
    options.more_configuration = "[[source]]\nname = \"export\"\nkind = \"directory\"\npath = \"" +
                                 folder_.File("state/inbox") + "\"\n";
    daemon_ = std::make_unique<RunningDaemon>(options);
    sandbox_.RegisterPatient(record_.Of("200001"), "female", "1955-04-12");
  }

  // The canaries that stand in a file of the state directory.
  std::set<std::string> FoundInFiles(bool only_store = false) {
    std::set<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.File("state"))) {
      if (!entry.is_regular_file()) continue;
      if (only_store && !entry.path().filename().string().starts_with("adapter.db")) continue;
      const std::string bytes = BytesOf(entry.path());
      for (const std::string& canary : Canaries()) {
        if (bytes.find(canary) != std::string::npos) found.insert(canary + " in " + entry.path().string());
      }
    }
    return found;
  }
  std::set<std::string> FoundIn(const std::string& text) {
    std::set<std::string> found;
    for (const std::string& canary : Canaries()) {
      if (text.find(canary) != std::string::npos) found.insert(canary);
    }
    return found;
  }
  std::vector<std::string> Canaries() {
    std::vector<std::string> canaries = record_.canaries();
    canaries.insert(canaries.end(), more_canaries_.begin(), more_canaries_.end());
    return canaries;
  }
  static std::size_t DifferentIn(const std::set<std::string>& found) {
    std::set<std::string> canaries;
    for (const std::string& line : found) canaries.insert(line.substr(0, line.find(" in ")));
    return canaries.size();
  }

  void PutInInbox(const std::string& name, const std::string& bytes, const std::string& folder) {
    std::ofstream(folder_.File("state/." + name), std::ios::binary) << bytes;
    std::filesystem::rename(folder_.File("state/." + name), folder_.File("state/inbox/" + name));
    const std::string taken = folder_.File("state/inbox/" + folder + "/" + name);
    for (int i = 0; i < 60'000 && !std::filesystem::exists(taken); ++i) daemon_->client().Get("/health/live");
    ASSERT_TRUE(std::filesystem::exists(taken)) << taken;
  }

  void DeliverRecord() {
    ASSERT_EQ(daemon_->Submit(record_.text()).status, 202);
    ASSERT_EQ(daemon_->WaitForState("CANARY-1", 1, {"delivered"}), "delivered");
  }
  // Others before and after it, so that rows move between pages; of other patients, who stay.
  void DeliverOthers(int first, int last) {
    for (int i = first; i < last; ++i) {
      std::string other =
          Replaced(Fixture("records/mg-1.json"), "\"MG-1\"", "\"MG-1-" + std::to_string(i) + "\"");
      other = Replaced(other, "\"mrn\": \"100001\"", "\"mrn\": \"" + std::to_string(300'000 + i) + "\"");
      sandbox_.RegisterPatient(std::to_string(300'000 + i), "female");
      ASSERT_EQ(daemon_->Submit(other).status, 202);
    }
    ASSERT_TRUE(daemon_->WaitUntilSettled());
  }
  // An Observation about it that the EHR pushes. Gives the id of our copy.
  std::string PushObservation() {
    const std::string administration = sandbox_.One(
        "MedicationAdministration?identifier=https://clinic.example/fhir/sid/"
        "it-administration|pain-clinic.CANARY-1.1");
    more_canaries_ = {"Kanarienhahn", "Kanarienhenne"};
    daemon_->client().set_content_type("application/fhir+json");
    const HttpReply reply = daemon_->client().Post(
        "/fhir/Observation",
        R"({"resourceType":"Observation","status":"final","code":{"text":"Kanarienhahn"},"subject":{"identifier":)"
        R"({"system":"https://hospital.example/fhir/sid/mrn","value":")" +
            record_.Of("200001") +
            R"("}},"identifier":[{"system":"https://ehr.example/sid","value":"Kanarienhenne"}],)"
            R"("valueString":"Kanarienhahn","focus":[{"reference":"MedicationAdministration/)" +
            AtPointer(administration, "/id") + "\"}]}");
    EXPECT_EQ(reply.status, 201) << reply.body;
    return AtPointer(reply.body, "/id");
  }
  ProcessResult EraseAll(const std::string& observation) {
    return daemon_->Command({"erase", "CANARY-1", "ehr." + observation, "--reason", kReason});
  }
  std::string TracesOf(const std::string& observation) {
    std::string traces;
    for (const std::string& selector : {std::string("CANARY-1"), "ehr." + observation}) {
      for (const bool is_json : {false, true}) {
        std::vector<std::string> arguments = {"trace", selector};
        if (is_json) arguments.insert(arguments.begin(), "--json");
        const ProcessResult result = daemon_->Command(arguments);
        EXPECT_EQ(result.exit_code, 0) << result.standard_error;
        traces += result.standard_output + result.standard_error;
      }
      const std::string page = folder_.File("page.html");
      EXPECT_EQ(daemon_->Command({"trace", selector, "--html", page}).exit_code, 0);
      traces += BytesOf(page);
    }
    return traces;
  }

  const CanaryRecord record_{FullRecord("CANARY-1")};
  std::vector<std::string> more_canaries_;
  TemporaryDirectory folder_;
  RunningSandbox sandbox_;
  std::unique_ptr<RunningDaemon> daemon_;
};

TEST_F(Erase, EveryFieldOfARecord_IsFoundNowhereAfterwards) {
  DeliverOthers(0, 10);
  DeliverRecord();
  // The same bytes in done/, others in rejected/: refused, and not even readable.
  PutInInbox("same.json", record_.text(), "done");
  PutInInbox("broken.json", Replaced(record_.text(), "\"revision\":1", "\"revision\":\"one\""), "rejected");
  PutInInbox("cut.json", record_.text().substr(0, record_.text().size() - 40), "rejected");
  DeliverOthers(10, 20);
  const std::string observation = PushObservation();
  ASSERT_TRUE(daemon_->WaitUntilDelivered());

  // The control: all of it is there, in the store (but what crosses the end of a page) and in the trace.
  EXPECT_EQ(DifferentIn(FoundInFiles()), Canaries().size());
  EXPECT_GE(DifferentIn(FoundInFiles(true)), Canaries().size() - 5);
  EXPECT_EQ(FoundIn(TracesOf(observation)).size(), Canaries().size());
  EXPECT_GT(Canaries().size(), 70u);

  const ProcessResult erased = EraseAll(observation);
  ASSERT_EQ(erased.exit_code, 0) << erased.standard_output << erased.standard_error;
  EXPECT_NE(erased.standard_output.find("done/same.json"), std::string::npos) << erased.standard_output;
  EXPECT_NE(erased.standard_output.find("not erased: backups"), std::string::npos) << erased.standard_output;

  EXPECT_EQ(FoundInFiles(), std::set<std::string>());
  const std::string traces = TracesOf(observation);
  EXPECT_EQ(FoundIn(traces), std::set<std::string>());
  EXPECT_NE(traces.find("erased on 20"), std::string::npos);
  EXPECT_NE(traces.find(std::string("because “") + kReason), std::string::npos);
  EXPECT_EQ(FoundIn(erased.standard_output + erased.standard_error), std::set<std::string>());
  EXPECT_EQ(FoundIn(daemon_->process().StandardError()), std::set<std::string>());

  ASSERT_EQ(daemon_->Stop(), 0);
  EXPECT_EQ(FoundInFiles(), std::set<std::string>());
  EXPECT_EQ(daemon_->Command({"audit", "verify"}).exit_code, 0);
}

TEST_F(Erase, ProofsAndTraces_StayValid) {
  DeliverRecord();
  const std::string observation = PushObservation();
  ASSERT_TRUE(daemon_->WaitUntilDelivered());
  const std::string before = daemon_->Command({"--json", "trace", "CANARY-1"}).standard_output;
  const std::string entry = AtPointer(before, "/revisions/0/entry");
  ASSERT_EQ(EraseAll(observation).exit_code, 0);
  ASSERT_EQ(daemon_->Stop(), 0);
  EXPECT_EQ(daemon_->Command({"audit", "verify"}).exit_code, 0);
  EXPECT_EQ(daemon_->Command({"audit", "prove", entry}).exit_code, 0);
  const std::string after = daemon_->Command({"--json", "trace", "CANARY-1"}).standard_output;
  EXPECT_EQ(AtPointer(after, "/revisions/0/entry"), entry);
  EXPECT_EQ(AtPointer(after, "/erased/reason"), kReason);
  EXPECT_EQ(AtPointer(after, "/erased/finished"), "true");
  // Its place on the server leads to it still.
  const std::string procedure =
      sandbox_.One("Procedure?identifier=https://clinic.example/fhir/sid/it-procedure|pain-clinic.CANARY-1");
  EXPECT_EQ(daemon_->Command({"trace", "Procedure/" + AtPointer(procedure, "/id")}).exit_code, 0);
}

TEST_F(Erase, WhatComesAgain_IsRefusedAndNotKept) {
  DeliverRecord();
  const std::string observation = PushObservation();
  ASSERT_TRUE(daemon_->WaitUntilDelivered());
  ASSERT_EQ(EraseAll(observation).exit_code, 0);
  const HttpReply again = daemon_->Submit(record_.text());
  EXPECT_EQ(again.status, 410);
  EXPECT_NE(again.body.find("\"code\":\"erased\""), std::string::npos) << again.body;
  EXPECT_NE(again.body.find("was erased on 20"), std::string::npos) << again.body;
  EXPECT_EQ(daemon_->Submit(Replaced(record_.text(), "\"revision\":1", "\"revision\":2")).status, 410);
  EXPECT_EQ(daemon_->client().Get("/fhir/Observation/" + observation).status, 410);
  EXPECT_EQ(FoundInFiles(), std::set<std::string>());
  // From a folder it goes to rejected/, where the next erasing finds it.
  PutInInbox("again.json", record_.text(), "rejected");
  EXPECT_FALSE(FoundInFiles().empty());
  EXPECT_EQ(EraseAll(observation).exit_code, 0);
  EXPECT_EQ(FoundInFiles(), std::set<std::string>());
  // What is on the server is no trouble to reconcile.
  const ProcessResult reconciled = daemon_->Command({"--json", "reconcile"});
  EXPECT_EQ(reconciled.exit_code, 0) << reconciled.standard_output << reconciled.standard_error;
}

TEST_F(Erase, MoreRecordsThanTheLimit_AreRefusedWhole) {
  std::vector<std::string> command = {"erase", "--reason", kReason};
  for (std::size_t i = 0; i < limits::kEraseRecordsMax; ++i) command.push_back("NONE-" + std::to_string(i));
  const ProcessResult most = daemon_->Command(command);
  EXPECT_EQ(most.exit_code, 1) << "asked for, each unknown";
  EXPECT_NE(most.standard_error.find("NONE-99: "), std::string::npos) << most.standard_error;
  command.emplace_back("NONE-100");
  const ProcessResult more = daemon_->Command(command);
  EXPECT_EQ(more.exit_code, 2);
  EXPECT_NE(more.standard_error.find("1 to 100 records"), std::string::npos) << more.standard_error;
}

TEST_F(Erase, UnsettledOrUnknownRecord_IsRefused) {
  ASSERT_EQ(daemon_->Submit(Replaced(Fixture("records/mg-1.json"), "\"100001\"", "\"999999\"")).status, 202);
  ASSERT_EQ(daemon_->WaitForState("MG-1", 1, {"held"}), "held");
  const ProcessResult held = daemon_->Command({"erase", "MG-1", "--reason", kReason});
  EXPECT_EQ(held.exit_code, 1);
  EXPECT_NE(held.standard_error.find("revision 1 is held"), std::string::npos) << held.standard_error;
  EXPECT_EQ(daemon_->Command({"erase", "NO-SUCH", "--reason", kReason}).exit_code, 1);
  EXPECT_EQ(daemon_->Command({"erase", "MG-1"}).exit_code, 2) << "without a reason";
}

// A waiting file is nobody's to take away: it may hold other records that were not taken yet.
TEST_F(Erase, FileThatWasNotTakenYet_IsNamedAndStays) {
  DeliverRecord();
  const std::string waiting = folder_.File("state/inbox/open.ndjson");
  {
    std::ofstream open_file(waiting, std::ios::binary);
    open_file << record_.text() << std::flush;
    const ProcessResult erased = daemon_->Command({"erase", "CANARY-1", "--reason", kReason});
    EXPECT_EQ(erased.exit_code, 1);
    EXPECT_NE(erased.standard_error.find(waiting), std::string::npos) << erased.standard_error;
    EXPECT_TRUE(std::filesystem::exists(waiting));
    std::filesystem::remove(waiting);
  }
  EXPECT_EQ(daemon_->Command({"erase", "CANARY-1", "--reason", kReason}).exit_code, 0);
  EXPECT_EQ(FoundInFiles(), std::set<std::string>());
}

TEST_F(Erase, StoreOfBeforeARestore_IsRemoved) {
  DeliverRecord();
  const std::string copy = folder_.File("copy.db");
  ASSERT_EQ(daemon_->Command({"backup", copy}).exit_code, 0);
  ASSERT_EQ(daemon_->Stop(), 0);
  ASSERT_EQ(daemon_->Command({"restore", copy}).exit_code, 0);
  std::filesystem::remove(copy);
  ASSERT_TRUE(std::filesystem::exists(folder_.File("state/adapter.db.before-restore")));
  // Without a daemon, too.
  const ProcessResult erased = daemon_->Command({"erase", "pain-clinic/CANARY-1", "--reason", kReason});
  EXPECT_EQ(erased.exit_code, 0) << erased.standard_output << erased.standard_error;
  EXPECT_FALSE(std::filesystem::exists(folder_.File("state/adapter.db.before-restore")));
  EXPECT_EQ(FoundInFiles(), std::set<std::string>());
}

TEST_F(Erase, KilledInBetween_IsFinishedByTheSameCommand) {
  DeliverRecord();
  PutInInbox("same.json", record_.text(), "done");
  ASSERT_EQ(daemon_->Stop(), 0);
  for (const char* point : {"record-erased", "before-commit", "erase-files", "erase-store", "erase-finish"}) {
    SCOPED_TRACE(point);
    ProcessOptions options;
    options.arguments = {AdapterBinary(), "--config", daemon_->configuration_file(), "erase", "CANARY-1",
                         "--reason",      kReason};
    options.environment = {{"FHIR_ADAPTER_FAULT", point}};
    const ProcessResult killed = RunProcess(options);
    EXPECT_NE(killed.exit_code, 0) << killed.standard_output;
  }
  const ProcessResult traced = daemon_->Command({"trace", "CANARY-1"});
  EXPECT_NE(traced.standard_output.find("run `fhir-adapter erase` again"), std::string::npos);
  const ProcessResult erased = daemon_->Command({"erase", "CANARY-1", "--reason", kReason});
  EXPECT_EQ(erased.exit_code, 0) << erased.standard_output << erased.standard_error;
  EXPECT_EQ(FoundInFiles(), std::set<std::string>());
  EXPECT_NE(daemon_->Command({"audit", "verify"}).exit_code, 5) << "signed at the next start";
  daemon_->Start();
  ASSERT_EQ(daemon_->Stop(), 0);
  EXPECT_EQ(daemon_->Command({"audit", "verify"}).exit_code, 0);
}

class EraseKilled : public Erase, public testing::WithParamInterface<const char*> {};

TEST_P(EraseKilled, AfterItsRowsAreGone_IsFinishedByTheNextStart) {
  DeliverRecord();
  PutInInbox("same.json", record_.text(), "done");
  ASSERT_EQ(daemon_->Stop(), 0);
  ProcessOptions options;
  options.arguments = {AdapterBinary(), "--config", daemon_->configuration_file(), "erase", "CANARY-1",
                       "--reason",      kReason};
  options.environment = {{"FHIR_ADAPTER_FAULT", GetParam()}};
  ASSERT_NE(RunProcess(options).exit_code, 0);
  const auto is_unfinished = [this] {
    return daemon_->Command({"trace", "CANARY-1"}).standard_output.find("may be left") != std::string::npos;
  };
  ASSERT_TRUE(is_unfinished());
  daemon_->Start();
  for (int i = 0; i < 1'000 && is_unfinished(); ++i) {
  }
  EXPECT_FALSE(is_unfinished());
  EXPECT_EQ(FoundInFiles(), std::set<std::string>());
  ASSERT_EQ(daemon_->Stop(), 0);
}

INSTANTIATE_TEST_SUITE_P(Points, EraseKilled, testing::Values("erase-files", "erase-store", "erase-finish"),
                         [](const auto& point) {
                           std::string name = point.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace fhir_adapter::test
