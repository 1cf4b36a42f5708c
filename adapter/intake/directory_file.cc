#include "intake/directory_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <utility>

namespace fhir_adapter::intake {
namespace {

constexpr int kRenameAttemptsMax = 10'000;

Failure SystemFailure(const std::string& what, const std::string& path) {
  const Code code = errno == ENOSPC || errno == EDQUOT ? Code::kDiskFull : Code::kInputOutput;
  return Fail(code, what + ": " + std::strerror(errno), Location{path, 0, 0, ""});
}

// A read lease is refused while anyone has the file open for writing: the kernel's own answer to "is it
// complete". It may be asked for by the file's owner (or with CAP_LEASE) only; others judge by the time of
// the last change.
FileState StateOf(int file, const struct stat& status, std::int64_t settle_ms) {
  if (fcntl(file, F_SETLEASE, F_RDLCK) == 0) {
    fcntl(file, F_SETLEASE, F_UNLCK);
    return FileState::kReady;
  }
  if (errno == EAGAIN) return FileState::kBeingWritten;
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const std::int64_t age_ms =
      (now.tv_sec - status.st_mtim.tv_sec) * 1'000 + (now.tv_nsec - status.st_mtim.tv_nsec) / 1'000'000;
  return age_ms >= settle_ms || age_ms < 0 ? FileState::kReady : FileState::kBeingWritten;
}

std::string Numbered(const std::string& name, int number) {
  if (number == 0) return name;
  const std::size_t dot = name.rfind('.');
  const std::string stem = name.substr(0, dot);
  const std::string ending = dot == std::string::npos ? "" : name.substr(dot);
  return stem + "." + std::to_string(number) + ending;
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (value_ >= 0) close(value_);
}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    if (value_ >= 0) close(value_);
    value_ = other.Release();
  }
  return *this;
}

int FileDescriptor::Release() {
  return std::exchange(value_, -1);
}

OpenFile OpenComplete(int folder, const std::string& name, std::int64_t settle_ms) {
  OpenFile file;
  struct stat status{};
  if (fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return file;
  if (!S_ISREG(status.st_mode)) {
    file.state = FileState::kNotAFile;
    return file;
  }
  file.descriptor =
      FileDescriptor(openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file.descriptor.valid()) return file;
  file.state = StateOf(file.descriptor.get(), status, settle_ms);
  return file;
}

Result<std::string> MoveFile(int from, const std::string& name, int to) {
  for (int number = 0; number < kRenameAttemptsMax; ++number) {
    std::string target = Numbered(name, number);
    if (renameat2(from, name.c_str(), to, target.c_str(), RENAME_NOREPLACE) == 0) {
      fsync(to);
      fsync(from);
      return target;
    }
    if (errno != EEXIST) return SystemFailure("cannot be moved", name);
  }
  return Fail(Code::kInputOutput, "too many files of this name", Location{name, 0, 0, ""});
}

Result<void> WriteFile(int folder, const std::string& name, std::string_view bytes) {
  const FileDescriptor file(
      openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) return SystemFailure("cannot be written", name);
  while (!bytes.empty()) {
    const ssize_t written = write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemFailure("cannot be written", name);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (fsync(file.get()) != 0) return SystemFailure("cannot be written", name);
  fsync(folder);
  return {};
}

Result<FileDescriptor> OpenFolder(const std::string& path, bool create) {
  if (create && mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return SystemFailure("cannot be created", path);
  FileDescriptor folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) return SystemFailure("cannot be opened", path);
  return folder;
}

}  // namespace fhir_adapter::intake
