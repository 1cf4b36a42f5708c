#include "delivery_rig.h"

#include <algorithm>
#include <charconv>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "audit/audit_entry.h"
#include "core/digest.h"
#include "fhir/json_reader.h"
#include "sync/resource_content.h"
#include "sync/resource_identity.h"

namespace fhir_adapter::test {
namespace {

const std::string kMapSet(64, '0');

sandbox::SandboxOptions OptionsOf(sandbox::Behaviour behaviour, const std::vector<std::string>& faults) {
  sandbox::SandboxOptions options;
  options.address.port = 0;
  options.behaviour = behaviour;
  for (const std::string& text : faults) {
    auto fault = sandbox::ParseFault(text);
    EXPECT_TRUE(fault.has_value()) << text;
    if (fault) options.faults.push_back(*fault);
  }
  return options;
}

std::unique_ptr<sandbox::Sandbox> StartSandbox(sandbox::Behaviour behaviour,
                                               const std::vector<std::string>& faults) {
  auto started = sandbox::Sandbox::Start(OptionsOf(behaviour, faults));
  EXPECT_TRUE(started.has_value());
  return started ? std::move(*started) : nullptr;
}

std::string KindOf(const std::string& type) {
  if (type == "Procedure") return "it-procedure";
  if (type == "MedicationAdministration") return "it-administration";
  if (type == "AdverseEvent") return "it-adverse-event";
  if (type == "DetectedIssue") return "it-issue";
  return "it-observation";
}

std::string PatientMember(const std::string& type) {
  return type == "DetectedIssue" ? "patient" : "subject";
}

// `$Procedure:` + value becomes the fullUrl of that key.
std::string WithReferences(std::string members, const std::string& key) {
  for (std::size_t at = members.find("$$"); at != std::string::npos; at = members.find("$$")) {
    members.replace(at, 2, "urn:uuid:" + sync::UuidOf(kCanonicalBase + "/sid/it-procedure", key));
  }
  return members;
}

outbox::IntendedResource Resource(const Part& part, const std::string& key, const std::string& mrn) {
  outbox::IntendedResource resource;
  resource.key.type = part.type;
  resource.key.system = kCanonicalBase + "/sid/" + KindOf(part.type);
  resource.key.value = key + (part.row.empty() ? "" : "." + part.row);
  resource.uuid = sync::UuidOf(resource.key.system, resource.key.value);
  resource.has_identifier_search = sync::HasIdentifierSearch(part.type);
  const std::string identifier =
      R"({"system":")" + resource.key.system + R"(","value":")" + resource.key.value + "\"}";
  resource.json = R"({"resourceType":")" + part.type + "\"";
  if (!resource.has_identifier_search) resource.json += R"(,"id":")" + resource.uuid + "\"";
  resource.json += R"(,"identifier":)" + (part.type == "AdverseEvent" ? identifier : "[" + identifier + "]");
  resource.json += R"(,")" + PatientMember(part.type) + R"(":{"reference":"Patient?identifier=)" +
                   sync::SearchToken(kMrnSystem, mrn) + R"("},)" + WithReferences(part.members, key) + "}";
  resource.sha256 = Sha256Hex(resource.json);
  return resource;
}

outbox::IntendedResource Provenance(const std::string& key, std::int64_t revision) {
  outbox::IntendedResource resource;
  const std::string value = key + "." + std::to_string(revision);
  resource.key = {"Provenance", kCanonicalBase + "/sid/it-provenance", value};
  resource.uuid = sync::UuidOf(resource.key.system, value);
  resource.has_identifier_search = false;
  resource.json =
      R"({"resourceType":"Provenance","id":")" + resource.uuid +
      R"(","target":[{"display":"all"}],"recorded":"2026-03-01T12:00:00Z",)"
      R"("agent":[{"who":{"display":"adapter"}}],"entity":[{"role":"source","what":{"identifier":)"
      R"({"system":"https://clinic.example/fhir/sid/it-record","value":")" +
      value + R"("}}}]})";
  resource.sha256 = Sha256Hex(resource.json);
  return resource;
}

}  // namespace

