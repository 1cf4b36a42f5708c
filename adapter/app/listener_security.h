// Certificates of the listeners: loaded, reloaded, checked and measured.
//
// Functions over net::TlsContext, for one thread at a time. Log events: `certificate-loaded`,
// `certificate-kept` (with what is wrong with the new one).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "app/configuration.h"
#include "app/metrics.h"
#include "core/clock.h"
#include "fml/map_set.h"
#include "net/tls_context.h"

namespace fhir_adapter::app {

// Of the HTTP interface; null without [http] certificate_file. Errors: as net::TlsContext::Load.
Result<std::shared_ptr<net::TlsContext>> LoadHttpTls(const Configuration& configuration);

// At SIGHUP, and at each look.
void ReloadTls(net::TlsContext& tls);
void ReloadTlsWhenChanged(net::TlsContext& tls);

// For `check`: files that cannot be used, a certificate that has ended or will soon.
std::vector<fml::Finding> CheckHttpTls(const Configuration& configuration, TimeUs now);

struct ListenerTls {
  std::string_view listener;  // "http"
  std::int64_t ends_s = 0;
  std::int64_t failed_handshakes = 0;
};
void AddListenerTls(MetricsPage& page, std::span<const ListenerTls> listeners, TimeUs now);

}  // namespace fhir_adapter::app
