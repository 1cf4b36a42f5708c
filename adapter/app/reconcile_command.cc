// `fhir-adapter reconcile`: is on the server what should be there, and nothing else of ours?
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <future>
#include <thread>
#include <utility>

#include "app/change_call.h"
#include "app/commands.h"
#include "app/endpoint_setup.h"
#include "app/local_user.h"
#include "app/reconcile_changes.h"
#include "app/reconcile_state.h"
#include "app/since_option.h"
#include "core/digest.h"
#include "core/fault_point.h"
#include "core/limits.h"
#include "outbox/inbox.h"

namespace fhir_adapter::app {
namespace {

Result<void> CheckOptions(const ReconcileOptions& options, bool sending_is_stopped) {
  if ((options.repair || options.adopt) && options.reason.empty()) {
    return Fail(Code::kUsage, "--repair and --adopt need --reason");
  }
  if (options.adopt && (!options.since.empty() || !options.patient.empty())) {
    return Fail(Code::kUsage, "--adopt is for the whole store: without --since and --patient");
  }
  if (options.adopt && !sending_is_stopped) {
    return Fail(Code::kUsage, "--adopt is for a store that was restored; this one sends");
  }
  if (options.repair && sending_is_stopped) {
    return Fail(Code::kUsage, "nothing is sent since the restore: first reconcile --adopt --reason …");
  }
  return {};
}

Result<bool> IsSendingStopped(outbox::SqliteBackend& backend) {
  return storage::ReadValue<bool>(*backend.store, [&](storage::Snapshot& snapshot) -> Result<bool> {
    ADAPTER_TRY(const outbox::QueueStatistics statistics, backend.queue.Statistics(snapshot));
    return statistics.sending_stopped;
  });
}

sync::ReconcileSettings SettingsOf(const Configuration& configuration, const ReconcileOptions& options,
                                   std::optional<TimeUs> since) {
  sync::ReconcileSettings settings;
  settings.endpoint = configuration.endpoint.base_url;
  settings.canonical_base = configuration.site.canonical_base;
  settings.patient_identifier_system = configuration.PatientIdentifierSystem();
  settings.mrn = options.patient;
  settings.since = since;
  settings.wants_newer = options.adopt;
  std::vector<std::string> sites = configuration.site.accept;
  sites.push_back(configuration.site.id);
  for (const std::string& site : sites) {
    std::string key = outbox::SubjectKey(site, "");  // as the site stands in identifiers
    key.pop_back();
    settings.sites.push_back(std::move(key));
  }
  return settings;
}

std::string ScopeOf(const Configuration& configuration, const ReconcileOptions& options) {
  return Sha256Hex(configuration.endpoint.base_url + "\n" + options.since + "\n" + options.patient + "\n" +
                   (options.adopt ? "adopt" : ""));
}

void SleepForReal(std::int64_t us) {
  std::this_thread::sleep_for(std::chrono::microseconds(us));
}

class Run {
 public:
  Run(const Configuration& configuration, const ReconcileOptions& options, const Streams& streams, bool json)
      : configuration_(configuration), options_(options), streams_(streams), json_(json) {
    file_ = configuration.StorePath() + ".reconcile";
  }

  // All pages that are left.
  Result<void> Read(sync::Reconciler& reconciler) {
    state_ = LoadReconcileState(file_, ScopeOf(configuration_, options_));
    if (state_.progress.resources > 0) {
      streams_.err << "going on after " << state_.progress.resources << " resources\n";
    }
    while (state_.progress.phase != sync::ReconcileProgress::Phase::kDone) {
      ADAPTER_TRY(sync::ReconcilePage page, reconciler.Next(state_.progress));
      if (options_.adopt && !page.newer.empty()) ADAPTER_CHECK(Adopt(std::move(page.newer)));
      for (sync::Difference& difference : page.differences) Take(std::move(difference));
      ADAPTER_CHECK(SaveReconcileState(file_, state_));
      ADAPTER_FAULT_POINT("reconcile-page-read");
      if (streams_.err_is_terminal) {
        streams_.err << "\r" << state_.progress.resources << " resources, " << state_.differences.size()
                     << " differences" << std::flush;
      }
    }
    if (streams_.err_is_terminal) streams_.err << "\n";
    return {};
  }

