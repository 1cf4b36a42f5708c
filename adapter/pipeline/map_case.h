// MapCase: a record or a message, what shall become of it, and whether it does: the tests that stand beside
// the maps.
//
// Texts in, texts out; no file is read here. Compared are the bytes of the Bundle, every digit and every
// member in its order, and the issues by pointer, code and class.
#pragma once

#include <string>
#include <vector>

#include "pipeline/record_mapping.h"
#include "record/record_splitter.h"

namespace fhir_adapter::pipeline {

struct MapCase {
  std::string name;
  std::string input;
  bool is_message = false;  // the input is an HL7 v2 message
  record::RecordFormat format = record::RecordFormat::kJson;
  // The Bundle as JSON, laid out as one likes; empty: the record is refused and gives none.
  std::string expected;
  // One `pointer code class` a line; empty: nothing to remark.
  std::string expected_issues;
  // What the patient is looked for by, which stands in no resource: `mrn`, `sex`, `birth-date` and a value,
  // one a line; empty: not compared.
  std::string expected_patient;
};

struct CaseResult {
  std::vector<std::string> differences;  // readable, by element path; empty: as expected
  std::string bundle;                    // laid out for reading; what an update writes
  std::string issues;
  std::string patient;
};

CaseResult RunCase(RecordMapping& mapping, const MapCase& test);

}  // namespace fhir_adapter::pipeline
