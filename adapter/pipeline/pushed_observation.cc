#include "pipeline/pushed_observation.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/digest.h"
#include "core/limits.h"
#include "core/uuid.h"
#include "fhir/checker.h"
#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "fhir/temporal.h"
#include "fml/bundle_assembler.h"
#include "pipeline/push_provenance.h"
#include "record/content_hash.h"

namespace fhir_adapter::pipeline {
namespace {

using fhir::Node;

constexpr std::string_view kType = "Observation";
constexpr std::string_view kPatientQuery = "Patient?identifier=";
constexpr std::string_view kMapId = "pushed-observation";
// Changes when the same Observation and facts could give another output.
constexpr std::string_view kMapVersion = "2";
constexpr std::int64_t kMicrosecondsPerHour = 3'600'000'000;

std::string OurSystem(const MappingSettings& settings) {
  return settings.canonical_base + "/sid/it-observation";
}

std::string StateSystem(const MappingSettings& settings) {
  return settings.canonical_base + "/CodeSystem/it-delivery-state";
}

std::string UnreadSystem(const MappingSettings& settings) {
  return settings.canonical_base + "/CodeSystem/it-unread";
}

std::string PatientSystem(const MappingSettings& settings) {
  return settings.patient_identifier_system.empty() ? settings.canonical_base + "/sid/mrn"
                                                    : settings.patient_identifier_system;
}

Issue MakeIssue(Code code, std::string place, std::string message) {
  return Issue{code, Location{{}, 0, 0, std::move(place)}, std::move(message)};
}

// Removes the items of a list that have this system; the list too when nothing is left.
void RemoveOfSystem(Node& holder, std::string_view list, std::string_view system) {
  Node* items = holder.Find(list);
  if (items == nullptr || !items->is_array()) return;
  std::uint32_t kept = 0;
  for (Node* item : items->items()) {
    if (MemberText(item, "system") != system) items->item_data[kept++] = item;
  }
  if (kept == items->size) return;
  items->size = kept;
  if (kept == 0) holder.Remove(list);
}

// What a client sends back of what GET gave it.
void RemoveOurs(Node& resource, const MappingSettings& settings) {
  resource.Remove("id");
  RemoveOfSystem(resource, "identifier", OurSystem(settings));
  Node* meta = resource.Find("meta");
  if (meta == nullptr || !meta->is_object()) return;
  meta->Remove("versionId");
  meta->Remove("lastUpdated");
  RemoveOfSystem(*meta, "tag", StateSystem(settings));
  if (meta->size == 0) resource.Remove("meta");
}

// Those that MarkUnread writes; any other was written by hand.
Code UnreadCode(std::string_view name) {
  for (const Code code :
       {Code::kTimeAmbiguous, Code::kUnmappedCode, Code::kMapCheck, Code::kMapLimit, Code::kOutputInvalid}) {
    if (Name(code) == name) return code;
  }
  return Code::kMapFailed;
}

// `meta.tag`, made when there is none.
Node* TagsOf(Node& resource, Arena& arena) {
  Node* meta = resource.Find("meta");
  if (meta == nullptr) {
    meta = Node::Object(arena);
    resource.Set(arena, "meta", meta);
  }
  Node* tags = meta->Find("tag");
  if (tags == nullptr) {
    tags = Node::Array(arena);
    meta->Set(arena, "tag", tags);
  }
  return tags;
}

void AddTag(Node& tags, std::string_view system, std::string_view code, std::string_view display,
            Arena& arena) {
  Node* coding = Node::Object(arena);
  coding->Set(arena, "system", Node::String(arena, system));
  coding->Set(arena, "code", Node::String(arena, code));
  if (!display.empty()) coding->Set(arena, "display", Node::String(arena, display));
  tags.Append(arena, coding);
}

// What MarkUnread wrote.
Issues ReasonsUnread(const Node& resource, const MappingSettings& settings) {
  Issues reasons;
  const Node* meta = resource.Find("meta");
  const Node* tags = meta == nullptr ? nullptr : meta->Find("tag");
  if (tags == nullptr || !tags->is_array()) return reasons;
  for (const Node* tag : tags->items()) {
    if (MemberText(tag, "system") != UnreadSystem(settings)) continue;
    const std::string_view text = MemberText(tag, "display");
    const std::size_t end = std::min(text.find(": "), text.size());
    reasons.push_back(MakeIssue(UnreadCode(MemberText(tag, "code")), std::string(text.substr(0, end)),
                                std::string(text.substr(std::min(end + 2, text.size())))));
  }
  return reasons;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// "system|value" of a conditional reference, percent-encoded, with `\` before a bar that does not separate.
std::optional<outbox::PushedIdentifier> ReadToken(std::string_view token) {
  outbox::PushedIdentifier found;
  std::string part;
  bool has_bar = false;
  for (std::size_t i = 0; i < token.size(); ++i) {
    char c = token[i];
    if (c == '&' || c == ',') return std::nullopt;
    if (c == '%') {
      const int high = i + 2 < token.size() ? HexDigit(token[i + 1]) : -1;
      const int low = high >= 0 ? HexDigit(token[i + 2]) : -1;
      if (low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\\' && i + 1 < token.size()) {
      const bool is_encoded = token[i + 1] == '%' && i + 3 < token.size();
      const int value = is_encoded ? HexDigit(token[i + 2]) * 16 + HexDigit(token[i + 3]) : token[i + 1];
      if (value < 0) return std::nullopt;
      part += static_cast<char>(value);
      i += is_encoded ? 3 : 1;
      continue;
    }
    if (c == '|' && !has_bar) {
      has_bar = true;
      found.system = std::move(part);
      part.clear();
      continue;
    }
    part += c;
  }
  found.value = std::move(part);
  if (!has_bar || found.system.empty() || found.value.empty()) return std::nullopt;
  return found;
}

std::string_view Relative(std::string_view reference, const std::string& endpoint) {
  if (!endpoint.empty() && reference.starts_with(endpoint) && reference.size() > endpoint.size() &&
      reference[endpoint.size()] == '/') {
    reference.remove_prefix(endpoint.size() + 1);
  }
  return reference;
}

// What a Reference names; nothing when it is in none of the forms that can be looked up.
std::optional<outbox::ReferenceName> NameOf(const Node& reference, const std::string& endpoint) {
  outbox::ReferenceName name;
  const std::string_view text = Relative(MemberText(&reference, "reference"), endpoint);
  if (text.empty()) {
    const Node* identifier = reference.Find("identifier");
    name.type = MemberText(&reference, "type");
    name.identifier = {std::string(MemberText(identifier, "system")),
                       std::string(MemberText(identifier, "value"))};
    if (name.identifier.system.empty() || name.identifier.value.empty()) return std::nullopt;
    return name;
  }
  constexpr std::string_view kQuery = "?identifier=";
  if (const std::size_t query = text.find(kQuery); query != std::string_view::npos) {
    const auto token = ReadToken(text.substr(query + kQuery.size()));
    if (!token) return std::nullopt;
    name.type = text.substr(0, query);
    name.identifier = *token;
    return name;
  }
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || text.find(':') != std::string_view::npos) return std::nullopt;
  name.type = text.substr(0, slash);
  const std::string_view id = text.substr(slash + 1);
  name.server_id = id.substr(0, id.find('/'));
  return name.server_id.empty() ? std::nullopt : std::optional(std::move(name));
}

bool CanBeSpokenOf(const outbox::ReferenceName& name) {
  return name.type.empty() || name.type == "MedicationAdministration" || name.type == "Procedure";
}

// Calls `visit` with each Reference of focus and partOf and its place.
template <class Visit>
void EachLink(const Node& resource, const Visit& visit) {
  for (const std::string_view list : {std::string_view("focus"), std::string_view("partOf")}) {
    const Node* references = resource.Find(list);
    if (references == nullptr || !references->is_array()) continue;
    int index = 0;
    for (Node* reference : references->items()) {
      if (reference->is_object()) {
        visit(*reference, std::string(kType) + "." + std::string(list) + "[" + std::to_string(index) + "]");
      }
      ++index;
    }
  }
}

void ReadIdentifiers(const Node& resource, PushedObservation& pushed) {
  const Node* identifiers = resource.Find("identifier");
  if (identifiers == nullptr) return;
  if (identifiers->size > limits::kPushIdentifiersMax) {
    pushed.issues.push_back(
        MakeIssue(Code::kLimit, "Observation.identifier",
                  "more than " + std::to_string(limits::kPushIdentifiersMax) + " identifiers"));
    return;
  }
  for (const Node* identifier : identifiers->items()) {
    const std::string_view value = MemberText(identifier, "value");
    if (value.empty()) continue;
    pushed.identifiers.push_back({std::string(MemberText(identifier, "system")), std::string(value)});
  }
}

void ReadPatient(const Node& resource, const MappingSettings& settings, PushedObservation& pushed) {
  const Node* subject = resource.Find("subject");
  if (subject == nullptr || !subject->is_object()) {
    pushed.issues.push_back(MakeIssue(Code::kMissing, "Observation.subject", "the patient is required here"));
    return;
  }
  const auto name = NameOf(*subject, settings.endpoint);
  const bool is_patient = name && (name->type == "Patient" || name->type.empty());
  if (is_patient && !name->server_id.empty()) {
    pushed.patient = "Patient/" + name->server_id;
    return;
  }
  if (is_patient && name->identifier.system == PatientSystem(settings)) {
    pushed.mrn = name->identifier.value;
    return;
  }
  pushed.issues.push_back(MakeIssue(Code::kPatientUnknown, "Observation.subject",
                                    "name the patient by an identifier of the configured system, or as "
                                    "Patient/<id> of the FHIR server"));
}

void ReadLinks(const Node& resource, const MappingSettings& settings, PushedObservation& pushed) {
  std::size_t count = 0;
  EachLink(resource, [&](const Node& reference, const std::string&) {
    ++count;
    auto name = NameOf(reference, settings.endpoint);
    if (name && CanBeSpokenOf(*name)) pushed.about.push_back(std::move(*name));
  });
  if (count > limits::kPushReferencesMax) {
    pushed.issues.push_back(
        MakeIssue(Code::kLimit, "Observation.focus",
                  "more than " + std::to_string(limits::kPushReferencesMax) + " of focus and partOf"));
  }
}

// Elsewhere than in subject, focus and partOf a conditional reference could not be carried out.
void RefuseConditionalReferences(const Node& node, std::string_view member, PushedObservation& pushed) {
  for (const fhir::Member& child : node.members()) {
    if (child.name == "subject" || child.name == "focus" || child.name == "partOf") {
      if (member.empty()) continue;
    }
    const bool is_conditional =
        child.name == "reference" && child.value->is_string() &&
        (child.value->text.find('?') != std::string_view::npos || child.value->text.starts_with("urn:"));
    const std::string_view root = member.empty() ? child.name : member;
    if (is_conditional) {
      pushed.issues.push_back(
          MakeIssue(Code::kNotSupported, std::string(kType) + "." + std::string(root),
                    "write references as Type/<id> of the FHIR server, or as identifier"));
    }
    RefuseConditionalReferences(*child.value, root, pushed);
  }
  for (const Node* item : node.items()) RefuseConditionalReferences(*item, member, pushed);
}

struct Delivered {  // of the patient, on the endpoint
  std::string_view type;
  std::string_view system;
  std::string_view value;
  std::string_view id;
  bool nullified = false;
  bool is_part = false;
  std::string_view start;
  std::string_view end;
};

bool IsTrue(const Node& object, std::string_view name) {
  const Node* member = object.Find(name);
  return member != nullptr && member->kind == fhir::NodeKind::kBoolean && member->boolean;
}

std::vector<Delivered> ReadDelivered(const outbox::MappingFacts& facts, const std::string& endpoint,
                                     Arena& arena) {
  std::vector<Delivered> all;
  for (const std::string& text : facts.delivered) {
    const auto read = fhir::ReadJson(text, arena);
    if (!read || MemberText(*read, "endpoint") != endpoint) continue;
    const Node& row = **read;
    all.push_back({MemberText(&row, "type"), MemberText(&row, "system"), MemberText(&row, "value"),
                   MemberText(&row, "id"), IsTrue(row, "nullified"), IsTrue(row, "part"),
                   MemberText(&row, "start"), MemberText(&row, "end")});
  }
  return all;
}

const Delivered* FindNamed(const std::vector<Delivered>& all, const outbox::ReferenceName& name) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const Delivered& one) {
    if (!name.type.empty() && name.type != one.type) return false;
    if (!name.server_id.empty()) return one.id == name.server_id;
    return one.system == name.identifier.system && one.value == name.identifier.value;
  });
  return found == all.end() ? nullptr : &*found;
}

