#include "pipeline/pushed_observation.h"

#include <gtest/gtest.h>
#include <string>

#include "core/limits.h"
#include "fhir/checker.h"
#include "fhir/json_reader.h"
#include "fhir/json_writer.h"

namespace fhir_adapter::pipeline {
namespace {

constexpr const char* kSubject = "pain-clinic.ehr.x1";

MappingSettings Settings(std::int64_t window_h = 0) {
  MappingSettings settings;
  settings.site = "pain-clinic";
  settings.patient_identifier_system = "https://hospital.example/mrn";
  settings.endpoint = "https://server.example/fhir";
  settings.link_window_h = window_h;
  return settings;
}

std::string Observation(const std::string& more = {}) {
  return R"({"resourceType":"Observation","status":"final","code":{"text":"pain"},)"
         R"("subject":{"identifier":{"system":"https://hospital.example/mrn","value":"100,1"}},)"
         R"("effectiveDateTime":"2026-03-02T12:00:00Z","valueQuantity":{"value":1.10})" +
         (more.empty() ? "" : "," + more) + "}";
}

PushedObservation Read(const std::string& json) {
  Arena arena;
  const auto node = fhir::ReadJson(json, arena);
  EXPECT_TRUE(node);
  return ReadPushedObservation(**node, fhir::Schema::R4(), Settings());
}

// One administration as the store tells of it.
std::string Given(const std::string& id, const std::string& start, const std::string& more = {}) {
  return R"({"endpoint":"https://server.example/fhir","type":"MedicationAdministration","system":"https://c/sid/a",)"
         R"("value":"v)" +
         id + R"(","id":")" + id + R"(","nullified":false,"part":true,"start":")" + start + R"(","end":"")" +
         more + "}";
}

struct Mapped {
  std::string code;   // of the issue; empty: none
  std::string json;   // of the resource
  std::string focus;  // its reference
};

Mapped Map(const std::string& observation, const std::vector<std::string>& delivered,
           std::int64_t window_h = 0) {
  outbox::MappingFacts facts;
  facts.mrn = "100,1";
  facts.delivered = delivered;
  const MapOutput output =
      MapPushedObservation(kSubject, observation, facts, fhir::Schema::R4(), Settings(window_h));
  Mapped mapped;
  if (!output.issues.empty()) mapped.code = Name(output.issues.front().code);
  if (output.resources.empty()) return mapped;
  mapped.json = output.resources.front().json;
  Arena arena;
  const auto read = fhir::ReadJson(mapped.json, arena);
  const fhir::Node* focus = read ? fhir::AtPointer(**read, "/focus/0/reference") : nullptr;
  if (focus != nullptr) mapped.focus = focus->text;
  return mapped;
}

TEST(PushedObservation, WhatGetGaveAndVersions_AreTakenOut) {
  const PushedObservation plain = Read(Observation());
  ASSERT_TRUE(plain.issues.empty());
  outbox::PushedVersion version;
  version.id = "x1";
  version.version = 3;
  version.bytes = plain.bytes;
  version.state = outbox::WorkState::kHeld;
  version.reasons = {{Code::kUnresolvedLink, "Observation.focus", "not known"}};
  const std::string shown = ShowPushedObservation(version, fhir::Schema::R4(), Settings());
  EXPECT_NE(shown.find(R"("value":1.10)"), std::string::npos) << shown;
  EXPECT_NE(shown.find(kSubject), std::string::npos) << shown;
  EXPECT_NE(shown.find(R"("code":"held")"), std::string::npos) << shown;
  const PushedObservation again = Read(shown);
  EXPECT_TRUE(again.issues.empty());
  EXPECT_EQ(again.body_id, "x1");
  EXPECT_EQ(again.content_sha256, plain.content_sha256);
}

TEST(PushedObservation, ForServer_HasPatientOurIdentifierAndItsDigits) {
  const Mapped mapped =
      Map(Observation(R"("identifier":[{"system":"https://ehr","value":"7"}],"focus":[{"reference":)"
                      R"("MedicationAdministration/9"}])"),
          {Given("9", "2026-03-01")});
  EXPECT_EQ(mapped.json,
            R"({"resourceType":"Observation","identifier":[{"system":"https://ehr","value":"7"},)"
            R"({"system":"https://clinic.example/fhir/sid/it-observation","value":"pain-clinic.ehr.x1"}],)"
            R"("status":"final","code":{"text":"pain"},"subject":{"reference":)"
            R"("Patient?identifier=https://hospital.example/mrn|100%5C%2C1","identifier":)"
            R"({"system":"https://hospital.example/mrn","value":"100,1"}},)"
            R"("focus":[{"reference":"MedicationAdministration/9"}],)"
            R"("effectiveDateTime":"2026-03-02T12:00:00Z","valueQuantity":{"value":1.10}})");
}

