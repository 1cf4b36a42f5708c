#include "app/record_eraser.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <utility>

#include "core/arena.h"
#include "core/fault_point.h"
#include "core/limits.h"
#include "core/log.h"
#include "fhir/json_reader.h"
#include "net/http_message.h"

namespace fhir_adapter::app {
namespace {

using net::JsonString;
using outbox::TraceSelector;
using outbox::TraceSelectorKind;

constexpr std::size_t kBodyBytesMax = 1'000'000;
constexpr const char* kAside = ".before-restore";

struct Erased {
  std::string subject_key;
  outbox::ErasedRecord record;
};

// The keys of the one record that is meant.
Result<std::string> SubjectOf(const std::string& named, const ErasePorts& ports) {
  std::vector<TraceSelector> selectors;
  if (const std::size_t slash = named.find('/'); slash != std::string::npos) {
    selectors.push_back({TraceSelectorKind::kRecord, named.substr(0, slash), named.substr(slash + 1)});
  }
  selectors.push_back({TraceSelectorKind::kRecordId, {}, named});
  selectors.push_back({TraceSelectorKind::kRecord, ports.site, named});
  selectors.push_back({TraceSelectorKind::kReceipt, {}, named});
  std::vector<std::string> subjects;
  ADAPTER_CHECK(ports.backend.store->Read([&](storage::Snapshot& snapshot) -> Result<void> {
    for (const TraceSelector& selector : selectors) {
      if (!subjects.empty()) break;
      ADAPTER_TRY(subjects, ports.backend.trace.Subjects(snapshot, selector, 2));
    }
    return {};
  }));
  if (subjects.empty()) return Fail(Code::kNotFound, "the store knows no record or receipt of this name");
  if (subjects.size() > 1) {
    return Fail(Code::kUsage, "more than one site has a record of this id: write it as site/record id");
  }
  return std::move(subjects.front());
}

Result<Erased> EraseOne(const std::string& named, const outbox::Change& change, const ErasePorts& ports) {
  ADAPTER_TRY(std::string subject_key, SubjectOf(named, ports));
  ADAPTER_TRY(
      outbox::ErasedRecord record,
      storage::WriteValue<outbox::ErasedRecord>(*ports.backend.store, [&](storage::Transaction& transaction) {
        return ports.backend.erasures.Erase(transaction, subject_key, change);
      }));
  return Erased{std::move(subject_key), std::move(record)};
}

std::string TextOf(const outbox::ErasedRecord& record) {
  std::string text = record.is_first ? "erased" : "was erased";
  text += " on " + ToString(record.erasure.erased) + ", entry " +
          std::to_string(record.erasure.audit_sequence) + " of the log; the bytes of " +
          std::to_string(record.submissions) + " submissions, their keys, and all that was made of them";
  if (record.patients_gone > 0) text += "; the patient's number too, as it was the patient's last record";
  if (record.places > 0) {
    text += "; " + std::to_string(record.places) +
            " resources stay on the FHIR server: `fhir-adapter trace` lists their addresses";
  }
  return text;
}

void AddLines(std::string& text, const char* before, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) text += "\n  " + std::string(before) + line;
}

QueueChangeResult CleanFolders(const std::vector<Erased>& erased, const ErasePorts& ports) {
  std::vector<intake::RecordName> records;
  for (const Erased& one : erased) records.push_back({one.record.site, one.record.record_id});
  QueueChangeResult result{"folders", true, {}};
  intake::RecordFiles all;
  for (const intake::RecordFolder& folder : ports.folders) {
    auto files = intake::RemoveFilesOf(folder, records);
    if (!files) {
      result.done = false;
      result.message += ToString(files.error()) + "; ";
      continue;
    }
    std::ranges::move(files->removed, std::back_inserter(all.removed));
    std::ranges::move(files->waiting, std::back_inserter(all.waiting));
  }
  result.done = result.done && all.waiting.empty();
  result.message += std::to_string(all.removed.size()) + " files removed from done/ and rejected/";
  AddLines(result.message, "removed ", all.removed);
  AddLines(result.message, "left, take it away and erase again: ", all.waiting);
  return result;
}

// kNotFound: it holds none of them.
Result<void> LookInto(const std::string& path, const std::vector<Erased>& erased) {
  storage::SqliteStoreSettings settings;
  settings.path = path;
  ADAPTER_TRY(const auto backend, outbox::OpenSqliteBackendReadOnly(settings, SystemRandom()));
  return backend->store->Read([&](storage::Snapshot& snapshot) -> Result<void> {
    Result<void> outcome = Fail(Code::kNotFound, "none of the records");
    for (const Erased& one : erased) {
      const auto trace = backend->trace.Load(snapshot, one.subject_key);
      if (trace) return {};
      if (trace.error().code != Code::kNotFound) outcome = Fail(trace.error());
    }
    return outcome;
  });
}

// The store as it was before a restore is a whole copy of its time.
QueueChangeResult RemoveAside(const std::vector<Erased>& erased, const std::string& path) {
  QueueChangeResult result{path, true, "holds none of the records"};
  const auto held = LookInto(path, erased);
  if (!held && held.error().code == Code::kNotFound) return result;
  if (!held) {
    result.done = false;
    result.message = "cannot be looked into (" + held.error().message + "): remove it and erase again";
    return result;
  }
  for (const char* ending : {"", "-wal", "-shm"}) {
    std::error_code failure;
    std::filesystem::remove(path + ending, failure);
    if (!failure) continue;
    result.done = false;
    result.message = "holds a record and cannot be removed: " + failure.message();
    return result;
  }
  result.message = "removed: it held the record as it was before a restore";
  return result;
}

QueueChangeResult RewriteStore(const ErasePorts& ports) {
  const auto done = ports.backend.store->Rewrite();
  if (done) return {"store", true, "written anew, and its write-ahead log emptied"};
  return {"store", false, ToString(done.error()) + "; old pages may still hold what was erased: erase again"};
}

Result<void> Finish(const std::vector<Erased>& erased, const ErasePorts& ports) {
  return storage::Write(*ports.backend.store, [&](storage::Transaction& transaction) -> Result<void> {
    for (const Erased& one : erased) {
      ADAPTER_CHECK(ports.backend.erasures.Finish(transaction, one.subject_key, ports.clock.Now()));
    }
    return {};
  });
}

// All but the rows of the tables: the folders, an old copy, the store's files.
std::vector<QueueChangeResult> EraseAround(const std::vector<Erased>& erased, const ErasePorts& ports) {
  ADAPTER_FAULT_POINT("erase-files");
  std::vector<QueueChangeResult> around = {CleanFolders(erased, ports)};
  if (std::filesystem::exists(ports.store_path + kAside)) {
    around.push_back(RemoveAside(erased, ports.store_path + kAside));
  }
  ADAPTER_FAULT_POINT("erase-store");
  around.push_back(RewriteStore(ports));
  ADAPTER_FAULT_POINT("erase-finish");
  if (std::ranges::all_of(around, &QueueChangeResult::done)) {
    if (const auto done = Finish(erased, ports); !done)
      around.push_back({"store", false, ToString(done.error())});
  }
  return around;
}

// What no command of this program reaches.
constexpr const char* kNotErased =
    "not erased: backups made before now, which are not known here (restoring one brings the record back: "
    "erase "
    "it again then); copies that the senders keep; what stands on the FHIR server. The audit log keeps site, "
    "record id, times and the places on the server for good, none of the record's content";

}  // namespace

