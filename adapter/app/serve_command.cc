// `fhir-adapter serve`: the daemon in the foreground.
#include <algorithm>
#include <csignal>
#include <malloc.h>
#include <span>
#include <string>

#include "app/certificate_watch.h"
#include "app/commands.h"
#include "app/daemon.h"
#include "app/service_notification.h"
#include "app/signals.h"
#include "core/clock.h"
#include "core/log.h"

namespace fhir_adapter::app {
namespace {

constexpr std::int64_t kLookMs = 250;  // how soon a failed store is noticed
constexpr std::int64_t kMemoryTrimIntervalUs = 10'000'000;
constexpr std::int64_t kAlertIntervalUs = 1'000'000;

// Bursts of work leave free pages between pages in use, which the allocator would keep.
class MemoryTrim {
 public:
  void Look() {
    const std::int64_t now_us = SystemClock().MonotonicUs();
    if (now_us < next_us_) return;
    next_us_ = now_us + kMemoryTrimIntervalUs;
    malloc_trim(0);
  }

 private:
  std::int64_t next_us_ = 0;
};

// Now and then, since it asks the store.
class AlertWatch {
 public:
  AlertWatch(Daemon& daemon, std::span<const CertificateWatch> certificates)
      : daemon_(daemon), certificates_(certificates) {}
  void Look() {
    const std::int64_t now_us = SystemClock().MonotonicUs();
    if (now_us < next_us_) return;
    next_us_ = now_us + kAlertIntervalUs;
    std::string certificate;
    for (const CertificateWatch& watch : certificates_) {
      if (certificate.empty()) certificate = watch.trouble();
    }
    daemon_.LookForAlerts(certificate);
  }

 private:
  Daemon& daemon_;
  const std::span<const CertificateWatch> certificates_;
  std::int64_t next_us_ = 0;
};

// Runs until it is asked to stop or the store fails.
DaemonState RunUntilStopped(Daemon& daemon, std::span<CertificateWatch> certificates) {
  const std::int64_t watchdog_us = WatchdogIntervalUs();
  MemoryTrim memory;
  AlertWatch alerts(daemon, certificates);
  for (;;) {
    for (CertificateWatch& certificate : certificates) certificate.Look();
    daemon.Look();
    alerts.Look();
    memory.Look();
    const auto signal = WaitForSignal(kLookMs);
    if (daemon.state() == DaemonState::kStoreFailed) return DaemonState::kStoreFailed;
    if (watchdog_us > 0) NotifyService("WATCHDOG=1");
    if (!signal) continue;
    if (*signal != SIGHUP) return DaemonState::kRunning;
    NotifyService("RELOADING=1");
    daemon.Reload();
    NotifyService("READY=1");
  }
}

}  // namespace

int RunServe(const GlobalOptions& global, const Streams& streams) {
  const auto configuration = ConfigurationOf(global);
  if (!configuration) return Report(configuration.error(), streams);
  for (const std::string& warning : configuration->warnings) streams.err << "warning: " << warning << "\n";
  BlockSignals();
  auto daemon = Daemon::Start(*configuration);
  if (!daemon) return Report(daemon.error(), streams);
  streams.out << "listening on " << (*daemon)->http_address() << std::endl;
  if (const std::string mllp = (*daemon)->mllp_address(); !mllp.empty()) {
    streams.out << "listening on " << mllp << std::endl;
  }
  if (configuration->endpoint.base_url.empty()) {
    streams.err << "no [endpoint] base_url: records are kept and nothing is sent" << std::endl;
  }
  NotifyService("READY=1");
  CertificateWatch certificates[] = {{configuration->endpoint.client_certificate_file, SystemClock()},
                                     {configuration->http.certificate_file, SystemClock()},
                                     {configuration->mllp.certificate_file, SystemClock()}};
  const DaemonState state = RunUntilStopped(**daemon, certificates);
  NotifyService("STOPPING=1");
  if (state == DaemonState::kStoreFailed) {
    LogEvent(LogLevel::kError, "store-failed", {{"message", Describe(Code::kStoreFailed).help}});
    return kExitInputOutput;
  }
  const bool complete = (*daemon)->Stop(configuration->service.shutdown_s * 1'000);
  LogEvent(LogLevel::kInfo, complete ? "stopped" : "stopped-with-work-broken-off");
  return kExitDone;
}

}  // namespace fhir_adapter::app
