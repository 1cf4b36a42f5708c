// Does a resource keep to FHIR R4? The sandbox's front door to the checker of adapter/fhir.
#pragma once

#include "sandbox/interaction.h"
#include "sandbox/refusal.h"

namespace fhir_adapter::sandbox {

// 422 with one issue for each problem. Literal references are checked elsewhere.
MaybeRefusal CheckContent(const Interaction& interaction);

}  // namespace fhir_adapter::sandbox