std::optional<fhir::UtcInterval> IntervalOf(std::string_view start, std::string_view end) {
  const auto first = fhir::Temporal::ParseDateTime(start);
  const auto last = fhir::Temporal::ParseDateTime(end.empty() ? start : end);
  const auto from = first ? first->ToUtcInterval() : std::nullopt;
  const auto until = last ? last->ToUtcInterval() : std::nullopt;
  if (!from || !until) return std::nullopt;
  return fhir::UtcInterval{from->first_us, until->last_us};
}

std::optional<fhir::UtcInterval> EffectiveOf(const Node& resource) {
  std::string_view moment = MemberText(&resource, "effectiveDateTime");
  if (moment.empty()) moment = MemberText(&resource, "effectiveInstant");
  if (!moment.empty()) return IntervalOf(moment, {});
  const Node* period = resource.Find("effectivePeriod");
  return IntervalOf(MemberText(period, "start"), MemberText(period, "end"));
}

// Finds what a stored Observation speaks of, and writes it into its focus.
class Linker {
 public:
  Linker(Node& resource, const std::vector<Delivered>& delivered, const MappingSettings& settings,
         Arena& arena)
      : resource_(resource), delivered_(delivered), settings_(settings), arena_(arena) {}

  // Nothing when it is tied; else why not.
  std::optional<Issue> Link() {
    if (LinkNamed()) return std::nullopt;
    if (names_any_) {
      return Unresolved(
          "the administration that focus or partOf names is not on the server for this patient");
    }
    return LinkByTime();
  }

