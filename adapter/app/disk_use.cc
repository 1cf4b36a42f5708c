#include "app/disk_use.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "intake/done_files.h"
#include "storage/sqlite/sqlite_store.h"

namespace fhir_adapter::app {
namespace {

struct Part {
  const char* name;  // in metrics
  const char* text;  // for people
  const char* json;
  std::int64_t DiskUse::* bytes;
};
constexpr std::array<Part, 5> kParts = {{
    {"database", "database", "database", &DiskUse::database},
    {"write_ahead_log", "log", "writeAheadLog", &DiskUse::write_ahead_log},
    {"free_pages", "free pages", "freePages", &DiskUse::free_pages},
    {"done", "done/", "done", &DiskUse::done},
    {"rejected", "rejected/", "rejected", &DiskUse::rejected},
}};

std::int64_t BytesOf(const std::string& path) {
  std::error_code absent;
  const std::uintmax_t bytes = std::filesystem::file_size(path, absent);
  return absent ? 0 : static_cast<std::int64_t>(bytes);
}

}  // namespace

DiskPlaces DiskPlacesOf(const Configuration& configuration) {
  DiskPlaces places{configuration.StorePath(), {}};
  for (const SourceSettings& source : configuration.sources) {
    if (source.kind == "directory") places.sources.push_back(source.path);
  }
  return places;
}

Result<DiskUse> MeasureDisk(storage::Store& store, const DiskPlaces& places) {
  DiskUse use;
  use.database = BytesOf(places.store_path);
  use.write_ahead_log = BytesOf(places.store_path + "-wal");
  ADAPTER_CHECK(store.Read([&use](storage::Snapshot& snapshot) -> Result<void> {
    ADAPTER_TRY(use.free_pages, storage::FreeBytes(snapshot));
    return {};
  }));
  for (const std::string& source : places.sources) {
    ADAPTER_TRY(const intake::FolderUse done, intake::MeasureFolder(source + "/done"));
    ADAPTER_TRY(const intake::FolderUse rejected, intake::MeasureFolder(source + "/rejected"));
    use.done += done.bytes;
    use.rejected += rejected.bytes;
  }
  return use;
}

std::string ToText(const DiskUse& use) {
  std::string text = "disk        ";
  for (const Part& part : kParts) {
    text +=
        std::string(&part == kParts.data() ? " " : ", ") + part.text + " " + std::to_string(use.*part.bytes);
  }
  return text + " bytes\n";
}

std::string ToJson(const DiskUse& use) {
  std::string json = "{";
  for (const Part& part : kParts) {
    json +=
        std::string(json.size() == 1 ? "" : ",") + "\"" + part.json + "\":" + std::to_string(use.*part.bytes);
  }
  return json + "}";
}

void AddDisk(MetricsPage& page, const DiskUse& use) {
  page.Family("fhir_adapter_disk_bytes", "gauge", "What the adapter's files take of the disk.", "bytes");
  for (const Part& part : kParts) page.Sample({{"part", part.name}}, use.*part.bytes);
}

}  // namespace fhir_adapter::app