std::vector<Part> ScoredParts(const std::string& score) {
  return {{"Procedure", "", R"("status":"completed")"},
          {"Observation", "pain.1",
           R"("status":"final","code":{"text":"pain"},"valueString":")" + score +
               R"(","partOf":[{"reference":"$$"}])"}};
}

DeliveryRig::DeliveryRig(sandbox::Behaviour behaviour, std::vector<std::string> faults)
    : sandbox_(StartSandbox(behaviour, faults)),
      server_(sandbox_->base_url()),
      proxy_(std::make_unique<TcpProxy>(sandbox_->port())) {
  OpenStore();
  Restart();
}

DeliveryRig::DeliveryRig(Direct direct)
    : server_("http://127.0.0.1:1"),
      direct_(std::make_unique<DirectServer>(clock_, random_, direct.behaviour)) {
  OpenStore();
  Restart();
}

DeliveryRig::~DeliveryRig() {
  loop_->StopClaiming();
  if (proxy_) proxy_->CloseConnections();
  RunUntil([this] { return loop_->idle(); });
}

void DeliveryRig::OpenStore() {
  storage::SqliteStoreSettings settings;
  settings.path = directory_.File("store" + std::to_string(++stores_) + ".db");
  settings.synchronous_full = direct_ == nullptr;  // many short deliveries; nothing here loses power
  auto opened = outbox::OpenSqliteBackend(std::move(settings), random_);
  ASSERT_TRUE(opened.has_value()) << ToString(opened.error());
  backend_ = std::move(*opened);
}

void DeliveryRig::Restart() {
  if (loop_) {
    loop_->StopClaiming();
    client_.reset();  // breaks off what is under way
    RunUntil([this] { return loop_->idle(); });
    loop_.reset();
    wrapped_.reset();
  }
  if (!direct_) MakeClient();
  sync::SyncSettings sync;
  sync.owner = "rig" + std::to_string(random_.Next());
  sync.endpoint = "http://server/fhir";
  sync.canonical_base = kCanonicalBase;
  sync.patient_identifier_system = kMrnSystem;
  sync.rung = rung_;
  if (configure_) configure_(sync);
  sync::FhirClient* client = direct_ ? static_cast<sync::FhirClient*>(direct_.get()) : client_.get();
  if (wrap_) {
    wrapped_ = wrap_(*client);
    client = wrapped_.get();
  }
  loop_ = std::make_unique<sync::SyncLoop>(
      sync::SyncPorts{*backend_->store, backend_->outbox, backend_->queue, *client, clock_, random_}, sync);
}

void DeliveryRig::MakeClient() {
  sync::CurlClientSettings settings;
  settings.base_url = "http://127.0.0.1:" + std::to_string(proxy_->port()) + "/fhir";
  settings.request_timeout_ms = 10'000;
  if (!token_file_.empty()) {
    settings.credentials.kind = sync::CredentialSettings::Kind::kBearer;
    settings.credentials.secret_file = token_file_;
  }
  auto made = sync::CurlClient::Make(settings);
  ASSERT_TRUE(made.has_value());
  client_ = std::move(*made);
}

void DeliveryRig::WrapClient(Wrap wrap) {
  wrap_ = std::move(wrap);
  Restart();
}

void DeliveryRig::Configure(std::function<void(sync::SyncSettings&)> change) {
  configure_ = std::move(change);
  Restart();
}

void DeliveryRig::SetToken(const std::string& token) {
  const bool is_first = token_file_.empty();
  token_file_ = directory_.Write("token", token);
  ASSERT_EQ(chmod(token_file_.c_str(), 0600), 0);
  if (is_first) Restart();
}

void DeliveryRig::FixRung(sync::Rung rung) {
  rung_ = rung;
  Restart();
}

void DeliveryRig::EmptyStore() {
  loop_->StopClaiming();
  RunUntil([this] { return loop_->idle(); });
  loop_.reset();
  backend_.reset();
  OpenStore();
  Restart();
}

