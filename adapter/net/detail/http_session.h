// One connection of an HttpServer, and what all connections of a server share.
//
// Includes Asio: for the .cc files of net only. Everything here happens on the I/O thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "net/detail/io_context.h"
#include "net/detail/secure_stream.h"
#include "net/http_head.h"
#include "net/http_server.h"
#include "net/rate_limiter.h"

namespace fhir_adapter::net {

class HttpSession {
 public:
  virtual ~HttpSession() = default;
  virtual void Close() = 0;
  virtual void CloseWhenIdle() = 0;  // at once, or after the answer under way
};

struct HttpPeer {
  std::string address;             // empty for a Unix-domain socket
  std::string certificate_sha256;  // that the client showed; empty for none
  Principal local_principal;       // who the peer is when there is no authentication
};

struct HttpServerContext {
  HttpServerContext(HttpServerOptions server_options, Router server_router)
      : options(std::move(server_options)),
        router(std::move(server_router)),
        rate(options.limits.requests_per_second_max,
             options.limits.requests_per_second_max * limits::kHttpRequestBurstSeconds,
             limits::kHttpRateClientsMax) {}

  HttpServerOptions options;
  Router router;
  HttpHeadPolicy policy;
  RateLimiter rate;
  Clock* clock = nullptr;
  std::shared_ptr<IoGate> gate;  // shared: answers may come after the server has gone

  bool draining = false;
  std::size_t body_bytes = 0;  // of all requests under way
  // Shared: a connection that waits for its answer has no pending operation that would keep it.
  std::unordered_map<HttpSession*, std::shared_ptr<HttpSession>> sessions;
  std::unordered_map<std::string, std::size_t> connections_by_address;
  std::atomic<std::size_t> connections = 0;  // counts until the session is destroyed
  std::atomic<std::int64_t> handshakes_failed = 0;
  std::atomic<std::int64_t> throttled = 0;
  std::mutex mutex;
  std::condition_variable all_closed;  // connections went to 0
};

// Registers itself in the context and removes itself when it ends.
void StartHttpSession(StreamSocket socket, HttpServerContext& context, HttpPeer peer);

}  // namespace fhir_adapter::net
