#include "app/daemon.h"

#include <algorithm>
#include <atomic>
#include <climits>
#include <cstdio>
#include <filesystem>
#include <map>
#include <mutex>
#include <unistd.h>
#include <utility>

#include "app/access_notes.h"
#include "app/alert_book.h"
#include "app/alert_command.h"
#include "app/audit_setup.h"
#include "app/columns_file.h"
#include "app/control_socket.h"
#include "app/endpoint_setup.h"
#include "app/endpoint_state.h"
#include "app/jwt_access.h"
#include "app/listener_security.h"
#include "app/maps_in_force.h"
#include "app/mllp_setup.h"
#include "app/read_notes.h"
#include "app/record_eraser.h"
#include "app/remap_changes.h"
#include "app/retention_thread.h"
#include "app/service_routes.h"
#include "app/sql_setup.h"
#include "app/sync_metrics.h"
#include "app/time_zone_file.h"
#include "app/token_book.h"
#include "app/token_changes.h"
#include "app/version.h"
#include "core/limits.h"
#include "core/log.h"
#include "intake/directory_source.h"
#include "intake/observation_routes.h"
#include "intake/operation_outcome.h"
#include "intake/record_routes.h"
#include "intake/sql_source.h"
#include "net/http_server.h"
#include "outbox/sqlite/configuration_record.h"
#include "outbox/sqlite/sqlite_backend.h"
#include "pipeline/mapping_pool.h"
#include "pipeline/push_receiver.h"
#include "pipeline/shared_record_mapper.h"
#include "sync/curl_client.h"
#include "sync/sync_worker.h"

namespace fhir_adapter::app {
namespace {

constexpr std::int64_t kMicrosecondsPerSecond = 1'000'000;
constexpr std::int64_t kMicrosecondsPerHour = 3'600 * kMicrosecondsPerSecond;
constexpr std::int64_t kRepeatsIntervalUs = 60 * kMicrosecondsPerSecond;
constexpr std::int64_t kStalledUs = kMicrosecondsPerHour;  // then somebody should look why

std::string HostName() {
  char name[HOST_NAME_MAX + 1] = {};
  return gethostname(name, sizeof name - 1) == 0 && name[0] != '\0' ? name : "localhost";
}

sync::SyncSettings SyncSettingsOf(const Configuration& configuration) {
  const Configuration::Endpoint& endpoint = configuration.endpoint;
  sync::SyncSettings settings;
  char owner[20];
  std::snprintf(owner, sizeof owner, "%016llx", static_cast<unsigned long long>(SystemRandom().Next()));
  settings.owner = owner;
  settings.endpoint = endpoint.base_url;
  settings.canonical_base = configuration.site.canonical_base;
  settings.patient_identifier_system = configuration.PatientIdentifierSystem();
  settings.retry.retry_min_us = endpoint.retry_min_s * kMicrosecondsPerSecond;
  settings.retry.retry_max_us = endpoint.retry_max_s * kMicrosecondsPerSecond;
  settings.retry.budget_us = endpoint.retry_budget_h * kMicrosecondsPerHour;
  settings.connections_max = static_cast<std::size_t>(endpoint.connections_max);
  for (int rung = 0; rung < sync::kRungs; ++rung) {
    const auto one = static_cast<sync::Rung>(rung);
    if (endpoint.profile == sync::Name(one)) settings.rung = one;
  }
  settings.audit_events = endpoint.audit_events == "on";
  settings.client = HostName();
  settings.rematch_us = endpoint.rematch_s * kMicrosecondsPerSecond;
  return settings;
}

Result<audit::Sequence> AppendEvent(outbox::SqliteBackend& backend, audit::EventKind event,
                                    const std::string& map_set) {
  audit::Entry entry;
  entry.event = event;
  entry.mapping = audit::MappingReference{"", "", map_set, ""};
  return AppendProgramEvent(backend, std::move(entry));
}

Result<void> AppendAll(audit::AuditLog& log, storage::Transaction& transaction,
                       const std::vector<audit::Entry>& entries) {
  for (const audit::Entry& entry : entries) ADAPTER_CHECK(log.Append(transaction, entry));
  return {};
}

}  // namespace

// Members are destroyed in the opposite order: listeners first, the store last.
struct Daemon::Parts {
  explicit Parts(Configuration settings)
      : configuration(std::move(settings)),
        alert_command(configuration.alert.command),
        alerts(SystemClock(), [this](const Alert& alert) { alert_command.Run(alert); }) {}

