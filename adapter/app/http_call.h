// One blocking HTTP request of a command to a daemon: its HTTP intake or its control socket.
//
// For commands only; the daemon's own requests to the FHIR server are sync's. Not for several threads at
// once.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"

namespace fhir_adapter::app {

struct HttpCall {
  std::string method = "GET";
  std::string url;               // "http://127.0.0.1:8620/records"
  std::string unix_socket_path;  // when set, the connection goes there and the url's host is not looked up
  std::string content_type;      // of the body
  std::string body;
  std::string token;  // empty: none is sent
  struct Tls {
    std::string authority_file;           // CA certificates; empty: those of the system
    std::string client_certificate_file;  // empty: none is shown
    std::string client_key_file;
  } tls;
  std::int64_t timeout_ms = 60'000;
  std::size_t answer_bytes_max = 0;  // a longer body is a failure; 0: of those whom we trust, any
};

struct HttpAnswer {
  long status = 0;
  std::string body;
  std::int64_t retry_after_s = 0;  // 0: not said
};

// Errors: unreachable (nothing listens, reset), timeout, tls (the server is not known, or refuses the
// client).
Result<HttpAnswer> Perform(const HttpCall& call);

}  // namespace fhir_adapter::app
