// `fhir-adapter trace`: from a resource, a patient or a receipt to all that is known of the record.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "app/audit_files.h"
#include "app/change_call.h"
#include "app/commands.h"
#include "app/read_notes.h"
#include "app/trace_live.h"
#include "app/trace_page.h"
#include "app/trace_selector.h"
#include "app/trace_text.h"
#include "core/limits.h"
#include "fhir/json_reader.h"
#include "outbox/sqlite/sqlite_backend.h"

namespace fhir_adapter::app {
namespace {

// The key that is given to verifiers; nothing where no log was signed yet.
Result<std::optional<audit::VerifierKey>> LoadKey(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  if (!std::getline(file, text)) return std::optional<audit::VerifierKey>();
  ADAPTER_TRY(audit::VerifierKey key, audit::VerifierKey::Parse(text));
  return std::optional(std::move(key));
}

// Records of which an entry of the log names the request. Reads the whole log: nothing points from a request
// to its entries.
Result<std::vector<std::string>> SubjectsOfRequest(outbox::SqliteBackend& backend,
                                                   storage::Snapshot& snapshot,
                                                   const std::string& request_id) {
  std::set<std::pair<std::string, std::string>> records;  // site and id
  ADAPTER_TRY(const audit::Sequence last, backend.log.Size(snapshot));
  ADAPTER_CHECK(backend.log.ForEach(snapshot, 1, last, [&](audit::Sequence, std::string_view bytes) {
    if (bytes.find(request_id) == std::string_view::npos) return true;
    Arena arena;
    const auto entry = fhir::ReadJson(bytes, arena);
    if (!entry || TextAt(**entry, "/request_id") != request_id) return true;
    const std::string_view record = TextAt(**entry, "/local/record");
    if (record.empty()) return true;
    records.emplace(TextAt(**entry, "/local/system"), record);
    return records.size() <= limits::kTraceRecordsMax;
  }));
  std::vector<std::string> subjects;
  for (const auto& [site, record] : records) {
    const outbox::TraceSelector selector{outbox::TraceSelectorKind::kRecord, site, record};
    ADAPTER_TRY(std::vector<std::string> found,
                backend.trace.Subjects(snapshot, selector, limits::kTraceRecordsMax + 1));
    std::ranges::move(found, std::back_inserter(subjects));
  }
  return subjects;
}

struct Found {
  std::string meaning;  // what the selector was read as
  std::vector<std::string> subjects;
};

Result<Found> Find(outbox::SqliteBackend& backend, storage::Snapshot& snapshot, const std::string& selector) {
  Found found;
  for (const outbox::TraceSelector& meant : SelectorsOf(selector)) {
    ADAPTER_TRY(found.subjects, backend.trace.Subjects(snapshot, meant, limits::kTraceRecordsMax + 1));
    found.meaning = Name(meant.kind);
    if (!found.subjects.empty()) return found;
  }
  found.meaning = "request id";
  ADAPTER_TRY(found.subjects, SubjectsOfRequest(backend, snapshot, selector));
  return found;
}

Result<std::vector<TracePage>> Pages(outbox::SqliteBackend& backend, const TraceOptions& options,
                                     const std::optional<audit::VerifierKey>& key, const Streams& streams) {
  std::vector<TracePage> pages;
  ADAPTER_CHECK(backend.store->Read([&](storage::Snapshot& snapshot) -> Result<void> {
    ADAPTER_TRY(Found found, Find(backend, snapshot, options.selector));
    if (found.subjects.empty()) return {};
    if (found.subjects.size() > limits::kTraceRecordsMax) {
      found.subjects.resize(limits::kTraceRecordsMax);
      streams.err << "only the first " << limits::kTraceRecordsMax << " records are shown\n";
    }
    streams.err << found.meaning << " " << options.selector << ": " << found.subjects.size()
                << (found.subjects.size() == 1 ? " record\n" : " records\n");
    StoredMapSets sets;
    for (const std::string& subject : found.subjects) {
      const TracePorts ports{snapshot, backend.trace, backend.log, backend.tree};
      ADAPTER_TRY(TracePage page, MakeTracePage(ports, subject, key));
      if (!options.element.empty()) {
        ADAPTER_TRY(page.lineage, LineageOf(snapshot, backend.inbox, sets, page.record, options.element));
      }
      pages.push_back(std::move(page));
    }
    return {};
  }));
  return pages;
}

Result<void> WriteHtml(const std::string& path, const std::string& html) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << html;
  file.close();
  if (!file) return Fail(Code::kInputOutput, "cannot be written", Location{path, 0, 0, {}});
  return {};
}

Result<void> Write(const std::vector<TracePage>& pages, bool json, const std::string& html_file,
                   const Streams& streams) {
  std::vector<std::vector<TraceSection>> records;
  for (const TracePage& page : pages) records.push_back(SectionsOf(page));
  if (!html_file.empty()) ADAPTER_CHECK(WriteHtml(html_file, TraceHtml(records)));
  if (json) {
    for (const TracePage& page : pages) streams.out << TraceJson(page);
  } else if (html_file.empty()) {
    for (std::size_t i = 0; i < records.size(); ++i) {
      streams.out << (i == 0 ? "" : "\n\n") << TraceText(records[i]);
    }
  }
  return {};
}

Result<int> Trace(const GlobalOptions& global, const TraceOptions& options, const Streams& streams) {
  ADAPTER_TRY(const Configuration configuration, ConfigurationOf(global));
  ADAPTER_TRY(const auto backend,
              outbox::OpenSqliteBackendReadOnly(StoreSettings(configuration), SystemRandom()));
  ADAPTER_TRY(const auto key, LoadKey(VerifierKeyPath(configuration)));
  ADAPTER_TRY(std::vector<TracePage> pages, Pages(*backend, options, key, streams));
  if (pages.empty()) {
    streams.err
        << "the store knows no record, resource, identifier, patient, receipt or request of this name; "
           "`fhir-adapter queue list` shows the records\n";
    return kExitRejected;
  }
  const bool has_element = std::ranges::any_of(pages, [](const TracePage& page) {
    return std::ranges::any_of(page.lineage, [](const RevisionLineage& of) { return !of.elements.empty(); });
  });
  if (!options.element.empty() && !has_element) {
    streams.err << "the output has no element " << options.element << "\n";
    return kExitRejected;
  }
  ReadNote note{"trace", {}};
  for (const TracePage& page : pages) note.subjects.push_back({page.record.site, page.record.record_id});
  NoteRead(configuration, note, streams);
  int status = kExitDone;
  if (options.live) {
    ADAPTER_TRY(status, LookLive(configuration, *backend, pages, streams));
  }
  ADAPTER_CHECK(Write(pages, global.json, options.html_file, streams));
  return status;
}

}  // namespace

int RunTrace(const GlobalOptions& global, const TraceOptions& options, const Streams& streams) {
  const auto status = Trace(global, options, streams);
  return status ? *status : Report(status.error(), streams);
}

}  // namespace fhir_adapter::app
