// Listener: takes connections from a listening socket, on the I/O thread, until it is stopped.
//
// Includes Asio: for the .cc files of servers only. Made on any thread; Stop() and the destructor are the I/O
// thread's. Owns the socket. When the system is out of descriptors or memory it waits a moment and goes on.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>

#include "net/detail/io_context.h"
#include "net/detail/secure_stream.h"
#include "net/socket.h"

namespace fhir_adapter::net {

class Listener {
 public:
  using OnAccepted = std::function<void(StreamSocket)>;

  // `family`: AF_INET, AF_INET6 or AF_UNIX, of `socket`.
  Listener(IoThread& io_thread, FileDescriptor socket, int family, OnAccepted on_accepted);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  bool is_open() const { return acceptor_.is_open(); }
  void Stop();

 private:
  void Accept();

  boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol> acceptor_;
  boost::asio::steady_timer retry_timer_;
  OnAccepted on_accepted_;
};

}  // namespace fhir_adapter::net
