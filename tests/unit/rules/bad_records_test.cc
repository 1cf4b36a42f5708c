// Every code that reading and checking a record can report, on files whose expected lines stand beside them.
#include <filesystem>
#include <gtest/gtest.h>
#include <set>
#include <sstream>
#include <string>

#include "record/record_reader.h"
#include "unit/rules/shipped_rules.h"

namespace fhir_adapter::rules {
namespace {

namespace fs = std::filesystem;

fs::path BadRecords() {
  return record::SourcePath("fixtures/bad-records");
}

// `file:line:column: pointer: code (class)`: a report's line without its message.
std::string Shorten(const Issue& issue) {
  std::ostringstream line;
  line << issue.where.file << ":" << issue.where.line << ":" << issue.where.column << ": "
       << issue.where.pointer << ": " << Name(issue.code) << " (" << Name(issue.disposition()) << ")";
  return line.str();
}

std::multiset<std::string> Check(const fs::path& path) {
  const bool lines = path.extension() == ".ndjson";
  record::RecordSplitter splitter(lines ? record::RecordFormat::kNdjson : record::RecordFormat::kJson);
  splitter.Push(record::ReadFileBytes(path));
  splitter.Finish();
  std::multiset<std::string> found;
  while (const auto text = splitter.Next()) {
    Arena arena;
    auto reading = record::ReadRecord(*text, record::ShippedModel(), arena, path.filename());
    if (!reading.is_rejected()) {
      ShippedConstraints().Check(*reading.root, arena, text->pointer, path.filename().string(),
                                 reading.issues);
    }
    for (const Issue& issue : reading.issues) {
      EXPECT_FALSE(issue.message.empty());
      found.insert(Shorten(issue));
    }
  }
  return found;
}

class BadRecord : public ::testing::TestWithParam<std::string> {};

TEST_P(BadRecord, EachFile_GivesExactlyItsLines) {
  const fs::path folder = BadRecords() / GetParam();
  std::multiset<std::string> expected;
  std::istringstream lines(record::ReadFileBytes(folder / "expected.txt"));
  for (std::string line; std::getline(lines, line);) expected.insert(line);
  std::multiset<std::string> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".txt") found.merge(Check(entry.path()));
  }
  EXPECT_EQ(found, expected);
  EXPECT_FALSE(expected.empty());
}

INSTANTIATE_TEST_SUITE_P(Codes, BadRecord,
                         ::testing::Values("json-syntax", "encoding", "limit", "duplicate-key", "type",
                                           "missing", "not-allowed", "value-out-of-scale", "value-negative",
                                           "value-missing", "value-ambiguous", "range-inverted",
                                           "period-inverted", "duplicate-row", "dangling-row",
                                           "reason-missing", "no-administration", "unit-not-ucum",
                                           "unknown-field"),
                         [](const auto& parameter) {
                           std::string name = parameter.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(BadRecords, EveryFolder_IsTested) {
  std::size_t folders = 0;
  for (const auto& entry : fs::directory_iterator(BadRecords())) folders += entry.is_directory() ? 1 : 0;
  EXPECT_EQ(folders, 19U);
}

}  // namespace
}  // namespace fhir_adapter::rules
