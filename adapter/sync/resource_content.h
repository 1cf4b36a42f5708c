// What delivery does to the JSON of a resource: its status, its references, and whether two say the same.
//
// Two forms. *Map form* is what the ledger keeps: references to our own resources as urn:uuid:, the patient
// as a conditional reference; it does not depend on a server. *Server form* is what a server holds: literal
// references, an id, meta. Trees live in the caller's arena. Pure functions; thread-safe. FHIR R4.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "core/arena.h"
#include "core/result.h"
#include "fhir/node.h"

namespace fhir_adapter::sync {

Result<fhir::Node*> ReadResource(std::string_view json, Arena& arena);
// In the element order of R4, so that the same content gives the same bytes.
std::string WriteOrdered(const fhir::Node& resource);

// Observation.status and the like; Condition has it in verificationStatus. Empty: none.
std::string_view StatusOf(const fhir::Node& resource);

bool HasTag(const fhir::Node& resource, std::string_view system, std::string_view code);
void AddTag(fhir::Node& resource, std::string_view system, std::string_view code, std::string_view display,
            Arena& arena);

// True when the resource says that it is not to be believed: entered-in-error, a DetectedIssue cancelled, or
// the tag of `local_system` on types that have no status.
bool IsNullified(const fhir::Node& resource, std::string_view local_system);

enum class Nullification : std::uint8_t {
  kEnteredInError,
  kCancelled,  // a DetectedIssue that no longer fires; other types: as kEnteredInError
};

// R4's way for each type: a status element; Condition by verificationStatus without clinicalStatus and
// abatement (con-4, con-5); a type without status by a tag of `local_system` and, in an AdverseEvent, by its
// text.
void Nullify(fhir::Node& resource, Nullification how, std::string_view local_system, Arena& arena);

// Calls `replace` with the text of each Reference.reference; what it returns takes its place (empty: no
// change).
using ReplaceReference = std::function<std::string(std::string_view)>;
void RewriteReferences(fhir::Node& node, const ReplaceReference& replace, Arena& arena);

// Removes id, text, and of meta everything but tags; references below `base_url` become relative and lose
// `_history`. What is left is compared.
void StripServerParts(fhir::Node& resource, std::string_view base_url, Arena& arena);

// The same content, without regard to Observation.status where both are final, amended or corrected.
bool SameButForCorrection(const fhir::Node& a, const fhir::Node& b);

// `uuid` → "Type/id" of what is on the server.
using Literals = std::map<std::string, std::string, std::less<>>;

// Map form to server form: urn:uuid: of known resources, and every conditional reference to a Patient, become
// literal. What is not known stays.
void ToServerReferences(fhir::Node& resource, const Literals& literals, std::string_view patient,
                        Arena& arena);

}  // namespace fhir_adapter::sync