std::string DeliveryRig::AddPatient(const std::string& mrn, const std::string& members) {
  const std::string begin = R"({"resourceType":"Patient",)";
  const std::string rest = R"("identifier":[{"system":")" + kMrnSystem + R"(","value":")" + mrn + "\"}]" +
                           (members.empty() ? "" : "," + members) + "}";
  if (direct_) return direct_->Post("Patient", begin + rest);
  // By PUT, since the faults of many a test are for what is POSTed.
  std::string id = "patient-" + std::to_string(++patients_);
  const HttpReply reply = server_.Put("/Patient/" + id, begin + "\"id\":\"" + id + "\"," + rest);
  EXPECT_EQ(reply.status, 201) << reply.body;
  return id;
}

std::string DeliveryRig::Query(const std::string& type, const std::string& kind, const std::string& value) {
  return type + "?identifier=" + sync::SearchToken(kCanonicalBase + "/sid/" + kind, value);
}

std::int64_t DeliveryRig::CountOnServer(const std::string& query) {
  const HttpReply reply = server_.Get("/" + query);
  Arena arena;
  const auto bundle = sync::ReadResource(reply.body, arena);
  EXPECT_TRUE(bundle.has_value()) << reply.body;
  const fhir::Node* total = bundle ? (*bundle)->Find("total") : nullptr;
  std::int64_t count = -1;
  if (total != nullptr) std::from_chars(total->text.data(), total->text.data() + total->text.size(), count);
  return count;
}

std::string DeliveryRig::OneOnServer(const std::string& query) {
  const HttpReply reply = server_.Get("/" + query);
  Arena arena;
  const auto bundle = sync::ReadResource(reply.body, arena);
  const fhir::Node* entries = bundle ? (*bundle)->Find("entry") : nullptr;
  EXPECT_TRUE(entries != nullptr && entries->items().size() == 1) << reply.body;
  if (entries == nullptr || entries->items().empty()) return {};
  return sync::WriteOrdered(*entries->items()[0]->Find("resource"));
}

outbox::WorkId DeliveryRig::Submit(const Record& record) {
  outbox::NewRecord accepted;
  accepted.source = "test";
  accepted.actor = SystemPrincipal();
  accepted.site = "clinic";
  accepted.record_id = record.id;
  accepted.revision = record.revision;
  accepted.status = record.status;
  accepted.mrn = record.mrn;
  accepted.bytes = record.bytes.empty() ? record.id + "/" + std::to_string(record.revision) : record.bytes;
  accepted.content_sha256 = Sha256Hex(accepted.bytes + record.mrn);
  const auto receipt =
      storage::WriteValue<outbox::Accepted>(*backend_->store, [&](storage::Transaction& transaction) {
        return backend_->inbox.Accept(transaction, accepted, clock_.Now());
      });
  EXPECT_TRUE(receipt.has_value()) << (receipt ? "" : ToString(receipt.error()));
  for (;;) {
    const auto pending = storage::ReadValue<std::vector<outbox::PendingMapping>>(
        *backend_->store,
        [&](storage::Snapshot& snapshot) { return backend_->inbox.Pending(snapshot, {}, 1); });
    if (!pending || pending->empty()) break;
    const outbox::WorkId id = pending->front().id;
    const auto task = storage::ReadValue<outbox::MappingTask>(
        *backend_->store,
        [&](storage::Snapshot& snapshot) { return backend_->inbox.LoadMapping(snapshot, id); });
    const auto outcome = storage::WriteValue<outbox::MappingOutcome>(
        *backend_->store, [&](storage::Transaction& transaction) -> Result<outbox::MappingOutcome> {
          ADAPTER_CHECK(backend_->inbox.StoreMapSet(transaction, kMapSet, "maps", clock_.Now()));
          return backend_->inbox.CompleteMapping(transaction, Mapped(*task, record), clock_.Now());
        });
    EXPECT_TRUE(outcome.has_value()) << (outcome ? "" : ToString(outcome.error()));
    if (!outcome) break;
  }
  loop_->Wake();
  return outbox::WorkId{receipt ? receipt->receipt : std::string()};
}

