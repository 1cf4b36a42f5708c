#include "app/mllp_setup.h"

#include <utility>

#include "app/time_zone_file.h"

namespace fhir_adapter::app {
namespace {

constexpr std::int64_t kMillisecondsPerSecond = 1'000;

}  // namespace

Result<std::unique_ptr<MllpDoor>> MllpDoor::Open(const Configuration& configuration, const Ports& ports,
                                                 Maps maps, std::function<void()> notify) {
  std::unique_ptr<MllpDoor> door(new MllpDoor(configuration));
  outbox::SqliteBackend& backend = ports.backend;
  door->receiver_ = std::make_unique<pipeline::MessageReceiver>(
      pipeline::MessageReceiver::Ports{*backend.store, backend.inbox, backend.messages, backend.queue,
                                       ports.records, ports.observations, SystemClock()},
      configuration.limits.high_water);
  door->receiver_->OnAccepted(std::move(notify));
  ADAPTER_TRY(door->tls_, LoadMllpTls(configuration));
  ADAPTER_TRY(door->senders_, BoundSenders::Load(configuration));
  ADAPTER_TRY(auto zone, LoadTimeZone(configuration.site.time_zone));
  std::vector<std::string> sites = configuration.site.accept;
  sites.push_back(configuration.site.id);
  std::function<BoundSenders::Certificates()> senders;
  if (!configuration.mllp.senders.empty()) {
    senders = [bound = door->senders_] { return bound->certificates(); };
  }
  door->intake_ = std::make_unique<intake::Hl7Intake>(intake::Hl7IntakeOptions{
      *door->receiver_, std::move(maps), std::move(zone), std::move(sites), configuration.mllp.processing_id,
      std::move(senders), SystemClock(), SystemRandom()});
  intake::MllpServer::Options options;
  ADAPTER_TRY(options.address, net::ParseListenAddress(configuration.mllp.listen));
  options.limits.connections_max = static_cast<std::size_t>(configuration.mllp.connections_max);
  options.limits.connections_per_address_max =
      static_cast<std::size_t>(configuration.mllp.connections_per_address_max);
  options.limits.idle_timeout_ms = configuration.mllp.idle_timeout_s * kMillisecondsPerSecond;
  options.tls = door->tls_;
  options.has_bound_senders = !configuration.mllp.senders.empty();
  options.handler = [intake = door->intake_.get()](const intake::MllpFrame& frame,
                                                   intake::MllpServer::Answer done) {
    intake->Take(frame, std::move(done));
  };
  ADAPTER_TRY(door->server_, intake::MllpServer::Start(std::move(options)));
  return door;
}

std::string MllpDoor::address() const {
  return (tls_ ? "mllps://" : "mllp://") + server_->address();
}

void MllpDoor::Reload() {
  if (tls_) ReloadTls(*tls_);
  senders_->Reload(configuration_);
}

void MllpDoor::Look() {
  if (tls_) ReloadTlsWhenChanged(*tls_);
}

void MllpDoor::AddMetrics(MetricsPage& page, std::vector<ListenerTls>& listeners) const {
  const intake::MllpStatistics statistics = server_->statistics();
  page.Family("fhir_adapter_mllp_messages", "counter", "HL7 v2 messages by what their sender was told.");
  for (std::size_t i = 0; i < intake::kMllpOutcomes; ++i) {
    page.Sample({{"outcome", Name(static_cast<intake::MllpOutcome>(i))}}, statistics.messages[i]);
  }
  page.Family("fhir_adapter_mllp_frames_broken", "counter",
              "MLLP frames that were too large, or did not come to their end.");
  page.Sample({}, statistics.frames_broken);
  page.Family(
      "fhir_adapter_mllp_connections_refused", "counter",
      "MLLP connections beyond connections_max, of all or of one address; the oldest without a message "
      "gave way, else they were closed.");
  page.Sample({}, statistics.connections_refused);
  page.Family("fhir_adapter_mllp_connections", "gauge", "Open MLLP connections.");
  page.Sample({}, static_cast<std::int64_t>(statistics.connections));
  if (tls_) listeners.push_back({"mllp", tls_->ends_s(), statistics.failed_handshakes});
}

}  // namespace fhir_adapter::app
