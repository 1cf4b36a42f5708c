#include "core/log.h"

#include <atomic>
#include <cstdio>
#include <memory>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "core/clock.h"

namespace fhir_adapter {
namespace {

std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
    case LogLevel::kOff:
      return "off";
  }
  return "off";
}

void AppendQuoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += escape;
    } else {
      out += c;
    }
  }
  out += '"';
}

void AppendFields(std::string& out, LogLevel level, std::string_view event,
                  std::initializer_list<LogField> fields) {
  out += "\"level\":";
  AppendQuoted(out, LevelName(level));
  out += ",\"event\":";
  AppendQuoted(out, event);
  for (const LogField& field : fields) {
    out += ',';
    AppendQuoted(out, field.name);
    out += ':';
    if (field.is_number) {
      out += std::to_string(field.number);
    } else {
      AppendQuoted(out, field.text);
    }
  }
  out += '}';
}

std::atomic<LogLevel>& Threshold() {
  static std::atomic<LogLevel> level{LogLevel::kInfo};
  return level;
}

spdlog::logger& Lines() {
  static const std::unique_ptr<spdlog::logger> logger = [] {
    auto made = std::make_unique<spdlog::logger>("", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

}  // namespace

void SetLogLevel(LogLevel level) {
  Threshold() = level;
}

LogLevel ParseLogLevel(std::string_view name) {
  for (const LogLevel level : {LogLevel::kDebug, LogLevel::kWarning, LogLevel::kError, LogLevel::kOff}) {
    if (name == LevelName(level)) return level;
  }
  return LogLevel::kInfo;
}

std::string FormatEvent(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  std::string line = "{";
  AppendFields(line, level, event, fields);
  return line;
}

void LogEvent(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (level < Threshold().load() || level == LogLevel::kOff) return;
  std::string line = "{\"time\":\"" + ToString(SystemClock().Now()) + "\",";
  AppendFields(line, level, event, fields);
  Lines().info("{}", line);
}

}  // namespace fhir_adapter
