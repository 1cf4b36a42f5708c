#include "core/log.h"

#include <gtest/gtest.h>

namespace fhir_adapter {
namespace {

TEST(Log, Event_IsOneJsonObject) {
  EXPECT_EQ(FormatEvent(LogLevel::kInfo, "record-accepted", {{"recordId", "A-1"}, {"revision", 2}}),
            R"({"level":"info","event":"record-accepted","recordId":"A-1","revision":2})");
}

TEST(Log, FieldWithLineEnd_CannotForgeALine) {
  EXPECT_EQ(FormatEvent(LogLevel::kError, "x", {{"path", "a\r\n{\"level\":\"info\"}"}}),
            R"({"level":"error","event":"x","path":"a\u000d\u000a{\"level\":\"info\"}"})");
}

TEST(Log, LevelNames_AreRead) {
  EXPECT_EQ(ParseLogLevel("debug"), LogLevel::kDebug);
  EXPECT_EQ(ParseLogLevel("off"), LogLevel::kOff);
  EXPECT_EQ(ParseLogLevel("nonsense"), LogLevel::kInfo);
}

TEST(Log, BelowTheLevel_IsNotWritten) {
  SetLogLevel(LogLevel::kWarning);
  testing::internal::CaptureStderr();
  LogEvent(LogLevel::kInfo, "quiet");
  LogEvent(LogLevel::kError, "loud");
  const std::string written = testing::internal::GetCapturedStderr();
  SetLogLevel(LogLevel::kInfo);
  EXPECT_EQ(written.find("quiet"), std::string::npos);
  EXPECT_NE(written.find("\"event\":\"loud\"}\n"), std::string::npos);
}

}  // namespace
}  // namespace fhir_adapter
