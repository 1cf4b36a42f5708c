// What the audit log costs, and stores to look at.
//
//   bench_audit cost DIRECTORY [RECORDS]
//       Records accepted per second with the log, its tree and its checkpoints, and without them; ten
//       interleaved pairs, each on a new store in DIRECTORY (which should lie on the disk of interest, not on
//       a tmpfs). The side without exists only here: every row names the same entry, and nothing is signed.
//   bench_audit load STORE FIRST LAST
//       Delivered administrations FIRST to LAST - 1 into a store, for audit.py.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "app/checkpoint_thread.h"
#include "audit/checkpointer.h"
#include "core/digest.h"
#include "outbox/sqlite/sqlite_backend.h"
#include "pipeline/receive.h"
#include "store_loader.h"

namespace fhir_adapter::bench {
namespace {

constexpr int kPairs = 10;
constexpr int kRecords = 20'000;
constexpr int kWaitingMax = 500;
constexpr std::chrono::minutes kPatience{2};
constexpr int kRecordBytes = 3'000;  // of the third case of the magnesium paper, about

template <class T>
T Need(Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "%s\n", ToString(result.error()).c_str());
  std::exit(3);
}

// One real entry, which every row names.
class NoLog final : public audit::AuditLog {
 public:
  explicit NoLog(audit::AuditLog& log) : log_(log) {}
  Result<audit::Sequence> Append(storage::Transaction& transaction, const audit::Entry& entry) override {
    if (first_ == 0) {
      ADAPTER_TRY(first_, log_.Append(transaction, entry));
    }
    return first_;
  }
  Result<audit::Sequence> Size(storage::Snapshot&) override { return first_; }
  Result<void> ForEach(storage::Snapshot&, audit::Sequence, audit::Sequence, const Visit&) override {
    return {};
  }
  Result<void> ForEachOfTrace(storage::Snapshot&, std::string_view, const Visit&) override { return {}; }
  const std::string& boot_id() const override { return log_.boot_id(); }

 private:
  audit::AuditLog& log_;
  audit::Sequence first_ = 0;
};

pipeline::InputRecord MakeRecord(int number) {
  pipeline::InputRecord record;
  record.site = "bench";
  record.record_id = "R" + std::to_string(number);
  record.revision = 1;
  record.status = "completed";
  record.mrn = std::to_string(number % 1'000);
  record.bytes = record.record_id + std::string(kRecordBytes, 'x');
  record.content_sha256 = Sha256Hex(record.bytes);
  return record;
}

void Wait(const std::function<bool()>& done) {
  const auto begin = std::chrono::steady_clock::now();
  while (!done()) {
    if (std::chrono::steady_clock::now() - begin > kPatience) {
      std::fprintf(stderr, "the store takes no more\n");
      std::exit(1);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
}

// Accepts per second, each answered after its commit; enough wait at any time that groups fill up.
double Accepts(outbox::SqliteBackend& open, outbox::SqliteInbox& inbox, int records) {
  pipeline::Receiver receiver(*open.store, inbox, open.queue, SystemClock(), {});
  std::atomic<int> accepted{0};
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < records; ++i) {
    if (i - accepted >= kWaitingMax) Wait([&] { return i - accepted < kWaitingMax / 2; });
    pipeline::Submission submission;
    submission.source = "bench";
    submission.records.push_back(MakeRecord(i));
    receiver.Receive(std::move(submission),
                     [&](Result<pipeline::ReceiveAnswer> answer) { accepted += answer ? 1 : 0; });
  }
  Wait([&] { return accepted == records; });
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  return records / seconds.count();
}

double Measure(const std::string& directory, bool has_log, int records) {
  const std::string path = directory + "/bench.db";
  for (const char* ending : {"", "-wal", "-shm", ".lock", ".audit-key", ".checkpoints"})
    std::filesystem::remove(path + ending);
  storage::SqliteStoreSettings settings;
  settings.path = path;
  const auto open = Need(outbox::OpenSqliteBackend(settings, SystemRandom()));
  if (!has_log) {
    NoLog none(open->log);
    outbox::SqliteInbox inbox(none, SystemRandom());
    return Accepts(*open, inbox, records);
  }
  audit::SigningKey key = Need(audit::SigningKey::LoadOrMake(path + ".audit-key", "bench"));
  const audit::LogPorts ports{*open->store, open->log, open->tree};
  app::CheckpointThread checkpoints(
      ports,
      audit::Checkpointer(ports, std::move(key), audit::CheckpointFile(path + ".checkpoints"), std::nullopt),
      SystemClock());
  checkpoints.Start();
  return Accepts(*open, open->inbox, records);
}

void Print(const char* name, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const double median = (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
  std::printf("%-28s median %10.2f   range %10.2f to %10.2f\n", name, median, values.front(), values.back());
}

int MeasureCost(const std::string& directory, int records) {
  std::vector<double> with;
  std::vector<double> without;
  std::vector<double> ratios;
  for (int pair = 0; pair < kPairs; ++pair) {
    // In turns, so that a disk that gets slower or faster favours neither.
    const bool is_with_first = pair % 2 == 0;
    if (is_with_first) with.push_back(Measure(directory, true, records));
    without.push_back(Measure(directory, false, records));
    if (!is_with_first) with.push_back(Measure(directory, true, records));
    ratios.push_back(with.back() / without.back());
  }
  std::printf("%d records of %d bytes, %d interleaved pairs\n", records, kRecordBytes, kPairs);
  Print("accepts/s, with the log", with);
  Print("accepts/s, without", without);
  Print("with / without", ratios);
  return 0;
}

int Run(const std::vector<std::string>& arguments) {
  if (arguments.size() >= 2 && arguments.size() <= 3 && arguments[0] == "cost") {
    return MeasureCost(arguments[1], arguments.size() > 2 ? std::atoi(arguments[2].c_str()) : kRecords);
  }
  const bool is_side = !arguments.empty() && (arguments[0] == "with" || arguments[0] == "without");
  if (is_side && arguments.size() >= 2 && arguments.size() <= 3) {
    const int records = arguments.size() > 2 ? std::atoi(arguments[2].c_str()) : kRecords;
    std::printf("%.2f accepts/s\n", Measure(arguments[1], arguments[0] == "with", records));
    return 0;
  }
  if (arguments.size() == 4 && arguments[0] == "load") {
    const std::int64_t entries =
        Need(LoadDelivered(arguments[1], std::atoi(arguments[2].c_str()), std::atoi(arguments[3].c_str())));
    std::printf("%lld\n", static_cast<long long>(entries));
    return 0;
  }
  std::fprintf(stderr, "usage: bench_audit cost|with|without DIRECTORY [RECORDS] | load STORE FIRST LAST\n");
  return 2;
}

}  // namespace
}  // namespace fhir_adapter::bench

int main(int argc, char** argv) {
  return fhir_adapter::bench::Run({argv + 1, argv + argc});
}
