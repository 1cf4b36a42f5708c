// The files that a directory source has put away: how much there is, and taking away what is old.
//
// Blocking. Sub-folders and links are left alone. Errors: input-output, with the path; a folder that is not
// there is empty.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace fhir_adapter::intake {

struct FolderUse {
  std::int64_t files = 0;
  std::int64_t bytes = 0;
};

Result<FolderUse> MeasureFolder(const std::string& path);

// Names of up to `files_max` files that were put there before `before`.
Result<std::vector<std::string>> OldFiles(const std::string& path, TimeUs before, std::size_t files_max);
Result<void> RemoveFiles(const std::string& path, const std::vector<std::string>& names);

}  // namespace fhir_adapter::intake
