#include "app/trace_page.h"

#include <algorithm>
#include <charconv>

#include "app/resource_summary.h"
#include "audit/audit_entry.h"
#include "audit/checkpoint.h"
#include "audit/snapshot_log.h"
#include "fhir/json_reader.h"
#include "record/record_envelope.h"

namespace fhir_adapter::app {
namespace {

using fhir::Node;

std::int64_t NumberAt(const Node& root, std::string_view pointer) {
  const std::string_view text = TextAt(root, pointer);
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string Joined(std::string_view first, std::string_view second) {
  std::string text(first);
  if (!first.empty() && !second.empty()) text += ' ';
  return text.append(second);
}

Result<TraceEvent> EventOf(std::int64_t sequence, std::string_view bytes) {
  Arena arena;
  const auto read = fhir::ReadJson(bytes, arena);
  if (!read) {
    return Fail(Code::kIntegrity, "entry " + std::to_string(sequence) + " of the log cannot be read");
  }
  const Node& entry = **read;
  TraceEvent event;
  event.sequence = sequence;
  event.time = TextAt(entry, "/time_utc");
  event.event = TextAt(entry, "/event");
  event.actor = Joined(TextAt(entry, "/actor/kind"), TextAt(entry, "/actor/id"));
  event.role = TextAt(entry, "/actor/role");
  event.client = Joined(TextAt(entry, "/client/addr"), TextAt(entry, "/client/app"));
  event.request_id = TextAt(entry, "/request_id");
  event.revision = NumberAt(entry, "/local/revision");
  event.operation = TextAt(entry, "/op");
  event.attempt = NumberAt(entry, "/attempt");
  event.outcome = TextAt(entry, "/outcome");
  event.status = NumberAt(entry, "/status");
  event.map = TextAt(entry, "/mapping/id");
  if (!event.map.empty()) event.map.append("|").append(TextAt(entry, "/mapping/version"));
  event.map_set_sha256 = TextAt(entry, "/mapping/sha256");
  event.base = TextAt(entry, "/fhir/base");
  event.type = TextAt(entry, "/fhir/type");
  event.id = TextAt(entry, "/fhir/id");
  event.version = TextAt(entry, "/fhir/version");
  event.etag = TextAt(entry, "/fhir/etag");
  event.supersedes = NumberAt(entry, "/supersedes/seq");
  event.supersedes_reason = TextAt(entry, "/supersedes/reason");
  return event;
}

Result<std::vector<TraceEvent>> EventsOf(const TracePorts& ports, const outbox::RecordTrace& record) {
  std::vector<TraceEvent> events;
  Result<void> done;
  ADAPTER_CHECK(ports.log.ForEachOfTrace(ports.snapshot, audit::TraceOfSubject(record.subject_key),
                                         [&](audit::Sequence sequence, std::string_view bytes) {
                                           auto event = EventOf(sequence, bytes);
                                           if (!event) {
                                             done = Fail(std::move(event).error());
                                             return false;
                                           }
                                           const auto remark = record.remarks.find(sequence);
                                           if (remark != record.remarks.end()) event->remark = remark->second;
                                           events.push_back(std::move(*event));
                                           return true;
                                         }));
  ADAPTER_CHECK(done);
  return events;
}

Result<void> Prove(const TracePorts& ports, const audit::VerifierKey& key, TracePage& page) {
  ADAPTER_TRY(const std::string note, ports.tree.Checkpoint(ports.snapshot));
  page.proof.verifier_key = key.Text();
  if (note.empty()) return {};
  ADAPTER_TRY(const audit::Checkpoint checkpoint, audit::OpenCheckpoint(key, note));
  page.proof.checkpoint = note;
  page.proof.origin = checkpoint.origin;
  page.proof.size = checkpoint.size;
  for (TraceEvent& event : page.events) {
    const auto index = static_cast<std::uint64_t>(event.sequence - 1);
    if (index >= checkpoint.size) continue;
    ADAPTER_TRY(event.proof,
                audit::ProveEntry(ports.log, ports.tree, ports.snapshot, index, checkpoint, note));
    ++page.proof.proven;
    --page.proof.newer;
  }
  return {};
}

// Nothing when one of them was erased or cannot be read.
std::vector<fhir::ElementDifference> Changes(const std::string& before, const std::string& after) {
  Arena arena;
  const auto was = fhir::ReadJson(before, arena);
  const auto is = fhir::ReadJson(after, arena);
  if (!was || !is) return {};
  return fhir::ElementDifferences(**was, **is);
}

TracedResource& ResourceOf(const outbox::ResourceKey& key, TracePage& page) {
  const auto known = std::ranges::find(page.resources, key, &TracedResource::key);
  return known != page.resources.end() ? *known : page.resources.emplace_back(TracedResource{key, {}, {}});
}

void AddState(const outbox::TracedWork& work, const outbox::IntendedResource& resource, TracePage& page) {
  TracedResource& traced = ResourceOf(resource.key, page);
  const ResourceState* before = traced.states.empty() ? nullptr : &traced.states.back();
  if (before != nullptr && before->sha256 == resource.sha256) return;
  ResourceState state{
      work.revision, work.id.value, resource.json, resource.sha256, SummaryOf(resource.json), {}};
  if (before != nullptr) state.changes = Changes(before->json, state.json);
  traced.states.push_back(std::move(state));
}

void AddResources(TracePage& page) {
  for (const outbox::TracedWork& work : page.record.work) {
    for (const outbox::IntendedResource& resource : work.resources) AddState(work, resource, page);
  }
  for (const outbox::LedgerRow& row : page.record.ledger) {
    TracedResource& traced = ResourceOf(row.key, page);
    for (std::size_t i = 0; i < page.events.size(); ++i) {
      const TraceEvent& event = page.events[i];
      const bool is_of_row =
          event.type == row.key.type && event.id == row.server_id && event.base == row.endpoint;
      const bool is_of_others = event.event == audit::Name(audit::EventKind::kConflictFound) ||
                                event.event == audit::Name(audit::EventKind::kBuiltOn);
      if (is_of_row && !is_of_others) traced.versions.push_back(i);
    }
  }
}

void AddCorrections(TracePage& page) {
  for (std::size_t i = 1; i < page.record.revisions.size(); ++i) {
    const outbox::TracedRevision& before = page.record.revisions[i - 1];
    const outbox::TracedRevision& after = page.record.revisions[i];
    TraceCorrection correction{before.revision, after.revision, {}, Changes(before.bytes, after.bytes)};
    Arena arena;
    if (const auto read = fhir::ReadJson(after.bytes, arena)) {
      if (const auto envelope = record::ReadEnvelope(**read)) correction.reason = envelope->reason;
    }
    page.corrections.push_back(std::move(correction));
  }
}

}  // namespace

std::string TraceEvent::Url() const {
  if (type.empty()) return {};
  return base + "/" + type + "/" + id + (version.empty() ? "" : "/_history/" + version);
}

Result<TracePage> MakeTracePage(const TracePorts& ports, const std::string& subject_key,
                                const std::optional<audit::VerifierKey>& key) {
  TracePage page;
  ADAPTER_TRY(page.record, ports.reader.Load(ports.snapshot, subject_key));
  ADAPTER_TRY(page.events, EventsOf(ports, page.record));
  page.proof.newer = static_cast<std::int64_t>(page.events.size());
  if (key) ADAPTER_CHECK(Prove(ports, *key, page));
  AddResources(page);
  AddCorrections(page);
  return page;
}

}  // namespace fhir_adapter::app
