// Columns files: how the tables (CSV) of a source are read. One TOML file a kind of table,
// `columns/NAME.toml` in the folder of maps; mappings/README.md says what stands in it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/commands.h"
#include "app/configuration.h"
#include "app/streams.h"
#include "fml/map_set.h"
#include "pipeline/mapping_set.h"
#include "record/table_layout.h"

namespace fhir_adapter::app {

// The layout that `text` describes, against the model, which must outlive it; without a time zone. Nothing
// when a finding is an error. `file` only names it in findings, which are those of `check`.
std::optional<record::TableLayout> ParseColumns(std::string_view text, const std::string& file,
                                                const record::RecordModel& model,
                                                std::vector<fml::Finding>& findings);

// The file that is called `columns`: itself when it ends in .toml, else columns/NAME.toml of the folder of
// maps.
std::string ColumnsPath(const std::string& columns, const std::string& map_directory);

// All columns files of a folder of maps, sorted.
std::vector<std::string> ColumnsFiles(const std::string& map_directory);

// For a process that cannot go on without it: one error with all findings, or the layout with the site's
// zone.
Result<std::unique_ptr<const record::TableLayout>> LoadColumns(const std::string& columns,
                                                               const Configuration& configuration,
                                                               const record::RecordModel& model);

// The layout of a command, read when the first table comes.
class CommandTable {
 public:
  CommandTable(const GlobalOptions& global, std::string columns, std::string map_directory)
      : global_(global), columns_(std::move(columns)), map_directory_(std::move(map_directory)) {}

  // False: why is on the error stream. The set must outlive the layout.
  bool Load(const pipeline::MappingSet& set, const Streams& streams);
  const record::TableLayout* layout() const { return layout_.get(); }

 private:
  const GlobalOptions& global_;
  std::string columns_;
  std::string map_directory_;
  std::unique_ptr<const record::TableLayout> layout_;
};

}  // namespace fhir_adapter::app
