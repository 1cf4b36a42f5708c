// Errors of operations: a code from error_codes.def, a message for a person, and where it happened.
//
// Data problems of a record are `Issue`s (core/issue.h), not `Error`s. A message never holds a clinical
// value: it names codes, paths and ids. Values; free to copy between threads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fhir_adapter {

enum class Disposition : std::uint8_t { kRejected, kQuarantined, kHeld, kNote, kRetry, kFatal };

enum class Code : std::uint8_t {
#define ADAPTER_CODE(name, ...) name,
#include "core/error_codes.def"
#undef ADAPTER_CODE
};

// A row of error_codes.def.
struct CodeInfo {
  std::string_view name;    // as it stands in reports, queue reasons and OperationOutcome.details
  Disposition disposition;  // what becomes of the work
  int http_status;          // of an HTTP intake's answer
  std::string_view hl7_acknowledgement;
  std::string_view issue_type;  // OperationOutcome.issue.code (R4 issue-type)
  std::string_view help;        // what to do next
};

const CodeInfo& Describe(Code code);
std::string_view Name(Code code);
std::string_view Name(Disposition disposition);  // "rejected", "quarantined", …

// A place in a source: in a text file line and column (1-based, column in bytes), in a record a JSON pointer
// (RFC 6901), or both. Zero and empty mean unknown. Of a table (CSV) line is the row (1: the header) and
// column the cell in it, as in a spreadsheet; HL7 v2 uses pointer for `SEGMENT[n]-field`.
struct Location {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string pointer;

  bool operator==(const Location&) const = default;
};

struct Error {
  Code code = Code::kInternal;
  std::string message;
  Location where;

  bool operator==(const Error&) const = default;
};

// `file:line:column: message`, leaving out what is unknown.
std::string ToString(const Error& error);

}  // namespace fhir_adapter