 private:
  static Issue Unresolved(std::string message) {
    return MakeIssue(Code::kUnresolvedLink, "Observation.focus", std::move(message));
  }

  std::string_view ReferenceTo(const Delivered& found) { return arena_.Join({found.type, "/", found.id}); }

  bool LinkNamed() {
    bool is_tied = false;
    bool is_missing = false;
    EachLink(resource_, [&](Node& reference, const std::string&) {
      const auto name = NameOf(reference, settings_.endpoint);
      if (!name || !CanBeSpokenOf(*name)) return;
      const Delivered* found = FindNamed(delivered_, *name);
      // An identifier without type may be of anything.
      names_any_ = names_any_ || found != nullptr || !name->type.empty();
      is_missing = is_missing || (found == nullptr && !name->type.empty());
      is_tied = is_tied || found != nullptr;
      if (found != nullptr) reference.Set(arena_, "reference", Node::String(arena_, ReferenceTo(*found)));
    });
    return is_tied && !is_missing;
  }

  std::optional<Issue> LinkByTime() {
    if (settings_.link_window_h == 0) {
      return Unresolved(
          "it names no administration, and [push] link_window_h allows none to be found by time");
    }
    const auto effective = EffectiveOf(resource_);
    if (!effective) return Unresolved("it names no administration, and has no time by which to find one");
    const std::int64_t window_us = settings_.link_window_h * kMicrosecondsPerHour;
    const Delivered* found = nullptr;
    for (const Delivered& one : delivered_) {
      if (one.type != "MedicationAdministration" || one.nullified || !one.is_part) continue;
      const auto given = IntervalOf(one.start, one.end);
      if (!given || given->first_us > effective->last_us ||
          effective->first_us > given->last_us + window_us) {
        continue;
      }
      if (found != nullptr) {
        return Unresolved("more than one administration of the patient fits its time: name one in focus");
      }
      found = &one;
    }
    if (found == nullptr) return Unresolved("no administration of the patient fits its time");
    Node* reference = Node::Object(arena_);
    reference->Set(arena_, "reference", Node::String(arena_, ReferenceTo(*found)));
    Node* focus = resource_.Find("focus");
    if (focus == nullptr) {
      focus = Node::Array(arena_);
      resource_.Set(arena_, "focus", focus);
    }
    focus->Append(arena_, reference);
    return std::nullopt;
  }

