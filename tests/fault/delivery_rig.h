// DeliveryRig: a store, the delivery loop and a real FHIR server (the sandbox) behind a proxy that spoils the
// network. Time is the test's own: when nothing is under way it moves to what is due next, so that an outage
// of days takes moments.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "direct_server.h"
#include "fhir/node.h"
#include "outbox/sqlite/sqlite_backend.h"
#include "sandbox/sandbox.h"
#include "support/http_client.h"
#include "support/tcp_proxy.h"
#include "support/temporary_directory.h"
#include "sync/curl_client.h"
#include "sync/reconciler.h"
#include "sync/sync_loop.h"

namespace fhir_adapter::test {

class FakeClock final : public Clock {
 public:
  TimeUs Now() override { return TimeUs{us_}; }
  std::int64_t MonotonicUs() override { return us_; }
  void Advance(std::int64_t us) { us_ += us; }

 private:
  std::atomic<std::int64_t> us_{1'772'366'400'000'000};
};

class FakeRandom final : public Random {
 public:
  std::uint64_t Next() override { return ++state_ * 0x9E3779B97F4A7C15ULL; }

 private:
  std::atomic<std::uint64_t> state_{0};
};

// One resource of a record in the fewest words; references to `$key` become the fullUrl of that key.
struct Part {
  std::string type;
  std::string row;      // appended to the record's key; empty: the record's own
  std::string members;  // JSON members after identifier and subject
};

struct Record {
  std::string id = "r1";
  std::int64_t revision = 1;
  std::string mrn = "100";
  std::string status = "completed";
  std::vector<Part> parts;
  std::string sex;
  std::string birth_date;
  std::string bytes;  // as the clinic wrote it; empty: its id and revision
};

// A procedure, and an Observation of it that says this pain score.
std::vector<Part> ScoredParts(const std::string& score);

class DeliveryRig {
 public:
  struct Direct {
    sandbox::Behaviour behaviour;
  };
  explicit DeliveryRig(sandbox::Behaviour behaviour = {}, std::vector<std::string> faults = {});
  // Without sockets: what speaks of `server` or `proxy` below is not there.
  explicit DeliveryRig(Direct);
  ~DeliveryRig();

  // On the server, past the proxy.
  std::string AddPatient(const std::string& mrn, const std::string& members = "");  // its id
  HttpClient& server() { return server_; }
  // How many the server finds; `query` as in "Procedure?identifier=…".
  std::int64_t CountOnServer(const std::string& query);
  std::string OneOnServer(const std::string& query);  // the JSON of the only match
  static std::string Query(const std::string& type, const std::string& kind, const std::string& value);

  // Accepts and maps; returns its work.
  outbox::WorkId Submit(const Record& record);
  outbox::WorkState StateOf(const Record& record);
  std::vector<outbox::Reason> ReasonsOf(const outbox::WorkId& id);
  int AttemptsOf(const outbox::WorkId& id);
  outbox::QueueDetail Show(const outbox::WorkId& id);
  // As `queue release --ours|--theirs`, or without when there is no decision.
  Result<void> Release(const outbox::WorkId& id, std::optional<outbox::ConflictDecision> decision);
  // The entries of the record's audit log that are of this event, in order.
  std::vector<std::string> LogOf(const std::string& record_id, const std::string& event);
  // Somebody else replaces `from` by `to` in the only match; false when it does not occur.
  bool EditOnServer(const std::string& query, const std::string& from, const std::string& to);
  static std::string IdIn(const std::string& resource);
  outbox::QueueStatistics Statistics();
  std::vector<outbox::HeldPatient> HeldPatients();  // all, in the order of their keys

  // Bearer credentials from a file from now on; counts as a restart.
  void SetToken(const std::string& token);

  // As [endpoint] profile; counts as a restart.
  void FixRung(sync::Rung rung);

  // Puts something between the loop and its client; counts as a restart.
  using Wrap = std::function<std::unique_ptr<sync::FhirClient>(sync::FhirClient&)>;
  void WrapClient(Wrap wrap);
  // Changes the settings of every loop from now on; counts as a restart.
  void Configure(std::function<void(sync::SyncSettings&)> change);

  // A worker as after a start of the process; the store stays.
  void Restart();
  // Forgets the store: as a new installation beside an old server.
  void EmptyStore();
  // Runs until `done`, or fails the test after `deadline_ms` of real time.
  void RunUntil(const std::function<bool()>& done, std::int64_t deadline_ms = 20'000);
  void RunUntilState(const Record& record, outbox::WorkState state);
  // Until nothing is queued, sending, waiting or ambiguous.
  void RunUntilQuiet(std::int64_t deadline_ms = 20'000);
  // What differs between the ledger and the server, or the first error.
  Result<std::vector<sync::Difference>> Reconcile(int pages_max = 1'000);
  // Runs while `us` of the test's time pass.
  void RunFor(std::int64_t us);

  DirectServer& direct() { return *direct_; }
  outbox::SqliteBackend& backend() { return *backend_; }
  TcpProxy& proxy() { return *proxy_; }
  sync::SyncLoop& loop() { return *loop_; }
  FakeClock& clock() { return clock_; }
  sync::SyncStatistics statistics() { return loop_->statistics(); }
  void Order(ProxyFault fault) { proxy_->Order({fault, 0, 0}); }
  // The next requests of a first delivery go through: /metadata, the patient, the look for the record.
  void LetPass(int requests) {
    for (int i = 0; i < requests; ++i) Order(ProxyFault::kNone);
  }
  std::uint16_t server_port() const { return sandbox_->port(); }

 private:
  void OpenStore();
  void MakeClient();
  outbox::MappingResult Mapped(const outbox::MappingTask& task, const Record& record);

  TemporaryDirectory directory_;
  FakeClock clock_;
  FakeRandom random_;
  std::unique_ptr<sandbox::Sandbox> sandbox_;
  HttpClient server_;
  std::unique_ptr<TcpProxy> proxy_;
  std::unique_ptr<DirectServer> direct_;
  Wrap wrap_;
  std::function<void(sync::SyncSettings&)> configure_;
  std::string token_file_;
  std::optional<sync::Rung> rung_;
  int stores_ = 0;
  int patients_ = 0;
  std::unique_ptr<outbox::SqliteBackend> backend_;
  std::unique_ptr<sync::CurlClient> client_;
  std::unique_ptr<sync::FhirClient> wrapped_;
  std::unique_ptr<sync::SyncLoop> loop_;
};

inline const std::string kCanonicalBase = "https://clinic.example/fhir";
inline const std::string kMrnSystem = "https://clinic.example/fhir/sid/mrn";

}  // namespace fhir_adapter::test
