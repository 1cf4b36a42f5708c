// `fhir-adapter map init`: begins a map from a sample.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>

#include "app/case_runner.h"
#include "app/columns_file.h"
#include "app/commands.h"
#include "app/map_skeleton.h"
#include "app/mapping_files.h"
#include "app/mapping_setup.h"
#include "app/time_zone_file.h"
#include "net/http_message.h"
#include "pipeline/message_mapping.h"
#include "pipeline/record_mapping.h"
#include "record/record_splitter.h"
#include "record/table_cutter.h"

namespace fhir_adapter::app {
namespace {

namespace fs = std::filesystem;

// What every folder of maps has beside its own: how findings of rules become resources, of which there are
// none yet.
constexpr const char* kShared[] = {"rules/detected-issue.map", "models/RuleFindings.json"};

std::string NameOf(const std::string& sample) {
  std::string name;
  for (const char c : fs::path(sample).stem().string()) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 && byte < 0x80) {
      name += static_cast<char>(std::tolower(byte));
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (name.ends_with('-')) name.pop_back();
  return name;
}

bool IsName(const std::string& name) {
  constexpr std::size_t kNameBytesMax = 40;
  return !name.empty() && name.size() <= kNameBytesMax &&
         std::islower(static_cast<unsigned char>(name[0])) != 0 &&
         std::ranges::all_of(
             name, [](unsigned char c) { return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '-'; });
}

std::string RuleSettings(const std::string& type) {
  return "{\n  \"kind\": \"rule-settings\",\n  \"version\": \"0.1.0\",\n  \"runsWhen\": \"false\",\n"
         "  \"fact\": {\"when\": \"false\", \"type\": \"" +
         type + "\", \"rows\": \"$this\", \"members\": []},\n  \"targets\": []\n}\n";
}

class Beginning {
 public:
  Beginning(const Configuration& configuration, const MapInitOptions& options, const Streams& streams)
      : configuration_(configuration), options_(options), streams_(streams) {
    name_ = options.name.empty() ? NameOf(options.sample) : options.name;
    directory_ = options.map_directory.empty() ? name_ : options.map_directory;
  }

  Result<void> Make() {
    if (!IsName(name_)) {
      return Fail(Code::kUsage,
                  "name the map with --name: small letters, digits and -, at most 40, a letter first");
    }
    SampleOptions sample_options{options_.record_id, options_.patient, configuration_.site.id, nullptr};
    ADAPTER_TRY(sample_options.time_zone, LoadTimeZone(configuration_.site.time_zone));
    ADAPTER_TRY(sample_, ReadSample(options_.sample, sample_options));
    skeleton_ = MakeSkeleton(sample_, {name_, configuration_.site.canonical_base});
    // Among maps of records a message is mapped with their set.
    const std::string records = pipeline::MappingSettings().map;
    map_ = IsMessage() && fs::exists(In(records)) ? records : skeleton_.map;
    ADAPTER_CHECK(AddShared());
    return Write();
  }

  // The first case, and whether the sample can be mapped. The number of records that cannot.
  Result<std::size_t> TryOut() {
    ADAPTER_TRY(auto files, ReadMappingFiles(directory_));
    std::vector<fml::Finding> findings;
    const auto set = pipeline::MappingSet::Build(files, MappingSettingsOf(configuration_, map_), findings);
    if (!set) {
      ListFindings(findings, false, streams_.err);
      return Fail(Code::kInternal, "what was written does not compile");
    }
    pipeline::RecordMapping mapping(set);
    ADAPTER_TRY(const std::size_t refused, MapSample(*set, mapping));
    ADAPTER_CHECK(WriteFirstCase(files));
    return refused;
  }

  const std::vector<std::string>& written() const { return written_; }
  const Sample& sample() const { return sample_; }

  void TellHowToGoOn() const {
    for (const std::string& remark : sample_.remarks) streams_.err << remark << "\n";
    std::string map = "fhir-adapter map --map-dir " + directory_ + " --map " + map_;
    if (sample_.form == SampleForm::kTable) map += " --columns " + name_;
    streams_.err << "Next: edit " << directory_ << "/" << skeleton_.map << ", then\n"
                 << "  fhir-adapter check --map-dir " << directory_ << "\n"
                 << "  " << map << " " << options_.sample << "\n"
                 << "  fhir-adapter map test " << directory_ << "\n"
                 << "The first case holds a record of the sample: take out what is of a patient.\n";
  }

 private:
  bool IsMessage() const { return sample_.form == SampleForm::kMessage; }
  fs::path In(const std::string& path) const { return fs::path(directory_) / path; }

  // Rules belong to one model of records, so that another one needs a folder of its own.
  Result<void> AddShared() {
    if (fs::exists(In("rules"))) {
      if (IsMessage()) return {};
      return Fail(Code::kUsage, "the folder has maps of records already: name another one with --map-dir",
                  Location{directory_, 0, 0, ""});
    }
    ADAPTER_TRY(const std::string shipped, ShippedMappingsDirectory());
    for (const char* path : kShared) {
      ADAPTER_TRY(std::string text, ReadFile((fs::path(shipped) / path).string()));
      skeleton_.files.push_back({path, std::move(text)});
    }
    const std::string model = fs::path(skeleton_.files[1].path).stem().string();
    skeleton_.files.push_back({"rules/settings.json", RuleSettings(model)});
    return {};
  }

