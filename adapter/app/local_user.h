// The user who runs a command, as the audit log names an actor.
#pragma once

#include "core/principal.h"

namespace fhir_adapter::app {

Principal LocalUser();

}  // namespace fhir_adapter::app
