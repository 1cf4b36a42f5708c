// Checks the shape of a record against its model: types, cardinality, closed lists, patterns and lengths.
//
// Pure; thread-safe for a finished model. Members that are null are taken out of the tree, because null and
// absent mean the same; members that the model does not know stay and are reported as `unknown-field`.
// Issues stand in the order of the document, what is missing from an object after its members. Each has the
// JSON pointer (RFC 6901) of the value, with `pointer` (the place of the record in its array) in front, and
// line and column. A missing member has the pointer it would have and the position of its parent.
#pragma once

#include <string>
#include <string_view>

#include "core/arena.h"
#include "core/issue.h"
#include "fhir/node.h"
#include "record/record_model.h"

namespace fhir_adapter::record {

// Codes reported: type, missing, not-allowed, limit, unknown-field.
void CheckStructure(fhir::Node& root, const RecordModel& model, std::string pointer, Issues& issues);

// Codes reported: duplicate-row at the later key, dangling-row at the value that refers to nothing. Only for
// a record without rejected issues. `arena` is for work only.
void CheckRows(const fhir::Node& root, const RecordModel& model, std::string_view pointer, Arena& arena,
               Issues& issues);

}  // namespace fhir_adapter::record
