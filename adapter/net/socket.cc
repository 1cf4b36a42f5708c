#include "net/socket.h"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace fhir_adapter::net {

namespace {

constexpr int kBacklog = 512;

std::string SystemReason(int error) {
  std::array<char, 128> text{};
  return strerror_r(error, text.data(), text.size());
}

Failure SocketFailure(const std::string& address, const char* action, int error) {
  return Fail(Code::kInputOutput,
              "cannot " + std::string(action) + " " + address + ": " + SystemReason(error));
}

// sockaddr_storage is what the calls take for every family.
sockaddr* Generic(sockaddr_storage& storage) {
  return reinterpret_cast<sockaddr*>(&storage);  // NOLINT: the interface of the sockets API
}

socklen_t FillAddress(const ListenAddress& address, sockaddr_storage& storage) {
  if (address.is_ipv6()) {
    sockaddr_in6 ipv6{};
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = htons(address.port);
    inet_pton(AF_INET6, address.host.c_str(), &ipv6.sin6_addr);
    std::memcpy(&storage, &ipv6, sizeof(ipv6));
    return sizeof(ipv6);
  }
  sockaddr_in ipv4{};
  ipv4.sin_family = AF_INET;
  ipv4.sin_port = htons(address.port);
  inet_pton(AF_INET, address.host.c_str(), &ipv4.sin_addr);
  std::memcpy(&storage, &ipv4, sizeof(ipv4));
  return sizeof(ipv4);
}

bool SomebodyListens(const sockaddr_un& name) {
  const FileDescriptor probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage{};
  std::memcpy(&storage, &name, sizeof(name));
  return probe.get() >= 0 && connect(probe.get(), Generic(storage), sizeof(name)) == 0;
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (descriptor_ >= 0) close(descriptor_);
}

Result<FileDescriptor> ListenTcp(const ListenAddress& address) {
  sockaddr_storage storage{};
  const socklen_t length = FillAddress(address, storage);
  FileDescriptor descriptor(socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (descriptor.get() < 0) return SocketFailure(ToString(address), "open a socket for", errno);
  const int on = 1;
  setsockopt(descriptor.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (bind(descriptor.get(), Generic(storage), length) != 0) {
    return SocketFailure(ToString(address), "bind", errno);
  }
  if (listen(descriptor.get(), kBacklog) != 0) return SocketFailure(ToString(address), "listen on", errno);
  return descriptor;
}

Result<FileDescriptor> ListenUnix(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.size() >= sizeof(name.sun_path)) {
    return Fail(Code::kConfiguration, "socket path " + path + " is longer than " +
                                          std::to_string(sizeof(name.sun_path) - 1) + " bytes");
  }
  std::memcpy(name.sun_path, path.data(), path.size());
  struct stat status{};
  if (lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) return Fail(Code::kInputOutput, path + " exists and is not a socket");
    if (SomebodyListens(name)) return Fail(Code::kStoreLocked, "another process listens on " + path);
    if (unlink(path.c_str()) != 0) return SocketFailure(path, "remove the stale socket", errno);
  }
  FileDescriptor descriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (descriptor.get() < 0) return SocketFailure(path, "open a socket for", errno);
  // On Linux the mode of the descriptor becomes the mode of the file, so there is no moment in which others
  // could connect.
  if (fchmod(descriptor.get(), S_IRUSR | S_IWUSR) != 0) return SocketFailure(path, "protect", errno);
  sockaddr_storage storage{};
  std::memcpy(&storage, &name, sizeof(name));
  if (bind(descriptor.get(), Generic(storage), sizeof(name)) != 0) return SocketFailure(path, "bind", errno);
  if (chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0) return SocketFailure(path, "protect", errno);
  if (listen(descriptor.get(), kBacklog) != 0) return SocketFailure(path, "listen on", errno);
  return descriptor;
}

std::uint16_t BoundPort(int descriptor) {
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);
  if (getsockname(descriptor, Generic(storage), &length) != 0) return 0;
  if (storage.ss_family == AF_INET6) {
    sockaddr_in6 ipv6{};
    std::memcpy(&ipv6, &storage, sizeof(ipv6));
    return ntohs(ipv6.sin6_port);
  }
  sockaddr_in ipv4{};
  std::memcpy(&ipv4, &storage, sizeof(ipv4));
  return ntohs(ipv4.sin_port);
}

std::string PeerAddress(int descriptor) {
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);
  if (getpeername(descriptor, Generic(storage), &length) != 0) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (storage.ss_family == AF_INET6) {
    sockaddr_in6 ipv6{};
    std::memcpy(&ipv6, &storage, sizeof(ipv6));
    inet_ntop(AF_INET6, &ipv6.sin6_addr, text.data(), text.size());
  } else if (storage.ss_family == AF_INET) {
    sockaddr_in ipv4{};
    std::memcpy(&ipv4, &storage, sizeof(ipv4));
    inet_ntop(AF_INET, &ipv4.sin_addr, text.data(), text.size());
  }
  return text.data();
}

Result<Principal> PeerPrincipal(int descriptor) {
  ucred credentials{};
  socklen_t length = sizeof(credentials);
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) {
    return Fail(Code::kForbidden, "the peer's credentials cannot be read");
  }
  Principal principal;
  principal.kind = ActorKind::kLocalUser;
  principal.id = "uid:" + std::to_string(credentials.uid);
  principal.roles = RoleSet::All();
  principal.authentication = "peer-credentials";
  return principal;
}

}  // namespace fhir_adapter::net
