#include "audit/cosignature.h"

#include <algorithm>
#include <utility>

#include "core/base64.h"
#include "core/digest.h"

namespace fhir_adapter::audit {
namespace {

constexpr char kNoteKey = 0x01;  // signature types of the specification
constexpr char kCosignatureKey = 0x04;
constexpr std::size_t kPublicKeyBytes = 32;
constexpr std::size_t kIdBytes = 4;
constexpr std::size_t kTimeBytes = 8;
constexpr std::size_t kSignatureBytes = 64;
constexpr std::string_view kSignaturePrefix = "\xE2\x80\x94 ";  // em dash, space

std::string IdOf(std::string_view name, char type, std::string_view public_key) {
  const auto digest = Sha256({name, "\n", std::string_view(&type, 1), public_key});
  return {reinterpret_cast<const char*>(digest.data()), kIdBytes};
}

std::string Hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char character : bytes) {
    const auto byte = static_cast<unsigned char>(character);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 0xF];
  }
  return text;
}

std::int64_t BigEndian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char character : bytes) number = number << 8 | static_cast<unsigned char>(character);
  return static_cast<std::int64_t>(number);
}

}  // namespace

Result<WitnessKey> WitnessKey::Parse(std::string_view text) {
  const std::size_t first = text.find('+');
  const std::size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos || first == 0) {
    return Fail(Code::kUsage, "a witness key has the form name+hash+key");
  }
  const auto key = FromBase64(text.substr(second + 1));
  const bool is_key = key && key->size() == kPublicKeyBytes + 1 &&
                      (key->front() == kCosignatureKey || key->front() == kNoteKey);
  if (!is_key) return Fail(Code::kUsage, "the witness key is not an Ed25519 key");
  const std::string name(text.substr(0, first));
  std::string public_key = key->substr(1);
  if (Hex(IdOf(name, key->front(), public_key)) != text.substr(first + 1, second - first - 1)) {
    return Fail(Code::kUsage, "the hash of the witness key does not fit its name and key");
  }
  return WitnessKey(VerifierKey(name, public_key), public_key);
}

std::string WitnessKey::id() const {
  return IdOf(name(), kCosignatureKey, public_key_);
}

Result<Cosignature> FindCosignature(const WitnessKey& key, std::string_view text, std::string_view lines) {
  const std::string begin = std::string(kSignaturePrefix) + key.name() + " ";
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    if (!line.starts_with(begin)) continue;
    const auto bytes = FromBase64(line.substr(begin.size()));
    if (!bytes || bytes->size() != kIdBytes + kTimeBytes + kSignatureBytes || !bytes->starts_with(key.id())) {
      continue;
    }
    const std::string_view all = *bytes;
    const std::int64_t time_s = BigEndian(all.substr(kIdBytes, kTimeBytes));
    const std::string message = "cosignature/v1\ntime " + std::to_string(time_s) + "\n" + std::string(text);
    if (!key.Verifies(message, all.substr(kIdBytes + kTimeBytes))) {
      return Fail(Code::kIntegrity, "the cosignature of " + key.name() + " does not fit the checkpoint");
    }
    return Cosignature{time_s, std::string(line) + "\n"};
  }
  return Fail(Code::kIntegrity, "the checkpoint is not cosigned by " + key.name());
}

Result<NoteParts> SplitNote(std::string_view note) {
  const std::size_t end = note.rfind("\n\n");
  if (end == std::string_view::npos || !note.ends_with('\n')) {
    return Fail(Code::kIntegrity, "this is not a signed note");
  }
  return NoteParts{note.substr(0, end + 1), note.substr(end + 2)};
}

Result<Cosigned> ReadCosigned(const VerifierKey& log, const WitnessKey& witness, const CheckpointFile& file,
                              VerifyReport& report) {
  Cosigned cosigned;
  std::uint64_t number = 0;
  ADAPTER_CHECK(file.ForEach([&](const std::string& note) -> Result<void> {
    const std::string name = "checkpoint " + std::to_string(++number) + " of " + file.path();
    auto checkpoint = OpenCheckpoint(log, note);
    const auto parts = SplitNote(note);
    const auto cosignature = parts ? FindCosignature(witness, parts->text, parts->lines)
                                   : Result<Cosignature>(Fail(parts.error()));
    if (!checkpoint || !cosignature) {
      report.Tampered(name + ": " + (checkpoint ? cosignature.error().message : checkpoint.error().message));
      return {};
    }
    ++cosigned.checkpoints;
    if (cosigned.last && checkpoint->size < cosigned.last->size) return {};
    cosigned.last = std::move(*checkpoint);
    cosigned.last_time_s = cosignature->time_s;
    return {};
  }));
  return cosigned;
}

}  // namespace fhir_adapter::audit
