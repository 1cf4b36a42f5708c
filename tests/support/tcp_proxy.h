// A TCP proxy on loopback that spoils answers: the network of the delivery tests.
//
// It forwards bytes and watches the alternation of requests and replies on each connection: the first bytes
// of a request or a reply take the next fault that was ordered, so that faults also hit connections that are
// kept open. Methods may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace fhir_adapter::test {

enum class ProxyFault : std::uint8_t {
  kNone,
  kResetRequest,   // reset both sides when a request begins; nothing of it is forwarded
  kDelayReply,     // hold the reply back for `delay_ms`
  kDropReply,      // swallow the reply and close the connection in order: the server has acted
  kResetReply,     // the same with a reset
  kTruncateReply,  // forward `bytes` of the reply, then close
  kHalfClose,      // forward `bytes` of the reply, then only stop sending to the client
  kStall,          // swallow the reply and keep the connection open
  kThrottle,       // forward the reply by pieces of `bytes`, with `delay_ms` before each but the first
};

struct ProxyPlan {
  ProxyFault fault = ProxyFault::kNone;
  std::int64_t delay_ms = 0;
  std::size_t bytes = 0;
};

class TcpProxy {
 public:
  explicit TcpProxy(std::uint16_t upstream_port);
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  std::uint16_t port() const;

  void Order(ProxyPlan plan);                     // for the next request, behind those ordered before
  void OrderEvery(ProxyPlan plan, unsigned nth);  // for every nth request that no order takes; 0 ends it
  void SetUpstream(std::uint16_t port);           // for new connections
  void CloseConnections();                        // all that are open, with a reset

  std::size_t connections_seen() const;
  std::size_t requests_seen() const;
  std::size_t faults_done() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace fhir_adapter::test
