// `fhir-adapter remap`: what the maps in force make of stored records, and sending what is different.
#include <algorithm>
#include <map>
#include <utility>

#include "app/change_call.h"
#include "app/commands.h"
#include "app/difference_report.h"
#include "app/local_user.h"
#include "app/mapping_setup.h"
#include "app/remap_changes.h"
#include "app/since_option.h"
#include "core/fault_point.h"
#include "core/limits.h"
#include "pipeline/shared_record_mapper.h"

namespace fhir_adapter::app {
namespace {

constexpr std::string_view kProvenance = "Provenance";

Issues ToIssues(const std::vector<outbox::Reason>& notes) {
  Issues issues;
  for (const outbox::Reason& note : notes) {
    issues.push_back({note.code, Location{{}, 0, 0, note.pointer}, note.message});
  }
  return issues;
}

// "site/recordId" or "recordId".
outbox::StoredRecordFilter FilterOf(const std::string& id, const RemapOptions& options,
                                    std::optional<TimeUs> since) {
  outbox::StoredRecordFilter filter;
  filter.since = since;
  filter.site = options.site;
  filter.records_max = limits::kStoredRecordsPageMax;
  filter.record_id = id;
  if (const std::size_t slash = id.find('/'); slash != std::string::npos) {
    filter.site = id.substr(0, slash);
    filter.record_id = id.substr(slash + 1);
  }
  return filter;
}

class Remapping {
 public:
  Remapping(const Configuration& configuration, const RemapOptions& options, const Streams& streams,
            bool json, std::shared_ptr<const pipeline::MappingSet> set)
      : configuration_(configuration),
        options_(options),
        streams_(streams),
        mapper_(std::move(set)),
        report_(streams.out, json) {}

  // Every page of what the filter means. False: there is nothing of it.
  Result<bool> Run(outbox::StoredRecordFilter filter) {
    bool has_any = false;
    do {
      ADAPTER_TRY(const auto page, ReadPage(filter));
      has_any = has_any || !page.records.empty();
      RemapChange change{options_.reason, mapper_.map_set_sha256(), {}};
      for (const outbox::StoredRecord& record : page.records) {
        if (Look(record)) change.records.push_back({record.subject_key, record.revision});
      }
      if (options_.apply && !change.records.empty()) ADAPTER_CHECK(Queue(change));
      ADAPTER_FAULT_POINT("remap-page-done");
      filter.after = page.next;
    } while (!filter.after.empty());
    return has_any;
  }

  int Finish() const {
    report_.Finish();
    streams_.err << records_ << " records: " << changed_ << " changed, "
                 << records_ - changed_ - refused_ - left_alone_ << " unchanged, " << refused_
                 << " that the maps cannot map now, " << left_alone_ << " left alone\n";
    if (options_.apply) {
      streams_.err << queued_ << " queued\n";
      return queued_ == changed_ && refused_ == 0 ? kExitDone : kExitRejected;
    }
    if (changed_ > 0) streams_.err << "nothing was queued: --apply does it\n";
    return changed_ + refused_ == 0 ? kExitDone : kExitRejected;
  }

 private:
  // The store is opened for each page, so that one without a daemon is free to be changed in between.
  Result<outbox::StoredRecordPage> ReadPage(const outbox::StoredRecordFilter& filter) {
    ADAPTER_TRY(const auto backend,
                outbox::OpenSqliteBackendReadOnly(StoreSettings(configuration_), SystemRandom()));
    return storage::ReadValue<outbox::StoredRecordPage>(*backend->store, [&](storage::Snapshot& snapshot) {
      return backend->records.List(snapshot, filter);
    });
  }

  // Whether there is something to send.
  bool Look(const outbox::StoredRecord& record) {
    ++records_;
    if (!record.can_be_remapped) {
      ++left_alone_;
      Tell(record, record.obstacle);
      return false;
    }
    pipeline::MapOutput output = mapper_.Map(record.task.map, record.task.bytes, record.task.facts);
    RecordDifference difference{"", record.site, record.record_id, record.revision, {}, {}};
    difference.issues = pipeline::CompareIssues(ToIssues(record.notes), output.issues);
    if (Gravest(output.issues) != Disposition::kNote) {
      ++refused_;
      report_.Add(difference);
      Tell(record, "the maps in force cannot map it; it stays as it is");
      return false;
    }
    difference.resources = pipeline::CompareOutputs(record.resources, output.resources);
    // Each write gets one of its own.
    std::erase_if(difference.resources, [](const pipeline::ResourceDifference& resource) {
      return resource.key.type == kProvenance;
    });
    report_.Add(difference);
    if (difference.resources.empty()) return false;
    ++changed_;
    return true;
  }

  Result<void> Queue(const RemapChange& change) {
    ADAPTER_TRY(const auto results,
                MakeChange(configuration_, "/control/remap", ToJson(change),
                           [&change](outbox::SqliteBackend& backend, QueueChangeDone done) {
                             ApplyRemapChange(change, LocalUser(), SystemClock().Now(), *backend.store,
                                              backend.records, std::move(done));
                           }));
    queued_ += static_cast<std::size_t>(std::ranges::count_if(results, &QueueChangeResult::done));
    ReportFailed(results, streams_);
    return {};
  }

  void Tell(const outbox::StoredRecord& record, std::string_view what) const {
    streams_.err << record.site << "/" << record.record_id << " revision " << record.revision << ": " << what
                 << "\n";
  }

  const Configuration& configuration_;
  const RemapOptions& options_;
  const Streams& streams_;
  pipeline::SharedRecordMapper mapper_;
  DifferenceReport report_;
  std::size_t records_ = 0;
  std::size_t changed_ = 0;
  std::size_t refused_ = 0;
  std::size_t left_alone_ = 0;
  std::size_t queued_ = 0;
};

Result<int> Remap(const RemapOptions& options, Remapping& remapping, const Streams& streams) {
  ADAPTER_TRY(const auto since, ParseSince(options.since));
  bool has_unknown = false;
  const std::vector<std::string> everything = {""};
  for (const std::string& id : options.ids.empty() ? everything : options.ids) {
    ADAPTER_TRY(const bool has_any, remapping.Run(FilterOf(id, options, since)));
    if (has_any || id.empty()) continue;
    streams.err << id << ": no record of this name is stored\n";
    has_unknown = true;
  }
  const int status = remapping.Finish();
  return has_unknown ? static_cast<int>(kExitRejected) : status;
}

}  // namespace

int RunRemap(const GlobalOptions& global, const RemapOptions& options, const Streams& streams) {
  const auto configuration = ConfigurationOf(global);
  if (!configuration) return Report(configuration.error(), streams);
  const auto [set, exit_code] = BuildCommandSet(global, configuration->DefaultMap(), "", "", streams);
  if (!set) return exit_code;
  Remapping remapping(*configuration, options, streams, global.json, set);
  const auto status = Remap(options, remapping, streams);
  return status ? *status : Report(status.error(), streams);
}

}  // namespace fhir_adapter::app
