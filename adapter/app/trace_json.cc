// The line of `trace --json`.
#include "app/lineage_text.h"
#include "app/trace_text.h"
#include "core/digest.h"
#include "net/http_message.h"

namespace fhir_adapter::app {
namespace {

using net::JsonString;

std::string Member(const char* name, const std::string& text) {
  return ",\"" + std::string(name) + "\":" + JsonString(text);
}

std::string Member(const char* name, std::int64_t number) {
  return ",\"" + std::string(name) + "\":" + std::to_string(number);
}

// Members as above, without the comma of the first one.
std::string Object(const std::string& members) {
  return "{" + (members.empty() ? members : members.substr(1)) + "}";
}

template <class Items, class Json>
std::string ListMember(const char* name, const Items& items, const Json& json) {
  std::string text = ",\"" + std::string(name) + "\":[";
  for (const auto& item : items) {
    if (text.back() != '[') text += ",";
    text += json(item);
  }
  return text + "]";
}

std::string ReasonJson(const outbox::Reason& reason) {
  return Object(Member("code", std::string(Name(reason.code))) + Member("pointer", reason.pointer) +
                Member("message", reason.message));
}

// `before` and `after` are JSON already; null: not there.
std::string ChangeJson(const fhir::ElementDifference& change) {
  return Object(Member("path", change.path) +
                ",\"before\":" + (change.before.empty() ? "null" : change.before) +
                ",\"after\":" + (change.after.empty() ? "null" : change.after));
}

std::string RevisionJson(const outbox::TracedRevision& revision) {
  return Object(Member("revision", revision.revision) + Member("status", revision.status) +
                Member("received", ToString(revision.received)) + Member("source", revision.source) +
                Member("receipt", revision.receipt) + Member("mrn", revision.patient.mrn) +
                Member("sha256", revision.bytes.empty() ? std::string() : Sha256Hex(revision.bytes)) +
                Member("commitment", revision.commitment) + Member("entry", revision.audit_sequence) +
                Member("record", revision.bytes));
}

std::string RefusalJson(const outbox::TracedRefusal& refusal) {
  return Object(Member("revision", refusal.revision) + Member("received", ToString(refusal.received)) +
                Member("source", refusal.source) + Member("receipt", refusal.receipt) +
                ListMember("reasons", refusal.reasons, ReasonJson));
}

std::string WorkJson(const outbox::TracedWork& work) {
  return Object(Member("id", work.id.value) + Member("kind", std::string(outbox::Name(work.kind))) +
                Member("revision", work.revision) + Member("state", std::string(outbox::Name(work.state))) +
                Member("attempts", work.attempts) + Member("map", work.map_id) +
                Member("mapVersion", work.map_version) + Member("mapSet", work.map_set_sha256) +
                Member("engine", work.engine) + Member("outputSha256", work.output_sha256) +
                ListMember("reasons", work.reasons, ReasonJson) +
                ListMember("notes", work.notes, ReasonJson) + Member("answer", work.answer));
}

std::string StateJson(const ResourceState& state) {
  return Object(Member("revision", state.revision) + Member("work", state.work_id) +
                Member("sha256", state.sha256) + Member("summary", state.summary) +
                ",\"content\":" + (state.json.empty() ? "null" : state.json) +
                ListMember("changes", state.changes, ChangeJson));
}

std::string EventJson(const TraceEvent& event) {
  return Object(Member("entry", event.sequence) + Member("time", event.time) + Member("event", event.event) +
                Member("actor", event.actor) + Member("role", event.role) + Member("client", event.client) +
                Member("requestId", event.request_id) + Member("revision", event.revision) +
                Member("operation", event.operation) + Member("attempt", event.attempt) +
                Member("outcome", event.outcome) + Member("status", event.status) + Member("map", event.map) +
                Member("mapSet", event.map_set_sha256) + Member("url", event.Url()) +
                Member("version", event.version) + Member("etag", event.etag) +
                Member("supersedes", event.supersedes) + Member("remark", event.remark) +
                Member("proof", event.proof));
}

std::string LiveJson(const TraceLive& live) {
  const auto resource = [](const sync::LiveResource& one) {
    return Object(Member("type", one.key.type) + Member("identifier", one.key.system + "|" + one.key.value) +
                  Member("url", one.url) + Member("state", std::string(sync::Name(one.state))) +
                  Member("status", one.status) + Member("deliveredVersion", one.delivered_version) +
                  Member("version", one.version) + Member("lastUpdated", one.last_updated) +
                  ListMember("changes", one.changes, ChangeJson));
  };
  return Object(Member("base", live.base) + Member("asked", ToString(live.asked)) +
                Member("problem", live.record.failure ? live.record.failure->message : std::string()) +
                Member("elsewhere", static_cast<std::int64_t>(live.elsewhere)) +
                ListMember("resources", live.record.resources, resource));
}

std::string ErasureMember(const std::optional<outbox::Erasure>& erasure) {
  if (!erasure) return ",\"erased\":null";
  return ",\"erased\":" +
         Object(Member("time", ToString(erasure->erased)) + Member("reason", erasure->reason) +
                ",\"finished\":" + (erasure->finished ? "true" : "false") +
                Member("entry", erasure->audit_sequence));
}

}  // namespace

std::string TraceJson(const TracePage& page) {
  const auto resource = [&](const TracedResource& traced) {
    const auto version = [&](std::size_t index) {
      const TraceEvent& event = page.events[index];
      return Object(Member("entry", event.sequence) + Member("revision", event.revision) +
                    Member("event", event.event) + Member("url", event.Url()) +
                    Member("version", event.version) + Member("etag", event.etag));
    };
    return Object(
        Member("type", traced.key.type) + Member("identifier", traced.key.system + "|" + traced.key.value) +
        ListMember("states", traced.states, StateJson) + ListMember("versions", traced.versions, version));
  };
  const auto correction = [](const TraceCorrection& corrected) {
    return Object(Member("from", corrected.from) + Member("to", corrected.to) +
                  Member("reason", corrected.reason) + ListMember("changes", corrected.changes, ChangeJson));
  };
  const auto lineage = [](const RevisionLineage& of) {
    const auto element = [&](const pipeline::ElementLineage& one) { return LineageJson(one, of.file); };
    return Object(Member("revision", of.revision) + Member("work", of.work_id) +
                  Member("problem", of.problem) + ListMember("elements", of.elements, element));
  };
  const std::string proof = Object(
      Member("origin", page.proof.origin) + Member("size", static_cast<std::int64_t>(page.proof.size)) +
      Member("checkpoint", page.proof.checkpoint) + Member("verifierKey", page.proof.verifier_key) +
      Member("proven", page.proof.proven) + Member("newer", page.proof.newer));
  return Object(
             Member("site", page.record.site) + Member("recordId", page.record.record_id) +
             ErasureMember(page.record.erasure) +
             (page.record.expired ? Member("expired", ToString(*page.record.expired)) : ",\"expired\":null") +
             ListMember("revisions", page.record.revisions, RevisionJson) +
             ListMember("refusals", page.record.refusals, RefusalJson) +
             ListMember("corrections", page.corrections, correction) +
             ListMember("lineage", page.lineage, lineage) + ListMember("work", page.record.work, WorkJson) +
             ListMember("resources", page.resources, resource) +
             ListMember("events", page.events, EventJson) +
             (page.live ? ",\"live\":" + LiveJson(*page.live) : std::string()) + ",\"proof\":" + proof) +
         "\n";
}

}  // namespace fhir_adapter::app
