// MllpDoor: the MLLP listener of the daemon with what it needs: certificates, senders, maps, time zone.
//
// Owns the server. For one thread, but that AddMetrics may be called from any.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/configuration.h"
#include "app/listener_security.h"
#include "app/metrics.h"
#include "core/result.h"
#include "intake/hl7_intake.h"
#include "intake/mllp_server.h"
#include "outbox/sqlite/sqlite_backend.h"
#include "pipeline/message_receiver.h"

namespace fhir_adapter::app {

class MllpDoor {
 public:
  struct Ports {
    outbox::SqliteBackend& backend;
    pipeline::Receiver& records;
    pipeline::PushReceiver& observations;
  };
  using Maps = std::function<std::shared_ptr<const pipeline::MappingSet>()>;

  // `maps` gives the set of the moment; `notify` is called after something became durable.
  static Result<std::unique_ptr<MllpDoor>> Open(const Configuration& configuration, const Ports& ports,
                                                Maps maps, std::function<void()> notify);

  std::string address() const;  // mllp://127.0.0.1:2575, or mllps://
  void Reload();                // SIGHUP: certificates are read again
  void Look();                  // takes certificates whose files have changed
  bool Drain(std::int64_t deadline_ms) { return server_->Drain(deadline_ms); }
  // And the row of its TLS, when it has any.
  void AddMetrics(MetricsPage& page, std::vector<ListenerTls>& listeners) const;

 private:
  explicit MllpDoor(const Configuration& configuration) : configuration_(configuration) {}

  const Configuration configuration_;
  std::unique_ptr<pipeline::MessageReceiver> receiver_;
  std::unique_ptr<intake::Hl7Intake> intake_;
  std::shared_ptr<net::TlsContext> tls_;   // shared with the listener; null: plain text
  std::shared_ptr<BoundSenders> senders_;  // shared with the intake
  std::unique_ptr<intake::MllpServer> server_;
};

}  // namespace fhir_adapter::app