// decisions.md 23, of what is no record.
TEST(PushedObservation, EachVersion_HasItsProvenance) {
  struct Case {
    const char* status;
    std::int64_t revision;
    const char* activity;
    bool names_the_one_before;
  };
  for (const Case& one : {Case{"final", 1, "CREATE", false}, Case{"amended", 1, "UPDATE", false},
                          Case{"final", 2, "UPDATE", true}, Case{"entered-in-error", 3, "NULLIFY", true}}) {
    outbox::MappingFacts facts;
    facts.mrn = "100,1";
    facts.delivered = {Given("9", "2026-03-01")};
    facts.revision = one.revision;
    facts.received = TimeUs{1'000'000};
    std::string observation = Observation(R"("focus":[{"reference":"MedicationAdministration/9"}])");
    observation.replace(observation.find("final"), 5, one.status);
    const MapOutput output =
        MapPushedObservation(kSubject, observation, facts, fhir::Schema::R4(), Settings());
    ASSERT_EQ(output.resources.size(), 2U) << one.status;
    const outbox::IntendedResource& made = output.resources[1];
    const std::string number = "pain-clinic.ehr.x1." + std::to_string(one.revision);
    EXPECT_EQ(made.key.system + "|" + made.key.value,
              "https://clinic.example/fhir/sid/it-provenance|" + number);
    EXPECT_FALSE(made.has_identifier_search);
    Arena arena;
    const auto read = fhir::ReadJson(made.json, arena);
    ASSERT_TRUE(read);
    Issues issues;
    fhir::CheckResource(**read, fhir::Schema::R4(), issues);
    EXPECT_TRUE(issues.empty()) << ToLine(issues.front());
    const auto text = [&read](const char* pointer) {
      const fhir::Node* node = fhir::AtPointer(**read, pointer);
      return node == nullptr ? std::string() : std::string(node->text);
    };
    EXPECT_EQ(text("/id"), made.uuid);
    EXPECT_EQ(text("/target/0/reference"), "urn:uuid:" + output.resources[0].uuid);
    EXPECT_EQ(text("/recorded"), "1970-01-01T00:00:01.000Z");
    EXPECT_EQ(text("/activity/coding/0/code"), one.activity);
    EXPECT_EQ(text("/agent/0/type/coding/0/code"), "assembler");
    EXPECT_EQ(text("/entity/0/what/identifier/value"), number);
    EXPECT_EQ(text("/entity/1/what/identifier/value"),
              one.names_the_one_before ? "pain-clinic.ehr.x1." + std::to_string(one.revision - 1) : "");
  }
}

TEST(PushedObservation, EveryFormOfReference_NamesTheAdministration) {
  const std::vector<std::string> delivered = {Given("9", "2026-03-01"), Given("10", "2026-03-01")};
  for (const char* reference : {
           R"({"reference":"MedicationAdministration/9"})",
           R"({"reference":"MedicationAdministration/9/_history/2"})",
           R"({"reference":"https://server.example/fhir/MedicationAdministration/9"})",
           R"({"reference":"MedicationAdministration?identifier=https://c/sid/a|v9"})",
           R"({"reference":"MedicationAdministration?identifier=https%3A%2F%2Fc%2Fsid%2Fa%7Cv9"})",
           R"({"identifier":{"system":"https://c/sid/a","value":"v9"}})",
           R"({"type":"MedicationAdministration","identifier":{"system":"https://c/sid/a","value":"v9"}})",
       }) {
    const Mapped mapped = Map(Observation(R"("focus":[)" + std::string(reference) + "]"), delivered);
    EXPECT_EQ(mapped.focus, "MedicationAdministration/9") << reference << mapped.code;
    const Mapped part = Map(Observation(R"("partOf":[)" + std::string(reference) + "]"), delivered);
    EXPECT_NE(part.json.find(R"("partOf":[{"reference":"MedicationAdministration/9")"), std::string::npos)
        << reference;
  }
  for (const char* reference : {
           R"({"reference":"MedicationAdministration/8"})",
           R"({"reference":"https://server.example/fhir.evil/MedicationAdministration/9"})",
           R"({"reference":"MedicationAdministration?identifier=https://c/sid/a|v8"})",
           R"({"reference":"MedicationAdministration?identifier=https://c/sid/a|v9&_id=9"})",
           R"({"type":"Procedure","identifier":{"system":"https://c/sid/a","value":"v9"}})",
       }) {
    EXPECT_EQ(Map(Observation(R"("focus":[)" + std::string(reference) + "]"), delivered).code,
              "unresolved-link")
        << reference;
  }
}

