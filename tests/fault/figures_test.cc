// What delivery promises in numbers. At their ordinary size here; long.sh sets the full ones.
//
//   FHIR_ADAPTER_DELIVERIES   deliveries of which one in ten loses its answer       2,000   (100,000)
//   FHIR_ADAPTER_ORDERED      deliveries whose order is watched                     20,000  (1,000,000)
//   FHIR_ADAPTER_QUEUED       records that wait through an outage of two days       1,000   (100,000)

#include <algorithm>
#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iostream>
#include <map>
#include <random>

#include "delivery_rig.h"

namespace fhir_adapter::test {
namespace {

using outbox::WorkState;

constexpr std::uint32_t kSeed = 20261127;
constexpr std::int64_t kHourUs = 3'600'000'000;
constexpr int kDeadlineMs = 600'000;

int Size(const char* variable, int ordinary) {
  const char* text = std::getenv(variable);
  return text == nullptr ? ordinary : std::atoi(text);
}

Record Observed(const std::string& id, const std::string& mrn, std::int64_t revision = 1) {
  Record record;
  record.id = id;
  record.mrn = mrn;
  record.revision = revision;
  record.parts = ScoredParts(std::to_string(revision));
  return record;
}

// A store and a server for so many deliveries at a time, so that a million need no more memory than these.
class Rig {
 public:
  explicit Rig(std::uint32_t seed) : numbers_(seed), rig_(DeliveryRig::Direct{Behaviour()}) {
    for (int i = 0; i < kPatients; ++i) rig_.AddPatient(std::to_string(100 + i));
    rig_.direct().carried_out = [this](const sync::FhirRequest& request) { Note(request); };
  }

  static constexpr int kPatients = 20;
  DeliveryRig& rig() { return rig_; }
  std::int64_t Below(std::int64_t bound) {
    return std::uniform_int_distribution<std::int64_t>(0, bound - 1)(numbers_);
  }
  std::string AnyPatient() { return std::to_string(100 + Below(kPatients)); }

  void Submit(const Record& record) {
    submitted_[record.id + "." + std::to_string(record.revision)] = {record.mrn, ++submissions_};
    rig_.Submit(record);
  }

  // Writes that were carried out, and those among them that came after a later one of their patient.
  std::size_t writes() const { return writes_; }
  std::size_t inversions() const { return inversions_; }

 private:
  static sandbox::Behaviour Behaviour() {
    sandbox::Behaviour behaviour;
    behaviour.same_content_keeps_version = false;  // a second sending shows
    return behaviour;
  }

  // The Provenance says of which revision the transaction is.
  void Note(const sync::FhirRequest& request) {
    static const std::string kMark = R"(sid/it-record","value":"clinic.)";
    const std::size_t at = request.body.find(kMark);
    if (request.kind != sync::RequestKind::kWrite || at == std::string::npos) return;
    const std::size_t begin = at + kMark.size();
    const auto found = submitted_.find(request.body.substr(begin, request.body.find('"', begin) - begin));
    ASSERT_NE(found, submitted_.end());
    const auto& [mrn, number] = found->second;
    ++writes_;
    int& newest = newest_[mrn];
    if (number < newest) ++inversions_;
    newest = std::max(newest, number);
  }

