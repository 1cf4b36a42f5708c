#include "hand_written_mapper.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <vector>

#include "cohort_codes.h"
#include "core/uuid.h"
#include "fhir/temporal.h"
#include "fml/bundle_assembler.h"
#include "tree_builder.h"

namespace fhir_adapter::bench {
namespace {

using fhir::Node;

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kDaySeconds = 86'400;

std::string_view TextOf(const Node* node) {
  return node == nullptr ? std::string_view() : node->text;
}

std::span<Node*> Rows(const Node& holder, std::string_view name) {
  const Node* list = holder.Find(name);
  return list == nullptr ? std::span<Node*>() : list->items();
}

std::int64_t SecondsOf(std::string_view unit) {
  if (unit == "min") return 60;
  if (unit == "h") return 3'600;
  if (unit == "d") return kDaySeconds;
  if (unit == "wk") return 7 * kDaySeconds;
  return unit == "s" ? 1 : 0;
}

// From the start of the procedure on, the time that the patient was watched.
struct Watch {
  std::int64_t start_us = 0;
  std::int64_t end_us = 0;
  int offset_minutes = 0;  // of the start

  // Every moment that the text may mean lies in the watch.
  bool Covers(std::string_view onset) const {
    const auto moment = fhir::Temporal::ParseDateTime(onset);
    const auto interval = moment ? moment->ToUtcInterval(offset_minutes) : std::nullopt;
    return interval && interval->first_us >= start_us && interval->last_us <= end_us;
  }
};

std::optional<Watch> ReadWatch(const Node* start, const Node* period) {
  if (start == nullptr || period == nullptr) return std::nullopt;
  const auto moment = fhir::Temporal::ParseDateTime(start->text);
  if (!moment) return std::nullopt;
  const auto start_us = moment->ToUtcMicroseconds();
  if (!start_us) return std::nullopt;
  const std::string_view text = TextOf(period->Find("value"));
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ptr != text.data() + text.size()) return std::nullopt;
  const std::int64_t watch_us = value * SecondsOf(TextOf(period->Find("unit"))) * kSecondUs;
  return Watch{*start_us, *start_us + watch_us, moment->offset_minutes};
}

// An entry of the Bundle: what others refer to it by, and what it is known by.
struct Entry {
  std::string_view full_url;
  std::string_view search;  // of the request
  Node* identifiers = nullptr;
};

class BundleBuilder {
 public:
  BundleBuilder(const Node& record, std::string_view key, const CanonicalNames& names, Arena& arena)
      : record_(record), key_(key), names_(names), arena_(arena), tree_(arena) {
    subject_ = tree_.ReferenceTo(
        tree_.Join({"Patient?identifier=",
                    fml::SearchToken(names.mrn, TextOf(record.Find("patient")->Find("mrn")), arena)}));
    start_ = record.Find("performed")->Find("start");
    procedure_ = record.Find("procedure");
  }

  // What is referred to comes before what refers to it.
  Node* Build() {
    entries_ = Node::Array(arena_);
    AddIndications();
    AddSymptoms();
    AddNeedle();
    AddPain(true);
    AddInjection();
    AddLocalAnaesthesia();
    for (const Node* row : Rows(record_, "administrations")) AddAdministration(*row);
    AddPosition();
    AddObservationPeriod();
    AddSedation();
    AddPain(false);
    if (const Node* outcome = record_.Find("outcome")) AddOutcome(*outcome);
    return tree_.Object(
        {{"resourceType", tree_.Text("Bundle")}, {"type", tree_.Text("transaction")}, {"entry", entries_}});
  }

 private:
  struct NamedRow {
    const Node* row = nullptr;
    std::string_view full_url;
  };

  Entry Identify(std::string_view type, std::string_view system,
                 std::initializer_list<std::string_view> rest) {
    std::string_view value = key_;
    for (const std::string_view part : rest) value = tree_.Join({value, part});
    Entry entry;
    const UuidText uuid = UuidTextOfUrl(tree_.Join({system, "|", value}));
    entry.full_url = tree_.Join({"urn:uuid:", {uuid.data(), uuid.size()}});
    entry.search = tree_.Join({type, "?identifier=", fml::SearchToken(system, value, arena_)});
    entry.identifiers =
        tree_.List({tree_.Object({{"system", tree_.Text(system)}, {"value", tree_.Text(value)}})});
    return entry;
  }

