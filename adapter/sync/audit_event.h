// The FHIR AuditEvent of one interaction: that this program created or updated a resource on the server, for
// which patient, under which X-Request-Id. Pure; thread-safe. IHE BALP, patterns Create and Update with a
// patient; FHIR R4 auditevent.html.
//
// R4 gives an AuditEvent no identifier: its id is made from the entry of the log that says the same.
#pragma once

#include <string>
#include <string_view>

#include "core/clock.h"
#include "outbox/delivery_plan.h"

namespace fhir_adapter::sync {

inline constexpr std::string_view kAuditEvent = "AuditEvent";

struct Interaction {
  bool is_create = false;
  std::string type;
  std::string server_id;
  std::string version_id;  // empty: not said
  std::string patient;     // "Patient/x", in whose chart it stands
  std::string request_id;  // empty: the answer was lost, and what was written was looked for
  TimeUs recorded;
};

// Who takes part in all of them.
struct Participants {
  std::string canonical_base;
  std::string client;      // our machine's name
  std::string server_url;  // FHIR base
  std::string user;        // JSON of a Reference to who answers for the record; empty: not known
};

// {base}/sid/it-audit
std::string AuditEventSystem(std::string_view canonical_base);

// The author that the work's Provenance names, as JSON of a Reference that needs no server to be read; empty:
// none.
std::string AuthorOf(const outbox::WorkItem& item);

// "Type/id" of the resource that an AuditEvent tells of; empty: it cannot be read.
std::string AuditedPlace(std::string_view json);

// As `map` would write it; without id.
std::string MakeAuditEvent(const Interaction& interaction, const Participants& participants);

}  // namespace fhir_adapter::sync
