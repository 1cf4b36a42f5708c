#include "app/trace_sections.h"

#include <algorithm>

#include "app/lineage_text.h"
#include "app/trace_live.h"
#include "audit/audit_entry.h"
#include "core/digest.h"

namespace fhir_adapter::app {
namespace {

constexpr const char* kNotKept = "(not kept)";

std::string Revision(std::int64_t revision) {
  return revision == 0 ? std::string() : std::to_string(revision);
}

void Append(std::string& text, const std::string& part, const char* before = "") {
  if (part.empty()) return;
  if (!text.empty()) text += "; ";
  text += before + part;
}

void AppendReasons(std::string& text, const std::vector<outbox::Reason>& reasons, const char* before = "") {
  for (const outbox::Reason& reason : reasons) {
    Append(text, std::string(Name(reason.code)) + " " + reason.pointer + " " + reason.message, before);
  }
}

std::string WhoOf(const TraceEvent& event) {
  std::string who = event.actor;
  if (!event.role.empty()) who += " as " + event.role;
  if (!event.client.empty()) who += " from " + event.client;
  return who;
}

// True for entries that stand for several of the same.
bool IsCount(const TraceEvent& event) {
  return event.event == audit::Name(audit::EventKind::kDuplicate) ||
         event.event == audit::Name(audit::EventKind::kRevisionConflict) ||
         event.event == audit::Name(audit::EventKind::kRead);
}

std::string WhatOf(const TraceEvent& event) {
  std::string what;
  Append(what, event.operation);
  if (event.attempt > 0) {
    Append(what, IsCount(event) ? std::to_string(event.attempt) + " times"
                                : "attempt " + std::to_string(event.attempt));
  }
  if (event.status > 0) Append(what, std::to_string(event.status), "HTTP ");
  Append(what, event.outcome);
  Append(what, event.Url());
  Append(what, event.etag, "ETag ");
  Append(what, event.map, "map ");
  Append(what, event.map_set_sha256, "map set ");
  if (event.supersedes > 0) Append(what, std::to_string(event.supersedes), "after entry ");
  Append(what, event.supersedes_reason);
  Append(what, event.request_id, "request ");
  if (!event.remark.empty()) Append(what, "“" + event.remark + "”", "reason: ");
  return what;
}

// The highest state that the record has reached: of its last work that was not overtaken.
std::string StateNow(const outbox::RecordTrace& record) {
  if (record.work.empty()) return "rejected";
  const outbox::TracedWork& last = record.work.back();
  return std::string(outbox::Name(last.state)) + " (revision " + std::to_string(last.revision) + ")";
}

std::string ErasureOf(const TracePage& page) {
  const outbox::Erasure& erasure = *page.record.erasure;
  const auto event = std::ranges::find(page.events, erasure.audit_sequence, &TraceEvent::sequence);
  std::string text = "erased on " + ToString(erasure.erased);
  if (event != page.events.end()) text += " by " + WhoOf(*event);
  text += " because “" + erasure.reason + "”";
  if (!erasure.finished)
    text += "; copies outside the tables may be left: start the daemon, or run `fhir-adapter erase` again";
  return text;
}

// What an auditor would look for and does not find.
std::string GapsOf(const TracePage& page) {
  std::string gaps;
  std::int64_t expected = 1;
  for (const outbox::TracedRevision& revision : page.record.revisions) {
    // Numbers may be far apart: those of HL7 v2 messages are seconds.
    const std::int64_t last = revision.revision - 1;
    if (expected < last) Append(gaps, Revision(expected) + " to " + Revision(last), "no revisions ");
    if (expected == last) Append(gaps, Revision(last), "no revision ");
    expected = revision.revision + 1;
    if (revision.bytes.empty()) Append(gaps, Revision(revision.revision), "not kept: bytes of revision ");
  }
  if (page.proof.newer > 0) {
    Append(gaps, std::to_string(page.proof.newer) + " entries are not covered by a checkpoint yet");
  }
  return gaps.empty() ? "none" : gaps;
}

TraceSection Head(const TracePage& page) {
  const outbox::RecordTrace& record = page.record;
  TraceSection section;
  section.heading = "Record " + record.site + "/" + record.record_id;
  std::vector<std::string> patients;
  for (const outbox::TracedRevision& revision : record.revisions) {
    const std::string mrn = revision.patient.mrn.empty() ? kNotKept : revision.patient.mrn;
    if (std::ranges::find(patients, mrn) == patients.end()) patients.push_back(mrn);
  }
  std::string all;
  for (const std::string& mrn : patients) Append(all, mrn);
  section.facts = {
      {"patient", all},
      {"revisions", std::to_string(record.revisions.size())},
      {"state", StateNow(record)},
      {"log", std::to_string(page.events.size()) + " entries, " + std::to_string(page.proof.proven) +
                  " proven against a checkpoint of " + std::to_string(page.proof.size) + " entries"},
      {"gaps", GapsOf(page)}};
  if (record.erasure) {
    section.facts.insert(section.facts.begin(), {"content", ErasureOf(page)});
  } else if (record.expired) {
    section.facts.insert(section.facts.begin(),
                         {"content", "bytes and mapped resources are no longer kept since " +
                                         ToString(*record.expired) + " ([retention] record_days)"});
  }
  return section;
}

TraceSection Revisions(const TracePage& page) {
  TraceSection section;
  section.heading = "Received";
  section.columns = {"revision", "status", "received", "by", "receipt", "bytes"};
  for (const outbox::TracedRevision& revision : page.record.revisions) {
    const auto event = std::ranges::find(page.events, revision.audit_sequence, &TraceEvent::sequence);
    const std::string who = event == page.events.end() ? std::string() : WhoOf(*event);
    section.rows.push_back({Revision(revision.revision), revision.status, ToString(revision.received),
                            revision.source + ": " + who, revision.receipt,
                            revision.bytes.empty() ? kNotKept
                                                   : std::to_string(revision.bytes.size()) +
                                                         " bytes, SHA-256 " + Sha256Hex(revision.bytes)});
  }
  for (const outbox::TracedRefusal& refusal : page.record.refusals) {
    std::string why = "refused";
    AppendReasons(why, refusal.reasons);
    section.rows.push_back({Revision(refusal.revision), "rejected", ToString(refusal.received),
                            refusal.source, refusal.receipt, why});
  }
  return section;
}

TraceSection Work(const TracePage& page) {
  TraceSection section;
  section.heading = "Mapped and sent";
  section.columns = {"revision", "work", "state", "attempts", "map", "map set", "engine", "why"};
  for (const outbox::TracedWork& work : page.record.work) {
    std::string why;
    AppendReasons(why, work.reasons);
    AppendReasons(why, work.notes, "note: ");
    Append(why, work.answer, "the server's answer: ");
    section.rows.push_back({Revision(work.revision),
                            std::string(outbox::Name(work.kind)) + " " + work.id.value,
                            std::string(outbox::Name(work.state)), std::to_string(work.attempts),
                            work.map_id.empty() ? std::string() : work.map_id + "|" + work.map_version,
                            work.map_set_sha256, work.engine, why});
  }
  return section;
}

TraceSection Correction(const TraceCorrection& correction) {
  TraceSection section;
  section.heading = "Revision " + Revision(correction.from) + " to " + Revision(correction.to);
  if (!correction.reason.empty()) section.facts.emplace_back("reason", correction.reason);
  AddChanges(correction.changes, "before", "after", section);
  return section;
}

// The versions that the server gave it while this was its content.
std::string VersionsOf(const TracePage& page, const TracedResource& resource, std::size_t state) {
  const std::int64_t revision = resource.states[state].revision;
  const bool is_last = state + 1 == resource.states.size();
  if (!is_last && resource.states[state + 1].revision == revision) return "see the next line";
  std::string versions;
  for (const std::size_t index : resource.versions) {
    const TraceEvent& event = page.events[index];
    if (event.revision < revision) continue;
    if (!is_last && event.revision >= resource.states[state + 1].revision) continue;
    const bool is_retracted = event.outcome == "nullified";  // what stands there says so, not the content
    Append(versions, event.Url() + " ETag " + event.etag + (is_retracted ? " (entered in error)" : ""));
  }
  return versions.empty() ? "not delivered" : versions;
}

TraceSection Resources(const TracePage& page) {
  TraceSection section;
  section.heading = "Resources";
  section.columns = {"resource", "identifier", "revision", "content", "on the server"};
  for (const TracedResource& resource : page.resources) {
    for (std::size_t i = 0; i < resource.states.size(); ++i) {
      const ResourceState& state = resource.states[i];
      section.rows.push_back({resource.key.type, resource.key.value, Revision(state.revision),
                              state.json.empty() ? kNotKept : state.summary, VersionsOf(page, resource, i)});
    }
  }
  return section;
}

TraceSection Lineage(const RevisionLineage& lineage) {
  TraceSection section;
  section.heading = "Where it came from, by revision " + Revision(lineage.revision);
  if (!lineage.problem.empty()) section.facts.emplace_back("note", lineage.problem);
  for (const pipeline::ElementLineage& element : lineage.elements) {
    section.verbatim += LineageText(element, lineage.file);
  }
  return section;
}

TraceSection Timeline(const TracePage& page) {
  TraceSection section;
  section.heading = "Timeline";
  section.columns = {"entry", "time", "revision", "event", "who", "what", "proof"};
  section.is_timeline = true;
  for (const TraceEvent& event : page.events) {
    section.rows.push_back({std::to_string(event.sequence), event.time, Revision(event.revision), event.event,
                            WhoOf(event), WhatOf(event), event.proof.empty() ? "not yet" : "proven"});
  }
  return section;
}

TraceSection Proof(const TracePage& page) {
  TraceSection section;
  section.heading = "Proof";
  if (page.proof.checkpoint.empty()) {
    section.facts.emplace_back("checkpoint",
                               page.proof.verifier_key.empty()
                                   ? "there is no verifier key beside the store"
                                   : "none: `serve` signs one within ten seconds, and at its stop");
    return section;
  }
  section.facts = {{"log", page.proof.origin},
                   {"verifier key", page.proof.verifier_key},
                   {"whole log", "fhir-adapter audit verify"},
                   {"one entry", "fhir-adapter audit prove ENTRY"}};
  section.verbatim = page.proof.checkpoint;
  return section;
}

}  // namespace

void AddChanges(const std::vector<fhir::ElementDifference>& changes, const char* before, const char* after,
                TraceSection& section) {
  section.columns = {"element", before, after};
  for (const fhir::ElementDifference& change : changes) {
    section.rows.push_back({change.path, change.before.empty() ? "–" : change.before,
                            change.after.empty() ? "–" : change.after});
  }
}

std::vector<TraceSection> SectionsOf(const TracePage& page) {
  std::vector<TraceSection> sections = {Head(page), Revisions(page)};
  for (const TraceCorrection& correction : page.corrections) sections.push_back(Correction(correction));
  for (const RevisionLineage& lineage : page.lineage) sections.push_back(Lineage(lineage));
  if (!page.record.work.empty()) sections.push_back(Work(page));
  if (!page.resources.empty()) sections.push_back(Resources(page));
  for (const TracedResource& resource : page.resources) {
    for (const ResourceState& state : resource.states) {
      if (state.changes.empty()) continue;
      TraceSection section;
      section.heading =
          resource.key.type + " " + resource.key.value + " by revision " + Revision(state.revision);
      AddChanges(state.changes, "before", "after", section);
      sections.push_back(std::move(section));
    }
  }
  if (page.live) AddLiveSections(*page.live, sections);
  sections.push_back(Timeline(page));
  sections.push_back(Proof(page));
  return sections;
}

}  // namespace fhir_adapter::app
