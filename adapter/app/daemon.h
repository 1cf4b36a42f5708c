// Daemon: the parts of `serve`, put together, started in order and stopped in the opposite one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/configuration.h"
#include "core/result.h"
#include "net/router.h"

namespace fhir_adapter::app {

enum class DaemonState : std::uint8_t { kRunning, kStoreFailed };

class Daemon {
 public:
  // Everything is checked and opened; then the listeners start. Findings of maps go to the error given.
  static Result<std::unique_ptr<Daemon>> Start(const Configuration& configuration);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  std::string http_address() const;  // http://127.0.0.1:8620, or https://

  std::string mllp_address() const;  // mllp://127.0.0.1:2575; empty: HL7 v2 is not spoken

  // The table of the HTTP interface, with the roles that each route needs.
  const std::vector<net::Route>& routes() const;

  DaemonState state() const;
  // Looks for trouble and tells what has started or ended. `certificate` is what CertificateWatch found. To
  // be called about once a second.
  void LookForAlerts(const std::string& certificate);
  // SIGHUP: certificates are read again (kept as they are when they have errors), held patients looked for,
  // credentials read; maps are read again by a thread of their own, which this does not wait for.
  void Reload();
  // To be called now and then: takes certificates whose files have changed.
  void Look();
  // Takes nothing more, waits for what is under way, stops. True when nothing was broken off.
  bool Stop(std::int64_t deadline_ms);

 private:
  struct Parts;
  explicit Daemon(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace fhir_adapter::app
