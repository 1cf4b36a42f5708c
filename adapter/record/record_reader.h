// Reads the text of one record into a tree and checks its shape.
//
// Stateless; thread-safe. The tree lives in the caller's arena and its positions are those of the whole
// input. Nothing here fails as an operation: what is wrong with the bytes is an Issue.
#pragma once

#include <string>

#include "core/arena.h"
#include "core/issue.h"
#include "fhir/json_reader.h"
#include "fhir/node.h"
#include "record/record_model.h"
#include "record/record_splitter.h"

namespace fhir_adapter::record {

struct RecordReading {
  fhir::Node* root = nullptr;  // null when the text could not be read; may be there with issues
  Issues issues;               // of dispositions rejected, quarantined (rows) and note

  bool is_rejected() const { return Gravest(issues) == Disposition::kRejected; }
};

// Parse, CheckStructure and, unless something is rejected, CheckRows. `file` goes into the issues' places.
RecordReading ReadRecord(const RecordText& text, const RecordModel& model, Arena& arena,
                         const std::string& file = {}, const fhir::JsonLimits& limits = fhir::kRecordLimits);

}  // namespace fhir_adapter::record
