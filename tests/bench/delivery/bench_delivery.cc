// Records per second to the sandbox, with 1, 4 and 16 patients sent at a time.
//
//   bench_delivery DIRECTORY [RECORDS]
//
// Ten rounds of all three, each on a new store in DIRECTORY (which should lie on the disk of interest, not on
// a tmpfs), to one sandbox in this process; prints the median and the range of each, and of the ratios of a
// round. The records wait in the queue when the clock starts: what is measured is claiming, sending, and
// writing down what the server answered.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/digest.h"
#include "outbox/sqlite/sqlite_backend.h"
#include "sandbox/sandbox.h"
#include "sync/curl_client.h"
#include "sync/resource_identity.h"
#include "sync/sync_worker.h"

namespace fhir_adapter {
namespace {

constexpr int kRounds = 10;
constexpr int kPatients = 64;
constexpr int kObservations = 6;
constexpr std::array<std::size_t, 3> kConnections = {1, 4, 16};
const std::string kBase = "https://clinic.example/fhir";
const std::string kMrnSystem = kBase + "/sid/mrn";
const std::string kMapSet(64, '0');

template <class T>
T Need(Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "%s\n", ToString(result.error()).c_str());
  std::exit(3);
}

outbox::IntendedResource Intended(const std::string& type, const std::string& kind, const std::string& value,
                                  const std::string& members) {
  outbox::IntendedResource resource;
  resource.key = {type, kBase + "/sid/" + kind, value};
  resource.uuid = sync::UuidOf(resource.key.system, value);
  resource.has_identifier_search = sync::HasIdentifierSearch(type);
  const std::string own =
      resource.has_identifier_search
          ? R"("identifier":[{"system":")" + resource.key.system + R"(","value":")" + value + "\"}],"
          : "\"id\":\"" + resource.uuid + "\",";
  resource.json = R"({"resourceType":")" + type + "\"," + own + members + "}";
  resource.sha256 = Sha256Hex(resource.json);
  return resource;
}

outbox::MappingResult Mapped(const outbox::MappingTask& task, const std::string& mrn) {
  outbox::MappingResult result;
  result.id = task.id;
  result.facts_version = task.facts_version;
  result.map_set_sha256 = kMapSet;
  result.map_id = result.map_version = result.engine = "bench";
  result.recorded = "2026-03-01T12:00:00Z";
  const std::string& key = task.subject_key;
  const std::string subject =
      R"("subject":{"reference":"Patient?identifier=)" + sync::SearchToken(kMrnSystem, mrn) + "\"}";
  result.resources.push_back(
      Intended("Procedure", "it-procedure", key, R"("status":"completed",)" + subject));
  const std::string procedure = result.resources.front().uuid;
  for (int i = 0; i < kObservations; ++i) {
    result.resources.push_back(Intended("Observation", "it-observation", key + ".pain." + std::to_string(i),
                                        R"("status":"final","code":{"text":"pain"},)" + subject +
                                            R"(,"valueInteger":)" + std::to_string(i) +
                                            R"(,"partOf":[{"reference":"urn:uuid:)" + procedure + "\"}]"));
  }
  result.resources.push_back(Intended(
      "Provenance", "it-provenance", key + ".1",
      R"("target":[{"display":"all"}],"recorded":"2026-03-01T12:00:00Z","agent":[{"who":{"display":"a"}}])"));
  return result;
}

void Queue(outbox::SqliteBackend& backend, const std::string& prefix, int records) {
  for (int i = 0; i < records; ++i) {
    outbox::NewRecord record;
    record.source = "bench";
    record.actor = SystemPrincipal();
    record.site = "bench";
    record.record_id = prefix + std::to_string(i);
    record.revision = 1;
    record.status = "completed";
    record.mrn = std::to_string(i % kPatients);
    record.bytes = record.record_id;
    record.content_sha256 = Sha256Hex(record.bytes);
    const auto accepted =
        Need(storage::WriteValue<outbox::Accepted>(*backend.store, [&](storage::Transaction& transaction) {
          return backend.inbox.Accept(transaction, record, SystemClock().Now());
        }));
    const outbox::WorkId id{accepted.receipt};
    const auto task =
        Need(storage::ReadValue<outbox::MappingTask>(*backend.store, [&](storage::Snapshot& snapshot) {
          return backend.inbox.LoadMapping(snapshot, id);
        }));
    Need(storage::WriteValue<outbox::MappingOutcome>(
        *backend.store, [&](storage::Transaction& transaction) -> Result<outbox::MappingOutcome> {
          ADAPTER_CHECK(backend.inbox.StoreMapSet(transaction, kMapSet, "maps", SystemClock().Now()));
          return backend.inbox.CompleteMapping(transaction, Mapped(task, record.mrn), SystemClock().Now());
        }));
  }
}

