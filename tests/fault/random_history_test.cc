// Records that come in any order, with gaps, through lost answers, busy servers and restarts, end in the
// state of their highest revision: judged by a model of a few lines that shares nothing with the program.

#include <algorithm>
#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <utility>

#include "delivery_rig.h"
#include "editing_client.h"
#include "fhir/json_reader.h"

namespace fhir_adapter::test {
namespace {

using outbox::WorkState;
using testing::IsEmpty;

constexpr std::uint32_t kSeed = 20261126;
constexpr int kRecordsOfARun = 100;
constexpr int kPatients = 12;

int Histories() {
  const char* count = std::getenv("FHIR_ADAPTER_HISTORIES");  // --long sets it
  return count == nullptr ? 2'000 : std::atoi(count);
}

// What a revision says: for each row the revision that it says so since.
struct Revision {
  std::int64_t number = 1;
  bool is_voided = false;
  std::map<std::string, std::string> rows;  // "" is the Procedure
};

struct History {
  std::string id;
  std::string mrn;
  std::vector<Revision> revisions;  // in the order in which they come
};

class HistoryRun {
 public:
  HistoryRun(std::uint32_t seed, sandbox::Behaviour behaviour)
      : numbers_(seed), rig_(DeliveryRig::Direct{Writing(behaviour)}) {
    for (int i = 0; i < kPatients; ++i) rig_.AddPatient(std::to_string(100 + i));
    for (int i = 0; i < kRecordsOfARun; ++i) histories_.push_back(MakeHistory("h" + std::to_string(i)));
  }

  DirectServer& server() { return rig_.direct(); }
  // Searches find nothing.
  void BlindSearches() { Without(rig_, nullptr, Blind("")); }

  // One request in `one_in` meets its fate; the rest are good.
  void SetFate(Fate fate, int one_in) {
    rig_.direct().fate = [this, fate, one_in](const sync::FhirRequest&) {
      return Below(one_in) == 0 ? fate : Fate::kGood;
    };
  }
  void SetBadDays() {
    rig_.direct().fate = [this](const sync::FhirRequest&) {
      switch (Below(40)) {
        case 0:
        case 1:
        case 2:
        case 3:
          return Fate::kAnswerLost;
        case 4:
          return Fate::kNeverArrived;
        case 5:
          return Fate::kBusy;
        default:
          return Fate::kGood;
      }
    };
  }

  void Play() {
    std::vector<std::pair<const History*, const Revision*>> events;
    for (const History& history : histories_) {
      for (const Revision& revision : history.revisions) events.emplace_back(&history, &revision);
    }
    // Of one record they keep their order, which is any.
    std::vector<std::size_t> order(events.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), numbers_);
    std::map<const History*, std::vector<const Revision*>> left;
    for (const auto& [history, revision] : events) left[history].push_back(revision);
    for (const std::size_t i : order) {
      std::vector<const Revision*>& of_history = left[events[i].first];
      rig_.Submit(RecordOf(*events[i].first, *of_history.front()));
      of_history.erase(of_history.begin());
      if (Below(3) == 0) rig_.RunFor(Below(3'000'000));
      if (Below(100) == 0) rig_.Restart();
    }
    rig_.direct().fate = nullptr;
    rig_.RunUntilQuiet();
  }

  // What is not as the model says; empty: nothing.
  std::vector<std::string> Differences() {
    std::map<std::string, std::vector<std::string>> found;  // by type/value of the identifier
    for (const char* type : {"Procedure", "Observation"}) {
      for (std::string& resource : rig_.direct().All(type)) {
        found[std::string(type) + "/" + ValueOf(resource)].push_back(std::move(resource));
      }
    }
    std::vector<std::string> differences;
    for (const History& history : histories_) Compare(history, found, differences);
    return differences;
  }

 private:
  static sandbox::Behaviour Writing(sandbox::Behaviour behaviour) {
    behaviour.same_content_keeps_version = false;  // a second sending shows
    return behaviour;
  }
  std::int64_t Below(std::int64_t bound) {
    return std::uniform_int_distribution<std::int64_t>(0, bound - 1)(numbers_);
  }

  History MakeHistory(const std::string& id) {
    History history{id, std::to_string(100 + Below(kPatients)), {}};
    const std::int64_t count = 1 + Below(5);
    std::set<std::int64_t> chosen;
    while (static_cast<std::int64_t>(chosen.size()) < count) chosen.insert(1 + Below(8));
    for (const std::int64_t number : chosen) {
      Revision revision{number, Below(5) == 0, {}};
      for (const char* row : {"", "pain.1", "pain.2", "pain.3"}) {
        // The Procedure is in each; the others come and go, and say something new or not.
        if (*row != '\0' && Below(3) == 0) continue;
        revision.rows[row] = std::to_string(Below(2) == 0 ? number : 0);
      }
      history.revisions.push_back(std::move(revision));
    }
    std::shuffle(history.revisions.begin(), history.revisions.end(), numbers_);
    return history;
  }

  static Record RecordOf(const History& history, const Revision& revision) {
    Record record;
    record.id = history.id;
    record.mrn = history.mrn;
    record.revision = revision.number;
    record.status = revision.is_voided ? "voided" : "completed";
    for (const auto& [row, says] : revision.rows) {
      const bool is_procedure = row.empty();
      const std::string status = revision.is_voided ? "entered-in-error"
                                 : is_procedure     ? "completed"
                                                    : "final";
      record.parts.push_back({is_procedure ? "Procedure" : "Observation", row,
                              R"("status":")" + status + R"(","code":{"text":")" + says + "\"}" +
                                  (is_procedure ? "" : R"(,"partOf":[{"reference":"$$"}])")});
    }
    return record;
  }

