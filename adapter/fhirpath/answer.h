// The answer of the command `fhirpath`: a result as a JSON array of {"type","value"}.
//
//   [{"type":"FHIR.string","value":"Peter"},{"type":"System.Decimal","value":250.00}]
//
// Stateless; thread-safe. Numbers keep their digits, complex values are objects, quantities are objects with
// value, unit, system and code, dates and times are texts without @ (and T).
#pragma once

#include <string>
#include <string_view>

#include "core/arena.h"
#include "core/result.h"
#include "fhirpath/fhirpath.h"

namespace fhir_adapter::fhirpath {

std::string ToAnswer(const Collection& result, Arena& arena);

// "syntax", "semantic" or "execution".
std::string_view KindOfError(const Error& error);

struct AnswerRequest {
  std::string_view expression;
  const fhir::Node* resource = nullptr;  // null: the empty collection
  bool strict = true;                    // as Scope::strict
  bool check_order = false;              // as Scope::check_order
};

// Parses, resolves and evaluates one expression; the result as ToAnswer writes it.
Result<std::string> Answer(const AnswerRequest& request, const fhir::Schema& schema, const Moment& moment,
                           Host* host, Arena& arena);

}  // namespace fhir_adapter::fhirpath
