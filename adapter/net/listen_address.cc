#include "net/listen_address.h"

#include <arpa/inet.h>
#include <charconv>

namespace fhir_adapter::net {

namespace {

Failure BadAddress(std::string_view text, std::string_view why) {
  return Fail(Code::kConfiguration, "listen address \"" + std::string(text) + "\": " + std::string(why) +
                                        "; examples: 127.0.0.1:8620, [::1]:8620");
}

}  // namespace

bool ListenAddress::is_loopback() const {
  if (is_ipv6()) {
    in6_addr address{};
    return inet_pton(AF_INET6, host.c_str(), &address) == 1 && IN6_IS_ADDR_LOOPBACK(&address);
  }
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

Result<ListenAddress> ParseListenAddress(std::string_view text) {
  ListenAddress address;
  std::string_view port;
  if (!text.empty() && text.front() == '[') {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return BadAddress(text, "the bracket is not closed");
    address.host = std::string(text.substr(1, end - 1));
    if (end + 1 >= text.size() || text[end + 1] != ':') return BadAddress(text, "has no port");
    port = text.substr(end + 2);
    in6_addr parsed{};
    if (inet_pton(AF_INET6, address.host.c_str(), &parsed) != 1) {
      return BadAddress(text, "is not an IPv6 address");
    }
  } else {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return BadAddress(text, "has no port");
    if (text.find(':', colon + 1) != std::string_view::npos) {
      return BadAddress(text, "an IPv6 address stands in brackets");
    }
    address.host = std::string(text.substr(0, colon));
    if (address.host == "localhost") address.host = "127.0.0.1";
    port = text.substr(colon + 1);
    in_addr parsed{};
    if (inet_pton(AF_INET, address.host.c_str(), &parsed) != 1) {
      return BadAddress(text, "is not an IP address (host names are not looked up)");
    }
  }
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (port.empty() || error != std::errc() || end != port.data() + port.size()) {
    return BadAddress(text, "the port is not a number from 0 to 65535");
  }
  return address;
}

std::string ToString(const ListenAddress& address) {
  const std::string port = ":" + std::to_string(address.port);
  return address.is_ipv6() ? "[" + address.host + "]" + port : address.host + port;
}

}  // namespace fhir_adapter::net
