// FolderWatch: waits until something below a folder has changed (inotify), once it has been quiet for a
// moment, so that many files that are written together are one change.
//
// The folder itself may be replaced, or be a symbolic link that is moved on. Where it cannot be watched (no
// watches left, it is away) `is_watching` is false and the watch is tried again now and then. Wait belongs to
// one thread; Ask and Stop may be called from any.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "core/result.h"
#include "intake/directory_file.h"

namespace fhir_adapter::app {

class FolderWatch {
 public:
  enum class Cause : std::uint8_t { kChanged, kAsked, kStopped };

  // Begins to watch: what changes from now on is seen by Wait. Errors: kInputOutput, the system gives no
  // descriptors.
  Result<void> Start(const std::string& folder, std::int64_t quiet_ms);

  Cause Wait();
  void Ask();
  void Stop();
  bool is_watching() const { return is_watching_; }

 private:
  void WatchFolders();
  // True when one of the events that came speaks of the folder.
  bool ReadEvents() const;
  // Waits for an event or a call; false when the time has passed.
  bool Poll(std::int64_t timeout_ms);
  void Signal() const;

  std::string folder_;
  std::int64_t quiet_ms_ = 0;
  intake::FileDescriptor events_;
  intake::FileDescriptor calls_;  // an eventfd
  int parent_ = -1;               // the watch on the folder above, which sees the folder replaced
  bool is_watching_ = false;
  std::atomic<bool> asked_{false};
  std::atomic<bool> stopped_{false};
};

}  // namespace fhir_adapter::app