  Result<void> OpenStore();
  Result<void> NoteConfiguration();
  void StartNotes();
  void LookForRepeats();
  void NoteRepeats(std::int64_t quiet_us);
  Result<void> StartSending();
  void StartRetention();
  Result<void> StartListening();
  Result<void> StartMllp();
  Result<void> StartSources();
  Result<void> StartDirectory(const SourceSettings& settings, const record::RecordModel& model);
  Result<void> StartSql(const SourceSettings& settings, const record::RecordModel& model);
  SqlStatisticsList SqlStatistics() const;
  // What the records of a source with this map are read against.
  Result<const record::RecordModel*> ModelOf(const std::string& map);
  // Null for an empty name.
  Result<const record::TableLayout*> Table(const std::string& columns, const record::RecordModel& model);
  void WakeAll();
  Result<void> ReadTokens();
  ServiceRoutesContext Service();
  AlertBook::Troubles FindTroubles(const std::string& certificate);
  void AddListeners(MetricsPage& page) const;
  Result<void> StartAccess(net::HttpServerOptions& options);
  Result<Principal> Authenticate(const net::HttpRequest& head) const;

  Configuration configuration;
  AlertCommand alert_command;
  AlertBook alerts;
  // The set at start: intake reads records against its model for the life of the process.
  std::shared_ptr<const pipeline::MappingSet> first_set;
  std::vector<std::shared_ptr<const pipeline::MappingSet>> other_sets;  // of sources with another map
  // Of directories and http, by columns and the model that they are read against.
  std::map<std::pair<std::string, const record::RecordModel*>, std::unique_ptr<const record::TableLayout>>
      tables;
  std::vector<std::unique_ptr<const record::TableLayout>> sql_tables;
  std::unique_ptr<outbox::SqliteBackend> backend;
  std::unique_ptr<CheckpointThread> checkpoints;
  std::unique_ptr<WitnessThread> witness;  // null: none is configured
  std::unique_ptr<AccessNotes> notes;
  TokenBook tokens{SystemClock()};
  std::unique_ptr<JwtAccess> jwt;  // null: no access tokens of others
  std::vector<net::Route> routes;
  std::unique_ptr<pipeline::Receiver> receiver;
  std::unique_ptr<pipeline::PushReceiver> push_receiver;
  std::unique_ptr<pipeline::MappingPool> pool;
  std::unique_ptr<MapsInForce> maps;
  std::unique_ptr<sync::CurlClient> client;
  std::unique_ptr<sync::SyncWorker> worker;
  std::atomic<bool> draining{false};
  std::int64_t next_repeats_us = 0;  // of the main thread
  std::vector<std::unique_ptr<intake::DirectorySource>> sources;
  mutable std::mutex sql_sources_mutex;  // guards the next while it is filled: /metrics answers already
  std::vector<std::pair<std::string, std::unique_ptr<intake::SqlSource>>> sql_sources;  // by name
  std::unique_ptr<EraserThread> eraser;
  std::unique_ptr<RetentionThread> retention;
  std::shared_ptr<net::TlsContext> http_tls;  // shared with the listener; null: plain text
  std::unique_ptr<net::HttpServer> control;
  std::unique_ptr<net::HttpServer> http;
  std::unique_ptr<MllpDoor> mllp;  // null: HL7 v2 is not spoken
};

Result<void> Daemon::Parts::OpenStore() {
  storage::SqliteStoreSettings settings;
  settings.path = configuration.StorePath();
  settings.on_health = [](storage::Health health) {
    if (health == storage::Health::kReady) LogEvent(LogLevel::kInfo, "store-ready");
    if (health == storage::Health::kDiskFull) LogEvent(LogLevel::kError, "store-disk-full");
    if (health == storage::Health::kFailed) LogEvent(LogLevel::kError, "store-failed");
  };
  ADAPTER_TRY(backend, outbox::OpenSqliteBackend(std::move(settings), SystemRandom()));
  pipeline::Receiver::Settings receiver_settings;
  receiver_settings.sites = configuration.site.accept;
  receiver_settings.sites.push_back(configuration.site.id);
  receiver_settings.high_water = configuration.limits.high_water;
  receiver = std::make_unique<pipeline::Receiver>(*backend->store, backend->inbox, backend->queue,
                                                  SystemClock(), receiver_settings);
  pool = std::make_unique<pipeline::MappingPool>(*backend->store, backend->inbox, SystemClock(),
                                                 pipeline::MappingPool::Settings{});
  pool->SetMapper(std::make_shared<pipeline::SharedRecordMapper>(first_set));
  receiver->OnAccepted([this] { pool->Wake(); });
  const pipeline::PushReceiver::Ports ports{*backend->store, backend->inbox, backend->pushed,
                                            backend->queue,  SystemClock(),  SystemRandom()};
  push_receiver = std::make_unique<pipeline::PushReceiver>(
      ports, pipeline::PushReceiver::Settings{configuration.site.id, configuration.endpoint.base_url,
                                              configuration.limits.high_water});
  push_receiver->OnAccepted([this] { pool->Wake(); });
  return {};
}

Result<void> Daemon::Parts::NoteConfiguration() {
  return storage::Write(*backend->store, [this](storage::Transaction& transaction) {
    return outbox::RecordConfiguration(transaction, backend->log, configuration.sha256, SystemClock().Now());
  });
}

void Daemon::Parts::StartNotes() {
  const auto append = [this](std::vector<audit::Entry> entries, AccessNotes::Done done) {
    const auto write = [this, entries = std::move(entries)](storage::Transaction& transaction) {
      return AppendAll(backend->log, transaction, entries);
    };
    backend->store->Submit(write, std::move(done));
  };
  notes = std::make_unique<AccessNotes>(configuration.site.id, SystemClock(), append);
}

// What came again and has no entry yet, of records for which the last entry is so old.
void Daemon::Parts::NoteRepeats(std::int64_t quiet_us) {
  const TimeUs now = SystemClock().Now();
  backend->store->Submit(
      [this, now, quiet_us](storage::Transaction& transaction) {
        const TimeUs before{now.us - quiet_us};
        const auto noted = backend->inbox.NoteRepeats(transaction, before, now);
        return noted ? backend->messages.NoteRepeats(transaction, before, now) : noted;
      },
      [](const Result<void>& done) {
        if (!done) LogEvent(LogLevel::kError, "repeats-not-noted", {{"code", Name(done.error().code)}});
      });
}

void Daemon::Parts::LookForRepeats() {
  const std::int64_t now_us = SystemClock().MonotonicUs();
  if (now_us < next_repeats_us) return;
  next_repeats_us = now_us + kRepeatsIntervalUs;
  NoteRepeats(limits::kRepeatWindowSeconds * kMicrosecondsPerSecond);
}

Result<void> Daemon::Parts::StartSending() {
  if (configuration.endpoint.base_url.empty()) {
    pool->Start();
    return {};
  }
  ADAPTER_TRY(client, sync::CurlClient::Make(ClientSettingsOf(configuration)));
  const sync::SyncPorts ports{*backend->store, backend->outbox, backend->queue,
                              *client,         SystemClock(),   SystemRandom()};
  worker = std::make_unique<sync::SyncWorker>(ports, SyncSettingsOf(configuration));
  pool->OnQueued([this] { worker->Wake(); });
  pool->Start();
  worker->Start();
  return {};
}

void Daemon::Parts::WakeAll() {
  pool->Wake();
  if (worker) worker->Wake();
}

ServiceRoutesContext Daemon::Parts::Service() {
  return {*backend->store, backend->queue, SystemClock(), configuration.limits.high_water, draining, {}};
}

AlertBook::Troubles Daemon::Parts::FindTroubles(const std::string& certificate) {
  AlertBook::Troubles troubles;
  const auto of = [&troubles](AlertKind kind) -> std::string& {
    return troubles[static_cast<std::size_t>(kind)];
  };
  of(AlertKind::kIntake) = NotReadyReason(Service());
  of(AlertKind::kCertificate) = certificate;
  for (const auto& [name, statistics] : SqlStatistics()) {
    if (statistics.has_trouble) of(AlertKind::kSource) = Name(statistics.trouble);
  }
  if (witness && witness->has_failed()) of(AlertKind::kAudit) = "audit-witness-failed";
  if (checkpoints->has_failed()) of(AlertKind::kAudit) = "audit-checkpoint-failed";
  if (worker) {
    const sync::SyncStatistics statistics = worker->statistics();
    if (statistics.has_trouble) of(AlertKind::kEndpoint) = Name(statistics.trouble);
  }
  const auto queue = storage::ReadValue<outbox::QueueStatistics>(
      *backend->store, [this](storage::Snapshot& snapshot) { return backend->queue.Statistics(snapshot); });
  if (!queue) return troubles;
  const TimeUs now = SystemClock().Now();
  if (queue->oldest_waiting && now.us - queue->oldest_waiting->us > kStalledUs) {
    of(AlertKind::kStalled) = queue->sending_stopped ? "stopped-since-restore" : "waiting-for-an-hour";
  }
  if (queue->Count(outbox::WorkState::kQuarantined) > 0) of(AlertKind::kQuarantined) = "needs-a-person";
  if (queue->Count(outbox::WorkState::kHeld) > queue->held_audit_events) of(AlertKind::kHeld) = "held";
  return troubles;
}

Result<void> Daemon::Parts::ReadTokens() {
  ADAPTER_TRY(const auto all, storage::ReadValue<std::vector<outbox::AccessToken>>(
                                  *backend->store, [this](storage::Snapshot& snapshot) {
                                    return backend->tokens.List(snapshot);
                                  }));
  tokens.Replace(all);
  return {};
}

Result<void> Daemon::Parts::StartAccess(net::HttpServerOptions& options) {
  if (configuration.auth.kind == "none") return {};
  options.on_exchange = [this](const net::HttpExchange& exchange, const net::HttpRequest& head) {
    notes->TakeExchange(exchange, head);
  };
  ADAPTER_CHECK(ReadTokens());
  if (configuration.auth.kind == "jwt") {
    ADAPTER_TRY(jwt, JwtAccess::Start(configuration, SystemClock()));
  }
  options.authenticate = [this](const net::HttpRequest& head) { return Authenticate(head); };
  return {};
}

// Tokens of our own have no dot.
Result<Principal> Daemon::Parts::Authenticate(const net::HttpRequest& head) const {
  ADAPTER_TRY(const std::string_view token, BearerToken(head));
  const bool is_jwt = token.find('.') != std::string_view::npos;
  return jwt && is_jwt ? jwt->Authenticate(token, head) : tokens.Authenticate(head);
}

void Daemon::Parts::AddListeners(MetricsPage& page) const {
  if (!http) return;
  page.Family("fhir_adapter_http_requests_throttled", "counter",
              "Requests answered with 429: their client sent more than requests_per_second_max.");
  page.Sample({}, http->throttled_requests());
  std::vector<ListenerTls> listeners;
  if (http_tls) listeners.push_back({"http", http_tls->ends_s(), http->failed_handshakes()});
  if (mllp) mllp->AddMetrics(page, listeners);
  AddListenerTls(page, listeners, SystemClock().Now());
}

Result<void> Daemon::Parts::StartListening() {
  ADAPTER_TRY(const record::TableLayout* table, Table(configuration.http.columns, first_set->model()));
  routes = intake::RecordRoutes(intake::RecordRoutesContext{first_set->model(), *receiver, *backend->store,
                                                            backend->queue, table, configuration.DefaultMap(),
                                                            configuration.endpoint.base_url});
  ServiceRoutesContext service = Service();
  service.add_metrics = [this](MetricsPage& page) {
    AddAlerts(page, alerts);
    if (worker) AddSync(page, worker->statistics());
    AddMaps(page, maps->statistics());
    AddSqlSources(page, SqlStatistics());
    AddDisk(page, retention->disk_use());
    AddListeners(page);
  };
  std::ranges::move(ServiceRoutes(service), std::back_inserter(routes));
  std::ranges::move(intake::ObservationRoutes(intake::ObservationRoutesContext{
                        first_set, *push_receiver, *backend->store, backend->pushed, ProgramVersion()}),
                    std::back_inserter(routes));
  ADAPTER_TRY(net::Router router, net::Router::Create(routes));
  net::HttpServerOptions options;
  ADAPTER_CHECK(StartAccess(options));
  options.render_problem = [](const net::HttpProblem& problem, std::string_view path) {
    const bool is_fhir = path == "/fhir" || path.starts_with("/fhir/");
    return is_fhir ? intake::OperationOutcomeResponse(problem) : net::ProblemResponse(problem);
  };
  ADAPTER_TRY(options.address, net::ParseListenAddress(configuration.http.listen));
  ADAPTER_TRY(http_tls, LoadHttpTls(configuration));
  options.tls = http_tls;
  options.limits.connections_max = static_cast<std::size_t>(configuration.http.connections_max);
  options.limits.connections_per_address_max =
      static_cast<std::size_t>(configuration.http.connections_per_address_max);
  options.limits.requests_per_second_max = configuration.http.requests_per_second_max;
  ADAPTER_TRY(http, net::HttpServer::Start(std::move(options), std::move(router)));

  std::vector<net::Route> control_routes =
      ControlRoutes(*backend->store, backend->outbox, SystemClock(), [this] { WakeAll(); });
  control_routes.push_back(TokenControlRoute(*backend->store, backend->tokens, SystemClock(), [this] {
    if (const auto read = ReadTokens(); !read) {
      LogEvent(LogLevel::kError, "tokens-not-read", {{"code", Name(read.error().code)}});
    }
  }));
  control_routes.push_back(ReadControlRoute(*notes));
  control_routes.push_back(RemapControlRoute(
      *backend->store, backend->records, SystemClock(), [this] { return maps->current()->name(); },
      [this] { WakeAll(); }));
  const auto layout_of = [this](const SourceSettings& source) -> Result<const record::TableLayout*> {
    ADAPTER_TRY(const record::RecordModel* model, ModelOf(source.map));
    return Table(source.columns, *model);
  };
  ADAPTER_TRY(auto folders, RecordFoldersOf(configuration, layout_of));
  eraser = std::make_unique<EraserThread>(ErasePorts{*backend, SystemClock(), configuration.site.id,
                                                     configuration.StorePath(), std::move(folders)});
  control_routes.push_back(EraseControlRoute(*eraser));
  control_routes.push_back(EndpointControlRoute([this] {
    return worker ? std::optional(worker->statistics()) : std::optional<sync::SyncStatistics>();
  }));
  ADAPTER_TRY(net::Router control_router, net::Router::Create(std::move(control_routes)));
  net::HttpServerOptions control_options;
  control_options.unix_socket_path = ControlSocketPath(configuration);
  ADAPTER_TRY(control, net::HttpServer::Start(std::move(control_options), std::move(control_router)));
  return {};
}

Result<void> Daemon::Parts::StartMllp() {
  if (configuration.mllp.listen.empty()) return {};
  ADAPTER_TRY(mllp, MllpDoor::Open(
                        configuration, {*backend, *receiver, *push_receiver},
                        [this] { return maps->current(); }, [this] { pool->Wake(); }));
  return {};
}

Result<const record::RecordModel*> Daemon::Parts::ModelOf(const std::string& map) {
  if (first_set->settings().map == map) return &first_set->model();
  const auto known = std::ranges::find(
      other_sets, map, [](const auto& set) -> const std::string& { return set->settings().map; });
  if (known != other_sets.end()) return &(*known)->model();
  std::vector<fml::Finding> findings;
  auto set = first_set->ForMap(map, findings);
  if (!set) return Fail(Code::kConfiguration, findings.back().message);
  other_sets.push_back(std::move(set));
  return &other_sets.back()->model();
}

Result<const record::TableLayout*> Daemon::Parts::Table(const std::string& columns,
                                                        const record::RecordModel& model) {
  if (columns.empty()) return nullptr;
  const auto known = tables.find({columns, &model});
  if (known != tables.end()) return known->second.get();
  ADAPTER_TRY(auto layout, LoadColumns(columns, configuration, model));
  return tables.emplace(std::pair(columns, &model), std::move(layout)).first->second.get();
}

void Daemon::Parts::StartRetention() {
  retention = std::make_unique<RetentionThread>(
      *backend->store, backend->retention, SystemClock(),
      RetentionSettings{configuration.retention.done_days, configuration.retention.record_days,
                        DiskPlacesOf(configuration)});
  retention->Start();
}

Result<void> Daemon::Parts::StartSources() {
  for (const SourceSettings& settings : configuration.sources) {
    ADAPTER_TRY(const record::RecordModel* model, ModelOf(settings.map));
    ADAPTER_CHECK(settings.kind == kSqlKind ? StartSql(settings, *model) : StartDirectory(settings, *model));
  }
  return {};
}

Result<void> Daemon::Parts::StartDirectory(const SourceSettings& settings, const record::RecordModel& model) {
  intake::DirectorySettings directory;
  directory.name = settings.name;
  directory.path = settings.path;
  directory.map = settings.map;
  ADAPTER_TRY(directory.table, Table(settings.columns, model));
  auto source = std::make_unique<intake::DirectorySource>(directory, model, *receiver);
  ADAPTER_CHECK(source->Start());
  sources.push_back(std::move(source));
  return {};
}

Result<void> Daemon::Parts::StartSql(const SourceSettings& settings, const record::RecordModel& model) {
  ADAPTER_TRY(auto layout, LoadSqlColumns(settings, configuration, model));
  sql_tables.push_back(std::move(layout));
  const intake::SqlSource::Ports ports{*backend->store, backend->sources, *receiver, SystemClock(),
                                       SystemRandom()};
  auto source = std::make_unique<intake::SqlSource>(
      SqlSettingsOf(settings, configuration, sql_tables.back().get()), model, ports);
  source->Start();
  const std::scoped_lock lock(sql_sources_mutex);
  sql_sources.emplace_back(settings.name, std::move(source));
  return {};
}

SqlStatisticsList Daemon::Parts::SqlStatistics() const {
  const std::scoped_lock lock(sql_sources_mutex);
  SqlStatisticsList list;
  for (const auto& [name, source] : sql_sources) list.emplace_back(name, source->statistics());
  return list;
}

Daemon::Daemon(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Daemon::~Daemon() = default;

Result<std::unique_ptr<Daemon>> Daemon::Start(const Configuration& configuration) {
  if (const auto zone = LoadTimeZone(configuration.site.time_zone); !zone) return Fail(zone.error());
  auto parts = std::make_unique<Parts>(configuration);
  ADAPTER_TRY(parts->maps, MapsInForce::Load(configuration));
  parts->first_set = parts->maps->current();
  ADAPTER_CHECK(parts->OpenStore());
  ADAPTER_TRY(parts->checkpoints, OpenAuditLog(configuration, *parts->backend));
  ADAPTER_TRY(const audit::Sequence started,
              AppendEvent(*parts->backend, audit::EventKind::kStarted, parts->first_set->name()));
  ADAPTER_CHECK(parts->NoteConfiguration());
  parts->StartNotes();
  parts->checkpoints->Start();
  ADAPTER_TRY(parts->witness, OpenWitness(configuration, *parts->backend));
  if (parts->witness) parts->witness->Start();
  parts->StartRetention();
  ADAPTER_CHECK(parts->StartSending());
  ADAPTER_CHECK(parts->StartListening());
  ADAPTER_CHECK(parts->StartMllp());
  ADAPTER_CHECK(parts->StartSources());
  parts->maps->Start(*parts->backend, started,
                     [pool = parts->pool.get()](std::shared_ptr<const pipeline::MappingSet> set) {
                       pool->SetMapper(std::make_shared<pipeline::SharedRecordMapper>(std::move(set)));
                     });
  return std::unique_ptr<Daemon>(new Daemon(std::move(parts)));
}

std::string Daemon::http_address() const {
  return parts_->configuration.HttpUrl(parts_->http->address());
}

std::string Daemon::mllp_address() const {
  return parts_->mllp ? parts_->mllp->address() : "";
}

const std::vector<net::Route>& Daemon::routes() const {
  return parts_->routes;
}

DaemonState Daemon::state() const {
  const bool failed = parts_->backend->store->health() == storage::Health::kFailed ||
                      parts_->pool->failed() || (parts_->worker && parts_->worker->failed());
  return failed ? DaemonState::kStoreFailed : DaemonState::kRunning;
}

void Daemon::LookForAlerts(const std::string& certificate) {
  parts_->alerts.Look(parts_->FindTroubles(certificate));
  parts_->notes->Look();
}

void Daemon::Reload() {
  parts_->maps->Ask();
  if (parts_->http_tls) ReloadTls(*parts_->http_tls);
  if (parts_->mllp) parts_->mllp->Reload();
  if (parts_->jwt) parts_->jwt->ReadKeysAgain();
  if (parts_->worker) parts_->worker->Rematch();
}

void Daemon::Look() {
  parts_->LookForRepeats();
  if (parts_->http_tls) ReloadTlsWhenChanged(*parts_->http_tls);
  if (parts_->mllp) parts_->mllp->Look();
}

bool Daemon::Stop(std::int64_t deadline_ms) {
  parts_->draining = true;
  parts_->maps->Stop();
  parts_->retention->Stop();
  for (const auto& source : parts_->sources) source->Stop();
  for (const auto& [name, source] : parts_->sql_sources) source->Stop();
  const bool acknowledged = !parts_->mllp || parts_->mllp->Drain(deadline_ms);
  const bool answered = parts_->http->Drain(deadline_ms) && acknowledged;
  parts_->control->Drain(deadline_ms);
  parts_->pool->Stop();
  const bool sent = !parts_->worker || parts_->worker->Drain(deadline_ms);
  parts_->notes->Close();
  parts_->NoteRepeats(0);
  const auto noted =
      AppendEvent(*parts_->backend, audit::EventKind::kStopped, parts_->maps->current()->name());
  const auto signed_last = parts_->checkpoints->Stop();
  if (parts_->witness) parts_->witness->Stop();
  return answered && sent && noted && signed_last;
}

}  // namespace fhir_adapter::app
