#include "audit/checkpoint_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <unistd.h>
#include <utility>

#include "core/limits.h"

namespace fhir_adapter::audit {
namespace {

constexpr std::string_view kSignatureBegin = "\xE2\x80\x94 ";

Failure FailedFile(const char* what, const std::string& path) {
  return Fail(errno == ENOSPC ? Code::kDiskFull : Code::kInputOutput,
              std::string(what) + ": " + std::strerror(errno), Location{path, 0, 0, {}});
}

// Takes lines and says when a note is complete: an empty line behind at least one signature.
class NoteCollector {
 public:
  bool Take(const std::string& line) {
    if (line.empty() && has_signature_) return true;
    if (note_.size() + line.size() < limits::kCheckpointNoteBytesMax) note_ += line + "\n";
    if (line.starts_with(kSignatureBegin)) has_signature_ = true;
    return false;
  }
  std::string TakeNote() {
    has_signature_ = false;
    return std::exchange(note_, {});
  }

 private:
  std::string note_;
  bool has_signature_ = false;
};

struct Tail {
  std::string note;      // the last complete one
  std::int64_t end = 0;  // where it ends, its empty line included
};

// Of what stands at the end of the file: the last notes are enough.
Tail ReadTail(std::ifstream& file) {
  file.seekg(0, std::ios::end);
  std::int64_t at =
      std::max<std::int64_t>(0, static_cast<std::int64_t>(file.tellg()) -
                                    3 * static_cast<std::int64_t>(limits::kCheckpointNoteBytesMax));
  const bool is_inside = at > 0;
  file.seekg(at);
  Tail tail;
  NoteCollector collector;
  bool is_whole = !is_inside;  // the first note that is met may have begun before
  std::string line;
  while (std::getline(file, line) && !file.eof()) {
    at += static_cast<std::int64_t>(line.size()) + 1;
    if (!collector.Take(line)) continue;
    std::string note = collector.TakeNote();
    if (is_whole) tail.note = std::move(note);
    is_whole = true;
    tail.end = at;
  }
  return tail;
}

}  // namespace

bool CheckpointFile::exists() const {
  return access(path_.c_str(), F_OK) == 0;
}

Result<void> CheckpointFile::ForEach(const std::function<Result<void>(const std::string&)>& visit) const {
  std::ifstream file(path_, std::ios::binary);
  if (!file) return {};
  NoteCollector collector;
  std::string line;
  while (std::getline(file, line) && !file.eof()) {
    if (collector.Take(line)) ADAPTER_CHECK(visit(collector.TakeNote()));
  }
  return {};
}

Result<std::string> CheckpointFile::Last() const {
  std::ifstream file(path_, std::ios::binary);
  if (!file) return std::string();
  return ReadTail(file).note;
}

Result<void> CheckpointFile::Append(std::string_view note) const {
  std::int64_t end = 0;
  if (std::ifstream old(path_, std::ios::binary); old) end = ReadTail(old).end;
  const int file = open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return FailedFile("cannot open the file of checkpoints", path_);
  const std::string bytes = std::string(note) + "\n";
  const bool done = ftruncate(file, end) == 0 &&
                    pwrite(file, bytes.data(), bytes.size(), end) == static_cast<ssize_t>(bytes.size()) &&
                    fsync(file) == 0;
  const int error = errno;
  close(file);
  errno = error;
  if (!done) return FailedFile("cannot write the file of checkpoints", path_);
  return {};
}

Result<void> CheckpointFile::StartAgain(std::string_view note) const {
  if (exists()) {
    const CheckpointFile aside(path_ + ".before-restore");
    ADAPTER_CHECK(ForEach([&](const std::string& old) { return aside.Append(old); }));
    if (unlink(path_.c_str()) != 0) return FailedFile("cannot remove the old file of checkpoints", path_);
  }
  return note.empty() ? Result<void>() : Append(note);
}

}  // namespace fhir_adapter::audit
