#include "support/tcp_proxy.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <deque>
#include <list>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace fhir_adapter::test {

namespace {

constexpr int kPassesMax = 64;  // connections that wait to be accepted

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool SendAll(int descriptor, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = send(descriptor, data, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

void CloseWithReset(int descriptor) {
  const linger now{1, 0};
  setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

}  // namespace

struct TcpProxy::Implementation {
  struct Connection {
    int client = -1;
    int upstream = -1;
    std::atomic<bool> done = false;
    std::thread thread;
  };

  ProxyPlan NextPlan() {
    const std::lock_guard lock(mutex);
    ++requests;
    ProxyPlan plan;
    if (!orders.empty()) {
      plan = orders.front();
      orders.pop_front();
    } else if (every_nth > 0 && ++since_every % every_nth == 0) {
      plan = every_plan;
    }
    if (plan.fault != ProxyFault::kNone) ++faults;
    return plan;
  }

  // False when the proxy ended meanwhile.
  bool WaitUnlessStopped(std::int64_t milliseconds) const {
    pollfd stop{stop_event, POLLIN, 0};
    return poll(&stop, 1, static_cast<int>(milliseconds)) == 0;
  }

  void Accept();
  void Pump(Connection& connection);
  bool ForwardReply(Connection& connection, const ProxyPlan& plan, const char* data, std::size_t size,
                    std::size_t& forwarded);

  int listener = -1;
  int stop_event = -1;
  std::uint16_t port = 0;
  std::atomic<std::uint16_t> upstream_port = 0;
  mutable std::mutex mutex;
  std::deque<ProxyPlan> orders;
  ProxyPlan every_plan;
  unsigned every_nth = 0;
  std::size_t since_every = 0;
  std::size_t connections_taken = 0;
  std::size_t requests = 0;
  std::size_t faults = 0;
  std::list<Connection> connections;
  std::thread acceptor;
};

void TcpProxy::Implementation::Accept() {
  while (true) {
    std::array<pollfd, 2> ready = {pollfd{listener, POLLIN, 0}, pollfd{stop_event, POLLIN, 0}};
    poll(ready.data(), ready.size(), -1);
    if (ready[1].revents != 0) return;
    const int client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    const int upstream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Loopback(upstream_port);
    if (connect(upstream, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      CloseWithReset(client);
      close(client);
      close(upstream);
      continue;
    }
    const int on = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(upstream, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    const std::lock_guard lock(mutex);
    ++connections_taken;
    for (auto it = connections.begin(); it != connections.end();) {
      if (!it->done) {
        ++it;
        continue;
      }
      it->thread.join();
      it = connections.erase(it);
    }
    Connection& connection = connections.emplace_back();
    connection.client = client;
    connection.upstream = upstream;
    connection.thread = std::thread([this, &connection] {
      Pump(connection);
      const std::lock_guard end(mutex);
      close(connection.client);
      close(connection.upstream);
      connection.done = true;
    });
  }
}

// False when the connection is to end.
bool TcpProxy::Implementation::ForwardReply(Connection& connection, const ProxyPlan& plan, const char* data,
                                            std::size_t size, std::size_t& forwarded) {
  switch (plan.fault) {
    case ProxyFault::kNone:
    case ProxyFault::kResetRequest:
    case ProxyFault::kDelayReply:
      break;
    case ProxyFault::kStall:
      return true;
    case ProxyFault::kDropReply:
      return false;
    case ProxyFault::kResetReply:
      CloseWithReset(connection.client);
      return false;
    case ProxyFault::kTruncateReply:
    case ProxyFault::kHalfClose: {
      const std::size_t part = std::min(size, plan.bytes - std::min(plan.bytes, forwarded));
      forwarded += part;
      if (!SendAll(connection.client, data, part)) return false;
      if (forwarded < plan.bytes) return true;
      if (plan.fault == ProxyFault::kTruncateReply) return false;
      shutdown(connection.client, SHUT_WR);
      return true;
    }
    case ProxyFault::kThrottle:
      for (std::size_t at = 0; at < size; at += plan.bytes) {
        const bool is_first = forwarded == 0;
        forwarded += plan.bytes;
        if (!is_first && !WaitUnlessStopped(plan.delay_ms)) return false;
        if (!SendAll(connection.client, data + at, std::min(plan.bytes, size - at))) return false;
      }
      return true;
  }
  return SendAll(connection.client, data, size);
}

void TcpProxy::Implementation::Pump(Connection& connection) {
  std::array<char, 65'536> chunk{};
  bool in_request = false;
  std::size_t forwarded = 0;
  ProxyPlan plan;
  bool reply_began = true;
  while (true) {
    std::array<pollfd, 3> ready = {pollfd{connection.client, POLLIN, 0},
                                   pollfd{connection.upstream, POLLIN, 0}, pollfd{stop_event, POLLIN, 0}};
    poll(ready.data(), ready.size(), -1);
    if (ready[2].revents != 0) return;
    if (ready[0].revents != 0) {
      const ssize_t count = recv(connection.client, chunk.data(), chunk.size(), 0);
      if (count <= 0) return;
      if (!in_request) {
        in_request = true;
        reply_began = false;
        forwarded = 0;
        plan = NextPlan();
        if (plan.fault == ProxyFault::kResetRequest) return CloseWithReset(connection.client);
      }
      if (!SendAll(connection.upstream, chunk.data(), static_cast<std::size_t>(count))) return;
    }
    if (ready[1].revents != 0) {
      const ssize_t count = recv(connection.upstream, chunk.data(), chunk.size(), 0);
      if (count <= 0) return;
      in_request = false;
      if (!reply_began && plan.fault == ProxyFault::kDelayReply && !WaitUnlessStopped(plan.delay_ms)) return;
      reply_began = true;
      if (!ForwardReply(connection, plan, chunk.data(), static_cast<std::size_t>(count), forwarded)) return;
    }
  }
}

TcpProxy::TcpProxy(std::uint16_t upstream_port) : implementation_(std::make_unique<Implementation>()) {
  Implementation& state = *implementation_;
  state.upstream_port = upstream_port;
  state.stop_event = eventfd(0, EFD_CLOEXEC);
  state.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  bind(state.listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  listen(state.listener, kPassesMax);
  socklen_t length = sizeof(address);
  getsockname(state.listener, reinterpret_cast<sockaddr*>(&address), &length);
  state.port = ntohs(address.sin_port);
  state.acceptor = std::thread([&state] { state.Accept(); });
}

TcpProxy::~TcpProxy() {
  Implementation& state = *implementation_;
  eventfd_write(state.stop_event, 1);
  state.acceptor.join();
  for (Implementation::Connection& connection : state.connections) connection.thread.join();
  close(state.listener);
  close(state.stop_event);
}

std::uint16_t TcpProxy::port() const {
  return implementation_->port;
}

void TcpProxy::Order(ProxyPlan plan) {
  const std::lock_guard lock(implementation_->mutex);
  implementation_->orders.push_back(plan);
}

void TcpProxy::OrderEvery(ProxyPlan plan, unsigned nth) {
  const std::lock_guard lock(implementation_->mutex);
  implementation_->every_plan = plan;
  implementation_->every_nth = nth;
  implementation_->since_every = 0;
}

void TcpProxy::SetUpstream(std::uint16_t port) {
  implementation_->upstream_port = port;
}

void TcpProxy::CloseConnections() {
  const std::lock_guard lock(implementation_->mutex);
  for (Implementation::Connection& connection : implementation_->connections) {
    if (connection.done) continue;
    CloseWithReset(connection.client);
    shutdown(connection.client, SHUT_RD);
  }
}

std::size_t TcpProxy::connections_seen() const {
  const std::lock_guard lock(implementation_->mutex);
  return implementation_->connections_taken;
}

std::size_t TcpProxy::requests_seen() const {
  const std::lock_guard lock(implementation_->mutex);
  return implementation_->requests;
}

std::size_t TcpProxy::faults_done() const {
  const std::lock_guard lock(implementation_->mutex);
  return implementation_->faults;
}

}  // namespace fhir_adapter::test
