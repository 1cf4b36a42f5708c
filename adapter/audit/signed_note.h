// Signed notes (c2sp.org/signed-note) with Ed25519 keys (RFC 8032): a text and lines that sign it.
//
// SigningKey owns its key; it stands in a file of mode 0600 and never in a message. Values otherwise.
// Thread-safe for const use. Errors: kInputOutput, kFileNotFound for files; kIntegrity for what does not
// verify.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

struct evp_pkey_st;

namespace fhir_adapter::audit {

struct KeyFreer {
  void operator()(evp_pkey_st* key) const;
};
using KeyHandle = std::unique_ptr<evp_pkey_st, KeyFreer>;

// The public half, as others are given it: `name+hash+base64(0x01 ‖ key)`.
class VerifierKey {
 public:
  VerifierKey(std::string name, std::string public_key);
  static Result<VerifierKey> Parse(std::string_view text);

  const std::string& name() const { return name_; }
  std::string id() const;    // 4 bytes: the beginning of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key)
  std::string Text() const;  // without a line end

  bool Verifies(std::string_view text, std::string_view signature) const;

 private:
  std::string name_;
  std::string public_key_;  // 32 bytes
};

class SigningKey {
 public:
  static SigningKey Make(std::string name);
  // Of a PEM file (PKCS #8) that nobody else may read; makes the file when there is none.
  static Result<SigningKey> LoadOrMake(const std::string& path, std::string name);
  static Result<SigningKey> Load(const std::string& path, std::string name);

  const VerifierKey& verifier() const { return verifier_; }
  std::string Sign(std::string_view text) const;  // 64 bytes

 private:
  SigningKey(KeyHandle key, std::string name);

  KeyHandle key_;
  VerifierKey verifier_;
};

// A note: the text (which ends in a newline), an empty line and a signature line.
std::string SignNote(const SigningKey& key, std::string_view text);

// The text of a note that `key` has signed; signatures of other keys are ignored.
Result<std::string> OpenNote(const VerifierKey& key, std::string_view note);

}  // namespace fhir_adapter::audit
