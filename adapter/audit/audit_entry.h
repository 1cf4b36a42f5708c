// Entry: one line of the audit log, version 1. Its exact bytes are stored and (later) hashed into the tree.
//
// A value. Holds no clinical value: payloads and patients stand in it as commitments
// (HMAC-SHA-256 under a key of the record or patient that can be erased).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/principal.h"

namespace fhir_adapter::audit {

enum class EventKind : std::uint8_t {
#define AUDIT_EVENT(name, text) name,
#include "audit/events.def"
#undef AUDIT_EVENT
};

std::string_view Name(EventKind event);

inline constexpr int kEntryVersion = 1;

// Number of an entry: 1, 2, … without gaps, in the order of commits.
using Sequence = std::int64_t;

struct LocalReference {  // the clinic's record
  std::string system;    // site
  std::string record;
  std::int64_t revision = 0;  // 0: none
  std::string commitment;     // hex
};

struct MappingReference {
  std::string id;
  std::string version;
  std::string sha256;  // of the map set
  std::string engine;
};

struct FhirReference {
  std::string base;
  std::string type;
  std::string id;
  std::string version;
  std::string etag;
  std::string commitment;  // hex
};

struct Supersedes {
  Sequence sequence = 0;
  std::string reason;  // a code, never free text
};

// What a caller states. The log adds v, seq, boot_id and trace_seq.
struct Entry {
  TimeUs time;
  EventKind event = EventKind::kReceived;
  std::string trace_id;  // see TraceOfSubject; empty: the trace of this run of the program
  Principal actor;
  std::string role;           // the role made use of; empty for the program itself
  std::string patient_token;  // hex; empty when no patient is concerned
  std::optional<LocalReference> local;
  std::optional<MappingReference> mapping;
  std::optional<FhirReference> fhir;
  std::string operation;  // "transaction", "batch", "create", "search", … or the command
  int attempt = 0;        // which one, or how many of them this entry stands for; 0: none
  std::string outcome;    // a code of error_codes.def, or "ok"
  int status = 0;         // HTTP status; 0: none
  std::optional<Supersedes> supersedes;
};

// What the log adds.
struct Position {
  Sequence sequence = 0;
  std::string boot_id;
  std::string trace_id;
  std::int64_t trace_sequence = 0;  // 1..n without gaps within one trace
};

// All entries about one record carry one trace id: 32 hex digits made from its subject key.
std::string TraceOfSubject(std::string_view subject_key);

// Compact JSON, members in the order of the format, absent ones left out. The same entry always gives the
// same bytes.
std::string Encode(const Entry& entry, const Position& position);

}  // namespace fhir_adapter::audit
