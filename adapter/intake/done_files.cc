#include "intake/done_files.h"

#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <functional>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

#include "intake/directory_file.h"

namespace fhir_adapter::intake {
namespace {

constexpr std::int64_t kMicrosecondsPerSecond = 1'000'000;

struct FolderCloser {
  void operator()(DIR* folder) const { closedir(folder); }
};

Failure Failed(const std::string& path) {
  return Fail(Code::kInputOutput, std::strerror(errno), Location{path, 0, 0, {}});
}

// Calls `visit` for each file until it returns false.
Result<void> ForEachFile(
    const std::string& path,
    const std::function<bool(const std::string& name, const struct stat& status)>& visit) {
  const std::unique_ptr<DIR, FolderCloser> folder(opendir(path.c_str()));
  if (!folder) return errno == ENOENT ? Result<void>() : Result<void>(Failed(path));
  while (const dirent* entry = readdir(folder.get())) {  // NOLINT(concurrency-mt-unsafe): a stream of its own
    struct stat status{};
    if (fstatat(dirfd(folder.get()), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISREG(status.st_mode) && !visit(entry->d_name, status)) break;
  }
  return {};
}

}  // namespace

Result<FolderUse> MeasureFolder(const std::string& path) {
  FolderUse use;
  ADAPTER_CHECK(ForEachFile(path, [&use](const std::string&, const struct stat& status) {
    ++use.files;
    use.bytes += status.st_size;
    return true;
  }));
  return use;
}

// The time of the last change of the file's entry is that of the move: its own time is the sender's.
Result<std::vector<std::string>> OldFiles(const std::string& path, TimeUs before, std::size_t files_max) {
  std::vector<std::string> names;
  ADAPTER_CHECK(ForEachFile(path, [&](const std::string& name, const struct stat& status) {
    const std::int64_t moved_us =
        status.st_ctim.tv_sec * kMicrosecondsPerSecond + status.st_ctim.tv_nsec / 1'000;
    if (moved_us < before.us) names.push_back(name);
    return names.size() < files_max;
  }));
  return names;
}

Result<void> RemoveFiles(const std::string& path, const std::vector<std::string>& names) {
  ADAPTER_TRY(const FileDescriptor folder, OpenFolder(path, false));
  for (const std::string& name : names) {
    if (unlinkat(folder.get(), name.c_str(), 0) != 0 && errno != ENOENT) return Failed(path + "/" + name);
  }
  return {};
}

}  // namespace fhir_adapter::intake
