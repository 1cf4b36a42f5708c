// The last check before resources leave: what would break FHIR R4 stays here and waits for a person.
//
// Stateless; thread-safe.
#pragma once

#include <string_view>

#include "core/issue.h"
#include "fhir/schema.h"
#include "fml/bundle_assembler.h"

namespace fhir_adapter::pipeline {

// Each problem is an issue with code output-invalid. Its place is that of what was mapped (`pointer_prefix`
// in `file`); the message names the resource, by type and identifier, and its element.
void CheckOutput(const fml::Assembly& assembly, std::string_view file, std::string_view pointer_prefix,
                 const fhir::Schema& schema, Issues& issues);

}  // namespace fhir_adapter::pipeline
