#include "sandbox/search_parameter.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "fhir/schema.h"
#include "fhir/temporal.h"

namespace fhir_adapter::sandbox {

namespace {

using fhir::Node;

constexpr auto kToken = SearchKind::kToken;
constexpr auto kReference = SearchKind::kReference;
constexpr auto kDate = SearchKind::kDate;
constexpr auto kString = SearchKind::kString;

// From the R4 definitions (search-parameters.json); identifier is added below for every type that has one.
constexpr SearchParameter kTable[] = {
    {"AdverseEvent", "actuality", kToken, "actuality"},
    {"AdverseEvent", "category", kToken, "category"},
    {"AdverseEvent", "date", kDate, "date"},
    {"AdverseEvent", "event", kToken, "event"},
    {"AdverseEvent", "severity", kToken, "severity"},
    {"AdverseEvent", "subject", kReference, "subject"},
    {"AuditEvent", "agent", kReference, "agent.who"},
    {"AuditEvent", "date", kDate, "recorded"},
    {"AuditEvent", "entity", kReference, "entity.what"},
    {"AuditEvent", "patient", kReference, "agent.who|entity.what", "Patient"},
    {"Condition", "abatement-date", kDate, "abatementDateTime|abatementPeriod"},
    {"Condition", "category", kToken, "category"},
    {"Condition", "clinical-status", kToken, "clinicalStatus"},
    {"Condition", "code", kToken, "code"},
    {"Condition", "encounter", kReference, "encounter"},
    {"Condition", "onset-date", kDate, "onsetDateTime|onsetPeriod"},
    {"Condition", "patient", kReference, "subject", "Patient"},
    {"Condition", "recorded-date", kDate, "recordedDate"},
    {"Condition", "severity", kToken, "severity"},
    {"Condition", "subject", kReference, "subject"},
    {"Condition", "verification-status", kToken, "verificationStatus"},
    {"DetectedIssue", "code", kToken, "code"},
    {"DetectedIssue", "identified", kDate, "identifiedDateTime|identifiedPeriod"},
    {"DetectedIssue", "implicated", kReference, "implicated"},
    {"DetectedIssue", "patient", kReference, "patient", "Patient"},
    {"Device", "patient", kReference, "patient", "Patient"},
    {"Device", "status", kToken, "status"},
    {"Device", "type", kToken, "type"},
    {"DocumentReference", "category", kToken, "category"},
    {"DocumentReference", "date", kDate, "date"},
    {"DocumentReference", "patient", kReference, "subject", "Patient"},
    {"DocumentReference", "status", kToken, "status"},
    {"DocumentReference", "subject", kReference, "subject"},
    {"DocumentReference", "type", kToken, "type"},
    {"Encounter", "class", kToken, "class"},
    {"Encounter", "date", kDate, "period"},
    {"Encounter", "patient", kReference, "subject", "Patient"},
    {"Encounter", "status", kToken, "status"},
    {"Encounter", "subject", kReference, "subject"},
    {"Medication", "code", kToken, "code"},
    {"MedicationAdministration", "code", kToken, "medicationCodeableConcept"},
    {"MedicationAdministration", "context", kReference, "context"},
    {"MedicationAdministration", "effective-time", kDate, "effectiveDateTime|effectivePeriod"},
    {"MedicationAdministration", "medication", kReference, "medicationReference"},
    {"MedicationAdministration", "patient", kReference, "subject", "Patient"},
    {"MedicationAdministration", "performer", kReference, "performer.actor"},
    {"MedicationAdministration", "status", kToken, "status"},
    {"MedicationAdministration", "subject", kReference, "subject"},
    {"MedicationRequest", "authoredon", kDate, "authoredOn"},
    {"MedicationRequest", "code", kToken, "medicationCodeableConcept"},
    {"MedicationRequest", "encounter", kReference, "encounter"},
    {"MedicationRequest", "intent", kToken, "intent"},
    {"MedicationRequest", "patient", kReference, "subject", "Patient"},
    {"MedicationRequest", "status", kToken, "status"},
    {"MedicationRequest", "subject", kReference, "subject"},
    {"Observation", "category", kToken, "category"},
    {"Observation", "code", kToken, "code"},
    {"Observation", "date", kDate, "effectiveDateTime|effectivePeriod|effectiveInstant"},
    {"Observation", "derived-from", kReference, "derivedFrom"},
    {"Observation", "encounter", kReference, "encounter"},
    {"Observation", "focus", kReference, "focus"},
    {"Observation", "has-member", kReference, "hasMember"},
    {"Observation", "part-of", kReference, "partOf"},
    {"Observation", "patient", kReference, "subject", "Patient"},
    {"Observation", "status", kToken, "status"},
    {"Observation", "subject", kReference, "subject"},
    {"Patient", "active", kToken, "active"},
    {"Patient", "birthdate", kDate, "birthDate"},
    {"Patient", "family", kString, "name.family"},
    {"Patient", "gender", kToken, "gender"},
    {"Patient", "given", kString, "name.given"},
    {"Patient", "name", kString, "name.family|name.given|name.text|name.prefix|name.suffix"},
    {"Practitioner", "family", kString, "name.family"},
    {"Practitioner", "given", kString, "name.given"},
    {"Practitioner", "name", kString, "name.family|name.given|name.text|name.prefix|name.suffix"},
    {"Procedure", "category", kToken, "category"},
    {"Procedure", "code", kToken, "code"},
    {"Procedure", "date", kDate, "performedDateTime|performedPeriod"},
    {"Procedure", "encounter", kReference, "encounter"},
    {"Procedure", "part-of", kReference, "partOf"},
    {"Procedure", "patient", kReference, "subject", "Patient"},
    {"Procedure", "performer", kReference, "performer.actor"},
    {"Procedure", "reason-reference", kReference, "reasonReference"},
    {"Procedure", "status", kToken, "status"},
    {"Procedure", "subject", kReference, "subject"},
    {"Provenance", "agent", kReference, "agent.who"},
    {"Provenance", "entity", kReference, "entity.what"},
    {"Provenance", "patient", kReference, "target", "Patient"},
    {"Provenance", "recorded", kDate, "recorded"},
    {"Provenance", "target", kReference, "target"},
};

// Types with an element `identifier` for which R4 defines no search parameter of that name.
constexpr std::string_view kNotSearchableByIdentifier[] = {"AdverseEvent"};

bool HasIdentifierParameter(std::string_view type) {
  for (const std::string_view name : kNotSearchableByIdentifier) {
    if (name == type) return false;
  }
  const fhir::Schema& schema = fhir::Schema::R4();
  const fhir::TypeInfo* info = schema.FindType(type);
  if (info == nullptr || info->kind != fhir::TypeKind::kResource || info->is_abstract) return false;
  const fhir::ElementInfo* element = schema.FindElement(*info, "identifier");
  return element != nullptr && !element->types.empty() && element->types[0].type->name == "Identifier";
}

constexpr SearchParameter kIdentifier = {"", "identifier", kToken, "identifier"};
constexpr SearchParameter kDocumentIdentifier = {"DocumentReference", "identifier", kToken,
                                                 "masterIdentifier|identifier"};

const SearchParameter* IdentifierParameter(std::string_view type) {
  if (type == kDocumentIdentifier.type) return &kDocumentIdentifier;
  return HasIdentifierParameter(type) ? &kIdentifier : nullptr;
}

void Collect(const Node& node, std::string_view path, std::vector<const Node*>& found) {
  if (node.is_array()) {
    for (const Node* item : node.items()) Collect(*item, path, found);
    return;
  }
  if (path.empty()) {
    found.push_back(&node);
    return;
  }
  const std::size_t dot = path.find('.');
  const Node* child = node.Find(path.substr(0, dot));
  if (child == nullptr) return;
  Collect(*child, dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1), found);
}

class EntryCollector {
 public:
  EntryCollector(const SearchParameter& parameter, std::vector<SearchEntry>& entries)
      : parameter_(parameter), entries_(entries) {}

