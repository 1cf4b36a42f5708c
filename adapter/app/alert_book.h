// AlertBook: which troubles there are that somebody should look at. One alert when a trouble starts and one
// when it ends, however often it is looked at meanwhile: a log event (`alert-started`, `alert-ended`) with
// the kind as its code, the gauge fhir_adapter_alert{kind}, and whoever else is to be told. deploy/README.md
// has a paragraph for each kind, deploy/alerts.yml a rule.
//
// Look is for one thread; is_on may be asked from any.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "app/metrics.h"
#include "core/clock.h"

namespace fhir_adapter::app {

enum class AlertKind : std::uint8_t {
  kIntake,       // nothing is accepted
  kEndpoint,     // the FHIR server cannot be used
  kStalled,      // something waits for the server for over an hour
  kQuarantined,  // something waits for a person
  kHeld,         // something is held, for a quarter of an hour at least
  kAudit,        // no checkpoint can be signed, or cosigned by the witness
  kCertificate,  // a certificate of ours ends soon, or has ended
  kSource,       // a database cannot be read
};
inline constexpr int kAlertKinds = 8;

constexpr std::string_view Name(AlertKind kind) {
  constexpr std::array<std::string_view, kAlertKinds> names = {
      "intake", "endpoint", "stalled", "quarantined", "held", "audit", "certificate", "source"};
  return names[static_cast<std::size_t>(kind)];
}

struct Alert {
  AlertKind kind = AlertKind::kIntake;
  bool has_started = true;  // else it has ended
  std::string reason;       // a code or fixed words, never a value of a record
};

class AlertBook {
 public:
  using Tell = std::function<void(const Alert&)>;

  AlertBook(Clock& clock, Tell tell) : clock_(clock), tell_(std::move(tell)) {}

  // Why there is each trouble now, by kind; empty: there is none.
  using Troubles = std::array<std::string, kAlertKinds>;
  void Look(const Troubles& troubles);

  bool is_on(AlertKind kind) const { return on_[static_cast<std::size_t>(kind)]; }

 private:
  void Start(AlertKind kind, const std::string& reason);
  void End(AlertKind kind);

  Clock& clock_;
  const Tell tell_;
  std::array<std::atomic<bool>, kAlertKinds> on_{};
  std::array<std::optional<std::int64_t>, kAlertKinds>
      since_us_{};    // monotonic, of the trouble that there is
  Troubles reasons_;  // as it was told
};

void AddAlerts(MetricsPage& page, const AlertBook& alerts);

}  // namespace fhir_adapter::app
