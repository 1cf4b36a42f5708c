// The files of the audit log beside the store.
#pragma once

#include <string>

#include "app/configuration.h"
#include "audit/checkpoint_file.h"

namespace fhir_adapter::app {

// `{store}.checkpoints`: named after the store, since a folder may hold several.
std::string CheckpointsPath(const Configuration& configuration);
// `{store}.cosigned`: the checkpoints that the witness over HTTP has cosigned, with its cosignature.
std::string CosignedPath(const Configuration& configuration);
// `{store}.audit-key` (mode 0600) and `{store}.vkey`, which is given to those who verify.
std::string SigningKeyPath(const Configuration& configuration);
std::string VerifierKeyPath(const Configuration& configuration);
// The name of the log in checkpoints: `[audit] origin`, else canonical_base without its scheme and the site.
std::string LogOrigin(const Configuration& configuration);

}  // namespace fhir_adapter::app
