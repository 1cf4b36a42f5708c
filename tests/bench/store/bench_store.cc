// Durable accepts per second with 32 records in a commit against 1.
//
//   bench_store DIRECTORY [RECORDS]
//
// Ten interleaved pairs, each on a new store in DIRECTORY (which should lie on the disk of interest, not on a
// tmpfs); prints the median and the range of each side and of the ratio.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/digest.h"
#include "outbox/sqlite/sqlite_backend.h"
#include "pipeline/receive.h"

namespace fhir_adapter {
namespace {

constexpr int kPairs = 10;
constexpr int kRecordBytes = 3'000;  // of the third case of the magnesium paper, about

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

// Accepts per second, each answered after its commit; the queue is kept full, so that groups fill up.
double Measure(const std::string& directory, std::size_t group_max, int records) {
  const std::string path = directory + "/bench.db";
  for (const char* ending : {"", "-wal", "-shm", ".lock"}) std::filesystem::remove(path + ending);
  storage::SqliteStoreSettings settings;
  settings.path = path;
  settings.group_max = group_max;
  auto backend = outbox::OpenSqliteBackend(settings, SystemRandom());
  if (!backend) {
    std::fprintf(stderr, "%s\n", ToString(backend.error()).c_str());
    std::exit(3);
  }
  outbox::SqliteBackend& open = **backend;
  pipeline::Receiver receiver(*open.store, open.inbox, open.queue, SystemClock(), {});
  std::atomic<int> accepted{0};
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < records; ++i) {
    pipeline::Submission submission;
    submission.source = "bench";
    submission.records.push_back(MakeRecord(i));
    receiver.Receive(std::move(submission),
                     [&](Result<pipeline::ReceiveAnswer> answer) { accepted += answer ? 1 : 0; });
  }
  open.store.reset();  // commits what was submitted
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  if (accepted != records) {
    std::fprintf(stderr, "only %d of %d were accepted\n", accepted.load(), records);
    std::exit(1);
  }
  return records / seconds.count();
}

void Print(const char* name, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const double median = (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
  std::printf("%-28s median %10.1f   range %10.1f to %10.1f\n", name, median, values.front(), values.back());
}

int Run(const std::string& directory, int records) {
  std::vector<double> grouped;
  std::vector<double> single;
  std::vector<double> ratios;
  for (int pair = 0; pair < kPairs; ++pair) {
    // In turns, so that a disk that gets slower or faster favours neither.
    const bool is_grouped_first = pair % 2 == 0;
    if (is_grouped_first) grouped.push_back(Measure(directory, 32, records));
    single.push_back(Measure(directory, 1, records));
    if (!is_grouped_first) grouped.push_back(Measure(directory, 32, records));
    ratios.push_back(grouped.back() / single.back());
  }
  std::printf("%d records of %d bytes, %d interleaved pairs\n", records, kRecordBytes, kPairs);
  Print("accepts/s, group 32", grouped);
  Print("accepts/s, group 1", single);
  Print("ratio", ratios);
  return 0;
}

}  // namespace
}  // namespace fhir_adapter

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: bench_store DIRECTORY [RECORDS]\n");
    return 2;
  }
  return fhir_adapter::Run(argv[1], argc > 2 ? std::atoi(argv[2]) : 1'000);
}
