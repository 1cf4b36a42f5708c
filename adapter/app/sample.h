// Sample: a file of a clinic's records (CSV, JSON, NDJSON) or HL7 v2 messages, as `map init` reads it.
//
// Values; one thread. Errors: those of the format, with file, line and column; kUsage for what no map can be
// made of. The values are clinical.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/sample_tree.h"
#include "core/result.h"
#include "core/time_zone.h"
#include "record/local_time.h"
#include "record/text_encoding.h"

namespace fhir_adapter::app {

struct SampleOptions {
  std::string record_id;  // header or path of what names a record; empty: as it looks
  std::string patient;    // likewise of the patient's number
  std::string site;       // of tables that do not say it
  std::shared_ptr<const TimeZone>
      time_zone;  // of local times; shared with the layouts of tables; null: not known
};

// How the table of the sample is read.
struct SampleTable {
  char delimiter = ',';
  record::TextEncoding encoding = record::TextEncoding::kUtf8;
  char decimal_sign = '.';
  record::DateForm dates = record::DateForm::kIso;
  std::vector<std::pair<std::string, std::string>> columns;  // header and path
  std::vector<std::pair<std::string, std::string>> fixed;    // path and value
};

struct Sample {
  SampleForm form = SampleForm::kJson;
  SampleElement root;
  std::size_t records = 0;
  // Has all that the store needs to know of a record (site, recordId, revision, status, recorded,
  // patient.mrn).
  bool has_envelope = false;
  std::string first;                 // of the records or messages, as it stood; of a table empty
  SampleTable table;                 // of a table
  std::string message_kind;          // of messages: "oru-r01"
  std::vector<std::string> remarks;  // for the person: what was assumed, and what is missing
};

// By the ending of the name: .csv, .json, .ndjson, .hl7.
Result<Sample> ReadSample(const std::string& file, const SampleOptions& options);

// The three kinds.
Result<Sample> ReadRecordSample(std::string_view text, bool is_ndjson, const SampleOptions& options);
Result<Sample> ReadTableSample(std::string_view text, const SampleOptions& options);
Result<Sample> ReadMessageSample(std::string_view text);

// The leaf at "patient.mrn" where no list is on the way; null: there is none.
const SampleElement* LeafAt(const SampleElement& root, std::string_view path);
// The path of the leaf that has this role; empty: none has it, or a list is on the way.
std::string PathOf(const SampleElement& root, SampleElement::Role role);

}  // namespace fhir_adapter::app
