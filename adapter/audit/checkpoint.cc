#include "audit/checkpoint.h"

#include <charconv>

#include "core/base64.h"

namespace fhir_adapter::audit {
namespace {

// The next line without its end; nothing when there is no complete one.
bool TakeLine(std::string_view& text, std::string_view& line) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return false;
  line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return !line.empty();
}

}  // namespace

std::string ToText(const Checkpoint& checkpoint) {
  return checkpoint.origin + "\n" + std::to_string(checkpoint.size) + "\n" +
         ToBase64(BytesOf(checkpoint.root)) + "\n";
}

Result<Checkpoint> ParseCheckpoint(std::string_view text) {
  std::string_view rest = text;
  std::string_view origin;
  std::string_view size;
  std::string_view root;
  if (!TakeLine(rest, origin) || !TakeLine(rest, size) || !TakeLine(rest, root)) {
    return Fail(Code::kIntegrity, "a checkpoint has three lines: origin, size and root");
  }
  Checkpoint checkpoint;
  checkpoint.origin = origin;
  const auto parsed = std::from_chars(size.data(), size.data() + size.size(), checkpoint.size);
  const auto bytes = FromBase64(root);
  if (parsed.ec != std::errc() || std::to_string(checkpoint.size) != size || !bytes ||
      bytes->size() != checkpoint.root.size()) {
    return Fail(Code::kIntegrity, "the size or the root of the checkpoint cannot be read");
  }
  checkpoint.root = HashOf(*bytes);
  return checkpoint;
}

std::string SignCheckpoint(const SigningKey& key, const Checkpoint& checkpoint) {
  return SignNote(key, ToText(checkpoint));
}

Result<Checkpoint> OpenCheckpoint(const VerifierKey& key, std::string_view note) {
  ADAPTER_TRY(const std::string text, OpenNote(key, note));
  ADAPTER_TRY(Checkpoint checkpoint, ParseCheckpoint(text));
  if (checkpoint.origin != key.name()) {
    return Fail(Code::kIntegrity, "the checkpoint is of another log: " + checkpoint.origin);
  }
  return checkpoint;
}

std::string ProofText(std::string_view entry, std::uint64_t index, const Proof& proof,
                      std::string_view note) {
  std::string text =
      "c2sp.org/tlog-proof@v1\nextra " + ToBase64(entry) + "\nindex " + std::to_string(index) + "\n";
  for (const Hash& hash : proof) text += ToBase64(BytesOf(hash)) + "\n";
  return text + "\n" + std::string(note);
}

}  // namespace fhir_adapter::audit