  void Add(const Node& node) {
    switch (parameter_.kind) {
      case SearchKind::kToken:
        return AddToken(node);
      case SearchKind::kReference:
        return AddReference(node);
      case SearchKind::kDate:
        return AddDate(node);
      case SearchKind::kString:
        if (node.is_string()) Push({}, LowerCase(node.text));
        return;
    }
  }

 private:
  void Push(std::string_view system, std::string_view value, std::int64_t first_us = 0,
            std::int64_t last_us = 0) {
    entries_.push_back(
        {std::string(parameter_.name), std::string(system), std::string(value), first_us, last_us});
  }

  void AddToken(const Node& node) {
    if (node.is_string()) return Push({}, node.text);
    if (node.kind == fhir::NodeKind::kBoolean) return Push({}, node.boolean ? "true" : "false");
    if (!node.is_object()) return;
    if (const Node* codings = node.Find("coding")) {
      for (const Node* coding : codings->items()) AddToken(*coding);
      return;
    }
    // Coding has a code, Identifier a value.
    const std::string_view code = MemberText(node, "code");
    const std::string_view value = code.empty() ? MemberText(node, "value") : code;
    if (!value.empty()) Push(MemberText(node, "system"), value);
  }

  void AddReference(const Node& node) {
    ReferenceTarget target;
    if (!ParseReference(MemberText(node, "reference"), {}, target)) return;
    if (!parameter_.target_type.empty() && target.type != parameter_.target_type) return;
    Push(target.type, target.id);
  }

