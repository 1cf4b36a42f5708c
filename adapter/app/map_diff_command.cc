// `fhir-adapter map diff`: what the maps in force make of records that others made otherwise.
#include <utility>

#include "app/commands.h"
#include "app/difference_report.h"
#include "app/mapping_files.h"
#include "app/mapping_setup.h"
#include "pipeline/record_mapping.h"
#include "record/record_splitter.h"

namespace fhir_adapter::app {
namespace {

RecordDifference Compare(pipeline::RecordMapping& before, pipeline::RecordMapping& after,
                         const record::RecordText& text, const std::string& file) {
  const pipeline::MappedRecord was = before.Map(text, {}, pipeline::RecordForm::kIntended, file);
  const pipeline::MappedRecord is = after.Map(text, {}, pipeline::RecordForm::kIntended, file);
  const record::RecordKey& key = is.envelope.key.record_id.empty() ? was.envelope.key : is.envelope.key;
  return {file,
          key.site,
          key.record_id,
          key.revision,
          pipeline::CompareOutputs(was.intended, is.intended),
          pipeline::CompareIssues(was.issues, is.issues)};
}

}  // namespace

int RunMapDiff(const GlobalOptions& global, const MapDiffOptions& options, const Streams& streams) {
  const auto [old_set, old_exit] = BuildCommandSet(global, options.map, options.against, "", streams);
  if (!old_set) return old_exit;
  const auto [set, exit_code] = BuildCommandSet(global, options.map, options.map_directory, "", streams);
  if (!set) return exit_code;
  pipeline::RecordMapping before(old_set);
  pipeline::RecordMapping after(set);
  DifferenceReport report(streams.out, global.json);
  for (const std::string& file : options.records) {
    if (!file.ends_with(".json") && !file.ends_with(".ndjson")) {
      return Report(Error{Code::kUsage, file + ": only .json and .ndjson records can be compared", {}},
                    streams);
    }
    const auto bytes = ReadFile(file);
    if (!bytes) return Report(bytes.error(), streams);
    record::RecordSplitter splitter(file.ends_with(".ndjson") ? record::RecordFormat::kNdjson
                                                              : record::RecordFormat::kJson);
    splitter.Push(*bytes);
    splitter.Finish();
    while (auto text = splitter.Next()) report.Add(Compare(before, after, *text, file));
  }
  report.Finish();
  return report.changed() == 0 ? kExitDone : kExitRejected;
}

}  // namespace fhir_adapter::app