  Node& resource_;
  const std::vector<Delivered>& delivered_;
  const MappingSettings& settings_;
  Arena& arena_;
  bool names_any_ = false;
};

bool IsObservation(const Node& resource, PushedObservation& pushed) {
  if (resource.is_object() && MemberText(&resource, "resourceType") == kType) return true;
  pushed.issues.push_back(
      MakeIssue(Code::kNotSupported, "", "only resources of type Observation are taken here"));
  return false;
}

// What breaks FHIR R4, with the path of the element as its place.
Issues Broken(const Node& resource, const fhir::Schema& schema, Code code) {
  Issues issues;
  fhir::CheckResource(resource, schema, issues);
  for (Issue& issue : issues) {
    const std::size_t end = std::min(issue.message.find(": "), issue.message.size());
    issue.code = code;
    issue.where.pointer = issue.message.substr(0, end);
    issue.message.erase(0, std::min(end + 2, issue.message.size()));
  }
  return issues;
}

void AddOurIdentifier(Node& resource, std::string_view subject_key, const MappingSettings& settings,
                      Arena& arena) {
  Node* ours = Node::Object(arena);
  ours->Set(arena, "system", Node::String(arena, OurSystem(settings)));
  ours->Set(arena, "value", Node::String(arena, subject_key));
  Node* identifiers = resource.Find("identifier");
  if (identifiers == nullptr) {
    identifiers = Node::Array(arena);
    resource.Set(arena, "identifier", identifiers);
  }
  identifiers->Append(arena, ours);
}

