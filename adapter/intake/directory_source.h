// DirectorySource: takes the record files that appear in a folder.
//
// A file is taken once it is complete: moved in, or closed after writing; one that is still open is left
// alone. Each record in it is received (and durable) before the file moves to done/ or, when a record of it
// was refused, to rejected/ with a report NAME.report.json beside it. A process that dies in between finds
// the file again, and the Receiver knows its records by their content: nothing is taken twice and nothing is
// lost. While the store is full or not ready the file stays where it is. Names that begin with '.' are
// ignored; symbolic links, folders and other endings than .json, .ndjson and (with a layout) .csv are refused
// to rejected/ (links and folders stay and are logged once).
//
// Start once; Stop (or the destructor) waits for the file in hand. It runs a thread of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/principal.h"
#include "core/result.h"
#include "pipeline/receive.h"
#include "record/record_model.h"
#include "record/table_layout.h"

namespace fhir_adapter::intake {

struct DirectorySettings {
  std::string name;  // of the source, in the audit log
  std::string path;
  std::string map;                             // that its records are for
  const record::TableLayout* table = nullptr;  // of .csv files; null: none are taken
  std::int64_t scan_ms = 5'000;                // looks at the folder at least that often
  std::int64_t settle_ms = 2'000;  // a file whose writer cannot be seen counts as complete after that long
};

class DirectorySource {
 public:
  DirectorySource(DirectorySettings settings, const record::RecordModel& model, pipeline::Receiver& receiver);
  ~DirectorySource();
  DirectorySource(const DirectorySource&) = delete;
  DirectorySource& operator=(const DirectorySource&) = delete;

  // Makes the folders and begins to watch. Errors: input-output, with the path.
  Result<void> Start();
  void Stop();

  // Takes every complete file that is there now, on the calling thread, without Start. Returns how many.
  Result<int> TakeAll();

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace fhir_adapter::intake
