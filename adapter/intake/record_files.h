// The files that hold a record: in the folders of a directory source, by what stands in them.
//
// Nothing ties a record to a file: a file may hold many, and the same record may come in several. So each
// file is read as the source reads it. One that cannot be read so far that it is clear whose records it holds
// counts when the record's id stands in it as a word. Files that are being taken meanwhile may be missed.
// Blocking. Errors: input-output, with the path.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "record/table_layout.h"

namespace fhir_adapter::intake {

struct RecordFolder {
  std::string path;
  const record::TableLayout* table = nullptr;  // of .csv files; null: they are not read as tables
};

struct RecordName {
  std::string site;
  std::string record_id;
};

struct RecordFiles {
  std::vector<std::string> removed;  // from done/ and rejected/, with the reports beside them
  std::vector<std::string> waiting;  // not taken yet: they stay
};

// Removes every file of done/ and rejected/ that holds one of the records, whatever else it holds.
Result<RecordFiles> RemoveFilesOf(const RecordFolder& folder, const std::vector<RecordName>& records);

}  // namespace fhir_adapter::intake
