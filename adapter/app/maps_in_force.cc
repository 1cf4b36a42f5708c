#include "app/maps_in_force.h"

#include <utility>
#include <vector>

#include "app/case_runner.h"
#include "app/mapping_setup.h"
#include "core/log.h"

namespace fhir_adapter::app {
namespace {

constexpr std::int64_t kQuietMs = 300;
constexpr std::size_t kCasesNamedMax = 5;

// Of a case: nothing that the daemon's environment or log level could change.
Result<Configuration> ConfigurationOfCases(const std::string& file) {
  const Environment none = [](const std::string&) { return std::optional<std::string>(); };
  return file.empty() ? ParseConfiguration("", "defaults", none) : LoadConfiguration(file, none);
}

Error HaveErrors(const std::string& what, const std::vector<fml::Finding>& findings) {
  std::string lines = what;
  for (const fml::Finding& finding : findings) {
    if (finding.severity == fml::Severity::kError) lines += "\n  " + fml::ToLine(finding);
  }
  return Error{Code::kConfiguration, lines, {}};
}

}  // namespace

Result<audit::Sequence> AppendProgramEvent(outbox::SqliteBackend& backend, audit::Entry entry) {
  entry.time = SystemClock().Now();
  entry.actor = SystemPrincipal();
  audit::Sequence sequence = 0;
  ADAPTER_CHECK(storage::Write(*backend.store, [&](storage::Transaction& transaction) -> Result<void> {
    ADAPTER_TRY(sequence, backend.log.Append(transaction, entry));
    return {};
  }));
  return sequence;
}

void AddMaps(MetricsPage& page, const MapStatistics& statistics) {
  page.Family("fhir_adapter_map_reloads", "counter", "Changed maps that were taken, or kept out.");
  page.Sample({{"outcome", "changed"}}, statistics.changed);
  page.Sample({{"outcome", "kept"}}, statistics.kept);
  page.Family("fhir_adapter_maps_refused", "gauge",
              "1 while the folder of maps holds others than those in use, since they were refused.");
  page.Sample({}, statistics.is_refused ? 1 : 0);
}

Result<std::unique_ptr<MapsInForce>> MapsInForce::Load(const Configuration& configuration) {
  auto maps = std::unique_ptr<MapsInForce>(new MapsInForce(configuration));
  ADAPTER_TRY(maps->directory_, MappingsDirectory("", configuration));
  // Before the folder is read, so that no change is missed.
  ADAPTER_CHECK(maps->watch_.Start(maps->directory_, kQuietMs));
  ADAPTER_TRY(maps->set_, maps->Build());
  return maps;
}

MapsInForce::~MapsInForce() {
  Stop();
}

void MapsInForce::Start(outbox::SqliteBackend& backend, audit::Sequence began, Use use) {
  backend_ = &backend;
  began_ = began;
  use_ = std::move(use);
  if (!watch_.is_watching()) LogEvent(LogLevel::kWarning, "maps-not-watched", {{"directory", directory_}});
  thread_ = std::thread([this] { Run(); });
}

void MapsInForce::Stop() {
  watch_.Stop();
  if (thread_.joinable()) thread_.join();
}

std::shared_ptr<const pipeline::MappingSet> MapsInForce::current() const {
  const std::lock_guard lock(mutex_);
  return set_;
}

MapStatistics MapsInForce::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

Result<std::shared_ptr<const pipeline::MappingSet>> MapsInForce::Build() const {
  ADAPTER_TRY(std::vector<fml::SourceFile> files, ReadMappingSetFiles(directory_, ""));
  std::vector<fml::Finding> findings;
  // All of them, so that no record waits for a map that is not there.
  auto sets = BuildConfiguredSets(std::move(files), configuration_, ConfiguredMaps(configuration_), findings);
  for (const auto& set : sets) {
    if (set->has_envelope()) continue;
    return Fail(Code::kConfiguration, "the model " + set->model().type() +
                                          " lacks some of site, recordId, revision, status, recorded, "
                                          "patient.mrn: its records cannot be told "
                                          "apart, only `map` and `map test` take them");
  }
  if (!sets.empty()) return std::move(sets.front());
  return Fail(HaveErrors("the maps in " + directory_ + " have errors:", findings));
}

// How many there were. Of cases that fail only names are told: what they hold may be of a patient.
Result<std::size_t> MapsInForce::RunCases(const pipeline::MappingSet& set) const {
  ADAPTER_TRY(const std::vector<CaseFolder> cases, ReadCases(directory_));
  CaseRunner runner(set.maps()->files(), ConfigurationOfCases);
  std::size_t failed = 0;
  std::string names;
  for (const CaseFolder& folder : cases) {
    const auto result = runner.Run(folder);
    if (!result) {
      if (runner.findings().empty()) return Fail(result.error());
      return Fail(HaveErrors(result.error().message + ":", runner.findings()));
    }
    if (result->differences.empty()) continue;
    if (++failed <= kCasesNamedMax) names += " " + folder.test.name;
  }
  if (failed == 0) return cases.size();
  return Fail(Code::kMapCheck, std::to_string(failed) + " of the " + std::to_string(cases.size()) +
                                   " cases beside the maps fail:" + names +
                                   (failed > kCasesNamedMax ? " …" : "") + "; `fhir-adapter map test " +
                                   directory_ + "` shows what differs");
}

void MapsInForce::Run() {
  while (watch_.Wait() != FolderWatch::Cause::kStopped) ReadAgain();
}

void MapsInForce::ReadAgain() {
  auto set = Build();
  if (!set) return Keep(set.error());
  if ((*set)->name() == current()->name()) {
    const std::lock_guard lock(mutex_);
    statistics_.is_refused = false;
    return;
  }
  const auto cases = RunCases(**set);
  if (!cases) return Keep(cases.error());
  const auto exchanged = Exchange(std::move(*set), *cases);
  if (!exchanged) Keep(exchanged.error());
}

// The entry names the new set and, as what it takes the place of, the entry and the name of the old one.
Result<void> MapsInForce::Exchange(std::shared_ptr<const pipeline::MappingSet> set, std::size_t cases) {
  const std::string name = set->name();
  const std::string old_name = current()->name();
  audit::Entry entry;
  entry.event = audit::EventKind::kMapsChanged;
  entry.mapping = audit::MappingReference{set->record_map().url, set->record_map().version, name, ""};
  entry.outcome = "ok";
  entry.supersedes = audit::Supersedes{began_, old_name};
  ADAPTER_TRY(began_, AppendProgramEvent(*backend_, std::move(entry)));
  {
    const std::lock_guard lock(mutex_);
    set_ = set;
    statistics_.is_refused = false;
    ++statistics_.changed;
  }
  use_(std::move(set));
  LogEvent(LogLevel::kInfo, "maps-changed", {{"set", name}, {"before", old_name}, {"cases", cases}});
  return {};
}

void MapsInForce::Keep(const Error& error) {
  const std::string name = current()->name();
  {
    const std::lock_guard lock(mutex_);
    statistics_.is_refused = true;
    ++statistics_.kept;
  }
  audit::Entry entry;
  entry.event = audit::EventKind::kMapsKept;
  entry.mapping = audit::MappingReference{"", "", name, ""};
  entry.outcome = Name(error.code);
  const auto noted = AppendProgramEvent(*backend_, std::move(entry));
  LogEvent(LogLevel::kError, "maps-kept",
           {{"set", name},
            {"code", Name(error.code)},
            {"message", ToString(error)},
            {"noted", noted ? "yes" : "no"}});
}

}  // namespace fhir_adapter::app
