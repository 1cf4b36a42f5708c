// Listening sockets and who is at the other end, over the system's calls.
//
// Descriptors are close-on-exec and owned by FileDescriptor. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "core/principal.h"
#include "core/result.h"
#include "net/listen_address.h"

namespace fhir_adapter::net {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
  FileDescriptor(FileDescriptor&& other) noexcept : descriptor_(other.Release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FileDescriptor();

  int get() const { return descriptor_; }
  int Release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_ = -1;
};

// Errors: kInputOutput, which names the address and the system's reason.
Result<FileDescriptor> ListenTcp(const ListenAddress& address);

// A socket file with mode 0600. A file that a dead process left is replaced; when somebody answers on it, the
// error is kStoreLocked. Errors: also kConfiguration (path too long), kInputOutput.
Result<FileDescriptor> ListenUnix(const std::string& path);

std::uint16_t BoundPort(int descriptor);
std::string PeerAddress(int descriptor);  // numeric; empty when unknown

// The user at the other end of a Unix-domain socket: id "uid:1000", every role, since only the owner of the
// socket and root can open it.
Result<Principal> PeerPrincipal(int descriptor);

}  // namespace fhir_adapter::net
