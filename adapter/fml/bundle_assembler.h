// Makes a transaction Bundle, or a list of resources, of the Bundle that a map made: identities, fullUrls,
// requests, references and order. Knows no clinical code.
//
// A map's Bundle holds entry.resource only. The identity of an entry is the first identifier of its resource
// whose system begins with `{canonical_base}/sid/it-`; for types without `identifier` the caller gives it
// (MakeProvenance of the rules and the pipeline), else `output-invalid`. uuid = UUIDv5 in the URL namespace
// of `{system}|{value}`; fullUrl = `urn:uuid:{uuid}`; request `PUT Type?identifier={system}|{value}`, or
// `PUT Type/{uuid}` with `id` for types that R4 cannot find by identifier. References: placeholders of
// reference() and conditional references (`Type?identifier=…`) to an entry become its fullUrl. Order: what is
// referred to before what refers to it, else the order of the map. FHIR R4 http.html#transaction.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/arena.h"
#include "core/issue.h"
#include "core/result.h"
#include "fhir/node.h"
#include "fhir/schema.h"
#include "fml/mapper.h"

namespace fhir_adapter::fml {

// `{system}|{value}` with both parts as they stand in the resource. Views of the arena.
struct Identity {
  std::string_view system;
  std::string_view value;
  std::string_view uuid;  // lower case
};

// Whether R4 has the search parameter `identifier` for the type (AdverseEvent, Provenance, AuditEvent: no).
bool IsFoundByIdentifier(std::string_view resource_type);

// `system|value` for a search or a conditional reference: `\` `,` `|` `$` escaped with a backslash, then all
// but unreserved characters, ':' and '/' percent-encoded; the separating bar stays.
std::string_view SearchToken(std::string_view system, std::string_view value, Arena& arena);

// Views of the arena.
struct AssembledEntry {
  Identity identity;
  std::string_view type;           // resource type
  fhir::Node* resource = nullptr;  // as it stands in the bundle
  std::string_view request_url;    // "Procedure?identifier=…" or "AdverseEvent/{uuid}"
};

// A resource that joins those of the map: Provenance, DetectedIssue.
struct ExtraEntry {
  fhir::Node* resource = nullptr;
  std::string_view system;  // its identity where the resource has none; empty: by its identifier
  std::string_view value;
};

enum class AssemblyForm : std::uint8_t {
  kTransaction,  // fullUrl and request, references urn:uuid:…
  kResources     // each resource with id = uuid, references Type/{uuid}
};

struct Assembly {
  fhir::Node* bundle = nullptr;         // kTransaction only; null when an issue is graver than a note
  std::vector<AssembledEntry> entries;  // ordered
  Issues issues;
};

struct AssemblyOptions {
  std::string_view canonical_base;
  AssemblyForm form = AssemblyForm::kTransaction;
  std::string_view pointer_prefix;
  std::string_view file;
};

// Changes the mapping's tree. `mapping.target` must be a Bundle, else output-invalid.
Assembly AssembleBundle(Mapping& mapping, const std::vector<ExtraEntry>& extras,
                        const AssemblyOptions& options, const fhir::Schema& schema, Arena& arena);

}  // namespace fhir_adapter::fml
