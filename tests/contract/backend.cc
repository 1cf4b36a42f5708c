#include "backend.h"

#include "core/digest.h"
#include "outbox/sqlite/sqlite_backend.h"

namespace fhir_adapter::test {
namespace {

constexpr char kEndpoint[] = "http://server.example/fhir";
constexpr char kMapSet[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

class OpenSqlite final : public OpenBackend {
 public:
  explicit OpenSqlite(std::unique_ptr<outbox::SqliteBackend> backend) : backend_(std::move(backend)) {}
  storage::Store& store() override { return *backend_->store; }
  audit::AuditLog& log() override { return backend_->log; }
  audit::AuditTree& tree() override { return backend_->tree; }
  outbox::Inbox& inbox() override { return backend_->inbox; }
  outbox::Outbox& outbox() override { return backend_->outbox; }
  outbox::QueueReader& queue() override { return backend_->queue; }
  outbox::SourceMarks& sources() override { return backend_->sources; }
  outbox::StoredRecords& records() override { return backend_->records; }
  outbox::TraceReader& trace() override { return backend_->trace; }
  outbox::Erasures& erasures() override { return backend_->erasures; }
  outbox::Retention& retention() override { return backend_->retention; }
  outbox::ReceivedMessages& messages() override { return backend_->messages; }

 private:
  std::unique_ptr<outbox::SqliteBackend> backend_;
};

std::unique_ptr<OpenBackend> OpenSqliteIn(const std::string& directory, Random& random) {
  storage::SqliteStoreSettings settings;
  settings.path = directory + "/adapter.db";
  auto backend = outbox::OpenSqliteBackend(std::move(settings), random);
  EXPECT_TRUE(backend) << (backend ? "" : ToString(backend.error()));
  return backend ? std::make_unique<OpenSqlite>(std::move(*backend)) : nullptr;
}

}  // namespace

std::vector<BackendKind> AllBackends() {
  return {BackendKind{"Sqlite", OpenSqliteIn}};
}

std::string NameOfBackend(const ::testing::TestParamInfo<BackendKind>& kind) {
  return kind.param.name;
}

ContractTest::ContractTest() {
  Reopen();
}

void ContractTest::Reopen() {
  backend_.reset();
  backend_ = GetParam().open(directory_.path().string(), random_);
}

outbox::NewRecord ContractTest::Record(const std::string& record_id, std::int64_t revision,
                                       const std::string& mrn) {
  outbox::NewRecord record;
  record.source = "http";
  record.actor.kind = ActorKind::kCredential;
  record.actor.id = "clinic";
  record.actor.authentication = "token";
  record.site = "pain-clinic";
  record.record_id = record_id;
  record.revision = revision;
  record.status = revision == 1 ? "completed" : "corrected";
  record.mrn = mrn;
  record.bytes = record_id + "/" + std::to_string(revision) + "/" + mrn;
  record.content_sha256 = Sha256Hex(record.bytes);
  return record;
}

outbox::Accepted ContractTest::Accept(const outbox::NewRecord& record) {
  return Written<outbox::Accepted>(
      [&](storage::Transaction& transaction) { return inbox().Accept(transaction, record, now()); });
}

outbox::IntendedResource ContractTest::Resource(const std::string& value, const std::string& content) {
  outbox::IntendedResource resource;
  resource.key = outbox::ResourceKey{"Procedure", "https://clinic.example/fhir/sid/it-procedure", value};
  resource.uuid = "00000000-0000-5000-8000-000000000000";
  resource.json = content;
  resource.sha256 = Sha256Hex(content);
  return resource;
}

outbox::MappingResult ContractTest::Mapped(const outbox::WorkId& id) {
  const auto task = Seen<outbox::MappingTask>(
      [&](storage::Snapshot& snapshot) { return inbox().LoadMapping(snapshot, id); });
  outbox::MappingResult result;
  result.id = id;
  result.facts_version = task.facts_version;
  result.map_set_sha256 = kMapSet;
  result.map_id = "procedure-record";
  result.map_version = "1.0.0";
  result.engine = "test";
  result.recorded = "2014-05-06T21:10:00+09:00";
  std::string value = task.subject_key;
  if (task.facts.patient_generation > 1) value += ".p" + std::to_string(task.facts.patient_generation);
  result.resources.push_back(Resource(value, "{\"revision\":" + std::to_string(task.revision) + "}"));
  return result;
}

outbox::MappingOutcome ContractTest::CompleteMapping(const outbox::MappingResult& result) {
  return Written<outbox::MappingOutcome>(
      [&](storage::Transaction& transaction) -> Result<outbox::MappingOutcome> {
        ADAPTER_CHECK(inbox().StoreMapSet(transaction, kMapSet, "maps", now()));
        return inbox().CompleteMapping(transaction, result, now());
      });
}

outbox::WorkId ContractTest::Queue(const std::string& record_id, std::int64_t revision,
                                   const std::string& mrn) {
  const outbox::WorkId id{Accept(record_id, revision, mrn).receipt};
  CompleteMapping(Mapped(id));
  return id;
}

void ContractTest::MapAll() {
  while (true) {
    const auto pending = Seen<std::vector<outbox::PendingMapping>>(
        [&](storage::Snapshot& snapshot) { return inbox().Pending(snapshot, {}, 100); });
    if (pending.empty()) return;
    for (const outbox::PendingMapping& item : pending) CompleteMapping(Mapped(item.id));
  }
}

std::vector<outbox::WorkItem> ContractTest::Claim(std::size_t items_max, const std::string& owner,
                                                  std::int64_t lease_s) {
  return Written<std::vector<outbox::WorkItem>>([&](storage::Transaction& transaction) {
    return outbox().Claim(transaction,
                          outbox::ClaimRequest{owner, kEndpoint, now(), lease_s * 1'000'000, items_max});
  });
}

std::optional<outbox::WorkItem> ContractTest::ClaimOne() {
  auto items = Claim(1);
  if (items.empty()) return std::nullopt;
  return std::move(items.front());
}

outbox::DeliveryReport ContractTest::Report(const outbox::WorkItem& item, outbox::DeliveryOutcome outcome,
                                            std::optional<Code> reason) {
  outbox::DeliveryReport report;
  report.id = item.id;
  report.lease = item.lease;
  report.outcome = outcome;
  report.operation = "transaction";
  if (reason) report.reasons.push_back(outbox::Reason{*reason, "/entry/0", "said the server"});
  return report;
}

outbox::DeliveryReport ContractTest::Delivered(const outbox::WorkItem& item) {
  auto report = Report(item, outbox::DeliveryOutcome::kDelivered);
  report.http_status = 200;
  for (const outbox::IntendedResource& resource : item.resources) {
    report.writes.push_back(outbox::ResourceWrite{resource.key,
                                                  "srv-" + resource.key.value,
                                                  std::to_string(item.revision),
                                                  "W/\"1\"",
                                                  resource.json,
                                                  resource.sha256,
                                                  false,
                                                  false,
                                                  {},
                                                  {}});
  }
  return report;
}

outbox::WorkState ContractTest::Complete(const outbox::DeliveryReport& report) {
  return Written<outbox::WorkState>(
      [&](storage::Transaction& transaction) { return outbox().Complete(transaction, report, now()); });
}

outbox::WorkState ContractTest::StateOf(const outbox::WorkId& id) {
  return Seen<outbox::QueueDetail>([&](storage::Snapshot& snapshot) { return queue().Show(snapshot, id); })
      .entry.state;
}

outbox::WorkState ContractTest::StateOf(const std::string& record_id, std::int64_t revision) {
  const auto revisions = Seen<std::vector<outbox::RevisionState>>(
      [&](storage::Snapshot& snapshot) { return queue().Revisions(snapshot, "pain-clinic", record_id); });
  for (const outbox::RevisionState& state : revisions) {
    if (state.revision == revision) return state.state;
  }
  ADD_FAILURE() << "there is no revision " << revision;
  return outbox::WorkState::kRejected;
}

outbox::Change ContractTest::Operator(const std::string& reason) const {
  outbox::Change change;
  change.actor.kind = ActorKind::kLocalUser;
  change.actor.id = "uid:1000";
  change.actor.roles = {Role::kOperator};
  change.actor.authentication = "peer-credentials";
  change.reason = reason;
  change.now = now();
  return change;
}

std::vector<std::string> ContractTest::EventsOf(const std::string& record_id) {
  std::vector<std::string> events;
  const auto read = [&](storage::Snapshot& snapshot) {
    return log().ForEachOfTrace(snapshot, audit::TraceOfSubject(outbox::SubjectKey("pain-clinic", record_id)),
                                [&](audit::Sequence, std::string_view bytes) {
                                  static constexpr std::string_view kMark = "\"event\":\"";
                                  const std::size_t begin = bytes.find(kMark) + kMark.size();
                                  events.emplace_back(bytes.substr(begin, bytes.find('"', begin) - begin));
                                  return true;
                                });
  };
  EXPECT_TRUE(store().Read(read));
  return events;
}

std::vector<std::string> ContractTest::EntriesOf(const std::string& record_id, const std::string& event) {
  std::vector<std::string> entries;
  const auto read = [&](storage::Snapshot& snapshot) {
    return log().ForEachOfTrace(snapshot, audit::TraceOfSubject(outbox::SubjectKey("pain-clinic", record_id)),
                                [&](audit::Sequence, std::string_view bytes) {
                                  if (bytes.find("\"event\":\"" + event + "\"") != std::string_view::npos) {
                                    entries.emplace_back(bytes);
                                  }
                                  return true;
                                });
  };
  EXPECT_TRUE(store().Read(read));
  return entries;
}

}  // namespace fhir_adapter::test