  void Add(const Entry& entry, Node* resource) {
    Node* request = tree_.Object({{"method", tree_.Text("PUT")}, {"url", tree_.Text(entry.search)}});
    entries_->Append(
        arena_, tree_.Object(
                    {{"fullUrl", tree_.Text(entry.full_url)}, {"resource", resource}, {"request", request}}));
  }

  void AddIndications() {
    for (const Node* indication : Rows(record_, "indications")) {
      const Node* code = indication->Find("code");
      const Entry entry = Identify("Condition", names_.condition, {".indication.", TextOf(code)});
      Add(entry, tree_.Object({{"resourceType", tree_.Text("Condition")},
                               {"identifier", entry.identifiers},
                               {"clinicalStatus", tree_.CodeOnly(kConditionClinical, "active")},
                               {"verificationStatus", tree_.CodeOnly(kConditionVerification, "confirmed")},
                               {"code", tree_.Translate(kIndications, code)},
                               {"subject", subject_}}));
      reasons_.push_back(tree_.ReferenceTo(entry.full_url));
    }
  }

  void AddSymptoms() {
    const auto watch = ReadWatch(start_, record_.Find("observationPeriod"));
    for (const Node* symptom : Rows(record_, "symptoms")) {
      const Entry entry =
          Identify("Condition", names_.condition, {".symptom.", TextOf(symptom->Find("rowId"))});
      Node* onset = symptom->Find("onset");
      Node* resolved = symptom->Find("resolved");
      Node* note = symptom->Find("note");
      Add(entry, tree_.Object({{"resourceType", tree_.Text("Condition")},
                               {"identifier", entry.identifiers},
                               {"clinicalStatus",
                                tree_.CodeOnly(kConditionClinical, resolved ? "resolved" : "active")},
                               {"verificationStatus", tree_.CodeOnly(kConditionVerification, "confirmed")},
                               {"code", tree_.Translate(kSymptoms, symptom->Find("kind"))},
                               {"subject", subject_},
                               {"onsetDateTime", onset},
                               {"abatementDateTime", resolved},
                               {"note", note ? tree_.List({tree_.Object({{"text", note}})}) : nullptr}}));
      if (watch && onset != nullptr && watch->Covers(onset->text)) {
        complications_.push_back(tree_.ReferenceTo(entry.full_url));
      }
    }
  }

  void AddNeedle() {
    const Node* gauge = procedure_->Find("needleGauge");
    if (gauge == nullptr) return;
    const Entry entry = Identify("Device", names_.device, {".needle"});
    needle_url_ = entry.full_url;
    Node* value = tree_.Object({{"text", tree_.Text(tree_.Join({gauge->text, "G"}))}});
    Node* property = tree_.Object(
        {{"type", tree_.Object({{"text", tree_.Text("gauge")}})}, {"valueCode", tree_.List({value})}});
    Add(entry, tree_.Object({{"resourceType", tree_.Text("Device")},
                             {"identifier", entry.identifiers},
                             {"type", tree_.ConceptOf(kNeedle)},
                             {"property", tree_.List({property})}}));
  }

  Node* Extension(std::string_view url, std::string_view member, Node* value) {
    if (value == nullptr) return nullptr;
    return tree_.Object({{"url", tree_.Text(url)}, {member, value}});
  }

  Node* Note(std::initializer_list<std::string_view> parts) {
    return tree_.Object({{"text", tree_.Text(tree_.Join(parts))}});
  }

  Node* Notes() {
    std::vector<Node*> notes;
    if (const Node* consent = record_.Find("consent")) {
      notes.push_back(Note({"Consent: ", TextOf(consent->Find("kind"))}));
    }
    for (const Node* stage : Rows(record_, "earlierStages")) {
      notes.push_back(
          Note({"Earlier stage ", TextOf(stage->Find("stage")), ": ", TextOf(stage->Find("procedure"))}));
    }
    for (const Node* text : Rows(record_, "notes")) notes.push_back(Note({"Note: ", text->text}));
    return tree_.List(notes);
  }

