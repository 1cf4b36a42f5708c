#include "pipeline_fixture.h"

#include <sstream>

#include "core/digest.h"

namespace fhir_adapter::pipeline {
namespace {

outbox::IntendedResource Make(const std::string& type, const std::string& value, std::string json) {
  outbox::IntendedResource resource;
  resource.key = outbox::ResourceKey{type, "https://clinic.example/fhir/sid/it-test", value};
  resource.uuid = "00000000-0000-5000-8000-000000000000";
  resource.sha256 = Sha256Hex(json);
  resource.json = std::move(json);
  return resource;
}

}  // namespace

MapOutput TestMapper::Map(const std::string& map, std::string_view record,
                          const outbox::MappingFacts& facts) const {
  ++calls;
  std::istringstream text{std::string(record)};
  std::string record_id;
  std::string revision;
  text >> record_id >> revision;
  MapOutput output;
  output.map_id = map.empty() ? "test" : map;
  output.map_version = version_;
  if (record_id.find("bad") != std::string::npos) {
    output.issues.push_back(Issue{Code::kMapCheck, Location{{}, 0, 0, "/procedure"}, "a check failed"});
    return output;
  }
  output.issues.push_back(Issue{Code::kUnknownField, Location{{}, 0, 0, "/extra"}, "kept"});
  output.recorded = "2014-05-06T10:00:00Z";
  output.resources.push_back(Make("Procedure", record_id, std::string(record)));
  output.resources.push_back(
      Make("DetectedIssue", record_id + ".COUNT", std::to_string(facts.other_records.size())));
  output.firings = {record_id + ".COUNT"};
  output.fact = record_id;
  return output;
}

std::string TestMapper::map_set_sha256() const {
  return Sha256Hex(map_set_bytes());
}

InputRecord MakeRecord(const std::string& record_id, std::int64_t revision, const std::string& mrn) {
  InputRecord record;
  record.site = "pain-clinic";
  record.record_id = record_id;
  record.revision = revision;
  record.status = "completed";
  record.mrn = mrn;
  record.bytes = record_id + " " + std::to_string(revision) + " " + mrn;
  record.content_sha256 = Sha256Hex(record.bytes);
  return record;
}

Submission MakeSubmission(std::vector<InputRecord> records) {
  Submission submission;
  submission.source = "test";
  submission.actor.kind = ActorKind::kCredential;
  submission.actor.id = "clinic";
  submission.records = std::move(records);
  return submission;
}

std::unique_ptr<outbox::SqliteBackend> OpenBackendAt(storage::SqliteStoreSettings settings) {
  auto backend = outbox::OpenSqliteBackend(std::move(settings), SystemRandom());
  EXPECT_TRUE(backend) << (backend ? "" : ToString(backend.error()));
  return backend ? std::move(*backend) : nullptr;
}

void PipelineTest::Open() {
  storage::SqliteStoreSettings settings;
  settings.path = StorePath();
  backend_ = OpenBackendAt(std::move(settings));
}

void PipelineTest::Close() {
  backend_.reset();
}

outbox::QueueStatistics PipelineTest::Statistics() {
  auto statistics = storage::ReadValue<outbox::QueueStatistics>(
      *backend_->store, [&](storage::Snapshot& snapshot) { return backend_->queue.Statistics(snapshot); });
  EXPECT_TRUE(statistics);
  return statistics ? *statistics : outbox::QueueStatistics{};
}

std::vector<outbox::RevisionState> PipelineTest::Revisions(const std::string& record_id) {
  auto revisions = storage::ReadValue<std::vector<outbox::RevisionState>>(
      *backend_->store, [&](storage::Snapshot& snapshot) {
        return backend_->queue.Revisions(snapshot, "pain-clinic", record_id);
      });
  EXPECT_TRUE(revisions);
  return revisions ? std::move(*revisions) : std::vector<outbox::RevisionState>{};
}

std::vector<std::string> PipelineTest::DeliverAll() {
  std::vector<std::string> order;
  while (true) {
    const outbox::ClaimRequest request{"sender", "http://server.example/fhir", SystemClock().Now(),
                                       60'000'000, 32};
    auto items = storage::WriteValue<std::vector<outbox::WorkItem>>(
        *backend_->store,
        [&](storage::Transaction& transaction) { return backend_->outbox.Claim(transaction, request); });
    EXPECT_TRUE(items);
    if (!items || items->empty()) return order;
    for (const outbox::WorkItem& item : *items) {
      order.push_back(item.record_id + "/" + std::to_string(item.revision));
      outbox::DeliveryReport report;
      report.id = item.id;
      report.lease = item.lease;
      for (const outbox::IntendedResource& resource : item.resources) {
        report.writes.push_back(outbox::ResourceWrite{resource.key,
                                                      "id-" + resource.key.value,
                                                      "1",
                                                      "W/\"1\"",
                                                      resource.json,
                                                      resource.sha256,
                                                      false,
                                                      false,
                                                      {},
                                                      {}});
      }
      EXPECT_TRUE(storage::Write(*backend_->store, [&](storage::Transaction& transaction) -> Result<void> {
        ADAPTER_CHECK(backend_->outbox.Complete(transaction, report, SystemClock().Now()));
        return {};
      }));
    }
  }
}

}  // namespace fhir_adapter::pipeline
