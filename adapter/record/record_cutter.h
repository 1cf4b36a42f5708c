// RecordCutter: from the bytes of an input to the texts of its records, whatever its format.
//
//   const auto cutter = MakeCutter(RecordFormat::kNdjson, nullptr);
//   while (there is more) { cutter->Push(chunk); while (auto text = cutter->Next()) ...; }
//   cutter->Finish(); while (auto text = cutter->Next()) ...;
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/issue.h"

namespace fhir_adapter::record {

struct TableLayout;

enum class RecordFormat : std::uint8_t { kJson, kNdjson, kTable };

// By the ending of a file's name: .json, .ndjson, .csv.
std::optional<RecordFormat> FormatOfName(std::string_view name);

struct RecordText {
  struct Place {
    std::uint32_t line = 0;
    std::uint32_t column = 0;
  };

  std::string bytes;             // the record as JSON
  std::uint32_t line = 1;        // of the first byte in the whole input
  std::uint32_t column = 1;      // in bytes
  std::string pointer;           // "/3" for the fourth of an array, else empty
  std::optional<Issue> problem;  // set: there is no record to read, and why
  // Of a record that was made from the rows of a table: where each of its values stands, in the order of the
  // bytes (an object or array before what is in it), and what was wrong with the rows.
  std::vector<Place> places = {};
  Issues issues = {};
};

class RecordCutter {
 public:
  virtual ~RecordCutter() = default;
  virtual void Push(std::string_view bytes) = 0;
  virtual void Finish() = 0;
  virtual std::optional<RecordText> Next() = 0;
};

// The layout is that of kTable, and must outlive the cutter.
std::unique_ptr<RecordCutter> MakeCutter(RecordFormat format, const TableLayout* layout);

}  // namespace fhir_adapter::record
