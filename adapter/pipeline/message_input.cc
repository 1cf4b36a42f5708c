// The half of MessageMapping that reads messages for the store.
#include "pipeline/message_input.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <utility>

#include "core/digest.h"
#include "core/limits.h"
#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "pipeline/message_mapping.h"
#include "pipeline/record_input.h"
#include "record/hl7v2_shape.h"
#include "record/record_envelope.h"
#include "record/record_reader.h"

namespace fhir_adapter::pipeline {

// An innermost group, in a copy of the message that holds no other.
struct LoneGroup {
  fhir::Node* message = nullptr;
  const fhir::Node* group = nullptr;
  std::uint32_t first_line = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t last_line = 0;
};

namespace {

using fhir::Node;

constexpr int kValuesLeftOutMax = 5;  // of one group
// What makes up a record's place: when one of these cannot be used, nobody could correct the record.
constexpr std::string_view kIdentity[] = {"/site",    "/recordId",    "/revision",
                                          "/patient", "/patient/mrn", "/status"};

// Groups have names in lower case, segments in upper.
bool IsGroup(const fhir::Member& member) {
  const bool is_named = std::islower(static_cast<unsigned char>(member.name.front())) != 0;
  return is_named && (member.value->is_object() || member.value->is_array());
}

void CountLine(const Node& segment, LoneGroup& lone) {
  lone.first_line = std::min(lone.first_line, segment.line);
  lone.last_line = std::max(lone.last_line, segment.line);
}

LoneGroup Innermost(Node& group) {
  LoneGroup lone;
  lone.message = &group;
  lone.group = &group;
  for (const fhir::Member& member : group.members()) {
    if (member.value->is_object()) CountLine(*member.value, lone);
    for (const Node* item : member.value->items()) CountLine(*item, lone);
  }
  return lone;
}

std::vector<LoneGroup> EachAlone(Node& node, Arena& arena) {
  std::vector<LoneGroup> all;
  bool has_groups = false;
  for (const fhir::Member& member : node.members()) {
    if (!IsGroup(member)) continue;
    has_groups = true;
    const bool is_list = member.value->is_array();
    const std::vector<Node*> items =
        is_list ? std::vector<Node*>(member.value->items().begin(), member.value->items().end())
                : std::vector<Node*>{member.value};
    for (Node* item : items) {
      for (LoneGroup& inner : EachAlone(*item, arena)) {
        Node* copy = Node::Object(arena);
        for (const fhir::Member& other : node.members()) {
          if (!IsGroup(other)) copy->AddMember(arena, other.name, other.value);
        }
        Node* only = inner.message;
        if (is_list) {
          only = Node::Array(arena);
          only->Append(arena, inner.message);
        }
        copy->AddMember(arena, member.name, only);
        inner.message = copy;
        all.push_back(inner);
      }
    }
  }
  if (!has_groups) all.push_back(Innermost(node));
  return all;
}

// Those that keep from being sent, of the lines of this group and of what it shares with the others.
Issues WaitingOf(const Issues& issues, const LoneGroup& lone, const std::vector<LoneGroup>& all) {
  Issues waiting;
  for (const Issue& issue : issues) {
    if (issue.disposition() == Disposition::kNote) continue;
    const auto holds = [&issue](const LoneGroup& one) {
      return issue.where.line >= one.first_line && issue.where.line <= one.last_line;
    };
    if (holds(lone) || std::ranges::none_of(all, holds)) waiting.push_back(issue);
  }
  return waiting;
}

// From a pointer of the shaped message ("/results/0/…/OBX/f5/c1") to a place of the message ("OBX-5.1").
void PlaceInMessage(Location& where, const Node& message) {
  const Node* node = fhir::AtPointer(message, where.pointer);
  std::string place;
  for (std::string_view rest = where.pointer; !rest.empty();) {
    rest.remove_prefix(1);
    const std::string_view part = rest.substr(0, rest.find('/'));
    rest.remove_prefix(part.size());
    if (part.size() == 3 && std::isupper(static_cast<unsigned char>(part.front())) != 0) {
      place = part;
    } else if (!place.empty() && part.starts_with('f')) {
      place.append("-").append(part.substr(1));
    } else if (!place.empty() && part.starts_with('c')) {
      place.append(".").append(part.substr(1, part.find('s') - 1));
    }
  }
  if (place.empty()) return;
  where = Location{{}, node == nullptr ? 0 : node->line, node == nullptr ? 0 : node->column, place};
}

// Takes the value at the pointer out of the group, with what is empty then. False: it is no value of the
// group itself.
bool LeaveOut(std::string_view pointer, const LoneGroup& lone) {
  const Node* value = fhir::AtPointer(*lone.message, pointer);
  const bool is_own = value != nullptr && (value->is_string() || value->is_number()) &&
                      value->line >= lone.first_line && value->line <= lone.last_line;
  if (!is_own) return false;
  for (;;) {
    const std::size_t slash = pointer.rfind('/');
    // The nodes are of the arena of this reading.
    auto* holder = const_cast<Node*>(fhir::AtPointer(*lone.message, pointer.substr(0, slash)));  // NOLINT
    const std::string_view name = pointer.substr(slash + 1);
    if (holder == nullptr || !holder->is_object() || !holder->Remove(name)) return false;
    const bool is_component = name.starts_with('c');
    if (holder->size > 0 || !is_component) return true;
    pointer = pointer.substr(0, slash);
  }
}

bool Holds(const Issues& issues, const Issue& issue) {
  return std::ranges::any_of(issues, [&issue](const Issue& known) {
    return known.code == issue.code && known.where == issue.where && known.message == issue.message;
  });
}

void Refuse(MessageInput& input, Issue issue) {
  input.issues.push_back(std::move(issue));
  input.is_refused = true;
}

// What the readings of a record say about its own identity.
bool HasUsableIdentity(const InputRecord& record, const Issues& issues) {
  if (record.record_id.empty() || record.mrn.empty()) return false;
  return std::ranges::none_of(issues, [](const Issue& issue) {
    return issue.disposition() == Disposition::kRejected &&
           std::ranges::find(kIdentity, issue.where.pointer) != std::end(kIdentity);
  });
}

}  // namespace

MessageInput MessageMapping::Read(const std::string& bytes, const TimeZone* zone) {
  MessageInput input;
  Arena arena;
  const auto message = record::ReadHl7Message(bytes, arena);
  const auto kind = message ? KindOf(**message) : Result<const Kind*>(Fail(message.error()));
  if (!kind) {
    const Error& error = kind.error();
    Refuse(input, {error.code, error.where, error.message});
    return input;
  }
  const Node* shaped = record::ShapeHl7Message(**message, *(*kind)->model, arena, input.issues, zone);
  const fhir::TypeInfo* target = (*kind)->map->target;
  if (target != nullptr && target->name == "Bundle") {
    ReadObservations(**kind, *shaped, arena, input);
  } else {
    ReadRecord(**kind, *shaped, bytes, input);
  }
  return input;
}

void MessageMapping::ReadRecord(const Kind& kind, const Node& shaped, const std::string& bytes,
                                MessageInput& input) {
  fml::MapRequest request;
  request.goes_on_after_check = true;
  const auto mapping = mapper_.Map(*kind.map, shaped, request);
  if (!mapping) return Refuse(input, {Code::kMapFailed, {}, ToString(mapping.error())});
  input.issues.insert(input.issues.end(), mapping->issues.begin(), mapping->issues.end());
  const Node* made = mapping->target != nullptr ? mapping->target : mapping->begun;
  if (made == nullptr) {
    input.is_refused = true;
    return;
  }
  record::RecordText text;
  text.bytes = fhir::ToJson(*made);
  Arena arena;
  InputRecord record = ReadInputRecord(text, records_.set().model(), arena, {});
  Issues found = std::exchange(record.issues, {});
  // Lines and columns are those of a text that nobody has.
  for (Issue& issue : found) issue.where.line = issue.where.column = 0;
  const bool is_whole = Gravest(input.issues) == Disposition::kNote;
  if (!is_whole) {
    if (const auto envelope = record::ReadEnvelope(*made)) {
      record.status = record::Name(envelope->status);
      record.mrn = envelope->patient_mrn;
    }
    record.bytes = bytes;
    record.content_sha256 = Sha256Hex(bytes);
    input.is_refused = !HasUsableIdentity(record, found);
  } else {
    input.issues.insert(input.issues.end(), found.begin(), found.end());
    input.is_refused = Gravest(found) == Disposition::kRejected;
  }
  if (is_whole || !input.is_refused) {
    std::ranges::copy_if(input.issues, std::back_inserter(record.issues),
                         [](const Issue& issue) { return issue.disposition() == Disposition::kNote; });
  }
  input.record = std::move(record);
}

void MessageMapping::ReadObservations(const Kind& kind, const Node& shaped, Arena& arena,
                                      MessageInput& input) {
  Node* whole = Node::Object(arena);
  for (const fhir::Member& member : shaped.members()) whole->AddMember(arena, member.name, member.value);
  const std::vector<LoneGroup> groups = EachAlone(*whole, arena);
  if (groups.size() > limits::kHl7ObservationsMax) {
    return Refuse(input, {Code::kLimit,
                          {},
                          "more than kHl7ObservationsMax (" + std::to_string(limits::kHl7ObservationsMax) +
                              ") observations"});
  }
  const Issues of_shape = input.issues;
  for (const LoneGroup& lone : groups) {
    Location place;
    if (lone.last_line > 0) {
      place = Location{{}, lone.first_line, 1, std::string(lone.group->members()[0].name)};
    }
    Issues waiting = WaitingOf(of_shape, lone, groups);
    const Node* bundle = MapWhatCanBeRead(kind, lone, waiting, input);
    const Node* entries = bundle == nullptr ? nullptr : bundle->Find("entry");
    const std::size_t before = input.observations.size();
    if (entries != nullptr) {
      for (const Node* entry : entries->items()) {
        if (const Node* resource = entry->Find("resource")) ReadObservation(*resource, waiting, place, input);
      }
    }
    const bool is_lost = input.observations.size() == before && !waiting.empty();
    if (bundle == nullptr || is_lost) input.is_refused = true;
  }
  if (!input.is_refused && input.observations.empty()) {
    Refuse(input, {Code::kMissing, {}, "the message holds no observation"});
  }
}

// A value of the group that stops the map is left out, and the rest mapped without it. What a check refuses
// is mapped, too, and waits. Null: the map makes nothing of the rest either.
const Node* MessageMapping::MapWhatCanBeRead(const Kind& kind, const LoneGroup& lone, Issues& waiting,
                                             MessageInput& input) {
  fml::MapRequest request;
  request.goes_on_after_check = true;
  for (int left_out = 0;; ++left_out) {
    auto mapping = mapper_.Map(*kind.map, *lone.message, request);
    if (!mapping) {
      input.issues.push_back({Code::kMapFailed, {}, ToString(mapping.error())});
      return nullptr;
    }
    std::string stopped;
    bool has_stopped = false;
    for (Issue& issue : mapping->issues) {
      if (issue.disposition() != Disposition::kNote && issue.code != Code::kMapCheck) {
        has_stopped = true;
        stopped = issue.where.pointer;
      }
      PlaceInMessage(issue.where, *lone.message);
      if (Holds(input.issues, issue)) continue;  // of the run before
      if (issue.disposition() != Disposition::kNote) waiting.push_back(issue);
      input.issues.push_back(std::move(issue));
    }
    if (mapping->target != nullptr) return mapping->target;
    const bool may_repeat = has_stopped && left_out < kValuesLeftOutMax && LeaveOut(stopped, lone);
    if (!may_repeat) return mapping->begun;
  }
}

void MessageMapping::ReadObservation(const Node& resource, const Issues& waiting, const Location& place,
                                     MessageInput& input) {
  const MappingSet& set = records_.set();
  const fhir::Schema& schema = set.maps()->schema();
  std::string json;
  fhir::WriteResource(resource, schema, json);
  Arena arena;
  const auto read = fhir::ReadJson(json, arena);
  if (!read) return Refuse(input, {Code::kMapFailed, place, "the map made no resource"});
  MessageObservation made;
  Issues reasons = waiting;
  made.observation = ReadMadeObservation(**read, reasons, schema, set.settings(), arena);
  const auto at_place = [&place](const Issue& issue) {
    return Issue{issue.code, place, issue.where.pointer + ": " + issue.message};
  };
  for (std::size_t i = waiting.size(); i < reasons.size(); ++i) input.issues.push_back(at_place(reasons[i]));
  for (const Issue& issue : made.observation.issues) Refuse(input, at_place(issue));
  if (!made.observation.issues.empty()) return;
  const auto& identifiers = made.observation.identifiers;
  const auto own = std::ranges::find_if(identifiers, [&](const outbox::PushedIdentifier& identifier) {
    return identifier.system.starts_with(set.settings().canonical_base + "/sid/it-");
  });
  if (own == identifiers.end() && reasons.empty()) {
    return Refuse(input, {Code::kMapFailed, place, "the map gave no identity"});
  }
  if (own != identifiers.end()) made.identity = outbox::IdentifierToken{own->system, own->value};
  input.observations.push_back(std::move(made));
}

}  // namespace fhir_adapter::pipeline