  void AddInjection() {
    const Entry entry = Identify("Procedure", names_.procedure, {});
    procedure_reference_ = tree_.ReferenceTo(entry.full_url);
    Node* stage = record_.Find("algorithmStage");
    Node* number = record_.Find("seriesNumber");
    const Node* outcome = record_.Find("outcome");
    for (const NamedRow& baseline : baselines_) reasons_.push_back(tree_.ReferenceTo(baseline.full_url));
    Add(entry, tree_.Object(
                   {{"resourceType", tree_.Text("Procedure")},
                    {"extension", tree_.List({Extension(names_.algorithm_stage, "valuePositiveInt", stage),
                                              Extension(names_.series_number, "valuePositiveInt", number)})},
                    {"identifier", entry.identifiers},
                    {"status", tree_.Text("completed")},
                    {"category", tree_.ConceptOf(kTherapeutic)},
                    {"code", tree_.Translate(kProcedureKinds, procedure_->Find("kind"))},
                    {"subject", subject_},
                    {"performedDateTime", start_},
                    {"reasonReference", tree_.List(reasons_)},
                    {"outcome", outcome ? tree_.Translate(kOutcomes, outcome->Find("success")) : nullptr},
                    {"complicationDetail", tree_.List(complications_)},
                    {"note", Notes()}}));
  }

  void AddLocalAnaesthesia() {
    const Node* anaesthesia = procedure_->Find("localAnaesthesia");
    const Node* given = anaesthesia == nullptr ? nullptr : anaesthesia->Find("given");
    if (given == nullptr || !given->boolean) return;
    const Entry entry = Identify("Procedure", names_.procedure, {".local-anaesthesia"});
    Add(entry, tree_.Object({{"resourceType", tree_.Text("Procedure")},
                             {"identifier", entry.identifiers},
                             {"partOf", tree_.List({procedure_reference_})},
                             {"status", tree_.Text("completed")},
                             {"code", tree_.ConceptOf(kLocalAnaesthesia)},
                             {"subject", subject_},
                             {"performedDateTime", start_}}));
  }

  Node* Strength(const Node& row) {
    const Node* dose = row.Find("dose");
    const Node* volume = row.Find("volume");
    if (dose == nullptr || volume == nullptr) return nullptr;
    return tree_.Object({{"numerator", tree_.Amount(dose)}, {"denominator", tree_.Amount(volume)}});
  }

  Node* Medication(const Node& row) {
    const Node* drug = row.Find("drug");
    Node* code = tree_.Translate(kDrugs, drug);
    if (code != nullptr) code->Set(arena_, "text", row.Find("product"));
    Node* active = tree_.Object({{"itemCodeableConcept", tree_.Translate(kSubstances, drug)},
                                 {"isActive", tree_.Boolean(true)},
                                 {"strength", Strength(row)}});
    Node* diluent = tree_.Object({{"itemCodeableConcept", tree_.Translate(kDiluents, row.Find("diluent"))},
                                  {"isActive", tree_.Boolean(false)}});
    Node* acidity = Extension(names_.solution_ph, "valueDecimal", row.Find("solutionPh"));
    Node* is_free = Extension(names_.preservative_free, "valueBoolean", row.Find("preservativeFree"));
    return tree_.Object({{"resourceType", tree_.Text("Medication")},
                         {"id", tree_.Text("medication")},
                         {"extension", tree_.List({acidity, is_free})},
                         {"code", code},
                         {"manufacturer", tree_.Object({{"display", row.Find("manufacturer")}})},
                         {"ingredient", tree_.List({active, diluent})}});
  }

  Node* Dosage(const Node& row) {
    const Node* dose = row.Find("dose");
    const Node* volume = row.Find("volume");
    const Node* route = row.Find("route");
    if (dose == nullptr || volume == nullptr || route == nullptr) return nullptr;
    const std::string_view text =
        tree_.Join({TextOf(dose->Find("value")), " ", TextOf(dose->Find("unit")), " in ",
                    TextOf(volume->Find("value")), " ", TextOf(volume->Find("unit")), ", ", route->text});
    return tree_.Object({{"text", tree_.Text(text)},
                         {"route", tree_.Translate(kRoutes, route)},
                         {"dose", tree_.Amount(dose)}});
  }

