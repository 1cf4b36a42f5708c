#include "intake/record_files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "intake/directory_file.h"
#include "outbox/erasures.h"
#include "pipeline/text_key.h"
#include "record/record_cutter.h"

namespace fhir_adapter::intake {
namespace {

constexpr std::size_t kChunkBytes = 64 * 1024;
constexpr std::string_view kReportEnding = ".report.json";

struct FolderCloser {
  void operator()(DIR* folder) const { closedir(folder); }
};

// Looks for words in a text that comes in chunks.
class WordSearch {
 public:
  explicit WordSearch(const std::vector<RecordName>& records) : records_(records) {
    for (const RecordName& record : records) longest_ = std::max(longest_, record.record_id.size());
  }

  // What was cut off before or after stands as a letter, so that a word that is cut does not count yet.
  void Push(std::string_view chunk, bool is_last) {
    std::string text = is_first_ ? std::string() : "x" + tail_;
    text.append(chunk);
    const std::size_t kept = std::min(text.size(), longest_ + 1);
    std::string tail = text.substr(text.size() - kept);
    if (!is_last) text += 'x';
    found_ = found_ || std::ranges::any_of(records_, [&text](const RecordName& record) {
               return outbox::HoldsWord(text, record.record_id);
             });
    tail_ = std::move(tail);
    is_first_ = false;
  }
  bool found() const { return found_; }

 private:
  const std::vector<RecordName>& records_;
  std::size_t longest_ = 0;
  std::string tail_;
  bool is_first_ = true;
  bool found_ = false;
};

enum class Verdict : std::uint8_t { kNo, kUnclear, kYes };

Verdict Judge(const record::RecordText& text, const std::vector<RecordName>& records) {
  const auto key = pipeline::KeyOfText(text);
  if (!key) return Verdict::kUnclear;
  const bool is_one = std::ranges::any_of(records, [&key](const RecordName& record) {
    return record.site == key->site && record.record_id == key->record_id;
  });
  return is_one ? Verdict::kYes : Verdict::kNo;
}

Verdict JudgeAll(record::RecordCutter& cutter, const std::vector<RecordName>& records) {
  Verdict verdict = Verdict::kNo;
  while (const auto text = cutter.Next()) verdict = std::max(verdict, Judge(*text, records));
  return verdict;
}

Result<bool> Holds(int descriptor, const std::string& path, const record::TableLayout* table,
                   const std::vector<RecordName>& records) {
  const auto format = record::FormatOfName(path);
  std::unique_ptr<record::RecordCutter> cutter;
  if (format && (*format != record::RecordFormat::kTable || table != nullptr)) {
    cutter = record::MakeCutter(*format, table);
  }
  Verdict verdict = cutter ? Verdict::kNo : Verdict::kUnclear;
  WordSearch words(records);
  std::vector<char> chunk(kChunkBytes);
  for (bool more = true; more;) {
    const ssize_t count = read(descriptor, chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Fail(Code::kInputOutput, std::strerror(errno), Location{path, 0, 0, {}});
    more = count > 0;
    const std::string_view bytes(chunk.data(), static_cast<std::size_t>(count));
    words.Push(bytes, !more);
    if (!cutter) continue;
    if (more) {
      cutter->Push(bytes);
    } else {
      cutter->Finish();
    }
    verdict = std::max(verdict, JudgeAll(*cutter, records));
  }
  return verdict == Verdict::kYes || (verdict == Verdict::kUnclear && words.found());
}

// Names of the files of a folder that hold one of the records; none for a folder that is not there.
Result<std::vector<std::string>> FilesOf(const std::string& path, const record::TableLayout* table,
                                         const std::vector<RecordName>& records) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, FolderCloser> folder(opendir(path.c_str()));
  if (!folder) {
    if (errno == ENOENT) return names;
    return Fail(Code::kInputOutput, std::strerror(errno), Location{path, 0, 0, {}});
  }
  while (const dirent* entry = readdir(folder.get())) {  // NOLINT(concurrency-mt-unsafe): a stream of its own
    const std::string name = entry->d_name;
    struct stat status{};
    if (fstatat(dirfd(folder.get()), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (!S_ISREG(status.st_mode)) continue;
    const FileDescriptor file(openat(dirfd(folder.get()), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!file.valid()) {
      if (errno == ENOENT) continue;
      return Fail(Code::kInputOutput, std::strerror(errno), Location{path + "/" + name, 0, 0, {}});
    }
    ADAPTER_TRY(const bool holds, Holds(file.get(), path + "/" + name, table, records));
    if (holds) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

Result<void> Remove(const std::string& path, const std::vector<std::string>& names,
                    std::vector<std::string>& removed) {
  if (names.empty()) return {};
  ADAPTER_TRY(const FileDescriptor folder, OpenFolder(path, false));
  for (const std::string& name : names) {
    if (unlinkat(folder.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
      return Fail(Code::kInputOutput, std::strerror(errno), Location{path + "/" + name, 0, 0, {}});
    }
    removed.push_back(path + "/" + name);
    const std::string report = name + std::string(kReportEnding);
    unlinkat(folder.get(), report.c_str(), 0);  // most files have none
  }
  if (fsync(folder.get()) != 0)
    return Fail(Code::kInputOutput, std::strerror(errno), Location{path, 0, 0, {}});
  return {};
}

}  // namespace

Result<RecordFiles> RemoveFilesOf(const RecordFolder& folder, const std::vector<RecordName>& records) {
  RecordFiles files;
  for (const char* below : {"/done", "/rejected"}) {
    const std::string path = folder.path + below;
    ADAPTER_TRY(const std::vector<std::string> names, FilesOf(path, folder.table, records));
    ADAPTER_CHECK(Remove(path, names, files.removed));
  }
  ADAPTER_TRY(const std::vector<std::string> waiting, FilesOf(folder.path, folder.table, records));
  for (const std::string& name : waiting) files.waiting.push_back(folder.path + "/" + name);
  return files;
}

}  // namespace fhir_adapter::intake