  std::mt19937 numbers_;
  DeliveryRig rig_;
  std::map<std::string, std::pair<std::string, int>> submitted_;  // "record.revision" → patient, number
  std::map<std::string, int> newest_;                             // by patient
  int submissions_ = 0;
  std::size_t writes_ = 0;
  std::size_t inversions_ = 0;
};

TEST(DeliveryFigures, OneAnswerInTenLostAfterTheCommit_NothingIsThereTwiceAndNothingIsLost) {
  constexpr int kAtATime = 500;
  const int deliveries = Size("FHIR_ADAPTER_DELIVERIES", 2'000);
  std::size_t lost = 0;
  int done = 0;
  for (std::uint32_t round = 0; done < deliveries; ++round) {
    Rig one(kSeed + round);
    DirectServer& server = one.rig().direct();
    server.fate = [&](const sync::FhirRequest& request) {
      return request.kind == sync::RequestKind::kWrite && one.Below(10) == 0 ? Fate::kAnswerLost
                                                                             : Fate::kGood;
    };
    const int count = std::min(kAtATime, deliveries - done);
    for (int i = 0; i < count; ++i) one.Submit(Observed("d" + std::to_string(i), one.AnyPatient()));
    one.rig().RunUntilQuiet(kDeadlineMs);
    for (const char* type : {"Procedure", "Observation", "Provenance"}) {
      const std::vector<std::string> all = server.All(type);
      ASSERT_EQ(all.size(), static_cast<std::size_t>(count)) << type << ", seed " << kSeed + round;
      ASSERT_TRUE(std::ranges::all_of(all,
                                      [](const std::string& resource) {
                                        return resource.find(R"("versionId":"1")") != std::string::npos;
                                      }))
          << type << " was written twice, seed " << kSeed + round;
    }
    ASSERT_EQ(one.rig().Statistics().Count(WorkState::kDelivered), count);
    lost += server.faults();
    done += count;
  }
  std::cout << done << " deliveries, " << lost << " answers lost after the commit: 0 duplicates, 0 lost\n";
  EXPECT_GT(lost, static_cast<std::size_t>(deliveries) / 20);
}

TEST(DeliveryFigures, RetriesCorrectionsAndRestarts_NeverChangeThePatientsOrder) {
  constexpr int kAtATime = 1'000;
  const int deliveries = Size("FHIR_ADAPTER_ORDERED", 20'000);
  std::size_t writes = 0;
  std::size_t restarts = 0;
  std::size_t faults = 0;
  for (std::uint32_t round = 0; writes < static_cast<std::size_t>(deliveries); ++round) {
    Rig one(kSeed + round);
    one.rig().direct().fate = [&](const sync::FhirRequest&) {
      switch (one.Below(30)) {
        case 0:
          return Fate::kAnswerLost;
        case 1:
          return Fate::kBusy;
        case 2:
          return Fate::kNeverArrived;
        default:
          return Fate::kGood;
      }
    };
    std::map<std::string, std::pair<std::string, std::int64_t>> known;  // record → patient, revision
    for (int i = 0; i < kAtATime; ++i) {
      // One in three corrects what was said before.
      const std::string id = "o" + std::to_string(one.Below(kAtATime * 2 / 3));
      auto& [mrn, revision] = known[id];
      if (mrn.empty()) mrn = one.AnyPatient();
      one.Submit(Observed(id, mrn, ++revision));
      if (one.Below(4) == 0) one.rig().RunFor(one.Below(2'000'000));
      if (one.Below(100) == 0) {
        one.rig().Restart();
        ++restarts;
      }
    }
    one.rig().RunUntilQuiet(kDeadlineMs);
    ASSERT_EQ(one.inversions(), 0U) << "seed " << kSeed + round;
    ASSERT_EQ(one.rig().Statistics().undelivered(), 0) << "seed " << kSeed + round;
    writes += one.writes();
    faults += one.rig().direct().faults();
  }
  std::cout << writes << " deliveries with " << faults << " faults and " << restarts
            << " restarts: 0 inversions\n";
  EXPECT_GT(restarts, 0U);
}

// The watch sees it.
TEST(DeliveryFigures, Control_AnOlderWriteAfterANewerOne_IsCounted) {
  Rig one(kSeed);
  one.Submit(Observed("a", "100"));
  one.Submit(Observed("b", "100"));
  std::vector<sync::FhirRequest> writes;
  const auto note = one.rig().direct().carried_out;
  one.rig().direct().carried_out = [&](const sync::FhirRequest& request) {
    if (request.kind == sync::RequestKind::kWrite) writes.push_back(request);
    note(request);
  };
  one.rig().RunUntilQuiet(kDeadlineMs);
  ASSERT_EQ(writes.size(), 2U);
  note(writes[0]);
  EXPECT_EQ(one.inversions(), 1U);
}

TEST(DeliveryFigures, ServerAwayForTwoDays_GivesNothingUpAlertsOnceAndDrainsInOrder) {
  const int queued = Size("FHIR_ADAPTER_QUEUED", 1'000);
  Rig one(kSeed);
  DeliveryRig& rig = one.rig();
  bool is_away = false;
  rig.direct().fate = [&](const sync::FhirRequest&) { return is_away ? Fate::kUnreachable : Fate::kGood; };
  one.Submit(Observed("before", "100"));
  rig.RunUntilQuiet(kDeadlineMs);
  is_away = true;
  for (int i = 0; i < queued; ++i) one.Submit(Observed("q" + std::to_string(i), one.AnyPatient()));
  rig.RunFor(48 * kHourUs);
  EXPECT_EQ(rig.Statistics().Count(WorkState::kDelivered), 1);
  EXPECT_EQ(rig.Statistics().Count(WorkState::kQuarantined), 0);
  EXPECT_EQ(rig.Statistics().Count(WorkState::kHeld), 0);
  EXPECT_TRUE(rig.statistics().has_trouble);
  is_away = false;
  rig.RunUntilQuiet(kDeadlineMs);
  EXPECT_EQ(rig.Statistics().Count(WorkState::kDelivered), queued + 1);
  EXPECT_EQ(rig.statistics().troubles, 1) << "one alert";
  EXPECT_FALSE(rig.statistics().has_trouble);
  EXPECT_EQ(one.writes(), static_cast<std::size_t>(queued) + 1);
  EXPECT_EQ(one.inversions(), 0U);
  std::cout << queued << " records through an outage of 48 h: 0 given up, " << rig.statistics().troubles
            << " alert, " << one.inversions() << " out of order\n";
}

}  // namespace
}  // namespace fhir_adapter::test
