#include "net/http_server.h"

#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "net/detail/http_session.h"
#include "net/detail/listener.h"
#include "net/socket.h"

namespace fhir_adapter::net {

namespace {

// Outside this machine nobody is let in unseen, and nothing is said in clear.
Result<void> CheckExposure(const HttpServerOptions& options) {
  const bool has_tls = options.tls != nullptr;
  const bool has_authentication = static_cast<bool>(options.authenticate);
  if (options.address.is_loopback() || (has_tls && has_authentication)) return {};
  return Fail(Code::kConfiguration,
              "listen address " + ToString(options.address) +
                  " is not loopback: that needs TLS and authentication, and there is no " +
                  (has_tls              ? "authentication ([auth] kind)"
                   : has_authentication ? "TLS ([http] certificate_file, key_file)"
                                        : "TLS ([http] certificate_file, key_file) and no authentication "
                                          "([auth] kind)") +
                  "; else listen on 127.0.0.1 or [::1]");
}

}  // namespace

struct HttpServer::Implementation {
  Implementation(HttpServerOptions options, Router router) : context(std::move(options), std::move(router)) {}
  ~Implementation();

  void Listen(FileDescriptor socket, int family);
  void OnAccepted(StreamSocket socket);
  void StopAccepting();
  void CloseSessions();

  std::unique_ptr<IoThread> own_io_thread;
  IoThread* io_thread = nullptr;
  HttpServerContext context;
  std::unique_ptr<Listener> listener;
  bool is_unix = false;
  std::uint16_t port = 0;
  std::string address;
};

void HttpServer::Implementation::Listen(FileDescriptor socket, int family) {
  context.gate = io_thread->implementation().gate;
  listener = std::make_unique<Listener>(*io_thread, std::move(socket), family,
                                        [this](StreamSocket accepted) { OnAccepted(std::move(accepted)); });
}

void HttpServer::Implementation::OnAccepted(StreamSocket socket) {
  HttpPeer peer;
  const int descriptor = socket.native_handle();
  if (is_unix) {
    Result<Principal> principal = PeerPrincipal(descriptor);
    if (!principal) return;
    peer.local_principal = std::move(*principal);
  } else {
    peer.address = PeerAddress(descriptor);
    peer.local_principal.id = "loopback";
    peer.local_principal.roles = RoleSet::All();
    peer.local_principal.authentication = "loopback";
    const int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  const HttpLimits& limits = context.policy.limits;
  const bool is_tls = context.options.tls != nullptr;
  const auto of_address = context.connections_by_address.find(peer.address);
  const bool address_full = !is_unix && of_address != context.connections_by_address.end() &&
                            of_address->second >= limits.connections_per_address_max;
  if (address_full || context.connections >= limits.connections_max) {
    if (is_tls) return;  // nobody reads plain text here
    static constexpr std::string_view kFull =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: "
        "close\r\n\r\n";
    [[maybe_unused]] const auto sent =
        send(descriptor, kFull.data(), kFull.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return;
  }
  StartHttpSession(std::move(socket), context, std::move(peer));
}

void HttpServer::Implementation::StopAccepting() {
  listener->Stop();
  if (is_unix) unlink(context.options.unix_socket_path.c_str());
}

void HttpServer::Implementation::CloseSessions() {
  std::vector<std::shared_ptr<HttpSession>> sessions;
  sessions.reserve(context.sessions.size());
  for (const auto& [key, session] : context.sessions) sessions.push_back(session);
  for (const auto& session : sessions) session->Close();
}

HttpServer::Implementation::~Implementation() {
  if (!listener) return;
  io_thread->Run([this] {
    if (listener->is_open()) StopAccepting();
    context.draining = true;
    CloseSessions();
  });
  // The cancelled operations still hold their connections; they run out one after the other.
  {
    std::unique_lock lock(context.mutex);
    context.all_closed.wait(lock, [this] { return context.connections == 0; });
  }
  io_thread->Run([this] { listener.reset(); });
}

Result<std::unique_ptr<HttpServer>> HttpServer::Start(HttpServerOptions options, Router router) {
  const bool is_unix = !options.unix_socket_path.empty();
  if (!is_unix) ADAPTER_CHECK(CheckExposure(options));
  ADAPTER_TRY(FileDescriptor socket,
              is_unix ? ListenUnix(options.unix_socket_path) : ListenTcp(options.address));
  auto state = std::make_unique<Implementation>(std::move(options), std::move(router));
  HttpServerContext& context = state->context;
  state->is_unix = is_unix;
  state->port = is_unix ? std::uint16_t{0} : BoundPort(socket.get());
  ListenAddress bound = context.options.address;
  bound.port = state->port;
  state->address = is_unix ? context.options.unix_socket_path : ToString(bound);
  context.clock = context.options.clock != nullptr ? context.options.clock : &SystemClock();
  context.policy.limits = context.options.limits;
  context.policy.check_host = !is_unix;
  context.policy.allowed_hosts = context.options.allowed_hosts;
  if (context.options.tls) {
    context.policy.is_own_name = [&context](std::string_view host) {
      return context.options.tls->IsOwnName(host);
    };
  }
  for (const std::string& name : {std::string("localhost"), std::string("127.0.0.1"), std::string("::1"),
                                  context.options.address.host}) {
    context.policy.allowed_hosts.push_back(name);
  }
  if (context.options.io_thread == nullptr) state->own_io_thread = std::make_unique<IoThread>();
  state->io_thread =
      context.options.io_thread != nullptr ? context.options.io_thread : state->own_io_thread.get();
  const int family = is_unix ? AF_UNIX : bound.is_ipv6() ? AF_INET6 : AF_INET;
  state->Listen(std::move(socket), family);
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

HttpServer::HttpServer(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}

HttpServer::~HttpServer() = default;

std::uint16_t HttpServer::port() const {
  return implementation_->port;
}

std::string HttpServer::address() const {
  return implementation_->address;
}

std::size_t HttpServer::connection_count() const {
  return implementation_->context.connections;
}

std::int64_t HttpServer::failed_handshakes() const {
  return implementation_->context.handshakes_failed;
}

std::int64_t HttpServer::throttled_requests() const {
  return implementation_->context.throttled;
}

bool HttpServer::Drain(std::int64_t deadline_ms) {
  Implementation& state = *implementation_;
  state.io_thread->Run([&state] {
    state.context.draining = true;
    if (state.listener->is_open()) state.StopAccepting();
    std::vector<std::shared_ptr<HttpSession>> sessions;
    sessions.reserve(state.context.sessions.size());
    for (const auto& [key, session] : state.context.sessions) sessions.push_back(session);
    for (const auto& session : sessions) session->CloseWhenIdle();
  });
  bool drained = false;
  {
    std::unique_lock lock(state.context.mutex);
    drained = state.context.all_closed.wait_for(lock, std::chrono::milliseconds(deadline_ms),
                                                [&state] { return state.context.connections == 0; });
  }
  state.io_thread->Run([&state] { state.CloseSessions(); });
  return drained;
}

}  // namespace fhir_adapter::net
