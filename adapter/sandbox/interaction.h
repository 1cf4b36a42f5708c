// What a client asks of one resource, and what becomes of it: the same for a request of its own and for an
// entry of a Bundle. Values. FHIR R4 http 3.1.0.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/arena.h"
#include "fhir/node.h"
#include "net/http_message.h"
#include "sandbox/refusal.h"
#include "sandbox/resource_store.h"

namespace fhir_adapter::sandbox {

struct Interaction {
  std::string method;  // GET, POST, PUT, DELETE
  std::string type;    // empty: the system
  std::string id;      // empty: the type
  bool is_history = false;
  std::optional<std::string> version;  // vread
  std::string raw_query;               // search, or the criteria of a conditional interaction
  std::vector<net::QueryParameter> query;
  std::string if_match;
  std::string if_none_match;
  std::optional<std::string> if_none_exist;
  fhir::Node* resource = nullptr;  // the body, in `arena`
  Arena* arena = nullptr;
  bool in_transaction = false;
  bool lenient = false;    // Prefer: handling=lenient
  std::string expression;  // where it stands, for OperationOutcome: "Bundle.entry[1]" or empty
};

struct InteractionResult {
  int status = 200;
  ResourceVersion resource;  // without id: there is none (a search, a deletion of nothing)
  std::string body;          // of a read; for others empty: resource.content is what was written
  std::vector<OutcomeIssue> notes;
};

// "W/\"3\"", "\"3\"", "3" → 3.
std::optional<std::int64_t> ParseEntityTag(std::string_view text);

// A Bundle entry's url: "Patient/1", "Patient?identifier=…", "Patient/1/_history/2".
Refusable<Interaction> ParseInteractionUrl(std::string method, std::string_view url,
                                           std::string_view base_url);

bool IsResourceId(std::string_view text);       // R4 id: 1 to 64 of A-Z a-z 0-9 - .
bool IsResourceType(std::string_view text);     // a concrete type of R4
std::string InstantText(std::int64_t time_us);  // 2026-03-01T12:00:00.000Z

}  // namespace fhir_adapter::sandbox
