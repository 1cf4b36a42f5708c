// Records for tests of the plausibility rules: a plausible one, with members replaced.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "fhir/json_reader.h"
#include "rules/rule_engine.h"
#include "unit/rules/shipped_rules.h"

namespace fhir_adapter::rules {

using Members = std::map<std::string, std::string>;

// Midazolam 3 mg, 70 kg, 50 years, second of its series: no rule fires. An empty text takes a member out.
inline std::string PlausibleRecord(const Members& replaced = {}) {
  Members members = {
      {"recordId", R"("R 1")"},
      {"revision", "1"},
      {"site", R"("s")"},
      {"status", R"("completed")"},
      {"recorded", R"("2015-03-04T12:00:00+01:00")"},
      {"patient", R"({"mrn":"7","ageYears":50,"weightKg":70})"},
      {"performed", R"({"start":"2015-03-04T10:00:00+01:00"})"},
      {"indications", R"([{"code":"CLBP"}])"},
      {"earlierStages", R"([{"stage":1},{"stage":2}])"},
      {"seriesNumber", "2"},
      {"consent", R"({"kind":"written"})"},
      {"procedure", R"({"kind":"intrathecal-injection"})"},
      {"administrations",
       R"([{"seq":1,"purpose":"therapeutic","drug":"midazolam","route":"intrathecal","dose":{"value":3,"unit":"mg"}}])"},
      {"observationPeriod", R"({"value":180,"unit":"min"})"}};
  for (const auto& [name, value] : replaced) members[name] = value;
  std::string text = "{";
  for (const auto& [name, value] : members) {
    if (value.empty()) continue;
    if (text.size() > 1) text += ",";
    text += "\"" + name + "\":" + value;
  }
  return text + "}";
}

// A therapeutic row with further members.
inline std::string Row(const std::string& drug, const std::string& more, int seq = 1) {
  return R"({"seq":)" + std::to_string(seq) + R"(,"purpose":"therapeutic","drug":")" + drug +
         R"(","route":"intrathecal")" + (more.empty() ? "" : "," + more) + "}";
}

inline Members Rows(const std::string& rows) {
  return {{"administrations", "[" + rows + "]"}};
}

inline std::string Dose(const std::string& value, const std::string& unit = "mg") {
  return R"("dose":{"value":)" + value + R"(,"unit":")" + unit + R"("})";
}

// A store that knows no other record of the patient.
inline PatientFacts EmptyStore() {
  PatientFacts facts;
  facts.known = true;
  return facts;
}

inline RuleOutcome RunOn(const std::string& record, const PatientFacts& facts = EmptyStore()) {
  Arena arena;
  auto root = fhir::ReadJson(record, arena);
  EXPECT_TRUE(root.has_value()) << record;
  RuleRequest request;
  request.record = *root;
  request.record_key = "s.R~201";
  request.facts = &facts;
  request.file = "f.json";
  return RunRules(ShippedRules(), request, arena);
}

}  // namespace fhir_adapter::rules