outbox::MappingResult DeliveryRig::Mapped(const outbox::MappingTask& task, const Record& record) {
  outbox::MappingResult result;
  result.id = task.id;
  result.facts_version = task.facts_version;
  result.map_set_sha256 = kMapSet;
  result.map_id = "test";
  result.map_version = "1";
  result.engine = "test";
  result.sex = record.sex;
  result.birth_date = record.birth_date;
  result.recorded = "2026-03-01T12:00:00Z";
  std::string key = task.subject_key;
  if (task.facts.patient_generation > 1) key += ".p" + std::to_string(task.facts.patient_generation);
  for (const Part& part : record.parts) result.resources.push_back(Resource(part, key, record.mrn));
  result.resources.push_back(Provenance(key, record.revision));
  return result;
}

outbox::WorkState DeliveryRig::StateOf(const Record& record) {
  const auto revisions = storage::ReadValue<std::vector<outbox::RevisionState>>(
      *backend_->store,
      [&](storage::Snapshot& snapshot) { return backend_->queue.Revisions(snapshot, "clinic", record.id); });
  if (!revisions) return outbox::WorkState::kRejected;
  for (const outbox::RevisionState& one : *revisions) {
    if (one.revision == record.revision) return one.state;
  }
  return outbox::WorkState::kRejected;
}

std::vector<outbox::Reason> DeliveryRig::ReasonsOf(const outbox::WorkId& id) {
  const auto detail = storage::ReadValue<outbox::QueueDetail>(
      *backend_->store, [&](storage::Snapshot& snapshot) { return backend_->queue.Show(snapshot, id); });
  return detail ? detail->entry.reasons : std::vector<outbox::Reason>();
}

int DeliveryRig::AttemptsOf(const outbox::WorkId& id) {
  const auto detail = storage::ReadValue<outbox::QueueDetail>(
      *backend_->store, [&](storage::Snapshot& snapshot) { return backend_->queue.Show(snapshot, id); });
  return detail ? detail->entry.attempts : -1;
}

outbox::QueueDetail DeliveryRig::Show(const outbox::WorkId& id) {
  auto detail = storage::ReadValue<outbox::QueueDetail>(
      *backend_->store, [&](storage::Snapshot& snapshot) { return backend_->queue.Show(snapshot, id); });
  EXPECT_TRUE(detail.has_value());
  return detail ? std::move(*detail) : outbox::QueueDetail{};
}

Result<void> DeliveryRig::Release(const outbox::WorkId& id,
                                  std::optional<outbox::ConflictDecision> decision) {
  Principal operator_of_test;
  operator_of_test.kind = ActorKind::kLocalUser;
  operator_of_test.id = "nurse";
  const outbox::Change change{operator_of_test, "looked at both", clock_.Now()};
  auto done = storage::Write(*backend_->store, [&](storage::Transaction& transaction) {
    return decision ? backend_->outbox.Decide(transaction, id, *decision, change)
                    : backend_->outbox.Release(transaction, id, change);
  });
  loop_->Wake();
  return done;
}

std::vector<std::string> DeliveryRig::LogOf(const std::string& record_id, const std::string& event) {
  std::vector<std::string> entries;
  const std::string mark = "\"event\":\"" + event + "\"";
  const auto read = backend_->store->Read([&](storage::Snapshot& snapshot) {
    return backend_->log.ForEachOfTrace(snapshot,
                                        audit::TraceOfSubject(outbox::SubjectKey("clinic", record_id)),
                                        [&](audit::Sequence, std::string_view bytes) {
                                          if (bytes.find(mark) != std::string_view::npos)
                                            entries.emplace_back(bytes);
                                          return true;
                                        });
  });
  EXPECT_TRUE(read.has_value());
  return entries;
}

std::string DeliveryRig::IdIn(const std::string& resource) {
  const std::size_t at = resource.find("\"id\":\"") + 6;
  return resource.substr(at, resource.find('"', at) - at);
}