// What it names decides; the time is not asked then, even when it would fit.
TEST(PushedObservation, NamedButUnknown_IsNotReplacedByTheOneThatFitsItsTime) {
  const std::string named = Observation(R"("focus":[{"reference":"MedicationAdministration/8"}])");
  EXPECT_EQ(Map(named, {Given("9", "2026-03-01")}, 72).code, "unresolved-link");
}

TEST(PushedObservation, TimeWindow_TakesExactlyOne) {
  const auto code = [](const std::vector<std::string>& delivered) {
    return Map(Observation(), delivered, 24).code;
  };
  EXPECT_EQ(code({Given("9", "2026-03-01T12:00:00Z")}), "");
  EXPECT_EQ(code({Given("9", "2026-03-01T11:59:59Z")}), "unresolved-link");
  EXPECT_EQ(code({Given("9", "2026-03-02T12:00:00Z")}), "");
  EXPECT_EQ(code({Given("9", "2026-03-02T12:00:01Z")}), "unresolved-link");
  EXPECT_EQ(code({}), "unresolved-link");
  EXPECT_EQ(code({Given("9", "2026-03-01T12:00:00Z"), Given("10", "2026-03-02T11:00:00Z")}),
            "unresolved-link");
  // A day without time may be any moment of it: two that may fit are two.
  EXPECT_EQ(code({Given("9", "2026-03-01"), Given("10", "2026-03-02T11:00:00Z")}), "unresolved-link");
  // Not there any more, beside the procedure, or on another server.
  const std::string fits = Given("9", "2026-03-01T12:00:00Z");
  std::string other = Given("10", "2026-03-01T12:00:00Z");
  for (const auto& [from, to] :
       {std::pair{R"("nullified":false)", R"("nullified":true)"},
        std::pair{R"("part":true)", R"("part":false)"},
        std::pair{"https://server.example", "https://old.example"},
        std::pair{R"("type":"MedicationAdministration")", R"("type":"Procedure")"}}) {
    std::string changed = other;
    changed.replace(changed.find(from), std::string(from).size(), to);
    EXPECT_EQ(code({fits, changed}), "") << to;
  }
}

TEST(PushedObservation, EnteredInError_GoesOutWithoutATie) {
  std::string wrong = Observation();
  wrong.replace(wrong.find("final"), 5, "entered-in-error");
  const Mapped mapped = Map(wrong, {});
  EXPECT_EQ(mapped.code, "");
  EXPECT_NE(mapped.json, "");
}

std::string Listed(const std::string& member, const std::string& item, std::size_t count) {
  std::string list = "\"" + member + "\":[";
  for (std::size_t i = 0; i < count; ++i) list += (i == 0 ? "" : ",") + item;
  return list + "]";
}

TEST(PushedObservation, IdentifiersAndReferences_HaveALimit) {
  const std::string identifier = R"({"system":"https://ehr","value":"7"})";
  const std::string reference = R"({"reference":"MedicationAdministration/9"})";
  EXPECT_TRUE(
      Read(Observation(Listed("identifier", identifier, limits::kPushIdentifiersMax))).issues.empty());
  EXPECT_EQ(
      Read(Observation(Listed("identifier", identifier, limits::kPushIdentifiersMax + 1))).issues.at(0).code,
      Code::kLimit);
  EXPECT_TRUE(Read(Observation(Listed("focus", reference, limits::kPushReferencesMax))).issues.empty());
  EXPECT_EQ(Read(Observation(Listed("focus", reference, limits::kPushReferencesMax + 1))).issues.at(0).code,
            Code::kLimit);
}

TEST(PushedObservation, WrongElements_AreNamedByPathWithoutValues) {
  const PushedObservation wrong =
      Read(Observation(R"("component":[{"code":{"text":"x"},"valueInteger":"secret"}])"));
  ASSERT_FALSE(wrong.issues.empty());
  EXPECT_EQ(wrong.issues[0].where.pointer, "Observation.component[0].value");
  EXPECT_EQ(wrong.issues[0].message.find("secret"), std::string::npos);
}

TEST(PushedObservation, SubjectThatCannotBeRead_IsRefused) {
  for (const char* subject : {
           R"({"reference":"Group/1"})",
           R"({"display":"Somebody"})",
           R"({"identifier":{"system":"https://other","value":"1"}})",
           R"({"identifier":{"value":"1"}})",
           R"({"reference":"Patient?identifier=https://hospital.example/mrn|1,2"})",
           R"({"reference":"https://evil.example/fhir/Patient/1"})",
       }) {
    std::string observation = Observation();
    const std::size_t begin = observation.find("\"subject\":") + 10;
    observation.replace(begin, observation.find(",\"effective") - begin, subject);
    EXPECT_FALSE(Read(observation).issues.empty()) << subject;
  }
}

}  // namespace
}  // namespace fhir_adapter::pipeline
