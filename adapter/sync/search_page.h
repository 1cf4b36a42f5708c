// SearchPage: where the next page of a searchset is. Pure; thread-safe. FHIR R4 http.html#paging.
#pragma once

#include <string>

#include "core/result.h"
#include "fhir/node.h"

namespace fhir_adapter::sync {

// Below the base: "Procedure?page=2" or "?page=2". Empty: this is the last one. Error kServerAnswer: the link
// leads away from `base_url`, where our credentials must not go.
Result<std::string> NextPage(const fhir::Node& bundle, const std::string& base_url);

}  // namespace fhir_adapter::sync