std::string ToJson(const EraseRequest& request) {
  std::string json = "{\"reason\":" + JsonString(request.reason) + ",\"records\":[";
  for (std::size_t i = 0; i < request.records.size(); ++i) {
    json += (i == 0 ? "" : ",") + JsonString(request.records[i]);
  }
  return json + "]}";
}

Result<EraseRequest> ParseEraseRequest(std::string_view json) {
  Arena arena;
  ADAPTER_TRY(const fhir::Node* root, fhir::ReadJson(json, arena));
  EraseRequest request;
  request.reason = MemberString(*root, "reason");
  const fhir::Node* records = root->Find("records");
  for (const fhir::Node* record : records ? records->items() : std::span<fhir::Node*>()) {
    request.records.emplace_back(record->text);
  }
  if (request.reason.empty()) return Fail(Code::kUsage, "an erasure needs a reason");
  if (request.records.empty() || request.records.size() > limits::kEraseRecordsMax) {
    return Fail(Code::kUsage,
                "name 1 to " + std::to_string(limits::kEraseRecordsMax) + " records that are to be erased");
  }
  return request;
}

Result<std::vector<intake::RecordFolder>> RecordFoldersOf(const Configuration& configuration,
                                                          const LayoutOf& layout) {
  std::vector<intake::RecordFolder> folders;
  for (const SourceSettings& source : configuration.sources) {
    if (source.kind != "directory") continue;
    ADAPTER_TRY(const record::TableLayout* table, layout(source));
    folders.push_back({source.path, table});
  }
  return folders;
}

