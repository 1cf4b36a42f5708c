// How our resources are named: the uuid of an identifier, and identifiers in a search.
//
// Pure functions; thread-safe. RFC 9562 section 5.5 (UUID version 5); FHIR R4 search.html (escaping).
#pragma once

#include <string>
#include <string_view>

#include "outbox/delivery_plan.h"

namespace fhir_adapter::sync {

// UUIDv5 of `{system}|{value}` in the URL namespace, lower case.
std::string UuidOf(std::string_view system, std::string_view value);

// Whether R4 can find the type by `identifier` (AdverseEvent, Provenance and AuditEvent it cannot).
bool HasIdentifierSearch(std::string_view type);

// `system|value` for a query: `\` `,` `|` `$` of each part escaped with a backslash, then all but unreserved
// characters, ':' and '/' percent-encoded; the separating bar stays.
std::string SearchToken(std::string_view system, std::string_view value);

// W/"3" of a version; empty of an empty one.
std::string EntityTag(std::string_view version_id);

// The version in `W/"3"`, `"3"` or `3`.
std::string VersionOfEntityTag(std::string_view etag);

struct ResourceLocation {
  std::string type;
  std::string id;
  std::string version_id;  // empty: not said
};

// Reads `[base/]Type/id[/_history/version]`. Empty type: it is none, or of another server.
ResourceLocation ParseLocation(std::string_view location, std::string_view base_url);

}  // namespace fhir_adapter::sync
