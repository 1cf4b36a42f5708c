#include "net/detail/listener.h"

#include <chrono>
#include <utility>

namespace fhir_adapter::net {
namespace {

using boost::system::error_code;

constexpr std::int64_t kAcceptRetryMs = 100;

}  // namespace

Listener::Listener(IoThread& io_thread, FileDescriptor socket, int family, OnAccepted on_accepted)
    : acceptor_(io_thread.implementation().context),
      retry_timer_(io_thread.implementation().context),
      on_accepted_(std::move(on_accepted)) {
  acceptor_.assign(boost::asio::generic::stream_protocol(family, 0), socket.Release());
  io_thread.Post([this] { Accept(); });
}

void Listener::Accept() {
  if (!acceptor_.is_open()) return;
  acceptor_.async_accept([this](error_code error, StreamSocket socket) {
    if (error == boost::asio::error::operation_aborted) return;
    if (error) {
      // Out of descriptors or memory: the queue of the system holds the others for a moment.
      retry_timer_.expires_after(std::chrono::milliseconds(kAcceptRetryMs));
      retry_timer_.async_wait([this](error_code stopped) {
        if (!stopped) Accept();
      });
      return;
    }
    on_accepted_(std::move(socket));
    Accept();
  });
}

void Listener::Stop() {
  error_code ignored;
  static_cast<void>(acceptor_.close(ignored));
  retry_timer_.cancel();
}

}  // namespace fhir_adapter::net