bool DeliveryRig::EditOnServer(const std::string& query, const std::string& from, const std::string& to) {
  std::string resource = OneOnServer(query);
  const std::size_t at = resource.find(from);
  if (at == std::string::npos) return false;
  resource.replace(at, from.size(), to);
  const std::string type = query.substr(0, query.find('?'));
  const HttpReply reply = server_.Put("/" + type + "/" + IdIn(resource), resource);
  EXPECT_EQ(reply.status, 200) << reply.body;
  return reply.status == 200;
}

outbox::QueueStatistics DeliveryRig::Statistics() {
  const auto statistics = storage::ReadValue<outbox::QueueStatistics>(
      *backend_->store, [&](storage::Snapshot& snapshot) { return backend_->queue.Statistics(snapshot); });
  return statistics ? *statistics : outbox::QueueStatistics{};
}

std::vector<outbox::HeldPatient> DeliveryRig::HeldPatients() {
  const auto held = storage::ReadValue<std::vector<outbox::HeldPatient>>(
      *backend_->store,
      [&](storage::Snapshot& snapshot) { return backend_->queue.HeldPatients(snapshot, {}, 1'000'000); });
  return held ? *held : std::vector<outbox::HeldPatient>();
}

void DeliveryRig::RunUntil(const std::function<bool()>& done, std::int64_t deadline_ms) {
  const std::int64_t deadline_us = SystemClock().MonotonicUs() + deadline_ms * 1'000;
  while (!done()) {
    if (SystemClock().MonotonicUs() > deadline_us) {
      ADD_FAILURE() << "the deadline passed";
      return;
    }
    const std::int64_t wait_us = loop_->Step();
    if (loop_->idle()) {
      clock_.Advance(std::max<std::int64_t>(wait_us, 1'000));
    } else {
      loop_->Wait(20'000);
    }
  }
}

void DeliveryRig::RunUntilState(const Record& record, outbox::WorkState state) {
  RunUntil([&] { return StateOf(record) == state; });
  EXPECT_EQ(outbox::Name(StateOf(record)), outbox::Name(state));
}

void DeliveryRig::RunUntilQuiet(std::int64_t deadline_ms) {
  const auto is_quiet = [&] {
    const outbox::QueueStatistics statistics = Statistics();
    return loop_->idle() && statistics.Count(outbox::WorkState::kQueued) == 0 &&
           statistics.Count(outbox::WorkState::kSending) == 0 &&
           statistics.Count(outbox::WorkState::kRetry) == 0 &&
           statistics.Count(outbox::WorkState::kAmbiguous) == 0;
  };
  RunUntil(is_quiet, deadline_ms);
}

Result<std::vector<sync::Difference>> DeliveryRig::Reconcile(int pages_max) {
  sync::ReconcileSettings settings;
  settings.endpoint = "http://server/fhir";
  settings.canonical_base = kCanonicalBase;
  settings.sites = {"clinic"};
  settings.patient_identifier_system = kMrnSystem;
  settings.pages_max = pages_max;
  const auto sleep = [this](std::int64_t us) { clock_.Advance(us); };
  sync::CurlClientSettings direct;  // past the proxy: the server's links to further pages name its own port
  direct.base_url = sandbox_->base_url();
  ADAPTER_TRY(const std::unique_ptr<sync::CurlClient> curl, sync::CurlClient::Make(direct));
  sync::PacedClient client(*curl, clock_, 20, sleep);
  sync::Reconciler reconciler(client, *backend_->store, backend_->queue, clock_, sleep, settings);
  std::vector<sync::Difference> differences;
  sync::ReconcileProgress progress;
  while (progress.phase != sync::ReconcileProgress::Phase::kDone) {
    ADAPTER_TRY(const sync::ReconcilePage page, reconciler.Next(progress));
    differences.insert(differences.end(), page.differences.begin(), page.differences.end());
  }
  return differences;
}

void DeliveryRig::RunFor(std::int64_t us) {
  const TimeUs end{clock_.Now().us + us};
  RunUntil([&] { return clock_.Now() >= end; }, 60'000);
}

}  // namespace fhir_adapter::test
