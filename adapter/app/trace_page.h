// TracePage: what an auditor is shown of one record, put together from its rows, the log and the log's
// proofs.
//
// A value; it holds clinical content and goes to the one who asked for it, never to a log. Errors: those of
// the store; kIntegrity for an entry of the log that cannot be read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/trace_lineage.h"
#include "audit/audit_log.h"
#include "audit/audit_tree.h"
#include "audit/signed_note.h"
#include "fhir/json_difference.h"
#include "outbox/trace_reader.h"
#include "sync/live_reader.h"

namespace fhir_adapter::app {

// An entry of the audit log.
struct TraceEvent {
  std::int64_t sequence = 0;
  std::string time;
  std::string event;
  std::string actor;  // "user alice", "system"
  std::string role;
  std::string client;  // address and application
  std::string request_id;
  std::int64_t revision = 0;
  std::string operation;
  std::int64_t attempt = 0;
  std::string outcome;
  std::int64_t status = 0;  // HTTP
  std::string map;          // "id|version"
  std::string map_set_sha256;
  // Of a resource on a server; empty: the entry speaks of none.
  std::string base;
  std::string type;
  std::string id;
  std::string version;
  std::string etag;
  std::int64_t supersedes = 0;
  std::string supersedes_reason;
  std::string remark;  // why, in the words of the person; empty: none, or erased
  std::string proof;   // a tlog-proof that it is in the log; empty: newer than the last checkpoint

  std::string Url() const;  // with _history/version
};

// What a resource was to be by one revision.
struct ResourceState {
  std::int64_t revision = 0;
  std::string work_id;
  std::string json;     // empty: erased
  std::string sha256;   // of json
  std::string summary;  // one line for a person
  // Against the state before; empty for the first.
  std::vector<fhir::ElementDifference> changes;
};

// A resource with everything that was intended of it and every version that a server gave it.
struct TracedResource {
  outbox::ResourceKey key;
  std::vector<ResourceState> states;
  std::vector<std::size_t> versions;  // indices of events
};

// From one revision of the record to the next one.
struct TraceCorrection {
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::string reason;  // as the record gives it
  std::vector<fhir::ElementDifference> changes;
};

struct TraceProof {
  std::string checkpoint;  // the newest note; empty: none was signed yet
  std::string origin;
  std::uint64_t size = 0;  // entries that it covers
  std::string verifier_key;
  std::int64_t proven = 0;  // entries of the page
  std::int64_t newer = 0;   // than the checkpoint
};

// What the configured server holds now.
struct TraceLive {
  std::string base;
  TimeUs asked;
  sync::LiveRecord record;
  std::size_t elsewhere = 0;  // resources on servers that are not configured, and were not asked
};

struct TracePage {
  outbox::RecordTrace record;
  std::vector<TraceEvent> events;         // in the order of the log
  std::vector<TracedResource> resources;  // in the order in which they were first intended
  std::vector<TraceCorrection> corrections;
  std::vector<RevisionLineage> lineage;  // when it was asked for
  TraceProof proof;
  std::optional<TraceLive> live;  // when it was asked for
};

struct TracePorts {
  storage::Snapshot& snapshot;
  outbox::TraceReader& reader;
  audit::AuditLog& log;
  audit::AuditTree& tree;
};

// Without a key nothing is proven. kIntegrity: an entry is not what was signed.
Result<TracePage> MakeTracePage(const TracePorts& ports, const std::string& subject_key,
                                const std::optional<audit::VerifierKey>& key);

}  // namespace fhir_adapter::app