std::unique_ptr<sync::CurlClient> MakeClient(const std::string& base_url, std::size_t connections) {
  sync::CurlClientSettings settings;
  settings.base_url = base_url;
  settings.connections_max = static_cast<std::int64_t>(connections);
  return Need(sync::CurlClient::Make(settings));
}

void AddPatients(const std::string& base_url) {
  const auto client = MakeClient(base_url, 1);
  for (int i = 0; i < kPatients; ++i) {
    sync::FhirRequest request;
    request.method = sync::Method::kPost;
    request.path = "Patient";
    request.body = R"({"resourceType":"Patient","identifier":[{"system":")" + kMrnSystem + R"(","value":")" +
                   std::to_string(i) + "\"}]}";
    std::promise<int> status;
    client->Send(std::move(request),
                 [&](const sync::FhirAnswer& answer) { status.set_value(answer.status); });
    if (status.get_future().get() != 201) std::exit(3);
  }
}

// Records per second, from the first claim to the last row.
double Measure(const std::string& directory, const std::string& base_url, std::size_t connections,
               int records) {
  static int measures = 0;
  const std::string path = directory + "/bench.db";
  for (const char* ending : {"", "-wal", "-shm", ".lock"}) std::filesystem::remove(path + ending);
  storage::SqliteStoreSettings store;
  store.path = path;
  const auto backend = Need(outbox::OpenSqliteBackend(store, SystemRandom()));
  Queue(*backend, "m" + std::to_string(++measures) + "-", records);
  const auto client = MakeClient(base_url, connections);
  sync::SyncSettings settings;
  settings.owner = "bench";
  settings.canonical_base = kBase;
  settings.patient_identifier_system = kMrnSystem;
  settings.connections_max = connections;
  sync::SyncWorker worker(
      {*backend->store, backend->outbox, backend->queue, *client, SystemClock(), SystemRandom()}, settings);
  const auto begin = std::chrono::steady_clock::now();
  worker.Start();
  const auto delivered = [&] {
    const auto statistics = Need(storage::ReadValue<outbox::QueueStatistics>(
        *backend->store, [&](storage::Snapshot& snapshot) { return backend->queue.Statistics(snapshot); }));
    return statistics.Count(outbox::WorkState::kDelivered);
  };
  while (delivered() < records) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  worker.Drain(10'000);
  return records / seconds.count();
}

void Print(const std::string& name, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const double median = (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
  std::printf("%-28s median %10.1f   range %10.1f to %10.1f\n", name.c_str(), median, values.front(),
              values.back());
}

int Run(const std::string& directory, int records) {
  sandbox::SandboxOptions options;
  options.address.port = 0;
  const auto sandbox = Need(sandbox::Sandbox::Start(options));
  AddPatients(sandbox->base_url());
  std::array<std::vector<double>, kConnections.size()> rates;
  for (int round = 0; round < kRounds; ++round) {
    // Each is first, second and last in turn, so that a machine that gets slower or faster favours none.
    for (std::size_t i = 0; i < kConnections.size(); ++i) {
      const std::size_t which = (i + static_cast<std::size_t>(round)) % kConnections.size();
      rates[which].push_back(Measure(directory, sandbox->base_url(), kConnections[which], records));
    }
  }
  std::printf("%d records of %d resources for %d patients, %d rounds\n", records, kObservations + 2,
              kPatients, kRounds);
  for (std::size_t i = 0; i < kConnections.size(); ++i) {
    Print("records/s, connections " + std::to_string(kConnections[i]), rates[i]);
  }
  for (std::size_t i = 1; i < kConnections.size(); ++i) {
    std::vector<double> ratios;
    for (std::size_t round = 0; round < rates[i].size(); ++round)
      ratios.push_back(rates[i][round] / rates[0][round]);
    Print(std::to_string(kConnections[i]) + " connections / 1", ratios);
  }
  return 0;
}

}  // namespace
}  // namespace fhir_adapter

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: bench_delivery DIRECTORY [RECORDS]\n");
    return 2;
  }
  return fhir_adapter::Run(argv[1], argc > 2 ? std::atoi(argv[2]) : 200);
}