  static std::string TextAt(const std::string& json, std::initializer_list<const char*> path) {
    Arena arena;
    const auto read = fhir::ReadJson(json, arena);
    const fhir::Node* node = read ? *read : nullptr;
    for (const char* name : path) {
      if (node != nullptr && node->is_array()) node = node->items().empty() ? nullptr : node->items()[0];
      node = node == nullptr ? nullptr : node->Find(name);
    }
    return node == nullptr ? std::string() : std::string(node->text);
  }
  static std::string ValueOf(const std::string& resource) {
    return TextAt(resource, {"identifier", "value"});
  }

  // The model.
  void Compare(const History& history, const std::map<std::string, std::vector<std::string>>& found,
               std::vector<std::string>& differences) {
    const Revision& highest = *std::ranges::max_element(history.revisions, {}, &Revision::number);
    for (const char* row : {"", "pain.1", "pain.2", "pain.3"}) {
      const std::string value = "clinic." + history.id + (*row == '\0' ? "" : "." + std::string(row));
      const std::string place = (*row == '\0' ? "Procedure/" : "Observation/") + value;
      const auto add = [&](const std::string& what) { differences.push_back(place + ": " + what); };
      const auto resources = found.find(place);
      const std::size_t count = resources == found.end() ? 0 : resources->second.size();
      const auto intended = highest.rows.find(row);
      if (count > 1) add("stands there " + std::to_string(count) + " times");
      if (count == 0) {
        if (intended != highest.rows.end()) add("is not there");
        continue;
      }
      const std::string& resource = resources->second.front();
      const std::string status = TextAt(resource, {"status"});
      const bool is_valid = intended != highest.rows.end() && !highest.is_voided;
      if (is_valid != (status != "entered-in-error")) add("has the status " + status);
      if (is_valid && TextAt(resource, {"code", "text"}) != intended->second) add("has other content");
      CompareVersions(*row == '\0' ? "Procedure" : "Observation", resource, history, add);
    }
    for (const Revision& revision : history.revisions) {
      const WorkState state = rig_.StateOf(RecordOf(history, revision));
      const bool is_done = state == WorkState::kDelivered ||
                           (state == WorkState::kSuperseded && revision.number != highest.number);
      if (!is_done) {
        differences.push_back(history.id + ": revision " + std::to_string(revision.number) + " is " +
                              std::string(outbox::Name(state)));
      }
    }
  }

  // A revision writes a resource once, and never after a higher one.
  template <class Add>
  void CompareVersions(const std::string& type, const std::string& resource, const History& history,
                       const Add& add) {
    const std::vector<std::string> versions = rig_.direct().VersionsOf(type, TextAt(resource, {"id"}));
    const auto delivered = std::ranges::count_if(history.revisions, [&](const Revision& revision) {
      return rig_.StateOf(RecordOf(history, revision)) == WorkState::kDelivered;
    });
    if (std::cmp_greater(versions.size(), delivered)) add("was written more often than it was said");
    std::int64_t before = 0;
    for (const std::string& version : versions) {
      const std::int64_t says = std::atoll(TextAt(version, {"code", "text"}).c_str());
      if (says != 0 && says < before) add("went back to an older revision");
      before = std::max(before, says);
    }
  }

  std::mt19937 numbers_;
  DeliveryRig rig_;
  std::vector<History> histories_;
};

TEST(RandomHistory, ThroughFaultsAndRestarts_EndsInTheHighestRevision) {
  const int runs = (Histories() + kRecordsOfARun - 1) / kRecordsOfARun;
  std::size_t faults = 0;
  for (int run = 0; run < runs; ++run) {
    const std::uint32_t seed = kSeed + static_cast<std::uint32_t>(run);
    HistoryRun history(seed, {});
    history.SetBadDays();
    history.Play();
    ASSERT_THAT(history.Differences(), IsEmpty()) << "seed " << seed;
    faults += history.server().faults();
  }
  std::cout << runs * kRecordsOfARun << " histories, " << faults << " faults, no difference\n";
  EXPECT_GT(faults, static_cast<std::size_t>(runs) * 20);
}

// Servers that give every resource its id, on each rung.
TEST(RandomHistory, WhereTheServerNamesEachResource_EndsInTheHighestRevision) {
  sandbox::Behaviour transaction = *sandbox::BehaviourLike("server-ids");
  sandbox::Behaviour batch = transaction;
  batch.transactions = false;
  sandbox::Behaviour single = batch;
  single.batches = false;
  const int runs = std::max(1, Histories() / (kRecordsOfARun * 20));
  for (const sandbox::Behaviour& behaviour : {transaction, batch, single}) {
    for (int run = 0; run < runs; ++run) {
      const std::uint32_t seed = kSeed + static_cast<std::uint32_t>(run);
      HistoryRun history(seed, behaviour);
      history.SetBadDays();
      history.Play();
      ASSERT_THAT(history.Differences(), IsEmpty()) << "seed " << seed;
    }
  }
}

// What was sent is taken for not sent, and nobody looks: it is sent again.
TEST(RandomHistory, Control_LostAnswersTakenForNotSentWithoutSearch_AreFound) {
  HistoryRun history(kSeed, {});
  history.BlindSearches();
  history.SetFate(Fate::kDenied, 10);
  history.Play();
  EXPECT_THAT(history.Differences(), testing::Contains(testing::HasSubstr("more often than it was said")));
}

}  // namespace
}  // namespace fhir_adapter::test
