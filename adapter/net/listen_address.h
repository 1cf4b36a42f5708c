// Where a server listens: an IP address and port. "127.0.0.1:8620", "[::1]:8620".
//
// Host names are refused: what they resolve to can change under the loopback check. "localhost" alone is
// understood, as 127.0.0.1. A value; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace fhir_adapter::net {

struct ListenAddress {
  std::string host = "127.0.0.1";  // without brackets
  std::uint16_t port = 0;          // 0: the system chooses a free one

  bool is_ipv6() const { return host.find(':') != std::string::npos; }
  bool is_loopback() const;  // 127.0.0.0/8 or ::1
  bool operator==(const ListenAddress&) const = default;
};

// Errors: kConfiguration with what is wrong and an example.
Result<ListenAddress> ParseListenAddress(std::string_view text);

std::string ToString(const ListenAddress& address);  // "[::1]:8620"

}  // namespace fhir_adapter::net