  void AddAdministration(const Node& row) {
    const Entry entry =
        Identify("MedicationAdministration", names_.administration, {".", TextOf(row.Find("seq"))});
    if (given_ == nullptr) given_ = tree_.ReferenceTo(entry.full_url);
    Node* device = needle_url_.empty() ? nullptr : tree_.ReferenceTo(needle_url_);
    Add(entry, tree_.Object({{"resourceType", tree_.Text("MedicationAdministration")},
                             {"contained", tree_.List({Medication(row)})},
                             {"identifier", entry.identifiers},
                             {"partOf", tree_.List({procedure_reference_})},
                             {"status", tree_.Text("completed")},
                             {"category", tree_.Translate(kSettings, record_.Find("setting"))},
                             {"medicationReference", tree_.ReferenceTo("#medication")},
                             {"subject", subject_},
                             {"effectiveDateTime", start_},
                             {"device", tree_.List({device})},
                             {"dosage", Dosage(row)}}));
  }

  // What differs from Observation to Observation.
  struct Observed {
    std::string_view category;
    Node* code = nullptr;
    Node* effective = nullptr;
    Node* part_of = nullptr;
    Node* focus = nullptr;
    std::string_view value_member;
    Node* value = nullptr;
    Node* absent_reason = nullptr;
    Node* derived_from = nullptr;
  };

  std::string_view AddObservation(std::initializer_list<std::string_view> rest, const Observed& observed) {
    const Entry entry = Identify("Observation", names_.observation, rest);
    Add(entry,
        tree_.Object({{"resourceType", tree_.Text("Observation")},
                      {"identifier", entry.identifiers},
                      {"partOf", tree_.List({observed.part_of})},
                      {"status", tree_.Text("final")},
                      {"category", tree_.List({tree_.CodeOnly(kObservationCategory, observed.category)})},
                      {"code", observed.code},
                      {"subject", subject_},
                      {"focus", tree_.List({observed.focus})},
                      {"effectiveDateTime", observed.effective},
                      {observed.value_member, observed.value},
                      {"dataAbsentReason", observed.absent_reason},
                      {"derivedFrom", observed.derived_from}}));
    return entry.full_url;
  }

  Node* LocalCode(std::string_view code, std::string_view display) {
    return tree_.Object({{"coding", tree_.List({tree_.CodingOf({names_.local_codes, code, display})})}});
  }

  // The scores before the injection that a later one can be compared with.
  Node* Comparable(const Node& row) {
    std::vector<Node*> references;
    for (const NamedRow& baseline : baselines_) {
      if (TextOf(baseline.row->Find("scale")) == TextOf(row.Find("scale"))) {
        references.push_back(tree_.ReferenceTo(baseline.full_url));
      }
    }
    return tree_.List(references);
  }

  void AddPain(bool is_baseline) {
    for (const Node* row : Rows(record_, "pain")) {
      if ((TextOf(row->Find("timing")) == "baseline") != is_baseline) continue;
      Node* value = row->Find("value");
      const Node* reason = row->Find("notRecorded");
      Observed observed;
      observed.category = "survey";
      observed.code = tree_.Translate(kPainScales, row->Find("scale"));
      observed.effective = row->Find("at");
      observed.value_member = "valueQuantity";
      observed.value = value == nullptr ? nullptr : tree_.Quantity(value, tree_.Text("{score}"));
      observed.absent_reason = reason == nullptr ? nullptr : tree_.CodeOnly(kDataAbsentReason, reason->text);
      if (!is_baseline) {
        observed.focus = given_;
        observed.derived_from = Comparable(*row);
      }
      const std::string_view full_url = AddObservation({".pain.", TextOf(row->Find("rowId"))}, observed);
      if (is_baseline && value != nullptr) baselines_.push_back({row, full_url});
    }
  }

