#include "pipeline/mapping_pool.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <gmock/gmock.h>
#include <map>
#include <mutex>
#include <utility>

#include "core/digest.h"
#include "core/limits.h"
#include "pipeline_fixture.h"

namespace fhir_adapter::pipeline {
namespace {

using outbox::WorkState;

constexpr std::chrono::seconds kDeadline(120);

// Tells when it has been called so many times, and notes what `released` says at the call after those.
class CountingMapper final : public RecordMapper {
 public:
  explicit CountingMapper(int calls_max) : calls_max_(calls_max) {}

  MapOutput Map(const std::string& map, std::string_view record,
                const outbox::MappingFacts& facts) const override {
    const std::scoped_lock lock(mutex_);
    if (++calls_ > calls_max_) was_released_ = released_;
    changed_.notify_all();
    return mapper_.Map(map, record, facts);
  }
  MapOutput MapObservation(std::string_view, std::string_view bytes,
                           const outbox::MappingFacts& facts) const override {
    return Map({}, bytes, facts);
  }
  std::string map_set_sha256() const override { return mapper_.map_set_sha256(); }
  std::string map_set_bytes() const override { return mapper_.map_set_bytes(); }
  std::string engine() const override { return mapper_.engine(); }

  bool WaitForCalls() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kDeadline, [&] { return calls_ >= calls_max_; });
  }
  void Release() {
    const std::scoped_lock lock(mutex_);
    released_ = true;
  }
  // The call after `calls_max` came, and came after the release.
  bool was_released() const {
    const std::scoped_lock lock(mutex_);
    return was_released_;
  }

 private:
  const int calls_max_;
  const TestMapper mapper_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  mutable int calls_ = 0;
  mutable bool was_released_ = false;
  bool released_ = false;
};

class MappingPoolTest : public PipelineTest {
 protected:
  std::vector<InputRecord> Cohort(int records, int patients) {
    std::vector<InputRecord> cohort;
    for (int i = 0; i < records; ++i) {
      cohort.push_back(MakeRecord("R" + std::to_string(i), 1, std::to_string(i % patients)));
    }
    return cohort;
  }
  void Accept(std::vector<InputRecord> records) {
    Receiver receiver = MakeReceiver();
    ASSERT_TRUE(receiver.ReceiveNow(MakeSubmission(std::move(records))));
  }
  // Runs the pool until nothing waits to be mapped. `once_started` comes between.
  void RunUntilMapped(MappingPool& pool, const std::function<void()>& once_started = [] {}) {
    std::mutex mutex;
    std::condition_variable changed;
    bool has_changed = true;
    pool.OnQueued([&] {
      const std::scoped_lock lock(mutex);
      has_changed = true;
      changed.notify_one();
    });
    pool.Start();
    once_started();
    std::unique_lock lock(mutex);
    while (Statistics().Count(WorkState::kReceived) > 0 && !pool.failed()) {
      ASSERT_TRUE(changed.wait_for(lock, kDeadline, [&] { return std::exchange(has_changed, false); }));
    }
    lock.unlock();
    pool.Stop();
  }
  std::map<std::string, std::string> IssuesDelivered() {
    std::map<std::string, std::string> contents;
    for (int i = 0; i < 30; ++i) {
      const std::string subject = "pain-clinic.R" + std::to_string(i);
      auto rows = storage::ReadValue<std::vector<outbox::LedgerRow>>(
          *backend_->store, [&](storage::Snapshot& snapshot) {
            return backend_->queue.LedgerOfSubject(snapshot, "http://server.example/fhir", subject);
          });
      for (const outbox::LedgerRow& row : *rows) {
        if (row.key.type == "DetectedIssue") contents[row.key.value] = row.json;
      }
    }
    return contents;
  }
};