  Result<void> Write() {
    const std::string case_folder = In(skeleton_.case_path).string();
    if (fs::exists(case_folder))
      return Fail(Code::kUsage, "is there already", Location{case_folder, 0, 0, ""});
    for (const SkeletonFile& file : skeleton_.files) {
      const std::string path = In(file.path).string();
      if (fs::exists(path)) {
        return Fail(Code::kUsage, "is there already, and nothing is overwritten", Location{path, 0, 0, ""});
      }
    }
    for (const SkeletonFile& file : skeleton_.files) ADAPTER_CHECK(WriteNew(file.path, file.text));
    return {};
  }

  Result<void> WriteNew(const std::string& path, const std::string& text) {
    std::error_code error;
    fs::create_directories(In(path).parent_path(), error);
    std::ofstream stream(In(path), std::ios::binary);
    stream << text;
    stream.flush();
    if (!stream) return Fail(Code::kInputOutput, "cannot be written", Location{In(path).string(), 0, 0, ""});
    written_.push_back(In(path).string());
    return {};
  }

  Result<std::size_t> MapSample(const pipeline::MappingSet& set, pipeline::RecordMapping& mapping) {
    ADAPTER_TRY(const std::string bytes, ReadFile(options_.sample));
    std::size_t refused = 0;
    const auto count = [&](const pipeline::MappedRecord& mapped) {
      if (Gravest(mapped.issues) == Disposition::kNote) return;
      ++refused;
      for (const Issue& issue : mapped.issues) streams_.err << ToLine(issue) << "\n";
    };
    if (IsMessage()) {
      pipeline::MessageMapping messages(mapping);
      for (const record::Hl7MessageText& message : record::SplitHl7Messages(bytes)) {
        count(messages.Map(message, pipeline::RecordForm::kBundle, options_.sample));
      }
      return refused;
    }
    std::vector<fml::Finding> findings;
    std::optional<record::TableLayout> layout;
    if (sample_.form == SampleForm::kTable) {
      const std::string file = ColumnsPath(name_, directory_);
      ADAPTER_TRY(const std::string text, ReadFile(file));
      layout = ParseColumns(text, file, set.model(), findings);
      if (!layout) {
        ListFindings(findings, false, streams_.err);
        return Fail(Code::kInternal, "the columns file that was written cannot be read");
      }
      ADAPTER_TRY(layout->time_zone, LoadTimeZone(configuration_.site.time_zone));
    }
    const auto cutter =
        record::MakeCutter(record::FormatOfName(options_.sample).value_or(record::RecordFormat::kJson),
                           layout ? &*layout : nullptr);
    cutter->Push(bytes);
    cutter->Finish();
    while (auto text = cutter->Next()) {
      if (sample_.first.empty()) sample_.first = text->bytes;
      count(mapping.Map(*text, {}, pipeline::RecordForm::kBundle, options_.sample));
    }
    return refused;
  }

  // As the maps are tested: with the configuration of cases, which is the defaults.
  Result<void> WriteFirstCase(const std::vector<fml::SourceFile>& files) {
    ADAPTER_CHECK(
        WriteNew(skeleton_.case_path + (IsMessage() ? "/input.hl7" : "/input.json"), sample_.first));
    ADAPTER_TRY(const auto cases, ReadCases(In(skeleton_.case_path).string()));
    const Environment none = [](const std::string&) { return std::optional<std::string>(); };
    CaseRunner runner(files,
                      [&none](const std::string&) { return ParseConfiguration("", "defaults", none); });
    for (const CaseFolder& folder : cases) {
      ADAPTER_TRY(const pipeline::CaseResult result, runner.Run(folder));
      ADAPTER_CHECK(WriteCase(folder, result));
    }
    for (const char* file : {"/expected.json", "/expected-issues"}) {
      const fs::path path = In(skeleton_.case_path + file);
      if (fs::exists(path)) written_.push_back(path.string());
    }
    return {};
  }

  const Configuration& configuration_;
  const MapInitOptions& options_;
  const Streams& streams_;
  std::string name_;
  std::string directory_;
  Sample sample_;
  MapSkeleton skeleton_;
  std::string map_;  // that the commands are given
  std::vector<std::string> written_;
};

}  // namespace

int RunMapInit(const GlobalOptions& global, const MapInitOptions& options, const Streams& streams) {
  const auto configuration = ConfigurationOf(global);
  if (!configuration) return Report(configuration.error(), streams);
  Beginning beginning(*configuration, options, streams);
  if (const auto made = beginning.Make(); !made) return Report(made.error(), streams);
  const auto refused = beginning.TryOut();
  for (const std::string& file : beginning.written()) {
    streams.out << (global.json ? "{\"file\":" + net::JsonString(file) + "}" : file) << "\n";
  }
  if (!refused) return Report(refused.error(), streams);
  beginning.TellHowToGoOn();
  if (*refused == 0) return kExitDone;
  streams.err << *refused << " of the " << beginning.sample().records
              << " records of the sample are refused\n";
  return kExitRejected;
}

}  // namespace fhir_adapter::app
