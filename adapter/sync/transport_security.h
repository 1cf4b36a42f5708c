// TransportSecurity: what every connection of ours that may carry credentials keeps to.
//
// TLS 1.2 or newer; certificate chain and host name are always verified; only http and https; redirects are
// not followed, so that credentials never go where somebody else says. The proxy of the environment is
// honoured. Files are read at each new connection, so that a renewed certificate needs no restart.
#pragma once

#include <cstdint>
#include <curl/curl.h>
#include <string>

#include "core/error.h"
#include "core/result.h"

namespace fhir_adapter::sync {

struct TlsSettings {
  std::string authority_file;           // CA certificates; empty: those of the system
  std::string client_certificate_file;  // mutual TLS, with its chain; empty: none
  std::string client_key_file;
};

// `tls` must outlive the transfer.
void SetTransportSecurity(CURL* easy, const TlsSettings& tls);

// kTls, kTimeout, kServerAnswer or kUnreachable.
Code FailureOf(CURLcode code);

// When the first certificate of a PEM file ends, in seconds since 1970. Errors: kInputOutput (cannot be
// read), kConfiguration (no certificate).
Result<std::int64_t> CertificateEnd(const std::string& file);

}  // namespace fhir_adapter::sync
