#include "app/alert_book.h"

#include <utility>

#include "core/log.h"

namespace fhir_adapter::app {
namespace {

// A patient who is registered a little after the record came is no trouble.
constexpr std::int64_t kHeldUs = 900'000'000;

std::int64_t PatienceUs(AlertKind kind) {
  return kind == AlertKind::kHeld ? kHeldUs : 0;
}

}  // namespace

void AlertBook::Look(const Troubles& troubles) {
  const std::int64_t now_us = clock_.MonotonicUs();
  for (std::size_t i = 0; i < troubles.size(); ++i) {
    const auto kind = static_cast<AlertKind>(i);
    if (troubles[i].empty()) {
      since_us_[i].reset();
      if (on_[i]) End(kind);
      continue;
    }
    if (on_[i]) continue;
    if (!since_us_[i]) since_us_[i] = now_us;
    if (now_us - *since_us_[i] >= PatienceUs(kind)) Start(kind, troubles[i]);
  }
}

void AlertBook::Start(AlertKind kind, const std::string& reason) {
  on_[static_cast<std::size_t>(kind)] = true;
  reasons_[static_cast<std::size_t>(kind)] = reason;
  LogEvent(LogLevel::kWarning, "alert-started", {{"code", Name(kind)}, {"reason", reason}});
  if (tell_) tell_({kind, true, reason});
}

void AlertBook::End(AlertKind kind) {
  on_[static_cast<std::size_t>(kind)] = false;
  const std::string reason = std::exchange(reasons_[static_cast<std::size_t>(kind)], {});
  LogEvent(LogLevel::kInfo, "alert-ended", {{"code", Name(kind)}, {"reason", reason}});
  if (tell_) tell_({kind, false, reason});
}

void AddAlerts(MetricsPage& page, const AlertBook& alerts) {
  page.Family("fhir_adapter_alert", "gauge", "1 while there is a trouble that somebody should look at.");
  for (int i = 0; i < kAlertKinds; ++i) {
    const auto kind = static_cast<AlertKind>(i);
    page.Sample({{"kind", Name(kind)}}, alerts.is_on(kind) ? 1 : 0);
  }
}

}  // namespace fhir_adapter::app
