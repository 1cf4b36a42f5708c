// Cosignatures (c2sp.org/tlog-cosignature, Ed25519): a witness signs a checkpoint, and when it saw it, after
// it has proved that the log has grown from what it cosigned before.
//
// Values and pure functions; thread-safe. Errors: kUsage for a text that is no key, kIntegrity for what does
// not verify.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "audit/checkpoint.h"
#include "audit/checkpoint_file.h"
#include "audit/log_verifier.h"
#include "audit/signed_note.h"

namespace fhir_adapter::audit {

class WitnessKey {
 public:
  // `name+hash+base64(0x04 ‖ key)`; a key for plain notes (0x01) stands for the same.
  static Result<WitnessKey> Parse(std::string_view text);

  const std::string& name() const { return key_.name(); }
  std::string id() const;  // 4 bytes: the beginning of SHA-256(name ‖ 0x0A ‖ 0x04 ‖ key)
  bool Verifies(std::string_view message, std::string_view signature) const {
    return key_.Verifies(message, signature);
  }

 private:
  WitnessKey(VerifierKey key, std::string public_key)
      : key_(std::move(key)), public_key_(std::move(public_key)) {}

  VerifierKey key_;
  std::string public_key_;
};

struct Cosignature {
  std::int64_t time_s = 0;  // since 1970, as the witness says
  std::string line;         // with its line end
};

// The cosignature by `key` of a note's text (which ends in a newline) among the lines of signatures.
Result<Cosignature> FindCosignature(const WitnessKey& key, std::string_view text, std::string_view lines);

// The two parts of a note: its text, and its signature lines. kIntegrity for what is none.
struct NoteParts {
  std::string_view text;
  std::string_view lines;
};
Result<NoteParts> SplitNote(std::string_view note);

struct Cosigned {
  std::uint64_t checkpoints = 0;
  std::optional<Checkpoint> last;
  std::int64_t last_time_s = 0;
};

// What stands in the file of cosigned checkpoints; one that is not signed by both is told in the report.
Result<Cosigned> ReadCosigned(const VerifierKey& log, const WitnessKey& witness, const CheckpointFile& file,
                              VerifyReport& report);

}  // namespace fhir_adapter::audit
