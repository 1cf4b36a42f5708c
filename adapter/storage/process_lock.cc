#include "storage/process_lock.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

namespace fhir_adapter::storage {
namespace {

constexpr std::size_t kHolderBytesMax = 64;

// Digits only: the file may hold anything.
std::string ReadHolder(int descriptor) {
  char bytes[kHolderBytesMax] = {};
  const ssize_t size = pread(descriptor, bytes, sizeof bytes, 0);
  std::string holder;
  for (ssize_t i = 0; i < size && bytes[i] >= '0' && bytes[i] <= '9'; ++i) holder += bytes[i];
  return holder.empty() ? "unknown" : holder;
}

}  // namespace

Result<ProcessLock> ProcessLock::Acquire(const std::string& store_path) {
  const std::string path = store_path + ".lock";
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) {
    return Fail(Code::kStoreFailed, "cannot make the lock file: " + std::string(std::strerror(errno)),
                Location{path, 0, 0, {}});
  }
  ProcessLock lock(descriptor);
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    return Fail(Code::kStoreLocked, "the store is in use by process " + ReadHolder(descriptor),
                Location{path, 0, 0, {}});
  }
  // Only for people: a full disk must not keep the program from starting.
  const std::string holder = std::to_string(getpid()) + "\n";
  if (ftruncate(descriptor, 0) == 0 &&
      pwrite(descriptor, holder.data(), holder.size(), 0) != static_cast<ssize_t>(holder.size())) {
    static_cast<void>(ftruncate(descriptor, 0) == 0);
  }
  return lock;
}

ProcessLock::ProcessLock(ProcessLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

ProcessLock::~ProcessLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace fhir_adapter::storage
