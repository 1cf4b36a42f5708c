#include "fhir/invariants.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>

#include "fhir/decimal.h"
#include "fhir/temporal.h"

namespace fhir_adapter::fhir {
namespace {

constexpr std::string_view kUcum = "http://unitsofmeasure.org";
constexpr std::string_view kConditionClinical = "http://terminology.hl7.org/CodeSystem/condition-clinical";
constexpr std::string_view kConditionVerification =
    "http://terminology.hl7.org/CodeSystem/condition-ver-status";
constexpr std::string_view kConsentScope = "http://terminology.hl7.org/CodeSystem/consentscope";

// The element exists: with a value or, as `_name`, with extensions only.
bool Has(const Node& object, std::string_view name) {
  for (const Member& member : object.members()) {
    std::string_view own = member.name;
    if (own.starts_with('_')) own.remove_prefix(1);
    if (own == name) return true;
  }
  return false;
}

// A choice exists: "value" finds valueQuantity and _valueString.
bool HasChoice(const Node& object, std::string_view name) {
  for (const Member& member : object.members()) {
    std::string_view own = member.name;
    if (own.starts_with('_')) own.remove_prefix(1);
    if (own.size() > name.size() && own.starts_with(name) && own[name.size()] >= 'A' &&
        own[name.size()] <= 'Z') {
      return true;
    }
  }
  return false;
}

std::string_view TextOf(const Node* object, std::string_view name) {
  const Node* node = object == nullptr ? nullptr : object->Find(name);
  return node != nullptr && (node->is_string() || node->is_number()) ? node->text : std::string_view();
}

std::span<Node*> ItemsOf(const Node* object, std::string_view name) {
  const Node* node = object == nullptr ? nullptr : object->Find(name);
  return node != nullptr ? node->items() : std::span<Node*>();
}

// One of the codes of the system is among the concept's codings.
bool HasCoding(const Node* code_concept, std::string_view system,
               std::initializer_list<std::string_view> codes) {
  for (const Node* coding : ItemsOf(code_concept, "coding")) {
    const bool fits = std::find(codes.begin(), codes.end(), TextOf(coding, "code")) != codes.end();
    if (fits && TextOf(coding, "system") == system) return true;
  }
  return false;
}

std::optional<Decimal> NumberOf(const Node& object, std::string_view name) {
  const Node* node = object.Find(name);
  return node == nullptr || !node->is_number() ? std::nullopt : Decimal::Parse(node->text);
}

// Absent, or not a number (which is reported elsewhere), or not below zero.
bool IsNotNegative(const Node& object, std::string_view name) {
  const std::optional<Decimal> number = NumberOf(object, name);
  return !number || !number->is_negative();
}

bool EachIsDistinct(std::span<Node*> items, std::string (*key)(const Node& item)) {
  std::set<std::string> seen;
  for (const Node* item : items) {
    const std::string text = key(*item);
    if (!text.empty() && !seen.insert(text).second) return false;
  }
  return true;
}

// --- data types ----------------------------------------------------------------------------------------

// age-1, cnt-3, dis-1: a value has a code, and the system is UCUM.
bool HasUcumCode(const Node& quantity) {
  const bool coded = Has(quantity, "code") || !Has(quantity, "value");
  return coded && (!Has(quantity, "system") || TextOf(&quantity, "system") == kUcum);
}
bool AgeIsPositive(const Node& age) {
  const std::optional<Decimal> value = NumberOf(age, "value");
  return HasUcumCode(age) && (!value || (!value->is_negative() && !value->is_zero()));
}
bool CountIsWhole(const Node& count) {
  const bool is_one = !Has(count, "code") || TextOf(&count, "code") == "1";
  return HasUcumCode(count) && is_one && TextOf(&count, "value").find('.') == std::string_view::npos;
}
bool DurationIsCoded(const Node& duration) {
  if (!Has(duration, "code")) return true;
  return TextOf(&duration, "system") == kUcum && Has(duration, "value");
}
bool QuantityCodeHasSystem(const Node& quantity) {
  return !Has(quantity, "code") || Has(quantity, "system");
}
bool AttachmentHasType(const Node& attachment) {
  return !Has(attachment, "data") || Has(attachment, "contentType");
}
bool ContactPointHasSystem(const Node& contact) {
  return !Has(contact, "value") || Has(contact, "system");
}
bool ExpressionIsGiven(const Node& expression) {
  return Has(expression, "expression") || Has(expression, "reference");
}

// What cannot be decided, since one is less precise, does not hold: the official expression gives empty.
bool PeriodIsOrdered(const Node& period) {
  const Node* start = period.Find("start");
  const Node* end = period.Find("end");
  if (start == nullptr || end == nullptr) return true;
  const std::optional<Temporal> first = Temporal::ParseDateTime(start->text);
  const std::optional<Temporal> last = Temporal::ParseDateTime(end->text);
  if (!first || !last) return true;  // reported as a bad format
  const Ordering order = Compare(*first, *last);
  return order == Ordering::kLess || order == Ordering::kEqual;
}

bool RangeIsOrdered(const Node& range) {
  const Node* low = range.Find("low");
  const Node* high = range.Find("high");
  if (low == nullptr || high == nullptr) return true;
  const std::optional<Decimal> first = NumberOf(*low, "value");
  const std::optional<Decimal> last = NumberOf(*high, "value");
  if (!first || !last) return false;
  const auto same = [&](std::string_view name) { return TextOf(low, name) == TextOf(high, name); };
  return same("system") && same("code") && *first <= *last;
}

bool RatioIsComplete(const Node& ratio) {
  const bool numerator = Has(ratio, "numerator");
  return numerator == Has(ratio, "denominator") && (numerator || Has(ratio, "extension"));
}

template <int kIndex>
bool TimingHolds(const Node& repeat) {
  constexpr std::array<std::array<std::string_view, 2>, 5> kNeeds = {{{"duration", "durationUnit"},
                                                                      {"period", "periodUnit"},
                                                                      {"periodMax", "period"},
                                                                      {"durationMax", "duration"},
                                                                      {"countMax", "count"}}};
  return !Has(repeat, kNeeds[kIndex][0]) || Has(repeat, kNeeds[kIndex][1]);
}
bool TimingOffsetHasWhen(const Node& repeat) {
  if (!Has(repeat, "offset")) return true;
  constexpr std::array<std::string_view, 4> kMeals = {"C", "CM", "CD", "CV"};
  const std::span<Node*> when = ItemsOf(&repeat, "when");
  return !when.empty() && std::none_of(when.begin(), when.end(), [&](const Node* item) {
    return std::find(kMeals.begin(), kMeals.end(), item->text) != kMeals.end();
  });
}

// --- resources -----------------------------------------------------------------------------------------

bool EntityHasNameOrQuery(const Node& entity) {
  return !Has(entity, "name") || !Has(entity, "query");
}
bool AbatedMeansInactive(const Node& condition) {
  return !HasChoice(condition, "abatement") || HasCoding(condition.Find("clinicalStatus"), kConditionClinical,
                                                         {"resolved", "remission", "inactive"});
}
bool ErrorHasNoClinicalStatus(const Node& condition) {
  return !HasCoding(condition.Find("verificationStatus"), kConditionVerification, {"entered-in-error"}) ||
         !Has(condition, "clinicalStatus");
}
bool StageIsGiven(const Node& stage) {
  return Has(stage, "summary") || Has(stage, "assessment");
}
bool EvidenceIsGiven(const Node& evidence) {
  return Has(evidence, "code") || Has(evidence, "detail");
}
bool ConsentHasPolicy(const Node& consent) {
  return Has(consent, "policy") || Has(consent, "policyRule");
}
bool ConsentHasPatient(const Node& consent) {
  return Has(consent, "patient") || !HasCoding(consent.Find("scope"), kConsentScope,
                                               {"patient-privacy", "research", "adr", "treatment"});
}
bool DosageHasAmount(const Node& dosage) {
  return Has(dosage, "dose") || HasChoice(dosage, "rate");
}
bool ReferenceRangeIsGiven(const Node& range) {
  return Has(range, "low") || Has(range, "high") || Has(range, "text");
}
bool AbsentReasonOnlyWithoutValue(const Node& observation) {
  return !Has(observation, "dataAbsentReason") || !HasChoice(observation, "value");
}
// Nothing that both have differs: a coding without code counts as equal, as the official validator has it.
bool IsSameCoding(const Node& a, const Node& b) {
  return std::all_of(a.members().begin(), a.members().end(), [&](const Member& member) {
    const Node* other = b.Find(member.name);
    return other == nullptr || SameContent(*member.value, *other);
  });
}
bool ComponentsAreNotTheCode(const Node& observation) {
  if (!HasChoice(observation, "value")) return true;
  for (const Node* component : ItemsOf(&observation, "component")) {
    for (const Node* coding : ItemsOf(component->Find("code"), "coding")) {
      for (const Node* own : ItemsOf(observation.Find("code"), "coding")) {
        if (IsSameCoding(*coding, *own)) return false;
      }
    }
  }
  return true;
}
bool OrganizationIsNamed(const Node& organization) {
  return Has(organization, "identifier") || Has(organization, "name");
}
bool IsNotHome(const Node& contact) {
  return TextOf(&contact, "use") != "home";
}
bool NoAddressIsHome(const Node& organization) {
  const std::span<Node*> all = ItemsOf(&organization, "address");
  return std::all_of(all.begin(), all.end(), [](const Node* item) { return IsNotHome(*item); });
}
bool NoTelecomIsHome(const Node& organization) {
  const std::span<Node*> all = ItemsOf(&organization, "telecom");
  return std::all_of(all.begin(), all.end(), [](const Node* item) { return IsNotHome(*item); });
}
bool PatientContactIsGiven(const Node& contact) {
  return Has(contact, "name") || Has(contact, "telecom") || Has(contact, "address") ||
         Has(contact, "organization");
}

// --- Bundle --------------------------------------------------------------------------------------------

bool TypeIsOneOf(const Node& bundle, std::initializer_list<std::string_view> types) {
  return std::find(types.begin(), types.end(), TextOf(&bundle, "type")) != types.end();
}
bool TotalOnlyInLists(const Node& bundle) {
  return !Has(bundle, "total") || TypeIsOneOf(bundle, {"searchset", "history"});
}
bool AnyEntryHas(const Node& bundle, std::string_view name) {
  const std::span<Node*> entries = ItemsOf(&bundle, "entry");
  return std::any_of(entries.begin(), entries.end(), [&](const Node* entry) { return Has(*entry, name); });
}
bool EntriesHave(const Node& bundle, std::string_view name, bool expected) {
  const std::span<Node*> entries = ItemsOf(&bundle, "entry");
  return std::all_of(entries.begin(), entries.end(),
                     [&](const Node* entry) { return Has(*entry, name) == expected; });
}
bool SearchOnlyInSearchSets(const Node& bundle) {
  return TypeIsOneOf(bundle, {"searchset"}) || !AnyEntryHas(bundle, "search");
}
bool RequestsWhereTheyBelong(const Node& bundle) {
  return EntriesHave(bundle, "request", TypeIsOneOf(bundle, {"batch", "transaction", "history"}));
}
bool ResponsesWhereTheyBelong(const Node& bundle) {
  return EntriesHave(bundle, "response",
                     TypeIsOneOf(bundle, {"batch-response", "transaction-response", "history"}));
}
bool FullUrlsAreDistinct(const Node& bundle) {
  return TypeIsOneOf(bundle, {"history"}) || EachIsDistinct(ItemsOf(&bundle, "entry"), [](const Node& entry) {
           std::string key(TextOf(&entry, "fullUrl"));
           const Node* resource = entry.Find("resource");
           const Node* meta = resource == nullptr ? nullptr : resource->Find("meta");
           if (!key.empty()) key += TextOf(meta, "versionId");
           return key;
         });
}
bool DocumentIsIdentified(const Node& bundle) {
  const Node* identifier = bundle.Find("identifier");
  return !TypeIsOneOf(bundle, {"document"}) ||
         (identifier != nullptr && Has(*identifier, "system") && Has(*identifier, "value"));
}
bool DocumentIsDated(const Node& bundle) {
  return !TypeIsOneOf(bundle, {"document"}) || bundle.Find("timestamp") != nullptr;
}
bool FirstResourceIs(const Node& bundle, std::string_view type) {
  const std::span<Node*> entries = ItemsOf(&bundle, "entry");
  return !entries.empty() && TextOf(entries.front()->Find("resource"), "resourceType") == type;
}
bool DocumentBegins(const Node& bundle) {
  return !TypeIsOneOf(bundle, {"document"}) || FirstResourceIs(bundle, "Composition");
}
bool MessageBegins(const Node& bundle) {
  return !TypeIsOneOf(bundle, {"message"}) || FirstResourceIs(bundle, "MessageHeader");
}
bool EntryIsGiven(const Node& entry) {
  return Has(entry, "resource") || Has(entry, "request") || Has(entry, "response");
}
bool FullUrlHasNoVersion(const Node& entry) {
  return TextOf(&entry, "fullUrl").find("/_history/") == std::string_view::npos;
}

template <const char* kName>
bool MemberIsNotNegative(const Node& object) {
  return IsNotNegative(object, kName);
}
constexpr char kDuration[] = "duration";
constexpr char kPeriod[] = "period";

// By type.
constexpr Invariant kInvariants[] = {
    {"Age", "age-1", "a value has a UCUM code and is positive", AgeIsPositive},
    {"Attachment", "att-1", "data needs contentType", AttachmentHasType},
    {"AuditEvent.entity", "sev-1", "name or query, not both", EntityHasNameOrQuery},
    {"Bundle", "bdl-1", "total only in search sets and histories", TotalOnlyInLists},
    {"Bundle", "bdl-2", "entry.search only in search sets", SearchOnlyInSearchSets},
    {"Bundle", "bdl-3", "entry.request in each entry of a batch, transaction or history, nowhere else",
     RequestsWhereTheyBelong},
    {"Bundle", "bdl-4", "entry.response in each entry of a response or history, nowhere else",
     ResponsesWhereTheyBelong},
    {"Bundle", "bdl-7", "fullUrl is unique", FullUrlsAreDistinct},
    {"Bundle", "bdl-9", "a document has an identifier with system and value", DocumentIsIdentified},
    {"Bundle", "bdl-10", "a document has a timestamp", DocumentIsDated},
    {"Bundle", "bdl-11", "a document begins with a Composition", DocumentBegins},
    {"Bundle", "bdl-12", "a message begins with a MessageHeader", MessageBegins},
    {"Bundle.entry", "bdl-5", "a resource, request or response", EntryIsGiven},
    {"Bundle.entry", "bdl-8", "fullUrl names no version", FullUrlHasNoVersion},
    {"Condition", "con-4", "an abated condition is inactive, resolved or in remission", AbatedMeansInactive},
    {"Condition", "con-5", "no clinicalStatus when entered in error", ErrorHasNoClinicalStatus},
    {"Condition.evidence", "con-2", "code or detail", EvidenceIsGiven},
    {"Condition.stage", "con-1", "summary or assessment", StageIsGiven},
    {"Consent", "ppc-1", "policy or policyRule", ConsentHasPolicy},
    {"Consent", "ppc-5", "a patient for this scope", ConsentHasPatient},
    {"ContactPoint", "cpt-2", "a value needs a system", ContactPointHasSystem},
    {"Count", "cnt-3", "a whole number with the UCUM code 1", CountIsWhole},
    {"Distance", "dis-1", "a value has a UCUM code", HasUcumCode},
    {"Duration", "drt-1", "a code needs UCUM and a value", DurationIsCoded},
    {"Expression", "exp-1", "expression or reference", ExpressionIsGiven},
    {"MedicationAdministration.dosage", "mad-1", "dose or rate", DosageHasAmount},
    {"Observation", "obs-6", "dataAbsentReason only without a value", AbsentReasonOnlyWithoutValue},
    {"Observation", "obs-7", "no component has the code of an Observation with a value",
     ComponentsAreNotTheCode},
    {"Observation.referenceRange", "obs-3", "low, high or text", ReferenceRangeIsGiven},
    {"Organization", "org-1", "a name or an identifier", OrganizationIsNamed},
    {"Organization", "org-2", "no home address", NoAddressIsHome},
    {"Organization", "org-3", "no home telecom", NoTelecomIsHome},
    {"Patient.contact", "pat-1", "contact's details or an organization", PatientContactIsGiven},
    {"Period", "per-1", "start is not after end, to the same precision", PeriodIsOrdered},
    {"Quantity", "qty-3", "a code needs its system", QuantityCodeHasSystem},
    {"Range", "rng-2", "low and high have values of one unit, low is not above high", RangeIsOrdered},
    {"Ratio", "rat-1", "numerator and denominator, or neither and an extension", RatioIsComplete},
    {"Timing.repeat", "tim-1", "duration needs durationUnit", TimingHolds<0>},
    {"Timing.repeat", "tim-2", "period needs periodUnit", TimingHolds<1>},
    {"Timing.repeat", "tim-4", "duration is not negative", MemberIsNotNegative<kDuration>},
    {"Timing.repeat", "tim-5", "period is not negative", MemberIsNotNegative<kPeriod>},
    {"Timing.repeat", "tim-6", "periodMax needs period", TimingHolds<2>},
    {"Timing.repeat", "tim-7", "durationMax needs duration", TimingHolds<3>},
    {"Timing.repeat", "tim-8", "countMax needs count", TimingHolds<4>},
    {"Timing.repeat", "tim-9", "offset needs when, and not a meal", TimingOffsetHasWhen},
    {"Timing.repeat", "tim-10", "timeOfDay or when, not both",
     [](const Node& repeat) { return !Has(repeat, "timeOfDay") || !Has(repeat, "when"); }}};

static_assert(std::ranges::is_sorted(kInvariants, {}, &Invariant::type));

}  // namespace

std::span<const Invariant> InvariantsOf(std::string_view type) {
  const Invariant* first = std::ranges::lower_bound(kInvariants, type, {}, &Invariant::type);
  const Invariant* last = first;
  while (last != std::end(kInvariants) && last->type == type) ++last;
  return {first, last};
}

}  // namespace fhir_adapter::fhir