  void Print() const {
    std::size_t counts[4] = {};
    for (const sync::Difference& difference : state_.differences) {
      ++counts[static_cast<std::size_t>(difference.kind)];
      if (json_) {
        streams_.out << ToJson(difference) << "\n";
        continue;
      }
      streams_.out << Name(difference.kind) << " " << difference.url << " " << difference.key.system << "|"
                   << difference.key.value;
      for (const std::string& path : difference.paths) streams_.out << " " << path;
      streams_.out << "\n";
    }
    streams_.err << state_.progress.resources << " resources: " << counts[0] << " missing, " << counts[1]
                 << " changed, " << counts[2] << " duplicate, " << counts[3] << " orphaned\n";
    if (options_.adopt) streams_.err << adopted_ << " newer versions adopted\n";
  }

  // Asked for changes; exit code.
  Result<int> Finish() {
    int status = state_.differences.empty() ? kExitDone : kExitRejected;
    if (options_.repair) {
      ReconcileChange change;
      change.reason = options_.reason;
      change.repairs = RepairsOf(configuration_.endpoint.base_url, state_.differences);
      if (!change.repairs.empty()) {
        ADAPTER_TRY(const bool all, Make(std::move(change)));
        if (!all) status = kExitRejected;
      }
    }
    if (options_.adopt) {
      ADAPTER_TRY(const auto resumed,
                  MakeChange(configuration_, QueueChange{kResume, {}, options_.reason, {}, {}}));
      if (!ReportFailed(resumed, streams_)) return static_cast<int>(kExitRejected);
      streams_.err << "sending goes on\n";
    }
    std::error_code ignored;  // what is left behind is begun anew or gone on with
    std::filesystem::remove(file_, ignored);
    return status;
  }

 private:
  void Take(sync::Difference difference) {
    const bool is_known = std::ranges::any_of(state_.differences, [&](const sync::Difference& other) {
      return other.kind == difference.kind && other.key == difference.key && other.url == difference.url;
    });
    if (!is_known) state_.differences.push_back(std::move(difference));
  }

  Result<void> Adopt(std::vector<outbox::Adoption> adoptions) {
    for (const outbox::Adoption& adoption : adoptions) adopted_ += adoption.versions.size();
    ReconcileChange change;
    change.reason = options_.reason;
    change.adoptions = std::move(adoptions);
    ADAPTER_TRY(const bool all, Make(std::move(change)));
    if (!all) return Fail(Code::kNotAllowed, "newer versions could not be adopted: sending stays stopped");
    return {};
  }

  Result<bool> Make(ReconcileChange change) {
    const std::string body = ToJson(change);
    ADAPTER_TRY(const auto results,
                MakeChange(configuration_, "/control/reconcile", body,
                           [&change](outbox::SqliteBackend& backend, QueueChangeDone done) {
                             ApplyReconcileChange(std::move(change), LocalUser(), SystemClock().Now(),
                                                  *backend.store, backend.outbox, std::move(done));
                           }));
    return ReportFailed(results, streams_);
  }

  const Configuration& configuration_;
  const ReconcileOptions& options_;
  const Streams& streams_;
  const bool json_;
  std::string file_;
  ReconcileState state_;
  std::size_t adopted_ = 0;
};

Result<int> Reconcile(const Configuration& configuration, const ReconcileOptions& options, bool json,
                      const Streams& streams) {
  if (configuration.endpoint.base_url.empty()) {
    return Fail(Code::kConfiguration, "[endpoint] base_url is empty: there is no server to compare with");
  }
  ADAPTER_TRY(const std::optional<TimeUs> since, ParseSince(options.since));
  Run run(configuration, options, streams, json);
  {
    ADAPTER_TRY(const auto backend,
                outbox::OpenSqliteBackendReadOnly(StoreSettings(configuration), SystemRandom()));
    ADAPTER_TRY(const bool is_stopped, IsSendingStopped(*backend));
    ADAPTER_CHECK(CheckOptions(options, is_stopped));
    ADAPTER_TRY(const auto curl, sync::CurlClient::Make(ClientSettingsOf(configuration)));
    sync::PacedClient client(*curl, SystemClock(), limits::kPacedRequestsPerSecondMax);
    sync::Reconciler reconciler(client, *backend->store, backend->queue, SystemClock(), &SleepForReal,
                                SettingsOf(configuration, options, since));
    ADAPTER_CHECK(run.Read(reconciler));
  }
  run.Print();
  return run.Finish();
}

}  // namespace

int RunReconcile(const GlobalOptions& global, const ReconcileOptions& options, const Streams& streams) {
  const auto configuration = ConfigurationOf(global);
  if (!configuration) return Report(configuration.error(), streams);
  const auto status = Reconcile(*configuration, options, global.json, streams);
  return status ? *status : Report(status.error(), streams);
}

}  // namespace fhir_adapter::app