TEST_F(MappingPoolTest, ReceivedRecords_AreQueuedOrQuarantined) {
  Accept({MakeRecord("R1"), MakeRecord("bad", 1, "100002")});
  MappingPool pool = MakePool();
  pool.SetMapper(std::make_shared<TestMapper>());
  ASSERT_TRUE(pool.Drain());
  EXPECT_EQ(Revisions("R1").at(0).state, WorkState::kQueued);
  const auto bad = Revisions("bad").at(0);
  EXPECT_EQ(bad.state, WorkState::kQuarantined);
  EXPECT_EQ(bad.reasons.at(0).code, Code::kMapCheck);
  EXPECT_EQ(bad.reasons.at(0).pointer, "/procedure");
}

TEST_F(MappingPoolTest, WithoutMaps_NothingIsMapped) {
  Accept({MakeRecord("R1")});
  MappingPool pool = MakePool();
  auto refused = pool.Drain();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kNotReady);
  EXPECT_EQ(Revisions("R1").at(0).state, WorkState::kReceived);
}

TEST_F(MappingPoolTest, RecordsOfAStoppedProcess_ArePickedUp) {
  Accept(Cohort(20, 20));
  Close();
  Open();
  MappingPool pool = MakePool();
  pool.SetMapper(std::make_shared<TestMapper>());
  RunUntilMapped(pool);
  EXPECT_EQ(Statistics().Count(WorkState::kQueued), 20);
}

