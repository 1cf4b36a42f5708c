// A SQLite file system (VFS) over the system's that fails when it is told to: the Nth sync or write, once or
// for ever, or a disk that holds so many bytes and no more.
//
// One object for one name; register it before a store is opened with it. Counters may be read from any
// thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace fhir_adapter::test {

enum class FileOperation { kOpen, kRead, kWrite, kSync, kTruncate };

class FaultFileSystem {
 public:
  FaultFileSystem();
  ~FaultFileSystem();
  FaultFileSystem(const FaultFileSystem&) = delete;
  FaultFileSystem& operator=(const FaultFileSystem&) = delete;

  const std::string& name() const { return name_; }  // for SqliteStoreSettings::vfs

  // The `nth` operation of that kind from now on fails with an I/O error; with `for_ever` all later ones too.
  void Fail(FileOperation operation, std::int64_t nth, bool for_ever = false);
  void Heal();
  // Writes that would make a file grow fail with "disk full" after so many more bytes; negative: no limit.
  void SetRoom(std::int64_t bytes) { room_ = bytes; }

  std::int64_t Count(FileOperation operation) const { return counts_[static_cast<int>(operation)]; }

  // For the file system's own functions: false when the operation has to fail.
  bool Pass(FileOperation operation);
  bool TakeRoom(std::int64_t bytes);

 private:
  struct Registration;
  std::string name_;
  std::atomic<std::int64_t> counts_[5] = {};
  std::atomic<int> failing_{-1};
  std::atomic<std::int64_t> countdown_{0};
  std::atomic<bool> for_ever_{false};
  std::atomic<std::int64_t> room_{-1};
  Registration* registration_;  // owned; SQLite's structures need a stable C layout
};

}  // namespace fhir_adapter::test
