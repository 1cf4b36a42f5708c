#include "app/queue_text.h"

#include <algorithm>
#include <cstdio>

#include "fhir/json_difference.h"
#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "net/http_message.h"

namespace fhir_adapter::app {
namespace {

using net::JsonString;

std::string FirstReason(const outbox::QueueEntry& entry) {
  return entry.reasons.empty() ? "" : std::string(Name(entry.reasons.front().code));
}

std::string ReasonJson(const outbox::Reason& reason) {
  return "{\"code\":" + JsonString(Name(reason.code)) + ",\"pointer\":" + JsonString(reason.pointer) +
         ",\"message\":" + JsonString(reason.message) + "}";
}

std::string OptionalTime(const std::optional<TimeUs>& time) {
  return time ? JsonString(ToString(*time)) : std::string("null");
}

std::string EntryMembers(const outbox::QueueEntry& entry) {
  return "\"id\":" + JsonString(entry.id.value) + ",\"recordId\":" + JsonString(entry.record_id) +
         ",\"site\":" + JsonString(entry.site) + ",\"revision\":" + std::to_string(entry.revision) +
         ",\"state\":" + JsonString(outbox::Name(entry.state)) +
         ",\"reason\":" + JsonString(FirstReason(entry)) +
         ",\"nextAttempt\":" + OptionalTime(entry.next_attempt);
}

template <class Rows, class Json>
std::string ArrayJson(const Rows& rows, Json json) {
  std::string text = "[";
  for (const auto& row : rows) {
    if (text.size() > 1) text += ",";
    text += json(row);
  }
  return text + "]";
}

std::string LedgerJson(const outbox::LedgerRow& row) {
  return "{\"type\":" + JsonString(row.key.type) +
         ",\"identifier\":" + JsonString(row.key.system + "|" + row.key.value) +
         ",\"id\":" + JsonString(row.server_id) + ",\"version\":" + JsonString(row.version_id) +
         ",\"revision\":" + std::to_string(row.revision) + "}";
}

// An element of which the two sides differ. JSON texts; empty: it is not there.
struct Side {
  std::string path;
  std::string ours;
  std::string theirs;
  std::string delivered;
};

// `path` as ElementDifferences writes it: "dosage.dose.value", "note[1].text".
std::string ValueAt(const fhir::Node& resource, const std::string& path) {
  std::string pointer = "/" + path;
  std::ranges::replace(pointer, '.', '/');
  std::ranges::replace(pointer, '[', '/');
  std::erase(pointer, ']');
  const fhir::Node* value = fhir::AtPointer(resource, pointer);
  return value == nullptr ? std::string() : fhir::ToJson(*value);
}

std::vector<Side> SidesOf(const outbox::ResourceConflict& conflict) {
  Arena arena;
  const auto read = [&arena](const std::string& json) {
    auto node = fhir::ReadJson(json.empty() ? "{}" : json, arena, fhir::kResourceLimits);
    return node ? *node : fhir::Node::Object(arena);
  };
  const fhir::Node* ours = read(conflict.ours);
  const fhir::Node* delivered = read(conflict.delivered);
  std::vector<Side> sides;
  for (const fhir::ElementDifference& difference : fhir::ElementDifferences(*ours, *read(conflict.theirs))) {
    sides.push_back(
        {difference.path, difference.before, difference.after, ValueAt(*delivered, difference.path)});
  }
  return sides;
}

std::string PlaceOf(const outbox::ResourceConflict& conflict) {
  return conflict.key.type + "/" + conflict.server_id +
         (conflict.version_id.empty() ? "" : "/_history/" + conflict.version_id);
}

std::string ConflictText(const outbox::ResourceConflict& conflict) {
  const bool is_removed = conflict.theirs.empty();
  std::string text = "conflict  " + PlaceOf(conflict) +
                     (is_removed ? " was removed by someone else\n" : " is someone else's\n");
  if (is_removed) return text;
  const auto shown = [](const std::string& value) { return value.empty() ? std::string("–") : value; };
  for (const Side& side : SidesOf(conflict)) {
    text += "  " + side.path + "\n    ours       " + shown(side.ours) + "\n    theirs     " +
            shown(side.theirs) + "\n    delivered  " + shown(side.delivered) + "\n";
  }
  return text;
}

std::string ValueJson(const std::string& value) {
  return value.empty() ? "null" : value;
}

std::string ConflictJson(const outbox::ResourceConflict& conflict) {
  return "{\"resource\":" + JsonString(conflict.key.type + "/" + conflict.server_id) +
         ",\"identifier\":" + JsonString(conflict.key.system + "|" + conflict.key.value) +
         ",\"theirVersion\":" + JsonString(conflict.version_id) +
         ",\"removed\":" + (conflict.theirs.empty() ? "true" : "false") + ",\"elements\":" +
         ArrayJson(SidesOf(conflict),
                   [](const Side& side) {
                     return "{\"path\":" + JsonString(side.path) + ",\"ours\":" + ValueJson(side.ours) +
                            ",\"theirs\":" + ValueJson(side.theirs) +
                            ",\"delivered\":" + ValueJson(side.delivered) + "}";
                   }) +
         "}";
}

}  // namespace

std::string StatisticsText(const outbox::QueueStatistics& statistics, const Result<EndpointState>& endpoint,
                           const Result<DiskUse>& disk) {
  std::string text;
  for (int i = 0; i < outbox::kWorkStates; ++i) {
    const auto state = static_cast<outbox::WorkState>(i);
    char line[64];
    std::snprintf(line, sizeof line, "%-12s %10lld\n", std::string(outbox::Name(state)).c_str(),
                  static_cast<long long>(statistics.Count(state)));
    text += line;
  }
  text += "undelivered  " + std::to_string(statistics.undelivered());
  if (statistics.oldest_waiting) text += ", the oldest since " + ToString(*statistics.oldest_waiting);
  text += "\n";
  if (statistics.sending_stopped) text += "sending is stopped since a restore\n";
  text += disk ? ToText(*disk) : "disk         " + disk.error().message + "\n";
  return text + (endpoint ? ToText(*endpoint) : "server       " + endpoint.error().message + "\n");
}

std::string StatisticsJson(const outbox::QueueStatistics& statistics, const Result<EndpointState>& endpoint,
                           const Result<DiskUse>& disk) {
  std::string json = "{";
  for (int i = 0; i < outbox::kWorkStates; ++i) {
    const auto state = static_cast<outbox::WorkState>(i);
    json += JsonString(outbox::Name(state)) + ":" + std::to_string(statistics.Count(state)) + ",";
  }
  return json + "\"undelivered\":" + std::to_string(statistics.undelivered()) +
         ",\"oldest\":" + OptionalTime(statistics.oldest_waiting) +
         ",\"sendingStopped\":" + (statistics.sending_stopped ? "true" : "false") +
         ",\"disk\":" + (disk ? ToJson(*disk) : "null") +
         ",\"endpoint\":" + (endpoint ? ToJson(*endpoint) : "null") + "}\n";
}

std::string EntryTableHead() {
  char line[160];
  std::snprintf(line, sizeof line, "%-36s %-24s %4s %-12s %-20s %s\n", "id", "record", "rev", "state",
                "reason", "next attempt");
  return line;
}

std::string EntryText(const outbox::QueueEntry& entry) {
  const std::string record = entry.site + "/" + entry.record_id;
  char numbers[32];
  std::snprintf(numbers, sizeof numbers, "%4lld", static_cast<long long>(entry.revision));
  const auto padded = [](std::string text, std::size_t width) {
    if (text.size() < width) text.resize(width, ' ');
    return text + " ";
  };
  return padded(entry.id.value, 36) + padded(record, 24) + numbers + " " +
         padded(std::string(outbox::Name(entry.state)), 12) + padded(FirstReason(entry), 20) +
         (entry.next_attempt ? ToString(*entry.next_attempt) : "") + "\n";
}

std::string EntryJson(const outbox::QueueEntry& entry) {
  return "{" + EntryMembers(entry) + "}\n";
}

std::string DetailText(const outbox::QueueDetail& detail) {
  const outbox::QueueEntry& entry = detail.entry;
  std::string text = "record    " + entry.site + "/" + entry.record_id + " revision " +
                     std::to_string(entry.revision) + "\nstate     " +
                     std::string(outbox::Name(entry.state)) + "\nreceived  " + ToString(entry.received) +
                     "\nattempts  " + std::to_string(entry.attempts) + "\n";
  if (entry.next_attempt) text += "next      " + ToString(*entry.next_attempt) + "\n";
  if (!detail.map_set_sha256.empty()) text += "map set   " + detail.map_set_sha256 + "\n";
  for (const outbox::Reason& reason : entry.reasons) {
    text += "reason    " + std::string(Name(reason.code)) + ": " + reason.pointer + ": " + reason.message +
            "\n          " + std::string(Describe(reason.code).help) + "\n";
  }
  for (const outbox::ResourceConflict& conflict : detail.conflicts) text += ConflictText(conflict);
  if (!detail.conflicts.empty()) {
    text += "          decide: queue release " + entry.id.value + " --ours|--theirs --reason \"…\"\n";
  }
  for (const std::string& remark : detail.remarks) text += "remark    " + remark + "\n";
  if (!detail.answer.empty()) text += "answer    " + detail.answer + "\n";
  for (const outbox::IntendedResource& resource : detail.resources) {
    text += "intended  " + resource.key.type + " " + resource.key.system + "|" + resource.key.value + "\n";
  }
  for (const outbox::LedgerRow& row : detail.ledger) {
    text += "on server " + row.key.type + "/" + row.server_id + "/_history/" + row.version_id +
            " (revision " + std::to_string(row.revision) + ")\n";
  }
  return text;
}

std::string DetailJson(const outbox::QueueDetail& detail) {
  return "{" + EntryMembers(detail.entry) + ",\"received\":" + JsonString(ToString(detail.entry.received)) +
         ",\"attempts\":" + std::to_string(detail.entry.attempts) +
         ",\"mapSet\":" + JsonString(detail.map_set_sha256) +
         ",\"reasons\":" + ArrayJson(detail.entry.reasons, ReasonJson) +
         ",\"conflicts\":" + ArrayJson(detail.conflicts, ConflictJson) + ",\"remarks\":" +
         ArrayJson(detail.remarks, [](const std::string& remark) { return JsonString(remark); }) +
         ",\"answer\":" + JsonString(detail.answer) + ",\"intended\":" +
         ArrayJson(detail.resources,
                   [](const outbox::IntendedResource& resource) {
                     return JsonString(resource.key.type + "?identifier=" + resource.key.system + "|" +
                                       resource.key.value);
                   }) +
         ",\"onServer\":" + ArrayJson(detail.ledger, LedgerJson) + "}\n";
}

}  // namespace fhir_adapter::app
