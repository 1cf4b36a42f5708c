// One file of a watched folder: opening it safely, and moving it out for good. Private to intake.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace fhir_adapter::intake {

// Owns a file descriptor.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int value) : value_(value) {}
  ~FileDescriptor();
  FileDescriptor(FileDescriptor&& other) noexcept : value_(other.Release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  int get() const { return value_; }
  bool valid() const { return value_ >= 0; }
  int Release();

 private:
  int value_ = -1;
};

enum class FileState : std::uint8_t {
  kReady,
  kBeingWritten,  // somebody has it open for writing, or it changed a moment ago
  kGone,
  kNotAFile  // a link, a folder, a device
};

struct OpenFile {
  FileState state = FileState::kGone;
  FileDescriptor descriptor;  // valid when ready
};

// Opens `name` below the folder without following links, and tells whether it is complete.
OpenFile OpenComplete(int folder, const std::string& name, std::int64_t settle_ms);

// Renames into the folder `to` under its own name, or with a number when that is taken; both folders are
// durable afterwards. Gives the new name.
Result<std::string> MoveFile(int from, const std::string& name, int to);

// Writes a new file durably. An existing one of that name is replaced.
Result<void> WriteFile(int folder, const std::string& name, std::string_view bytes);

Result<FileDescriptor> OpenFolder(const std::string& path, bool create);

}  // namespace fhir_adapter::intake
