// Checkpoints (c2sp.org/tlog-checkpoint): what the log says of itself at a size, signed.
//
// Values. Errors: kIntegrity for a text that is no checkpoint or is not signed by the key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "audit/merkle_tree.h"
#include "audit/signed_note.h"

namespace fhir_adapter::audit {

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Hash root{};

  bool operator==(const Checkpoint&) const = default;
};

std::string ToText(const Checkpoint& checkpoint);  // three lines
Result<Checkpoint> ParseCheckpoint(std::string_view text);

std::string SignCheckpoint(const SigningKey& key, const Checkpoint& checkpoint);  // a note
// The origin must be the name of the key.
Result<Checkpoint> OpenCheckpoint(const VerifierKey& key, std::string_view note);

// A proof that an entry is in the log (c2sp.org/tlog-proof), with the entry's own bytes as extra data.
std::string ProofText(std::string_view entry, std::uint64_t index, const Proof& proof, std::string_view note);

}  // namespace fhir_adapter::audit
