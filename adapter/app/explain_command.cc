// `fhir-adapter map explain`: from where each element of the output came.
#include <string>
#include <vector>

#include "app/columns_file.h"
#include "app/commands.h"
#include "app/lineage_text.h"
#include "app/mapping_files.h"
#include "app/mapping_setup.h"
#include "pipeline/record_mapping.h"
#include "record/record_splitter.h"

namespace fhir_adapter::app {

int RunExplain(const GlobalOptions& global, const ExplainOptions& options, const Streams& streams) {
  const auto [set, exit_code] =
      BuildCommandSet(global, options.map, options.map_directory, options.model_directory, streams);
  if (!set) return exit_code;
  const auto bytes = ReadFile(options.input);
  if (!bytes) return Report(bytes.error(), streams);
  const auto format = record::FormatOfName(options.input).value_or(record::RecordFormat::kJson);
  CommandTable table(global, options.columns, options.map_directory);
  if (format == record::RecordFormat::kTable && !table.Load(*set, streams)) return kExitUsage;
  const auto cutter = record::MakeCutter(format, table.layout());
  cutter->Push(*bytes);
  cutter->Finish();
  pipeline::RecordMapping mapping(set);
  bool any_refused = false;
  bool any_found = false;
  while (auto text = cutter->Next()) {
    std::vector<pipeline::ElementLineage> lineage;
    const pipeline::MappedRecord mapped =
        mapping.Explain(*text, {}, pipeline::RecordForm::kBundle, options.input, lineage);
    if (Gravest(mapped.issues) != Disposition::kNote) {
      any_refused = true;
      for (const Issue& issue : mapped.issues) streams.err << ToLine(issue) << "\n";
    }
    for (const pipeline::ElementLineage& element : lineage) {
      if (!IsElementWanted(element, options.element)) continue;
      any_found = true;
      streams.out << (global.json ? LineageJson(element, options.input) + "\n"
                                  : LineageText(element, options.input));
    }
  }
  if (!any_refused && !any_found) {
    streams.err << "the output has no element " << options.element << "\n";
    return kExitRejected;
  }
  return any_refused ? kExitRejected : kExitDone;
}

}  // namespace fhir_adapter::app
