// RecordSplitter: cuts a stream of bytes into records, so that a file of any size is read one record at a
// time.
//
//   RecordSplitter splitter(RecordFormat::kJson);
//   while (there is more) { splitter.Push(chunk); while (auto text = splitter.Next()) ...; }
//   splitter.Finish(); while (auto text = splitter.Next()) ...;
//
// kJson: one record, or an array of records. kNdjson: a record on each line; blank lines are skipped.
// Cutting looks at strings and brackets only; the rest of the syntax is for ReadRecord to judge, so that one
// bad record leaves the others alone. Where brackets do not match, what follows cannot be told apart and is
// reported once. Holds at most one record and what Push just brought. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/issue.h"
#include "core/limits.h"
#include "record/record_cutter.h"

namespace fhir_adapter::record {

// What the beginning of an input looks like: kNdjson when its first line is a whole object and more follows.
RecordFormat GuessFormat(std::string_view beginning);

class RecordSplitter final : public RecordCutter {
 public:
  explicit RecordSplitter(RecordFormat format, std::size_t record_bytes_max = limits::kRecordBytesMax)
      : format_(format), record_bytes_max_(record_bytes_max) {}

  void Push(std::string_view bytes) override;
  void Finish() override;
  std::optional<RecordText> Next() override;

 private:
  enum class State : std::uint8_t {
    kStart,          // before the first byte that counts
    kWhole,          // one record: all that comes
    kLine,           // NDJSON
    kBeforeElement,  // after [ or ,
    kElement,
    kAfterElement,  // , or ] is expected
    kAfterArray,
    kUnreadable  // the rest is skipped
  };

  void Take(char byte);
  void TakeInArray(char byte);
  void TakeInElement(char byte);
  void TakeOutsideString(char byte);
  void Begin(State state);
  void Keep(char byte);
  void Emit();
  void EmitProblem(Code code, std::string message);
  std::string ElementPointer() const;

  RecordFormat format_;
  std::size_t record_bytes_max_;
  State state_ = State::kStart;
  std::size_t bytes_seen_ = 0;
  std::uint32_t line_ = 1;
  std::uint32_t column_ = 1;
  std::size_t index_ = 0;  // of the element that is being read
  bool after_comma_ = false;
  bool in_string_ = false;
  bool after_backslash_ = false;
  bool too_large_ = false;
  std::vector<bool> brackets_;  // open ones of the element: true for {, false for [
  RecordText current_;
  std::deque<RecordText> ready_;
};

}  // namespace fhir_adapter::record
