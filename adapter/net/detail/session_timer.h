// SessionTimer: the timer of a connection, set anew and stopped at any time; what was set before does not
// fire.
//
// Includes Asio: for the .cc files of servers only. For the I/O thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <utility>

namespace fhir_adapter::net {

class SessionTimer {
 public:
  explicit SessionTimer(const boost::asio::any_io_executor& executor) : timer_(executor) {}

  // `on_timer` holds the connection that owns this timer.
  template <class OnTimer>
  void Arm(std::int64_t milliseconds, OnTimer on_timer) {
    const std::uint64_t generation = ++generation_;
    timer_.expires_after(std::chrono::milliseconds(milliseconds));
    timer_.async_wait([this, generation, on_timer = std::move(on_timer)](boost::system::error_code error) {
      if (!error && generation == generation_) on_timer();
    });
  }
  void Stop() {
    ++generation_;
    timer_.cancel();
  }

 private:
  boost::asio::steady_timer timer_;
  std::uint64_t generation_ = 0;
};

}  // namespace fhir_adapter::net
