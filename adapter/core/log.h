// The log: one JSON object a line on standard error, for the journal and for people.
//
//   LogEvent(LogLevel::kInfo, "record-accepted", {{"site", site}, {"recordId", id}});
//   →
//   {"time":"2026-03-01T12:00:00.000000Z","level":"info","event":"record-accepted","site":"…","recordId":"…"}
//
// Fields are codes, paths and ids. Clinical values, patient identifiers and names never go here. Thread-safe.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace fhir_adapter {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError, kOff };

struct LogField {
  LogField(std::string_view field_name, std::string_view field_value) : name(field_name), text(field_value) {}
  LogField(std::string_view field_name, const char* field_value) : name(field_name), text(field_value) {}
  LogField(std::string_view field_name, const std::string& field_value)
      : name(field_name), text(field_value) {}
  template <class Integer>
  LogField(std::string_view field_name, Integer field_value)
      : name(field_name), number(static_cast<std::int64_t>(field_value)), is_number(true) {}

  std::string_view name;
  std::string_view text;
  std::int64_t number = 0;
  bool is_number = false;
};

void SetLogLevel(LogLevel level);
LogLevel ParseLogLevel(std::string_view name);  // kInfo for an unknown name

void LogEvent(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

// The line without its time, as LogEvent writes it; control characters escaped, so that no field forges a
// line.
std::string FormatEvent(LogLevel level, std::string_view event, std::initializer_list<LogField> fields);

}  // namespace fhir_adapter
