// `fhir-adapter map`: records to Bundles or resources on standard output, without a database or network.
#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <set>
#include <utility>

#include "app/columns_file.h"
#include "app/commands.h"
#include "app/mapping_files.h"
#include "app/mapping_setup.h"
#include "app/raw_map.h"
#include "app/unmapped_table.h"
#include "net/http_message.h"
#include "pipeline/message_mapping.h"
#include "pipeline/record_mapping.h"
#include "record/record_splitter.h"

namespace fhir_adapter::app {
namespace {

constexpr std::size_t kChunkBytes = 64 * 1024;

std::string IssueJson(const Issue& issue) {
  return "{\"file\":" + net::JsonString(issue.where.file) + ",\"line\":" + std::to_string(issue.where.line) +
         ",\"column\":" + std::to_string(issue.where.column) +
         ",\"pointer\":" + net::JsonString(issue.where.pointer) +
         ",\"code\":" + net::JsonString(Name(issue.code)) +
         ",\"class\":" + net::JsonString(Name(issue.disposition())) +
         ",\"message\":" + net::JsonString(issue.message) + "}";
}

// Maps the records of one run and counts what happened to them.
class Run {
 public:
  Run(pipeline::RecordMapping& mapping, const MapOptions& options, CommandTable& table, bool json,
      const Streams& streams)
      : mapping_(mapping),
        messages_(mapping),
        options_(options),
        table_(table),
        json_(json),
        streams_(streams) {}

  ExitCode MapInput(const std::string& input) {
    if (input == "-") return MapStream(streams_.in, "-", std::nullopt);
    if (input.ends_with(".hl7")) return MapMessages(input);
    const auto format = record::FormatOfName(input);
    if (!format) {
      return Report(
          Error{Code::kUsage,
                input + ": only .json, .ndjson, .csv and .hl7 can be mapped, or - for standard input",
                {}},
          streams_);
    }
    std::ifstream file(input, std::ios::binary);
    if (!file)
      return Report(Error{Code::kFileNotFound, "cannot be read", Location{input, 0, 0, ""}}, streams_);
    return MapStream(file, input, format);
  }

  bool any_refused() const { return any_refused_; }
  void PrintUnmapped() const {
    if (!json_) unmapped_.Print(streams_.err);
  }

 private:
  // Without a format it is JSON or NDJSON, as it begins.
  ExitCode MapStream(std::istream& in, const std::string& name, std::optional<record::RecordFormat> format) {
    std::array<char, kChunkBytes> chunk{};
    in.read(chunk.data(), chunk.size());
    std::string_view bytes(chunk.data(), static_cast<std::size_t>(in.gcount()));
    if (!format) format = record::GuessFormat(bytes);
    if (format == record::RecordFormat::kTable && !table_.Load(mapping_.set(), streams_)) return kExitUsage;
    const auto cutter = record::MakeCutter(*format, table_.layout());
    while (!bytes.empty()) {
      cutter->Push(bytes);
      MapReady(*cutter, name);
      in.read(chunk.data(), chunk.size());
      bytes = std::string_view(chunk.data(), static_cast<std::size_t>(in.gcount()));
    }
    if (in.bad())
      return Report(Error{Code::kInputOutput, "reading failed", Location{name, 0, 0, ""}}, streams_);
    cutter->Finish();
    MapReady(*cutter, name);
    if (records_ == 0 && format != record::RecordFormat::kTable) {
      PrintIssue({Code::kJsonSyntax, Location{name, 0, 0, ""}, "the input holds no record"});
      any_refused_ = true;
    }
    records_ = 0;
    streams_.out.flush();
    return streams_.out ? kExitDone : kExitInputOutput;
  }

  ExitCode MapMessages(const std::string& input) {
    const auto text = ReadFile(input);
    if (!text) return Report(text.error(), streams_);
    const std::vector<record::Hl7MessageText> messages = record::SplitHl7Messages(*text);
    for (const record::Hl7MessageText& message : messages) Print(messages_.Map(message, Form(), input));
    if (messages.empty()) {
      PrintIssue({Code::kMissing, Location{input, 0, 0, ""}, "the input holds no message"});
      any_refused_ = true;
    }
    streams_.out.flush();
    return streams_.out ? kExitDone : kExitInputOutput;
  }

  pipeline::RecordForm Form() const {
    return options_.format == "bundle" ? pipeline::RecordForm::kBundle : pipeline::RecordForm::kResources;
  }

  void MapReady(record::RecordCutter& cutter, const std::string& name) {
    while (auto text = cutter.Next()) {
      ++records_;
      Print(mapping_.Map(*text, {}, Form(), name));
    }
  }

  void Print(const pipeline::MappedRecord& mapped) {
    for (const Issue& issue : mapped.issues) PrintIssue(issue);
    unmapped_.Count(mapped.unmapped);
    if (Gravest(mapped.issues) != Disposition::kNote) any_refused_ = true;
    if (!mapped.bundle.empty()) streams_.out << mapped.bundle << "\n";
    for (const std::string& resource : mapped.resources) streams_.out << resource << "\n";
  }

  // A rule that was skipped for a cause that another record had too is said once a run.
  void PrintIssue(const Issue& issue) {
    if (issue.code == Code::kRuleSkipped && !skipped_.emplace(issue.where.pointer, issue.message).second)
      return;
    streams_.err << (json_ ? IssueJson(issue) : ToLine(issue)) << "\n";
  }

  pipeline::RecordMapping& mapping_;
  pipeline::MessageMapping messages_;
  const MapOptions& options_;
  CommandTable& table_;
  bool json_;
  const Streams& streams_;
  bool any_refused_ = false;
  std::size_t records_ = 0;
  std::set<std::pair<std::string, std::string>> skipped_;
  UnmappedTable unmapped_;
};

}  // namespace

int RunMap(const GlobalOptions& global, const MapOptions& options, const Streams& streams) {
  if (options.raw) return RunRawMap(global, options, streams);
  const auto [set, exit_code] =
      BuildCommandSet(global, options.map, options.map_directory, options.model_directory, streams);
  if (!set) return exit_code;
  pipeline::RecordMapping mapping(set);
  CommandTable table(global, options.columns, options.map_directory);
  Run run(mapping, options, table, global.json, streams);
  int worst = kExitDone;
  for (const std::string& input : options.inputs) worst = std::max<int>(worst, run.MapInput(input));
  run.PrintUnmapped();
  return std::max<int>(worst, run.any_refused() ? kExitRejected : kExitDone);
}

}  // namespace fhir_adapter::app
