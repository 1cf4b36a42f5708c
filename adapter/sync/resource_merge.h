// MergeResource: what becomes of a resource that somebody else changed on the server after we wrote it.
//
// Three versions in server form, without what the server adds (StripServerParts): `base`, which we know to
// have stood there; `theirs`, which stands there now; `ours`, which we want. What was added beside what we
// said goes along with ours: a further element, a further item of a list, a display. What we said and they
// changed or took away is contested, and so is what changes the meaning of what we said: R4's modifier
// elements, and a part of a quantity, period or the like.
//
// Pure; thread-safe. Trees live in `arena`.
#pragma once

#include <string>
#include <vector>

#include "core/arena.h"
#include "fhir/node.h"

namespace fhir_adapter::sync {

// What to do with an element that we said and they changed.
enum class Contested : std::uint8_t {
  kReport,      // ours stands in the result, and the element is named
  kKeepTheirs,  // where ours says what it said before; else as kReport
  kTakeOurs,    // never named
};

struct MergedResource {
  fhir::Node* resource = nullptr;
  std::vector<std::string> contested;  // element paths as those of DifferingElements
  bool has_theirs = false;             // something of theirs stands in `resource` that ours does not say
};

// A result that breaks FHIR R4 where ours does not (as a second value[x]) is contested as a whole or, with
// kTakeOurs, ours alone.
MergedResource MergeResource(const fhir::Node& base, const fhir::Node& theirs, const fhir::Node& ours,
                             Contested rule, Arena& arena);

}  // namespace fhir_adapter::sync
