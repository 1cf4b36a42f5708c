#include "app/service_notification.h"

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace fhir_adapter::app {

void NotifyService(std::string_view state) {
  static const std::string path = [] {
    const char* value = std::getenv("NOTIFY_SOCKET");  // NOLINT(concurrency-mt-unsafe): read once
    return std::string(value == nullptr ? "" : value);
  }();
  sockaddr_un address{};
  if (path.size() < 2 || path.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // abstract namespace
  const int socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket_fd < 0) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  // A manager that does not listen is no reason to stop: the result does not matter.
  (void)sendto(socket_fd, state.data(), state.size(), MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address), length);
  close(socket_fd);
}

std::int64_t WatchdogIntervalUs() {
  const char* value =
      std::getenv("WATCHDOG_USEC");  // NOLINT(concurrency-mt-unsafe): before any thread starts
  return value == nullptr ? 0 : std::strtoll(value, nullptr, 10);
}

}  // namespace fhir_adapter::app