std::vector<QueueChangeResult> EraseRecords(const EraseRequest& request, const Principal& actor,
                                            const ErasePorts& ports) {
  const outbox::Change change{actor, request.reason, ports.clock.Now()};
  std::vector<QueueChangeResult> results;
  std::vector<Erased> erased;
  for (const std::string& named : request.records) {
    auto one = EraseOne(named, change, ports);
    if (!one) {
      results.push_back({named, false, ToString(one.error())});
      continue;
    }
    results.push_back({named, true, TextOf(one->record)});
    LogEvent(LogLevel::kInfo, "record-erased",
             {{"entry", one->record.erasure.audit_sequence}, {"again", one->record.is_first ? "no" : "yes"}});
    erased.push_back(std::move(*one));
  }
  if (erased.empty()) return results;
  std::ranges::move(EraseAround(erased, ports), std::back_inserter(results));
  results.push_back({"elsewhere", true, kNotErased});
  return results;
}

Result<void> ResumeErasures(const ErasePorts& ports) {
  std::vector<outbox::UnfinishedErasure> unfinished;
  ADAPTER_CHECK(ports.backend.store->Read([&](storage::Snapshot& snapshot) -> Result<void> {
    ADAPTER_TRY(unfinished, ports.backend.erasures.Unfinished(snapshot));
    return {};
  }));
  if (unfinished.empty()) return {};
  std::vector<Erased> erased;
  for (outbox::UnfinishedErasure& one : unfinished) {
    Erased& added = erased.emplace_back();
    added.subject_key = std::move(one.subject_key);
    added.record.site = std::move(one.site);
    added.record.record_id = std::move(one.record_id);
  }
  const auto around = EraseAround(erased, ports);
  const bool is_whole = std::ranges::all_of(around, &QueueChangeResult::done);
  LogEvent(is_whole ? LogLevel::kInfo : LogLevel::kWarning,
           is_whole ? "erasures-finished" : "erasures-unfinished",
           {{"records", static_cast<std::int64_t>(erased.size())}});
  return {};
}

EraserThread::EraserThread(ErasePorts ports) : ports_(std::move(ports)) {
  thread_ = std::thread([this] { Loop(); });
}

EraserThread::~EraserThread() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  for (Job& job : jobs_) job.done({{"daemon", false, "the daemon is stopping"}});
}

void EraserThread::Run(EraseRequest request, Principal actor, QueueChangeDone done) {
  {
    const std::scoped_lock lock(mutex_);
    jobs_.push_back(Job{std::move(request), std::move(actor), std::move(done)});
  }
  wake_.notify_all();
}

void EraserThread::Loop() {
  if (const auto resumed = ResumeErasures(ports_); !resumed) {
    LogEvent(LogLevel::kError, "erasures-not-resumed", {{"code", Name(resumed.error().code)}});
  }
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job.done(EraseRecords(job.request, job.actor, ports_));
    lock.lock();
  }
}

net::Route EraseControlRoute(EraserThread& eraser) {
  net::Route route{"POST", "/control/erase", {Role::kOperator}, false, {}, kBodyBytesMax};
  route.handler = [&eraser](const net::HttpRequest& request, const net::Responder& responder) {
    auto parsed = ParseEraseRequest(request.body);
    if (!parsed) return responder.Send(parsed.error());
    eraser.Run(std::move(*parsed), request.principal,
               [responder](const std::vector<QueueChangeResult>& results) {
                 responder.Send(net::HttpResponse::WithBody(200, "application/json", ToJson(results)));
               });
  };
  return route;
}

}  // namespace fhir_adapter::app