outbox::IntendedResource Intended(const Node& resource, std::string_view subject_key,
                                  const fhir::Schema& schema, const MappingSettings& settings) {
  outbox::IntendedResource intended;
  intended.key = {std::string(kType), OurSystem(settings), std::string(subject_key)};
  intended.uuid = UuidOfUrl(intended.key.system + "|" + intended.key.value);
  fhir::WriteResource(resource, schema, intended.json);
  intended.sha256 = Sha256Hex(intended.json);
  intended.has_identifier_search = true;
  return intended;
}

}  // namespace

void MarkUnread(Node& resource, const Issues& reasons, const MappingSettings& settings, Arena& arena) {
  for (const Issue& reason : reasons) {
    AddTag(*TagsOf(resource, arena), UnreadSystem(settings), Name(reason.code),
           reason.where.pointer + ": " + reason.message, arena);
  }
}

PushedObservation ReadPushedObservation(Node& resource, const fhir::Schema& schema,
                                        const MappingSettings& settings) {
  PushedObservation pushed;
  if (!IsObservation(resource, pushed)) return pushed;
  pushed.body_id = MemberText(&resource, "id");
  pushed.issues = Broken(resource, schema, Code::kResourceInvalid);
  if (!pushed.issues.empty()) return pushed;
  RemoveOurs(resource, settings);
  pushed.status = MemberText(&resource, "status");
  ReadIdentifiers(resource, pushed);
  ReadPatient(resource, settings, pushed);
  ReadLinks(resource, settings, pushed);
  RefuseConditionalReferences(resource, {}, pushed);
  pushed.bytes = fhir::ToJson(resource);
  pushed.content_sha256 = record::ContentHash(resource);
  return pushed;
}