  void AddDate(const Node& node) {
    if (node.is_string()) {
      if (const auto moments = MomentsOf(node.text)) Push({}, {}, moments->first_us, moments->last_us);
      return;
    }
    if (!node.is_object()) return;
    const auto start = MomentsOf(MemberText(node, "start"));
    const auto end = MomentsOf(MemberText(node, "end"));
    if (!start && !end) return;
    Push({}, {}, start ? start->first_us : kBeginningOfTime, end ? end->last_us : kEndOfTime);
  }

  static std::optional<fhir::UtcInterval> MomentsOf(std::string_view text) {
    const auto temporal = fhir::Temporal::ParseDateTime(text);
    return temporal ? temporal->ToUtcInterval(0) : std::nullopt;
  }

  const SearchParameter& parameter_;
  std::vector<SearchEntry>& entries_;
};

bool IsIdCharacter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

}  // namespace

std::string_view Name(SearchKind kind) {
  switch (kind) {
    case SearchKind::kToken:
      return "token";
    case SearchKind::kReference:
      return "reference";
    case SearchKind::kDate:
      return "date";
    case SearchKind::kString:
      return "string";
  }
  return "";
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

const SearchParameter* FindSearchParameter(std::string_view type, std::string_view name) {
  if (name == "identifier") return IdentifierParameter(type);
  for (const SearchParameter& parameter : kTable) {
    if (parameter.type == type && parameter.name == name) return &parameter;
  }
  return nullptr;
}

std::vector<const SearchParameter*> SearchParametersOf(std::string_view type) {
  std::vector<const SearchParameter*> parameters;
  if (const SearchParameter* identifier = IdentifierParameter(type)) parameters.push_back(identifier);
  for (const SearchParameter& parameter : kTable) {
    if (parameter.type == type) parameters.push_back(&parameter);
  }
  return parameters;
}

std::vector<SearchEntry> SearchEntriesOf(const Node& resource) {
  std::vector<SearchEntry> entries;
  std::vector<const Node*> found;
  for (const SearchParameter* parameter : SearchParametersOf(MemberText(resource, "resourceType"))) {
    EntryCollector collector(*parameter, entries);
    std::string_view paths = parameter->path;
    while (!paths.empty()) {
      const std::size_t bar = std::min(paths.find('|'), paths.size());
      found.clear();
      Collect(resource, paths.substr(0, bar), found);
      for (const Node* node : found) collector.Add(*node);
      paths.remove_prefix(std::min(bar + 1, paths.size()));
    }
  }
  return entries;
}

bool ParseReference(std::string_view text, std::string_view base_url, ReferenceTarget& target) {
  if (!base_url.empty() && text.size() > base_url.size() + 1 && text.starts_with(base_url) &&
      text[base_url.size()] == '/') {
    text.remove_prefix(base_url.size() + 1);
  }
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view type = text.substr(0, slash);
  std::string_view id = text.substr(slash + 1);
  std::string_view version;
  if (const std::size_t history = id.find("/_history/"); history != std::string_view::npos) {
    version = id.substr(history + 10);
    id = id.substr(0, history);
  }
  const bool type_ok = !type.empty() && type.front() >= 'A' && type.front() <= 'Z' &&
                       std::all_of(type.begin(), type.end(),
                                   [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); });
  if (!type_ok || id.empty() || !std::all_of(id.begin(), id.end(), IsIdCharacter)) return false;
  target = {std::string(type), std::string(id), std::string(version)};
  return true;
}

}  // namespace fhir_adapter::sandbox
