#include "record/record_splitter.h"

#include <algorithm>
#include <utility>

namespace fhir_adapter::record {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool IsWhite(char byte) {
  return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

bool IsBlank(std::string_view text) {
  return std::all_of(text.begin(), text.end(), IsWhite);
}

}  // namespace

RecordFormat GuessFormat(std::string_view beginning) {
  if (beginning.starts_with(kByteOrderMark)) beginning.remove_prefix(kByteOrderMark.size());
  while (!beginning.empty() && IsWhite(beginning.front())) beginning.remove_prefix(1);
  if (!beginning.starts_with('{')) return RecordFormat::kJson;
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < beginning.size(); ++i) {
    const char byte = beginning[i];
    if (byte == '\n') return RecordFormat::kJson;
    if (in_string) {
      if (byte == '\\') ++i;
      in_string = byte != '"';
      continue;
    }
    in_string = byte == '"';
    if (byte == '{' || byte == '[') ++depth;
    if (byte == '}' || byte == ']') --depth;
    if (depth == 0) return IsBlank(beginning.substr(i + 1)) ? RecordFormat::kJson : RecordFormat::kNdjson;
  }
  return RecordFormat::kJson;
}

void RecordSplitter::Push(std::string_view bytes) {
  for (const char byte : bytes) {
    const bool in_mark = bytes_seen_ < kByteOrderMark.size() && byte == kByteOrderMark[bytes_seen_] &&
                         (bytes_seen_ == 0 || column_ == bytes_seen_ + 1) && state_ == State::kStart;
    ++bytes_seen_;
    if (!in_mark) Take(byte);
    ++column_;
    if (byte == '\n') {
      ++line_;
      column_ = 1;
    }
  }
}

void RecordSplitter::Take(char byte) {
  switch (state_) {
    case State::kStart:
      if (format_ == RecordFormat::kNdjson) {
        Begin(State::kLine);
        return Take(byte);
      }
      if (IsWhite(byte)) return;
      if (byte == '[') {
        state_ = State::kBeforeElement;
        return;
      }
      Begin(State::kWhole);
      return Keep(byte);
    case State::kWhole:
      return Keep(byte);
    case State::kLine:
      if (byte != '\n') return Keep(byte);
      if (too_large_ || !IsBlank(current_.bytes)) Emit();
      state_ = State::kStart;  // the next byte begins a line
      return;
    default:
      return TakeInArray(byte);
  }
}

void RecordSplitter::TakeInArray(char byte) {
  if (state_ == State::kUnreadable) return;
  if (state_ == State::kElement) return TakeInElement(byte);
  if (IsWhite(byte)) return;
  switch (state_) {
    case State::kBeforeElement:
      if (byte == ']' && !after_comma_) {
        state_ = State::kAfterArray;
        return;
      }
      if (byte == ']' || byte == ',' || byte == '}' || byte == ':') {
        return EmitProblem(Code::kJsonSyntax, "an element of the array is expected; the rest is not read");
      }
      Begin(State::kElement);
      return TakeInElement(byte);
    case State::kAfterElement:
      ++index_;
      after_comma_ = byte == ',';
      if (byte == ',') {
        state_ = State::kBeforeElement;
      } else if (byte == ']') {
        state_ = State::kAfterArray;
      } else {
        EmitProblem(Code::kJsonSyntax, "a comma or the end of the array is expected; the rest is not read");
      }
      return;
    default:
      return EmitProblem(Code::kJsonSyntax, "nothing may follow the array");
  }
}

void RecordSplitter::TakeInElement(char byte) {
  if (!in_string_) return TakeOutsideString(byte);
  Keep(byte);
  if (after_backslash_) {
    after_backslash_ = false;
  } else if (byte == '\\') {
    after_backslash_ = true;
  } else if (byte == '"') {
    in_string_ = false;
  }
}

void RecordSplitter::TakeOutsideString(char byte) {
  const bool closes = byte == '}' || byte == ']';
  if (brackets_.empty() && (byte == ',' || byte == ']')) {
    // The end of a scalar, or of an element that has closed.
    Emit();
    state_ = State::kAfterElement;
    return TakeInArray(byte);
  }
  if (closes) {
    if (brackets_.empty() || brackets_.back() != (byte == '}')) {
      return EmitProblem(Code::kJsonSyntax, "the brackets do not match; the rest of the array is not read");
    }
    brackets_.pop_back();
    return Keep(byte);
  }
  if (byte == '{' || byte == '[') brackets_.push_back(byte == '{');
  in_string_ = byte == '"';
  Keep(byte);
}

void RecordSplitter::Begin(State state) {
  state_ = state;
  in_string_ = false;
  after_backslash_ = false;
  too_large_ = false;
  brackets_.clear();
  current_ = RecordText{{}, line_, column_, {}, {}};
  if (state == State::kElement) current_.pointer = ElementPointer();
}

void RecordSplitter::Keep(char byte) {
  if (too_large_) return;
  if (current_.bytes.size() < record_bytes_max_) {
    current_.bytes += byte;
    return;
  }
  // White space after an element is not part of it.
  if (IsWhite(byte) && brackets_.empty() && !in_string_) return;
  too_large_ = true;
  current_.bytes.clear();
}

void RecordSplitter::Emit() {
  if (too_large_) {
    current_.problem = Issue{Code::kLimit, Location{{}, current_.line, current_.column, current_.pointer},
                             "the record is larger than " + std::to_string(record_bytes_max_) + " bytes"};
  }
  ready_.push_back(std::move(current_));
  current_ = RecordText{};
}

void RecordSplitter::EmitProblem(Code code, std::string message) {
  const std::string pointer = state_ == State::kAfterArray ? std::string() : ElementPointer();
  ready_.push_back(RecordText{
      {}, line_, column_, pointer, Issue{code, Location{{}, line_, column_, pointer}, std::move(message)}});
  state_ = State::kUnreadable;
}

std::string RecordSplitter::ElementPointer() const {
  return "/" + std::to_string(index_);
}

void RecordSplitter::Finish() {
  switch (state_) {
    case State::kStart:
      if (format_ == RecordFormat::kJson) EmitProblem(Code::kJsonSyntax, "the input is empty");
      break;
    case State::kWhole:
      Emit();
      break;
    case State::kLine:
      if (too_large_ || !IsBlank(current_.bytes)) Emit();
      break;
    case State::kBeforeElement:
    case State::kElement:
    case State::kAfterElement:
      if (state_ == State::kAfterElement) ++index_;
      EmitProblem(Code::kJsonSyntax, "the array does not end");
      break;
    case State::kAfterArray:
    case State::kUnreadable:
      break;
  }
  state_ = State::kUnreadable;
}

std::optional<RecordText> RecordSplitter::Next() {
  if (ready_.empty()) return std::nullopt;
  std::optional<RecordText> text = std::move(ready_.front());
  ready_.pop_front();
  return text;
}

}  // namespace fhir_adapter::record
