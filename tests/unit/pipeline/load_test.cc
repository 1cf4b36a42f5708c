// One writer, many readers and an operator at once: nothing is lost, the file stays whole.

#include <atomic>
#include <cstdlib>
#include <gtest/gtest.h>
#include <thread>

#include "pipeline_fixture.h"
#include "storage/sqlite/schema.h"

namespace fhir_adapter::pipeline {
namespace {

// The full size is run by hand (FHIR_ADAPTER_TEST_SIZE=long): 5,000 records, 1,000 releases.
bool IsLong() {
  const char* size = std::getenv("FHIR_ADAPTER_TEST_SIZE");
  return size != nullptr && std::string(size) == "long";
}

class LoadTest : public PipelineTest {
 protected:
  const int records_ = IsLong() ? 5'000 : 400;
  const int releases_ = IsLong() ? 1'000 : 80;
  const int patients_ = records_ / 2;  // so that some rules run again
  static constexpr int kReaders = 20;

  // Holds every fifth piece of work for a conflict, delivers the others.
  void Send(std::atomic<bool>& stop) {
    while (!stop) {
      const outbox::ClaimRequest request{"sender", "http://server.example/fhir", SystemClock().Now(),
                                         60'000'000, 32};
      auto items = storage::WriteValue<std::vector<outbox::WorkItem>>(
          *backend_->store,
          [&](storage::Transaction& transaction) { return backend_->outbox.Claim(transaction, request); });
      ASSERT_TRUE(items);
      for (const outbox::WorkItem& item : *items) {
        outbox::DeliveryReport report;
        report.id = item.id;
        report.lease = item.lease;
        const bool is_held = held_ < releases_ && item.attempt == 1 && ++sent_ % 5 == 0;
        if (is_held) {
          report.outcome = outbox::DeliveryOutcome::kHeld;
          report.reasons.push_back(outbox::Reason{Code::kConflict, {}, {}});
          ++held_;
        }
        backend_->store->Submit(
            [this, report](storage::Transaction& transaction) -> Result<void> {
              ADAPTER_CHECK(backend_->outbox.Complete(transaction, report, SystemClock().Now()));
              return {};
            },
            [this](const Result<void>& outcome) { failures_ += outcome ? 0 : 1; });
      }
      if (items->empty()) std::this_thread::yield();
    }
  }
  void Read(const std::atomic<bool>& stop) {
    while (!stop) {
      auto read = backend_->store->Read([&](storage::Snapshot& snapshot) -> Result<void> {
        ADAPTER_TRY(const auto statistics, backend_->queue.Statistics(snapshot));
        std::int64_t total = 0;
        for (const std::int64_t items : statistics.by_state) total += items;
        ADAPTER_TRY(const auto page, backend_->queue.List(snapshot, {}));
        // The counts and the rows are of one moment.
        if (page.next.empty() && static_cast<std::int64_t>(page.entries.size()) != total) ++failures_;
        return {};
      });
      if (!read) ++failures_;
      ++reads_;
    }
  }
  // Releases what is held until it has released as many as it should.
  void Operate(const std::atomic<bool>& stop) {
    int released = 0;
    while (!stop && released < releases_) {
      outbox::QueueFilter filter;
      filter.state = outbox::WorkState::kHeld;
      auto page = storage::ReadValue<outbox::QueuePage>(*backend_->store, [&](storage::Snapshot& snapshot) {
        return backend_->queue.List(snapshot, filter);
      });
      ASSERT_TRUE(page);
      for (const outbox::QueueEntry& entry : page->entries) {
        outbox::Change change;
        change.actor.kind = ActorKind::kLocalUser;
        change.actor.id = "uid:1000";
        change.reason = "looked at it";
        change.now = SystemClock().Now();
        auto done = storage::Write(*backend_->store, [&](storage::Transaction& transaction) {
          return backend_->outbox.Release(transaction, entry.id, change);
        });
        if (done) ++released;
      }
      if (page->entries.empty()) std::this_thread::yield();
    }
    released_ = released;
  }

  std::atomic<int> failures_{0};
  std::atomic<std::int64_t> reads_{0};
  std::atomic<int> held_{0};
  std::atomic<int> released_{0};
  int sent_ = 0;
};

TEST_F(LoadTest, ReleasesAndReadersWhileRecordsFlow_LoseNothing) {
  std::atomic<bool> stop{false};
  MappingPool pool = MakePool();
  pool.SetMapper(std::make_shared<TestMapper>());
  Receiver receiver = MakeReceiver();
  receiver.OnAccepted([&] { pool.Wake(); });
  pool.Start();
  std::vector<std::thread> threads;
  threads.emplace_back([&] { Send(stop); });
  threads.emplace_back([&] { Operate(stop); });
  for (int i = 0; i < kReaders; ++i) threads.emplace_back([&] { Read(stop); });
  std::atomic<int> accepted{0};
  for (int i = 0; i < records_; ++i) {
    receiver.Receive(MakeSubmission({MakeRecord("R" + std::to_string(i), 1, std::to_string(i % patients_))}),
                     [&](Result<ReceiveAnswer> answer) { accepted += answer ? 1 : 0; });
  }
  const TimeUs end{SystemClock().Now().us + 90'000'000};
  while (SystemClock().Now() < end &&
         (accepted < records_ || Statistics().undelivered() > 0 || released_ < releases_)) {
    std::this_thread::yield();
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  pool.Stop();
  EXPECT_EQ(accepted, records_);
  EXPECT_EQ(failures_, 0);
  EXPECT_GT(reads_, kReaders);
  EXPECT_EQ(released_, releases_);
  const auto statistics = Statistics();
  EXPECT_EQ(statistics.undelivered(), 0);
  for (int i = 0; i < records_; ++i) {
    const auto revisions = Revisions("R" + std::to_string(i));
    ASSERT_EQ(revisions.size(), 1U) << i;
    ASSERT_EQ(revisions[0].state, outbox::WorkState::kDelivered) << i;
  }
  Close();
  auto connection = storage::Connection::Open({.path = StorePath(), .read_only = true});
  ASSERT_TRUE(connection);
  EXPECT_TRUE(storage::CheckIntegrity(**connection));
}

}  // namespace
}  // namespace fhir_adapter::pipeline
