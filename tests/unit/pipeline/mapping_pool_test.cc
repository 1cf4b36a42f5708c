#include "pipeline/mapping_pool.h"

#include <condition_variable>
#include <gmock/gmock.h>
#include <map>
#include <mutex>

#include "core/digest.h"
#include "core/limits.h"
#include "pipeline_fixture.h"

namespace fhir_adapter::pipeline {
namespace {

using outbox::WorkState;

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
  // Runs the pool until nothing waits to be mapped.
  void RunUntilMapped(MappingPool& pool) {
    std::mutex mutex;
    std::condition_variable changed;
    pool.OnQueued([&] {
      const std::scoped_lock lock(mutex);
      changed.notify_one();
    });
    pool.Start();
    std::unique_lock lock(mutex);
    while (Statistics().Count(WorkState::kReceived) > 0 && !pool.failed()) {
      changed.wait_for(lock, std::chrono::milliseconds(20));
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
    const MapOutput again = mapper->Map(pinned->bytes, pinned->facts);
    EXPECT_EQ(outbox::OutputHash(again.resources), pinned->output_sha256);
    outbox::MappingFacts today = pinned->facts;
    today.other_records.push_back("one more");
    EXPECT_NE(outbox::OutputHash(mapper->Map(pinned->bytes, today).resources), pinned->output_sha256)
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
