// Gives an HL7 v2 message the shape of its logical model, which is what a map reads.
//
// The model's elements with a name of three capitals or digits (`OBX`) are segments; its other elements with
// children are groups. A group begins with its first segment: a segment that the innermost open group has no
// place for is looked for in the groups around it. A field is the element `f5`, its component `c1` or, with
// a subcomponent, `c4s2`; a field of a simple type is its first component. A type decides how a value is
// read: TS becomes date, dateTime or instant with the precision that it has (seconds that R4 demands are
// zero), NM a decimal with its digits. `""` (delete) and an empty value are both left out, because a message
// says all of what it speaks of.
//
// A time without an offset has that of MSH-7, as HL7 v2.5 2.A.22 says; where that has none either, the one
// that the clocks of `zone` had then. Without a zone none is guessed. The element
// `sent` of the root is MSH-7 in seconds since 2000-01-01T00:00:00Z (an integer of R4 has 32 bits).
// Stateless; thread-safe. Issues name segment and field (`PID-7`), never a value: time-ambiguous, map-failed
// for a value that cannot be read, and the note unknown-field for what the model has no place for.
#pragma once

#include "core/arena.h"
#include "core/issue.h"
#include "core/time_zone.h"
#include "fhir/node.h"
#include "record/record_model.h"

namespace fhir_adapter::record {

// `message` is what ReadHl7Message gave and outlives the result, which shares its texts.
fhir::Node* ShapeHl7Message(const fhir::Node& message, const RecordModel& model, Arena& arena, Issues& issues,
                            const TimeZone* zone = nullptr);

}  // namespace fhir_adapter::record
