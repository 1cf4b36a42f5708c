// `fhir-adapter erase`: takes the content of records out of everything that this program keeps.
#include "app/change_call.h"
#include "app/columns_file.h"
#include "app/commands.h"
#include "app/local_user.h"
#include "app/maps_in_force.h"
#include "app/record_eraser.h"

namespace fhir_adapter::app {
namespace {

// What is needed to read the folders without a daemon: the maps only when there are tables.
class OfflineFolders {
 public:
  explicit OfflineFolders(const Configuration& configuration) : configuration_(configuration) {}

  Result<std::vector<intake::RecordFolder>> Load() {
    return RecordFoldersOf(configuration_, [this](const SourceSettings& source) { return Layout(source); });
  }

 private:
  Result<const record::TableLayout*> Layout(const SourceSettings& source) {
    if (source.columns.empty()) return nullptr;
    if (!maps_) {
      ADAPTER_TRY(maps_, MapsInForce::Load(configuration_));
    }
    std::vector<fml::Finding> findings;
    auto set = maps_->current()->ForMap(source.map, findings);
    if (!set) return Fail(Code::kConfiguration, findings.back().message);
    sets_.push_back(std::move(set));
    ADAPTER_TRY(auto layout, LoadColumns(source.columns, configuration_, sets_.back()->model()));
    layouts_.push_back(std::move(layout));
    return layouts_.back().get();
  }

  const Configuration& configuration_;
  std::unique_ptr<MapsInForce> maps_;
  std::vector<std::shared_ptr<const pipeline::MappingSet>> sets_;  // whose models the layouts use
  std::vector<std::unique_ptr<const record::TableLayout>> layouts_;
};

}  // namespace

int RunErase(const GlobalOptions& global, const EraseOptions& options, const Streams& streams) {
  const auto configuration = ConfigurationOf(global);
  if (!configuration) return Report(configuration.error(), streams);
  const EraseRequest request{options.records, options.reason};
  if (const auto usable = ParseEraseRequest(ToJson(request)); !usable) return Report(usable.error(), streams);
  const auto results = MakeChange(*configuration, "/control/erase", ToJson(request),
                                  [&](outbox::SqliteBackend& backend, const QueueChangeDone& done) {
                                    OfflineFolders offline(*configuration);
                                    auto folders = offline.Load();
                                    if (!folders)
                                      return done({{"folders", false, ToString(folders.error())}});
                                    const ErasePorts ports{backend, SystemClock(), configuration->site.id,
                                                           configuration->StorePath(), std::move(*folders)};
                                    done(EraseRecords(request, LocalUser(), ports));
                                  });
  if (!results) return Report(results.error(), streams);
  if (global.json) {
    streams.out << ToJson(*results) << "\n";
  } else {
    for (const QueueChangeResult& result : *results) {
      if (result.done) streams.out << result.id << ": " << result.message << "\n";
    }
  }
  return ReportFailed(*results, streams) ? kExitDone : kExitRejected;
}

}  // namespace fhir_adapter::app