// Whatever the threads do, each record's rules end with what the store holds of its patient.
TEST_F(MappingPoolTest, Threads_EndWithTheSameIssuesAsOneThread) {
  Accept(Cohort(30, 4));
  MappingPool pool = MakePool({.threads = 3, .scan_ms = 1'000});
  pool.SetMapper(std::make_shared<TestMapper>());
  RunUntilMapped(pool);
  DeliverAll();
  const auto contents = IssuesDelivered();
  ASSERT_EQ(contents.size(), 30U);
  for (int i = 0; i < 30; ++i) {
    const int of_patient = 30 / 4 + (i % 4 < 30 % 4 ? 1 : 0);
    EXPECT_EQ(contents.at("R" + std::to_string(i) + ".COUNT"), std::to_string(of_patient - 1)) << i;
  }
  EXPECT_EQ(Statistics().undelivered(), 0);
}

TEST_F(MappingPoolTest, NewMaps_AreStoredAndUsedForTheNextRecords) {
  MappingPool pool = MakePool();
  const auto first = std::make_shared<TestMapper>("1");
  const auto second = std::make_shared<TestMapper>("2");
  pool.SetMapper(first);
  Accept({MakeRecord("R1")});
  ASSERT_TRUE(pool.Drain());
  pool.SetMapper(second);
  Accept({MakeRecord("R2", 1, "100002")});
  ASSERT_TRUE(pool.Drain());
  for (const auto& [record, mapper] : {std::pair("R1", first), std::pair("R2", second)}) {
    auto detail = storage::ReadValue<outbox::QueueDetail>(*backend_->store, [&](storage::Snapshot& snapshot) {
      return backend_->queue.Show(snapshot, outbox::WorkId{Revisions(record).at(0).receipt});
    });
    ASSERT_TRUE(detail);
    EXPECT_EQ(detail->map_set_sha256, mapper->map_set_sha256());
    auto bytes = storage::ReadValue<std::string>(*backend_->store, [&](storage::Snapshot& snapshot) {
      return backend_->inbox.LoadMapSet(snapshot, detail->map_set_sha256);
    });
    ASSERT_TRUE(bytes);
    EXPECT_EQ(*bytes, mapper->map_set_bytes());
  }
}

TEST_F(MappingPoolTest, RecordsOfASourceWithItsOwnMap_AreMappedWithThat) {
  MappingPool pool = MakePool();
  pool.SetMapper(std::make_shared<TestMapper>());
  Receiver receiver = MakeReceiver();
  Submission submission = MakeSubmission({MakeRecord("R1")});
  submission.map = "other-clinic";
  ASSERT_TRUE(receiver.ReceiveNow(std::move(submission)));
  ASSERT_TRUE(pool.Drain());
  const outbox::WorkId id{Revisions("R1").at(0).receipt};
  const auto pinned = storage::ReadValue<outbox::PinnedMapping>(
      *backend_->store,
      [&](storage::Snapshot& snapshot) { return backend_->inbox.LoadPinned(snapshot, id); });
  ASSERT_TRUE(pinned);
  EXPECT_EQ(pinned->map_id, "other-clinic");
}

// Map sets are immutable and facts are pinned: any mapped revision can be made again.
TEST_F(MappingPoolTest, Replay_GivesTheStoredOutputAfterEverythingChanged) {
  MappingPool pool = MakePool();
  const auto mapper = std::make_shared<TestMapper>();
  pool.SetMapper(mapper);
  Accept(Cohort(12, 3));
  ASSERT_TRUE(pool.Drain());
  int replayed = 0;
  for (int i = 0; i < 12; ++i) {
    const outbox::WorkId id{Revisions("R" + std::to_string(i)).at(0).receipt};
    auto pinned = storage::ReadValue<outbox::PinnedMapping>(
        *backend_->store,
        [&](storage::Snapshot& snapshot) { return backend_->inbox.LoadPinned(snapshot, id); });
    ASSERT_TRUE(pinned);
    const MapOutput again = mapper->Map({}, pinned->bytes, pinned->facts);
    EXPECT_EQ(outbox::OutputHash(again.resources), pinned->output_sha256);
    outbox::MappingFacts today = pinned->facts;
    today.other_records.push_back("one more");
    EXPECT_NE(outbox::OutputHash(mapper->Map({}, pinned->bytes, today).resources), pinned->output_sha256)
        << "control: with other facts the output differs";
    ++replayed;
  }
  EXPECT_EQ(replayed, 12);
}

TEST_F(MappingPoolTest, MoreThanABatch_IsMappedToo) {
  Accept(Cohort(static_cast<int>(limits::kMappingBatchMax) + 1, 2'000));
  MappingPool pool = MakePool();
  pool.SetMapper(std::make_shared<TestMapper>());
  RunUntilMapped(pool);
  EXPECT_EQ(Statistics().Count(WorkState::kQueued), static_cast<std::int64_t>(limits::kMappingBatchMax) + 1);
}

// While the writer stands, as many are mapped as may wait for it, and one more only when it goes on.
TEST_F(MappingPoolTest, RecordsInFlight_AreLimited) {
  constexpr int kInFlight = static_cast<int>(limits::kMappingInFlightMax);
  const auto mapper = std::make_shared<CountingMapper>(1 + kInFlight);
  MappingPool pool = MakePool();
  pool.SetMapper(mapper);
  Accept({MakeRecord("first", 1, "1000")});  // its mapping stores the maps
  ASSERT_TRUE(pool.Drain());
  Accept(Cohort(kInFlight + 1, kInFlight + 1));
  std::promise<void> go_on;
  backend_->store->Submit(
      [gate = go_on.get_future().share()](storage::Transaction&) -> Result<void> {
        gate.wait();
        return {};
      },
      [](const Result<void>&) {});
  RunUntilMapped(pool, [&] {
    EXPECT_TRUE(mapper->WaitForCalls());
    mapper->Release();
    go_on.set_value();
  });
  EXPECT_TRUE(mapper->was_released());
  EXPECT_EQ(Statistics().Count(WorkState::kQueued), kInFlight + 2);
}

TEST_F(MappingPoolTest, Stop_LeavesTheRestForTheNextStart) {
  Accept(Cohort(200, 200));
  {
    MappingPool pool = MakePool();
    pool.SetMapper(std::make_shared<TestMapper>());
    pool.Start();
    pool.Stop();
  }
  const auto statistics = Statistics();
  EXPECT_EQ(statistics.Count(WorkState::kReceived) + statistics.Count(WorkState::kQueued), 200);
  MappingPool pool = MakePool();
  pool.SetMapper(std::make_shared<TestMapper>());
  RunUntilMapped(pool);
  EXPECT_EQ(Statistics().Count(WorkState::kQueued), 200);
}

}  // namespace
}  // namespace fhir_adapter::pipeline