  void AddPosition() {
    const Node* position = procedure_->Find("position");
    if (position == nullptr) return;
    Observed observed;
    observed.category = "procedure";
    observed.code = LocalCode("position", "Body position");
    observed.effective = start_;
    observed.part_of = procedure_reference_;
    observed.value_member = "valueCodeableConcept";
    observed.value = tree_.Translate(kPositions, position);
    AddObservation({".position"}, observed);
  }

  void AddObservationPeriod() {
    const Node* period = record_.Find("observationPeriod");
    if (period == nullptr) return;
    Observed observed;
    observed.category = "procedure";
    observed.code = LocalCode("observation-period", "Observation period");
    observed.effective = start_;
    observed.part_of = procedure_reference_;
    observed.value_member = "valueQuantity";
    observed.value = tree_.Amount(period);
    AddObservation({".observation-period"}, observed);
  }

  void AddSedation() {
    for (const Node* row : Rows(record_, "sedation")) {
      Observed observed;
      observed.category = "exam";
      observed.code =
          LocalCode("sedation", "Sedation, four steps from 0 (wide awake) to 3 (difficult to arouse)");
      observed.effective = row->Find("at");
      observed.part_of = procedure_reference_;
      observed.value_member = "valueInteger";
      observed.value = row->Find("score");
      AddObservation({".sedation.", TextOf(row->Find("rowId"))}, observed);
    }
  }

  void AddResult(const Node& outcome, std::string_view kind, std::string_view display,
                 std::string_view value_member, Node* value) {
    if (value == nullptr) return;
    Observed observed;
    observed.category = "survey";
    observed.code = LocalCode(kind, display);
    observed.effective = outcome.Find("at");
    observed.focus = procedure_reference_;
    observed.value_member = value_member;
    observed.value = value;
    AddObservation({".", kind}, observed);
  }

  void AddOutcome(const Node& outcome) {
    Node* percent = outcome.Find("reliefPercent");
    AddResult(outcome, "relief-percent", "Pain relief", "valueQuantity",
              percent == nullptr ? nullptr : tree_.Quantity(percent, tree_.Text("%")));
    AddResult(outcome, "relief-duration", "Duration of pain relief", "valueQuantity",
              tree_.Amount(outcome.Find("reliefDuration")));
    AddResult(outcome, "quality-of-life", "Quality of life improved", "valueBoolean",
              outcome.Find("qualityOfLifeImproved"));
    AddResult(outcome, "function", "Function improved", "valueBoolean", outcome.Find("functionImproved"));
  }

  const Node& record_;
  std::string_view key_;
  const CanonicalNames& names_;
  Arena& arena_;
  TreeBuilder tree_;
  Node* subject_ = nullptr;
  Node* start_ = nullptr;
  const Node* procedure_ = nullptr;  // of the record
  Node* entries_ = nullptr;
  Node* procedure_reference_ = nullptr;
  Node* given_ = nullptr;  // reference to the first administration
  std::string_view needle_url_;
  std::vector<Node*> reasons_;
  std::vector<Node*> complications_;
  std::vector<NamedRow> baselines_;
};

}  // namespace

CanonicalNames::CanonicalNames(const std::string& base)
    : administration(base + "/sid/it-administration"),
      condition(base + "/sid/it-condition"),
      device(base + "/sid/it-device"),
      observation(base + "/sid/it-observation"),
      procedure(base + "/sid/it-procedure"),
      mrn(base + "/sid/mrn"),
      local_codes(base + "/CodeSystem/it-local"),
      algorithm_stage(base + "/StructureDefinition/algorithm-stage"),
      series_number(base + "/StructureDefinition/series-number"),
      solution_ph(base + "/StructureDefinition/solution-ph"),
      preservative_free(base + "/StructureDefinition/preservative-free") {}

Node* HandWrittenMapper::Map(const Node& record, std::string_view record_key, Arena& arena) const {
  if (TextOf(record.Find("status")) != "completed") return nullptr;
  return BundleBuilder(record, arena.Copy(record_key), names_, arena).Build();
}

}  // namespace fhir_adapter::bench
