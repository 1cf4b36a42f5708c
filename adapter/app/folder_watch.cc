#include "app/folder_watch.h"

#include <array>
#include <cstring>
#include <filesystem>
#include <poll.h>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace fhir_adapter::app {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO;
constexpr std::int64_t kTryAgainMs = 5'000;
constexpr int kQuietRoundsMax = 20;  // whoever writes without a pause is not waited for for ever

fs::path WithoutLastSlash(const std::string& folder) {
  const fs::path path = fs::absolute(folder).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

}  // namespace

Result<void> FolderWatch::Start(const std::string& folder, std::int64_t quiet_ms) {
  folder_ = WithoutLastSlash(folder).string();
  quiet_ms_ = quiet_ms;
  events_ = intake::FileDescriptor(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  calls_ = intake::FileDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!events_.valid() || !calls_.valid()) {
    return Fail(Code::kInputOutput, "cannot be watched", Location{folder, 0, 0, ""});
  }
  WatchFolders();
  return {};
}

void FolderWatch::WatchFolders() {
  std::error_code error;
  parent_ = inotify_add_watch(events_.get(), fs::path(folder_).parent_path().c_str(), kEvents);
  is_watching_ = inotify_add_watch(events_.get(), folder_.c_str(), kEvents | IN_ONLYDIR) >= 0;
  for (auto entry = fs::recursive_directory_iterator(folder_, error);
       !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (!entry->is_directory(ignored)) continue;
    const int added = inotify_add_watch(events_.get(), entry->path().c_str(), kEvents | IN_ONLYDIR);
    is_watching_ = is_watching_ && added >= 0;
  }
}

bool FolderWatch::ReadEvents() const {
  alignas(inotify_event) std::array<char, 4096> buffer{};
  const std::string name = fs::path(folder_).filename().string();
  bool is_ours = false;
  for (ssize_t size = read(events_.get(), buffer.data(), buffer.size()); size > 0;
       size = read(events_.get(), buffer.data(), buffer.size())) {
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* const of = buffer.data() + at + sizeof event;
      is_ours = is_ours || event.wd != parent_ || (event.len > 0 && std::string_view(of) == name);
      at += sizeof event + event.len;
    }
  }
  return is_ours;
}

bool FolderWatch::Poll(std::int64_t timeout_ms) {
  std::array<pollfd, 2> waits = {pollfd{events_.get(), POLLIN, 0}, pollfd{calls_.get(), POLLIN, 0}};
  if (poll(waits.data(), waits.size(), static_cast<int>(timeout_ms)) <= 0) return false;
  std::uint64_t calls = 0;
  while (read(calls_.get(), &calls, sizeof calls) > 0) {
  }
  return true;
}

FolderWatch::Cause FolderWatch::Wait() {
  bool has_changed = false;
  for (;;) {
    if (stopped_) return Cause::kStopped;
    if (asked_.exchange(false)) return Cause::kAsked;
    const bool was_watching = is_watching_;
    if (!Poll(was_watching ? -1 : kTryAgainMs)) {
      WatchFolders();
      // It was away: whatever happened to it meanwhile was not seen.
      if (is_watching_) return Cause::kChanged;
      continue;
    }
    has_changed = ReadEvents();
    for (int round = 0; has_changed && round < kQuietRoundsMax && !stopped_ && Poll(quiet_ms_); ++round) {
      ReadEvents();
    }
    if (!has_changed) continue;
    WatchFolders();
    return stopped_ ? Cause::kStopped : Cause::kChanged;
  }
}

void FolderWatch::Signal() const {
  const std::uint64_t one = 1;
  // Full is as good: the waiting thread is woken then too.
  static_cast<void>(write(calls_.get(), &one, sizeof one));
}

void FolderWatch::Ask() {
  asked_ = true;
  Signal();
}

void FolderWatch::Stop() {
  stopped_ = true;
  if (calls_.valid()) Signal();
}

}  // namespace fhir_adapter::app
