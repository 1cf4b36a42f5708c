#include "pipeline/map_case.h"

#include <algorithm>

#include "core/arena.h"
#include "fhir/json_difference.h"
#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "pipeline/message_mapping.h"

namespace fhir_adapter::pipeline {
namespace {

constexpr std::size_t kDifferencesMax = 40;

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

// Line by line; `file` is where the expected ones stand.
void CompareLines(const std::string& file, const std::string& expected, const std::string& found,
                  std::vector<std::string>& differences) {
  const std::size_t before = differences.size();
  const std::vector<std::string> was = LinesOf(expected);
  const std::vector<std::string> is = LinesOf(found);
  for (const std::string& line : was) {
    if (std::ranges::count(is, line) < std::ranges::count(was, line)) {
      differences.push_back(file + ": expected '" + line + "', found nothing");
    }
  }
  for (const std::string& line : is) {
    if (std::ranges::count(was, line) < std::ranges::count(is, line)) {
      differences.push_back(file + ": expected nothing, found '" + line + "'");
    }
  }
  if (differences.size() == before && was != is) differences.push_back(file + ": another order");
}

void CompareBundles(const std::string& expected, const std::string& found,
                    std::vector<std::string>& differences) {
  if (expected.empty() && found.empty()) return;
  if (expected.empty() || found.empty()) {
    differences.emplace_back(found.empty() ? "expected.json: expected a Bundle, found none"
                                           : "expected.json: expected no Bundle, found one");
    return;
  }
  Arena arena;
  const auto was = fhir::ReadJson(expected, arena);
  if (!was) {
    differences.push_back("expected.json: " + ToString(was.error()));
    return;
  }
  if (fhir::ToJson(**was) == found) return;
  const auto is = fhir::ReadJson(found, arena);
  if (!is) {
    differences.push_back("the Bundle cannot be read: " + ToString(is.error()));
    return;
  }
  for (std::string& line : fhir::Differences(**was, **is, kDifferencesMax)) {
    differences.push_back(std::move(line));
  }
  if (differences.empty()) differences.emplace_back("expected.json: the bytes differ");
}

std::string PatientLines(const record::RecordEnvelope& envelope) {
  std::string lines = "mrn " + envelope.patient_mrn + "\n";
  if (!envelope.patient_sex.empty()) lines += "sex " + envelope.patient_sex + "\n";
  if (!envelope.patient_birth_date.empty()) lines += "birth-date " + envelope.patient_birth_date + "\n";
  return lines;
}

std::string LaidOut(const std::string& bundle) {
  if (bundle.empty()) return "";
  Arena arena;
  const auto read = fhir::ReadJson(bundle, arena);
  return read ? fhir::LayOut(**read) : bundle;
}

// What became of each record or message of the input.
std::vector<MappedRecord> MapInput(RecordMapping& mapping, const MapCase& test) {
  std::vector<MappedRecord> all;
  if (test.is_message) {
    MessageMapping messages(mapping);
    for (const record::Hl7MessageText& message : record::SplitHl7Messages(test.input)) {
      all.push_back(messages.Map(message, RecordForm::kBundle, test.name));
    }
    return all;
  }
  record::RecordSplitter splitter(test.format);
  splitter.Push(test.input);
  splitter.Finish();
  while (auto text = splitter.Next()) all.push_back(mapping.Map(*text, {}, RecordForm::kBundle, test.name));
  return all;
}

}  // namespace

CaseResult RunCase(RecordMapping& mapping, const MapCase& test) {
  CaseResult result;
  std::string bundle;
  const std::vector<MappedRecord> all = MapInput(mapping, test);
  for (const MappedRecord& mapped : all) {
    for (const Issue& issue : mapped.issues) {
      result.issues += issue.where.pointer + " " + std::string(Name(issue.code)) + " " +
                       std::string(Name(issue.disposition())) + "\n";
    }
    bundle = mapped.bundle;
    result.patient = PatientLines(mapped.envelope);
  }
  if (all.size() != 1) {
    result.differences.push_back("the input holds " + std::to_string(all.size()) +
                                 " records; a case is one record");
    return result;
  }
  CompareBundles(test.expected, bundle, result.differences);
  CompareLines("expected-issues", test.expected_issues, result.issues, result.differences);
  if (!test.expected_patient.empty()) {
    CompareLines("expected-patient", test.expected_patient, result.patient, result.differences);
  }
  result.bundle = LaidOut(bundle);
  return result;
}

}  // namespace fhir_adapter::pipeline
