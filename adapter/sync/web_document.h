// One blocking request for a small document of a server that we trust with nothing: a token, keys, where they
// are.
//
// For one thread at a time. Never follows a redirect; the document's text never appears in an error.
#pragma once

#include <cstddef>
#include <string>

#include "core/result.h"
#include "sync/transport_security.h"

namespace fhir_adapter::sync {

struct WebRequest {
  std::string url;
  std::string form;  // sent with POST when it is not empty
  std::size_t bytes_max = 0;
};

struct WebDocument {
  int status = 0;
  std::string body;
};

// Whatever the status. Errors: kUnreachable, kTimeout, kTls, kServerAnswer (too long, not HTTP).
Result<WebDocument> Fetch(const WebRequest& request, const TlsSettings& tls);

}  // namespace fhir_adapter::sync
