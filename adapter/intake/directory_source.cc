#include "intake/directory_source.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <dirent.h>
#include <optional>
#include <poll.h>
#include <set>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "core/log.h"
#include "intake/directory_file.h"
#include "net/http_message.h"
#include "pipeline/record_input.h"

namespace fhir_adapter::intake {
namespace {

constexpr std::size_t kChunkBytes = 64 * 1024;
constexpr std::size_t kRecordsPerSubmission = 64;
constexpr std::size_t kReportEntriesMax = 1'000;

// What became of the records of one file.
struct FileOutcome {
  std::size_t records = 0;
  std::size_t refused_count = 0;
  std::vector<pipeline::RecordAnswer> refused;  // the first ones, for the report
};

// Pointers and codes, never values: the file itself stands beside the report.
std::string ReportJson(const FileOutcome& outcome) {
  std::string json = "{\n  \"records\": " + std::to_string(outcome.records) +
                     ",\n  \"refused\": " + std::to_string(outcome.refused_count) + ",\n  \"reasons\": [";
  bool first = true;
  for (const pipeline::RecordAnswer& record : outcome.refused) {
    for (const Issue& issue : record.issues) {
      json += std::exchange(first, false) ? "\n" : ",\n";
      json += "    {\"recordId\": " + net::JsonString(record.record_id) +
              ", \"revision\": " + std::to_string(record.revision) +
              ", \"line\": " + std::to_string(issue.where.line) +
              ", \"column\": " + std::to_string(issue.where.column) +
              ", \"pointer\": " + net::JsonString(issue.where.pointer) +
              ", \"code\": " + net::JsonString(Name(issue.code)) +
              ", \"message\": " + net::JsonString(issue.message) + "}";
    }
  }
  return json + "\n  ]\n}\n";
}

// The format of a file that can be taken, by its name.
std::optional<record::RecordFormat> FormatOf(const std::string& name, const DirectorySettings& settings) {
  const auto format = record::FormatOfName(name);
  return format == record::RecordFormat::kTable && settings.table == nullptr ? std::nullopt : format;
}

std::string TakenEndings(const DirectorySettings& settings) {
  return settings.table != nullptr ? "only .json, .ndjson and .csv are taken"
                                   : "only .json and .ndjson are taken; .csv needs [[source]] columns";
}

}  // namespace

struct DirectorySource::Implementation {
  Implementation(DirectorySettings source_settings, const record::RecordModel& record_model,
                 pipeline::Receiver& record_receiver)
      : settings(std::move(source_settings)), model(record_model), receiver(record_receiver) {
    actor.kind = ActorKind::kSystem;
    actor.id = "source:" + settings.name;
    actor.roles = {Role::kIngest};
    actor.authentication = "directory";
  }

  Result<void> OpenFolders();
  std::vector<std::string> Names() const;
  // True when the file was dealt with; false when it has to be looked at again.
  Result<bool> Take(const std::string& name);
  Result<FileOutcome> ReceiveRecords(int file, const std::string& name, record::RecordFormat format);
  Result<void> Submit(std::vector<pipeline::InputRecord>& records, FileOutcome& outcome);
  Result<void> PutAway(const std::string& name, const FileOutcome& outcome);
  Result<int> TakeAll();
  void Run();