PushedObservation ReadMadeObservation(Node& resource, Issues& reasons, const fhir::Schema& schema,
                                      const MappingSettings& settings, Arena& arena) {
  PushedObservation made;
  if (!IsObservation(resource, made)) return made;
  made.issues = Broken(resource, schema, Code::kOutputInvalid);
  RemoveOurs(resource, settings);
  made.status = MemberText(&resource, "status");
  ReadIdentifiers(resource, made);
  ReadLinks(resource, settings, made);
  RefuseConditionalReferences(resource, {}, made);
  for (Issue& issue : made.issues) {
    issue.code = Code::kOutputInvalid;
    reasons.push_back(std::move(issue));
  }
  made.issues.clear();
  ReadPatient(resource, settings, made);
  MarkUnread(resource, reasons, settings, arena);
  made.bytes = fhir::ToJson(resource);
  made.content_sha256 = record::ContentHash(resource);
  return made;
}

MapOutput MapPushedObservation(std::string_view subject_key, std::string_view bytes,
                               const outbox::MappingFacts& facts, const fhir::Schema& schema,
                               const MappingSettings& settings) {
  MapOutput output;
  output.map_id = kMapId;
  output.map_version = kMapVersion;
  Arena arena;
  const auto read = fhir::ReadJson(bytes, arena);
  if (!read) {
    output.issues.push_back(Issue{read.error().code, read.error().where, read.error().message});
    return output;
  }
  Node& resource = **read;
  output.issues = ReasonsUnread(resource, settings);
  if (!output.issues.empty()) return output;
  const std::vector<Delivered> delivered = ReadDelivered(facts, settings.endpoint, arena);
  const auto unresolved = Linker(resource, delivered, settings, arena).Link();
  // What is not to be believed any more goes out without: it must reach what was delivered before.
  if (unresolved && MemberText(&resource, "status") != "entered-in-error") {
    output.issues.push_back(*unresolved);
    return output;
  }
  AddOurIdentifier(resource, subject_key, settings, arena);
  const std::string_view patient =
      arena.Join({kPatientQuery, fml::SearchToken(PatientSystem(settings), facts.mrn, arena)});
  if (Node* subject = resource.Find("subject")) {
    subject->Set(arena, "reference", Node::String(arena, patient));
  }
  fhir::CheckResource(resource, schema, output.issues);
  if (!output.issues.empty()) return output;
  output.resources.push_back(Intended(resource, subject_key, schema, settings));
  output.resources.push_back(
      MakePushProvenance(subject_key, resource, output.resources.front(), facts, schema, settings));
  return output;
}

std::string ShowPushedObservation(const outbox::PushedVersion& version, const fhir::Schema& schema,
                                  const MappingSettings& settings) {
  Arena arena;
  const auto read = fhir::ReadJson(version.bytes, arena);
  if (!read) return {};
  Node& resource = **read;
  resource.Set(arena, "id", Node::String(arena, version.id));
  AddOurIdentifier(resource, outbox::PushedSubjectKey(settings.site, version.id), settings, arena);
  Node* tags = TagsOf(resource, arena);
  Node* meta = resource.Find("meta");
  meta->Set(arena, "versionId", Node::String(arena, std::to_string(version.version)));
  meta->Set(arena, "lastUpdated",
            Node::String(arena, fhir::Temporal::FromUtcMicroseconds(version.received.us).ToString()));
  AddTag(*tags, StateSystem(settings), outbox::Name(version.state), {}, arena);
  for (const outbox::Reason& reason : version.reasons) {
    AddTag(*tags, StateSystem(settings), Name(reason.code), reason.message, arena);
  }
  std::string json;
  fhir::WriteResource(resource, schema, json);
  return json;
}

}  // namespace fhir_adapter::pipeline
