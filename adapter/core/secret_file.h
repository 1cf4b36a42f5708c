// Files that hold a secret: passwords, tokens, signing keys. Their content never appears in an error.
//
// Only the owner may have access: a file that its group or others may read, write or run is refused, on what
// is opened and not on its name, so that nobody can put another file there in between. Errors: kFileNotFound
// (there is no such file), kConfiguration (everything else, with what to do).
#pragma once

#include <cstddef>
#include <string>

#include "core/result.h"

namespace fhir_adapter {

// All of the file's bytes, at most `bytes_max`.
Result<std::string> ReadOwnersFile(const std::string& file, std::size_t bytes_max);

// A password or token: one line of 1 to kSecretBytesMax bytes, without its line end.
Result<std::string> ReadSecret(const std::string& file);

}  // namespace fhir_adapter
