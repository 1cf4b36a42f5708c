#include "store_loader.h"

#include <algorithm>
#include <fstream>

#include "audit/checkpointer.h"
#include "core/digest.h"
#include "outbox/sqlite/sqlite_backend.h"
#include "sync/resource_identity.h"

namespace fhir_adapter::bench {
namespace {

constexpr int kAtATime = 10;
constexpr int kSignedAfter = 60;  // 900 entries; the daemon signs after 1,000
constexpr int kRecordsOfBlock = 2'000;
constexpr int kPatientsOfBlock = 500;
constexpr int kObservations = 6;
constexpr std::size_t kPaddingBytes = 500;
constexpr std::int64_t kLeaseUs = 60'000'000;
constexpr std::int64_t kStepUs = 1'000'000;
constexpr std::int64_t kBeginUs = 1'772'366'400'000'000;
const std::string kEndpoint = "http://127.0.0.1:8080/fhir";
const std::string kBase = "https://clinic.example/fhir";
const std::string kMapSet(64, '0');

outbox::IntendedResource Intended(const std::string& type, const std::string& kind,
                                  const std::string& value) {
  outbox::IntendedResource resource;
  resource.key = {type, kBase + "/sid/" + kind, value};
  resource.uuid = sync::UuidOf(resource.key.system, value);
  resource.has_identifier_search = sync::HasIdentifierSearch(type);
  resource.json = R"({"resourceType":")" + type + R"(","identifier":[{"system":")" + resource.key.system +
                  R"(","value":")" + value + R"("}],"text":{"status":"generated","div":")" +
                  std::string(kPaddingBytes, 'x') + "\"}}";
  resource.sha256 = Sha256Hex(resource.json);
  return resource;
}

outbox::MappingResult Mapped(const outbox::MappingTask& task) {
  outbox::MappingResult result;
  result.id = task.id;
  result.facts_version = task.facts_version;
  result.map_set_sha256 = kMapSet;
  result.map_id = result.map_version = result.engine = "bench";
  result.recorded = "2026-03-01T12:00:00Z";
  const std::string& key = task.subject_key;
  result.resources.push_back(Intended("Procedure", "it-procedure", key));
  result.resources.push_back(Intended("MedicationRequest", "it-order", key));
  result.resources.push_back(Intended("MedicationAdministration", "it-administration", key + ".1"));
  for (int i = 1; i <= kObservations; ++i) {
    result.resources.push_back(Intended("Observation", "it-observation", key + ".pain." + std::to_string(i)));
  }
  result.resources.push_back(Intended("Provenance", "it-provenance", key + ".1"));
  return result;
}

outbox::NewRecord Record(int number) {
  outbox::NewRecord record;
  record.source = "bench";
  record.actor = SystemPrincipal();
  record.site = kSite;
  record.record_id = RecordIdOf(number);
  record.revision = 1;
  record.status = "completed";
  record.mrn = MrnOf(number);
  record.bytes = R"({"recordId":")" + record.record_id + R"(","revision":1,"site":"pain-clinic","note":")" +
                 std::string(3 * kPaddingBytes, 'x') + "\"}";
  record.content_sha256 = Sha256Hex(record.bytes);
  return record;
}

outbox::DeliveryReport Delivered(const outbox::WorkItem& item) {
  outbox::DeliveryReport report;
  report.id = item.id;
  report.lease = item.lease;
  report.outcome = outbox::DeliveryOutcome::kDelivered;
  report.operation = "transaction";
  report.http_status = 200;
  for (const outbox::IntendedResource& resource : item.resources) {
    outbox::ResourceWrite write;
    write.key = resource.key;
    write.server_id = resource.uuid;
    write.version_id = "1";
    write.etag = "W/\"1\"";
    write.json = resource.json;
    write.sha256 = resource.sha256;
    report.writes.push_back(std::move(write));
  }
  return report;
}

Result<void> LoadSome(outbox::SqliteBackend& backend, storage::Transaction& transaction, int first,
                      int last) {
  const TimeUs now{kBeginUs + first * kStepUs};
  ADAPTER_CHECK(backend.inbox.StoreMapSet(transaction, kMapSet, "maps", now));
  for (int number = first; number < last; ++number) {
    ADAPTER_TRY(const outbox::Accepted accepted, backend.inbox.Accept(transaction, Record(number), now));
    ADAPTER_TRY(const outbox::MappingTask task,
                backend.inbox.LoadMapping(transaction, outbox::WorkId{accepted.receipt}));
    ADAPTER_CHECK(backend.inbox.CompleteMapping(transaction, Mapped(task), now));
  }
  const outbox::ClaimRequest request{"bench", kEndpoint, now, kLeaseUs,
                                     static_cast<std::size_t>(last - first)};
  ADAPTER_TRY(const std::vector<outbox::WorkItem> items, backend.outbox.Claim(transaction, request));
  if (items.size() != static_cast<std::size_t>(last - first)) {
    return Fail(Code::kInternal, "only " + std::to_string(items.size()) + " records could be claimed");
  }
  for (const outbox::WorkItem& item : items) {
    ADAPTER_CHECK(backend.outbox.Complete(transaction, Delivered(item), now));
  }
  return {};
}

}  // namespace

std::string RecordIdOf(int number) {
  return "B-" + std::to_string(number);
}

std::string MrnOf(int number) {
  return std::to_string(100'000 + number / kRecordsOfBlock * kPatientsOfBlock + number % kPatientsOfBlock);
}

Result<std::int64_t> LoadDelivered(const std::string& path, int first, int last) {
  storage::SqliteStoreSettings settings;
  settings.path = path;
  settings.synchronous_full = false;  // nobody waits for an acknowledgement
  ADAPTER_TRY(const auto backend, outbox::OpenSqliteBackend(settings, SystemRandom()));
  ADAPTER_TRY(audit::SigningKey key,
              audit::SigningKey::LoadOrMake(path + ".audit-key", "clinic.example/audit/" + kSite));
  std::ofstream(path + ".vkey") << key.verifier().Text() << "\n";
  audit::Checkpointer checkpointer({*backend->store, backend->log, backend->tree}, std::move(key),
                                   audit::CheckpointFile(path + ".checkpoints"), std::nullopt);
  for (int number = first; number < last; number += kAtATime) {
    ADAPTER_CHECK(storage::Write(*backend->store, [&](storage::Transaction& transaction) {
      return LoadSome(*backend, transaction, number, std::min(number + kAtATime, last));
    }));
    if ((number - first) % kSignedAfter == 0) ADAPTER_CHECK(checkpointer.Advance());
  }
  ADAPTER_CHECK(checkpointer.Advance());
  return storage::ReadValue<std::int64_t>(
      *backend->store, [&](storage::Snapshot& snapshot) { return backend->log.Size(snapshot); });
}

}  // namespace fhir_adapter::bench
