// CheckResource: does what leaves the program keep to FHIR R4?
//
// Cardinality, unknown elements, JSON types, formats of primitives, empty values, required bindings, choices,
// references (form, target types, contained resources, urn:uuid inside a Bundle), extensions whose definition
// the Schema holds, and the invariants of fhir/invariants.h. Not: terminology beyond required bindings,
// profiles, slicing, narrative.
//
// Stateless; thread-safe. Each problem is one Issue with code output-invalid, the JSON pointer below
// `resource`, and a message that begins with the element's path; no message holds a value.
#pragma once

#include "core/issue.h"
#include "fhir/element.h"
#include "fhir/node.h"
#include "fhir/schema.h"

namespace fhir_adapter::fhir {

// A resource, or a Bundle with all its resources. At most limits::kCheckIssuesMax issues are appended.
void CheckResource(const Node& resource, const Schema& schema, Issues& out);
// The element's own type holds, so that an instance of a logical model can be checked too.
void CheckResource(const Element& resource, const Schema& schema, Issues& out);

}  // namespace fhir_adapter::fhir
