// Certificates of the listeners: loaded, reloaded, checked and measured.
//
// Functions over net::TlsContext, for one thread at a time. Log events: `certificate-loaded`,
// `certificate-kept` (with what is wrong with the new one), `senders-kept`.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/configuration.h"
#include "app/metrics.h"
#include "core/clock.h"
#include "fml/map_set.h"
#include "intake/hl7_intake.h"
#include "net/tls_context.h"

namespace fhir_adapter::app {

// Of a listener; null without its certificate_file. Errors: as net::TlsContext::Load.
Result<std::shared_ptr<net::TlsContext>> LoadHttpTls(const Configuration& configuration);
Result<std::shared_ptr<net::TlsContext>> LoadMllpTls(const Configuration& configuration);

// At SIGHUP, and at each look.
void ReloadTls(net::TlsContext& tls);
void ReloadTlsWhenChanged(net::TlsContext& tls);

// Whose certificates may speak as which sender of HL7 v2 messages: "application|facility" to SHA-256s.
// Thread-safe.
class BoundSenders {
 public:
  using Certificates = intake::BoundCertificates;

  // Errors: as net::CertificateSha256, naming the sender's line.
  static Result<std::shared_ptr<BoundSenders>> Load(const Configuration& configuration);

  // At SIGHUP: reads the files again. On an error, which is logged (`senders-kept`), all stays as it is.
  void Reload(const Configuration& configuration);

  Certificates certificates() const;

 private:
  mutable std::mutex mutex_;  // guards the map
  Certificates certificates_;
};

// For `check`: files that cannot be used, a certificate that has ended or will soon.
std::vector<fml::Finding> CheckListenerTls(const Configuration& configuration, TimeUs now);

struct ListenerTls {
  std::string_view listener;  // "http", "mllp"
  std::int64_t ends_s = 0;
  std::int64_t failed_handshakes = 0;
};
void AddListenerTls(MetricsPage& page, std::span<const ListenerTls> listeners, TimeUs now);

}  // namespace fhir_adapter::app
