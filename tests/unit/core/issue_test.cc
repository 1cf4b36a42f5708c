#include "core/issue.h"

#include <gtest/gtest.h>
#include <set>
#include <string>

namespace fhir_adapter {
namespace {

Issue At(Code code) {
  return Issue{code, Location{"a.json", 4, 9, "/pain/0/value"}, "not between 0 and 10"};
}

TEST(Issue, Line_HasPathPointerCodeMessageAndClass) {
  EXPECT_EQ(ToLine(At(Code::kValueOutOfScale)),
            "a.json:4:9: /pain/0/value: value-out-of-scale: not between 0 and 10 (quarantined)");
}

TEST(Issue, LineOfWholeDocument_HasAnEmptyPointerAndNoPosition) {
  EXPECT_EQ(ToLine(Issue{Code::kJsonSyntax, Location{"a.json", 0, 0, ""}, "empty"}),
            "a.json: : json-syntax: empty (rejected)");
}

TEST(Issue, GravestOfSeveral_IsRejectedBeforeQuarantinedBeforeNote) {
  EXPECT_EQ(Gravest({}), Disposition::kNote);
  EXPECT_EQ(Gravest({At(Code::kUnknownField)}), Disposition::kNote);
  EXPECT_EQ(Gravest({At(Code::kUnknownField), At(Code::kUnmappedCode)}), Disposition::kQuarantined);
  EXPECT_EQ(Gravest({At(Code::kUnmappedCode), At(Code::kMissing)}), Disposition::kRejected);
}

void ExpectClass(Code code, const char* name, const std::set<std::string>& names, Disposition expected) {
  if (names.contains(name)) {
    EXPECT_EQ(Describe(code).disposition, expected) << name;
  }
}

// The classes of the record's codes as they are promised to users.
TEST(ErrorCodes, RecordCodes_HaveTheirPromisedClass) {
  const std::set<std::string> rejected = {"json-syntax", "encoding", "limit",       "duplicate-key",
                                          "type",        "missing",  "not-allowed", "wrong-site"};
  const std::set<std::string> quarantined = {
      "value-out-of-scale", "value-negative", "value-missing", "value-ambiguous", "range-inverted",
      "period-inverted",    "duplicate-row",  "dangling-row",  "reason-missing",  "no-administration",
      "unit-not-ucum",      "time-ambiguous", "map-check",     "map-limit",       "output-invalid"};
  std::set<std::string> seen;
#define ADAPTER_CODE(name, wire, ...)                                    \
  ExpectClass(Code::name, wire, rejected, Disposition::kRejected);       \
  ExpectClass(Code::name, wire, quarantined, Disposition::kQuarantined); \
  seen.insert(wire);
#include "core/error_codes.def"
#undef ADAPTER_CODE
  for (const auto& code : rejected) EXPECT_TRUE(seen.contains(code)) << code;
  for (const auto& code : quarantined) EXPECT_TRUE(seen.contains(code)) << code;
}

void ExpectHelp(Code code) {
  EXPECT_FALSE(Describe(code).help.empty()) << Name(code);
  EXPECT_GE(Describe(code).http_status, 200) << Name(code);
}

TEST(ErrorCodes, EveryCode_SaysWhatToDo) {
#define ADAPTER_CODE(name, ...) ExpectHelp(Code::name);
#include "core/error_codes.def"
#undef ADAPTER_CODE
}

}  // namespace
}  // namespace fhir_adapter