  DirectorySettings settings;
  const record::RecordModel& model;
  pipeline::Receiver& receiver;
  Principal actor;
  FileDescriptor inbox;
  FileDescriptor done;
  FileDescriptor rejected;
  FileDescriptor watch;
  FileDescriptor stop;
  std::thread thread;
  std::set<std::string> reported;  // what is not a file, so that it is logged once
};

Result<void> DirectorySource::Implementation::OpenFolders() {
  if (inbox.valid()) return {};
  ADAPTER_TRY(inbox, OpenFolder(settings.path, true));
  ADAPTER_TRY(done, OpenFolder(settings.path + "/done", true));
  ADAPTER_TRY(rejected, OpenFolder(settings.path + "/rejected", true));
  return {};
}

std::vector<std::string> DirectorySource::Implementation::Names() const {
  std::vector<std::string> names;
  DIR* folder = opendir(settings.path.c_str());
  if (folder == nullptr) return names;
  while (const dirent* entry = readdir(folder)) {  // NOLINT(concurrency-mt-unsafe): a stream of its own
    const std::string name = entry->d_name;
    if (!name.starts_with(".") && name != "done" && name != "rejected") names.push_back(name);
  }
  closedir(folder);
  std::ranges::sort(names);
  return names;
}

Result<bool> DirectorySource::Implementation::Take(const std::string& name) {
  OpenFile file = OpenComplete(inbox.get(), name, settings.settle_ms);
  if (file.state == FileState::kGone) return true;
  if (file.state == FileState::kBeingWritten) return false;
  if (file.state == FileState::kNotAFile) {
    if (reported.insert(name).second) {
      LogEvent(LogLevel::kWarning, "directory-entry-ignored", {{"source", settings.name}, {"file", name}});
    }
    return true;
  }
  FileOutcome outcome;
  if (const auto format = FormatOf(name, settings)) {
    ADAPTER_TRY(outcome, ReceiveRecords(file.descriptor.get(), name, *format));
  } else {
    pipeline::RecordAnswer refusal;
    refusal.issues.push_back({Code::kUnsupportedMediaType, Location{name, 0, 0, ""}, TakenEndings(settings)});
    outcome.refused.push_back(std::move(refusal));
    outcome.refused_count = 1;
  }
  ADAPTER_CHECK(PutAway(name, outcome));
  return true;
}

Result<FileOutcome> DirectorySource::Implementation::ReceiveRecords(int file, const std::string& name,
                                                                    record::RecordFormat format) {
  FileOutcome outcome;
  pipeline::RecordInput input(model, record::MakeCutter(format, settings.table), name);
  std::vector<pipeline::InputRecord> batch;
  std::vector<char> chunk(kChunkBytes);
  for (bool more = true; more;) {
    const ssize_t count = read(file, chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Fail(Code::kInputOutput, "cannot be read", Location{name, 0, 0, ""});
    more = count > 0;
    if (more) {
      input.Push(std::string_view(chunk.data(), static_cast<std::size_t>(count)));
    } else {
      input.Finish();
    }
    while (auto record = input.Next()) {
      batch.push_back(std::move(*record));
      if (batch.size() == kRecordsPerSubmission) ADAPTER_CHECK(Submit(batch, outcome));
    }
  }
  ADAPTER_CHECK(Submit(batch, outcome));
  // A table of no rows is an export with nothing new.
  if (outcome.records == 0 && format != record::RecordFormat::kTable) {
    pipeline::RecordAnswer refusal;
    refusal.issues.push_back({Code::kJsonSyntax, Location{name, 0, 0, ""}, "the file holds no record"});
    outcome.refused.push_back(std::move(refusal));
    outcome.refused_count = 1;
  }
  return outcome;
}

Result<void> DirectorySource::Implementation::Submit(std::vector<pipeline::InputRecord>& records,
                                                     FileOutcome& outcome) {
  if (records.empty()) return {};
  pipeline::Submission submission{settings.name, settings.map, actor, std::exchange(records, {}), {}};
  ADAPTER_TRY(pipeline::ReceiveAnswer answer, receiver.ReceiveNow(std::move(submission)));
  outcome.records += answer.records.size();
  for (pipeline::RecordAnswer& record : answer.records) {
    const bool taken = record.outcome == pipeline::RecordOutcome::kAccepted ||
                       record.outcome == pipeline::RecordOutcome::kKnown;
    if (taken) continue;
    ++outcome.refused_count;
    if (outcome.refused.size() < kReportEntriesMax) outcome.refused.push_back(std::move(record));
  }
  return {};
}

Result<void> DirectorySource::Implementation::PutAway(const std::string& name, const FileOutcome& outcome) {
  const bool refused = outcome.refused_count != 0;
  if (refused) ADAPTER_CHECK(WriteFile(rejected.get(), name + ".report.json", ReportJson(outcome)));
  ADAPTER_TRY(const std::string target, MoveFile(inbox.get(), name, refused ? rejected.get() : done.get()));
  if (refused && target != name) {
    if (renameat(rejected.get(), (name + ".report.json").c_str(), rejected.get(),
                 (target + ".report.json").c_str()) != 0) {
      LogEvent(LogLevel::kWarning, "directory-report-misnamed",
               {{"source", settings.name}, {"file", target}});
    }
  }
  LogEvent(refused ? LogLevel::kWarning : LogLevel::kInfo,
           refused ? "directory-file-rejected" : "directory-file-done",
           {{"source", settings.name},
            {"file", target},
            {"records", outcome.records},
            {"refused", outcome.refused_count}});
  return {};
}

Result<int> DirectorySource::Implementation::TakeAll() {
  ADAPTER_CHECK(OpenFolders());
  int taken = 0;
  for (const std::string& name : Names()) {
    ADAPTER_TRY(const bool dealt_with, Take(name));
    taken += dealt_with ? 1 : 0;
  }
  return taken;
}

void DirectorySource::Implementation::Run() {
  for (;;) {
    const auto taken = TakeAll();
    if (!taken) {
      LogEvent(LogLevel::kWarning, "directory-source-waits",
               {{"source", settings.name},
                {"code", Name(taken.error().code)},
                {"file", taken.error().where.file}});
    }
    std::array<pollfd, 2> waits = {pollfd{watch.get(), POLLIN, 0}, pollfd{stop.get(), POLLIN, 0}};
    poll(waits.data(), waits.size(), static_cast<int>(settings.scan_ms));
    if ((waits[1].revents & POLLIN) != 0) return;
    std::array<char, 4096> events{};
    while (read(watch.get(), events.data(), events.size()) > 0) {
    }
  }
}

DirectorySource::DirectorySource(DirectorySettings settings, const record::RecordModel& model,
                                 pipeline::Receiver& receiver)
    : implementation_(std::make_unique<Implementation>(std::move(settings), model, receiver)) {}

DirectorySource::~DirectorySource() {
  Stop();
}

Result<void> DirectorySource::Start() {
  Implementation& self = *implementation_;
  ADAPTER_CHECK(self.OpenFolders());
  self.watch = FileDescriptor(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  self.stop = FileDescriptor(eventfd(0, EFD_CLOEXEC));
  if (!self.watch.valid() || !self.stop.valid() ||
      inotify_add_watch(self.watch.get(), self.settings.path.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO) < 0) {
    return Fail(Code::kInputOutput, "cannot be watched", Location{self.settings.path, 0, 0, ""});
  }
  self.thread = std::thread([&self] { self.Run(); });
  return {};
}

void DirectorySource::Stop() {
  Implementation& self = *implementation_;
  if (!self.thread.joinable()) return;
  const std::uint64_t one = 1;
  if (write(self.stop.get(), &one, sizeof one) != sizeof one) std::abort();
  self.thread.join();
}

Result<int> DirectorySource::TakeAll() {
  return implementation_->TakeAll();
}

}  // namespace fhir_adapter::intake
