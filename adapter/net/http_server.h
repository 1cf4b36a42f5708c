// HttpServer: HTTP/1.1 (RFC 9110, 9112) on a TCP port or a Unix-domain socket, over one route table.
//
// Start() binds and listens; requests are read on the I/O thread, which also calls the handlers. Before a
// body is read, route, principal, roles, content coding and length have been checked. The server owns its
// connections; destroying it closes them. All methods may be called from any thread but the I/O thread.
//
// With a TlsContext the port speaks TLS only. A bind outside loopback needs TLS and authentication.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/limits.h"
#include "core/principal.h"
#include "core/result.h"
#include "net/http_message.h"
#include "net/io_thread.h"
#include "net/listen_address.h"
#include "net/router.h"
#include "net/tls_context.h"

namespace fhir_adapter::net {

struct HttpLimits {
  std::size_t header_bytes_max = limits::kHttpHeaderBytesMax;    // 431
  std::size_t header_fields_max = limits::kHttpHeaderFieldsMax;  // 431
  std::size_t target_bytes_max = limits::kHttpTargetBytesMax;    // 414
  std::size_t body_bytes_max = limits::kHttpBodyBytesMax;        // 413; a route may set its own
  std::size_t bodies_bytes_max = limits::kHttpBodiesBytesMax;    // all bodies being read together; 503
  std::size_t connections_max = limits::kHttpConnectionsMax;     // 503 and closed
  std::size_t connections_per_address_max = limits::kHttpConnectionsPerAddressMax;
  std::int64_t header_timeout_ms = limits::kHttpHeaderTimeoutMs;  // from the first byte of a request; 408
  std::int64_t idle_timeout_ms = limits::kHttpIdleTimeoutMs;      // between requests; closed
  // A body must come at this rate on average, after a grace of one header timeout; 408.
  std::size_t body_bytes_per_second_min = limits::kHttpBodyBytesPerSecondMin;
  // Of one client, which is who it has shown to be, else its address; 429. 0: no limit.
  std::int64_t requests_per_second_max = 0;
  std::int64_t handshake_timeout_ms = limits::kTlsHandshakeTimeoutMs;  // of TLS; closed
};

// What a finished request amounts to; for logs and metrics. The pattern, not the path: paths and queries can
// hold identifiers of patients.
struct HttpExchange {
  std::string method;
  std::string pattern;  // of the route; empty when none matched
  std::string request_id;
  int status = 0;  // 0: closed without an answer
  std::int64_t duration_us = 0;
  std::size_t request_bytes = 0;  // of the body
  std::size_t response_bytes = 0;
};

struct HttpServerOptions {
  ListenAddress address;         // ignored when unix_socket_path is set
  std::string unix_socket_path;  // created with mode 0600; removed when the server stops
  HttpLimits limits;
  std::shared_ptr<TlsContext>
      tls;  // shared with who reloads it; null: plain text. Not for a Unix-domain socket
  // Who the client is, from the head of the request (the body is still empty). An error is answered with its
  // status before the body is read. When absent, everyone who reaches a loopback port or the socket has every
  // role; on a Unix-domain socket the principal is the peer's user.
  std::function<Result<Principal>(const HttpRequest& head)> authenticate;
  // How problems that the server finds are rendered; problem+json when absent. `path` is decoded.
  std::function<HttpResponse(const HttpProblem& problem, std::string_view path)> render_problem;
  // Called on the I/O thread after each exchange; must not wait. `head` is the request without its body, with
  // who sent it.
  std::function<void(const HttpExchange& exchange, const HttpRequest& head)> on_exchange;
  // Host names that the Host header may hold besides the loopback names, the address itself and the names in
  // the certificate, so that a web page cannot reach a loopback port under a name of its own (DNS rebinding).
  std::vector<std::string> allowed_hosts;
  Clock* clock = nullptr;         // null: the system's
  IoThread* io_thread = nullptr;  // null: the server starts its own
};

class HttpServer {
 public:
  // Errors: kConfiguration (not loopback without TLS and authentication, bad path), kInputOutput (the address
  // is taken; names it), kStoreLocked (another process listens on the Unix-domain socket).
  static Result<std::unique_ptr<HttpServer>> Start(HttpServerOptions options, Router router);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::uint16_t port() const;   // the one in use, also when 0 was asked for; 0 for a Unix-domain socket
  std::string address() const;  // "127.0.0.1:8620", or the path of the socket
  std::size_t connection_count() const;
  std::int64_t failed_handshakes() const;   // of TLS, since the start
  std::int64_t throttled_requests() const;  // answered with 429, since the start

  // Stops accepting, closes idle connections and waits until the requests under way are answered; at the
  // deadline the rest is closed. True when all were answered.
  bool Drain(std::int64_t deadline_ms);

 private:
  struct Implementation;
  explicit HttpServer(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace fhir_adapter::net
