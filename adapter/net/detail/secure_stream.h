// SecureStream: a stream socket of a server, with TLS or without, for Asio's and Beast's operations.
//
// Includes Asio: for the .cc files of net and intake only. For one thread. Reading and writing go through TLS
// once the handshake is done; what is said of the socket itself (close, cancel, shutdown) goes to socket().
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "net/tls_context.h"

namespace fhir_adapter::net {

using StreamSocket = boost::asio::generic::stream_protocol::socket;

// What a connection is made from. Immutable, but that Asio's constructor wants its context not const.
struct TlsContext::Material {
  explicit Material(SSL_CTX* native) : context(native) {}
  mutable boost::asio::ssl::context context;
  std::int64_t ends_s = 0;
};

class SecureStream {
 public:
  using executor_type = StreamSocket::executor_type;

  // Without TLS when `material` is null.
  SecureStream(StreamSocket socket, const std::shared_ptr<const TlsContext::Material>& material)
      : socket_(std::move(socket)) {
    if (material) tls_.emplace(socket_, material->context);  // which counts as a user of the native context
  }
  SecureStream(const SecureStream&) = delete;
  SecureStream& operator=(const SecureStream&) = delete;

  executor_type get_executor() { return socket_.get_executor(); }
  StreamSocket& socket() { return socket_; }
  bool is_tls() const { return tls_.has_value(); }

  // `handler(error_code)`. Only with TLS.
  template <class Handler>
  void async_handshake(Handler&& handler) {
    tls_->async_handshake(boost::asio::ssl::stream_base::server, std::forward<Handler>(handler));
  }
  // Tells the client that nothing more comes, and waits for it to say the same. Only with TLS.
  template <class Handler>
  void async_shutdown(Handler&& handler) {
    tls_->async_shutdown(std::forward<Handler>(handler));
  }

  template <class Buffers, class Handler>
  void async_read_some(const Buffers& buffers, Handler&& handler) {
    if (tls_) {
      tls_->async_read_some(buffers, std::forward<Handler>(handler));
    } else {
      socket_.async_read_some(buffers, std::forward<Handler>(handler));
    }
  }
  template <class Buffers, class Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    if (tls_) {
      tls_->async_write_some(buffers, std::forward<Handler>(handler));
    } else {
      socket_.async_write_some(buffers, std::forward<Handler>(handler));
    }
  }

  // SHA-256 of the certificate that the client showed, in lower-case hex; empty for none.
  std::string ClientCertificateSha256();

 private:
  StreamSocket socket_;
  std::optional<boost::asio::ssl::stream<StreamSocket&>> tls_;
};

}  // namespace fhir_adapter::net
