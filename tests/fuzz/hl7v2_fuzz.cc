// The way of bytes from an MLLP connection to a shaped message, and what its sender is told. Pieces do not
// change the messages; what is read has a place inside the message; an acknowledgement is a message that the
// same reader takes, and gives back the number that it answers.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

#include "fhir/json_reader.h"
#include "intake/hl7_acknowledgement.h"
#include "intake/mllp_codec.h"
#include "property.h"
#include "record/hl7v2_reader.h"
#include "record/hl7v2_shape.h"
#include "record/record_model.h"

namespace fhir_adapter::fuzz {
namespace {

constexpr std::size_t kMessageBytesMax = 4'000;
constexpr TimeUs kNow{1'399'378'200'000'000};

record::RecordModel LoadModel(const std::string& name) {
  Arena arena;
  std::ifstream file(std::string(FHIR_ADAPTER_SOURCE_DIR) + "/mappings/models/" + name, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const auto structure = fhir::ReadJson(bytes, arena);
  Demand(structure.has_value(), "a shipped model is JSON");
  auto built = record::RecordModel::Build(**structure, {});
  Demand(built.has_value(), "a message's model can be built");
  return std::move(built).value();
}

const record::RecordModel& ModelOf(bool is_result) {
  static const record::RecordModel result = LoadModel("Hl7v2OruR01.json");
  static const record::RecordModel administration = LoadModel("Hl7v2RasO17.json");
  return is_result ? result : administration;
}

std::vector<std::string> Decode(std::string_view bytes, std::size_t piece_bytes, bool& is_too_large) {
  intake::MllpDecoder decoder(kMessageBytesMax);
  std::vector<std::string> messages;
  for (std::size_t at = 0; at < bytes.size(); at += piece_bytes) {
    decoder.Push(bytes.substr(at, piece_bytes));
    while (auto message = decoder.Next()) messages.push_back(std::move(*message));
  }
  is_too_large = decoder.is_too_large();
  if (is_too_large)
    Demand(decoder.partial().size() == kMessageBytesMax, "what is too large is cut at the limit");
  return messages;
}

Issues ReadAndShape(const std::string& message) {
  Arena arena;
  Issues issues;
  const auto read = record::ReadHl7Message(message, arena);
  if (!read) {
    issues.push_back({read.error().code, read.error().where, read.error().message});
    return issues;
  }
  const auto segments = static_cast<std::uint32_t>(
      std::ranges::count_if(message, [](char c) { return c == '\r' || c == '\n'; }) + 1);
  for (const bool is_result : {false, true}) {
    record::ShapeHl7Message(**read, ModelOf(is_result), arena, issues);
  }
  for (const Issue& issue : issues) {
    Demand(issue.where.line >= 1 && issue.where.line <= segments,
           "an issue stands in a segment of the message");
  }
  return issues;
}

void CheckAnswer(const std::string& message, const Issues& issues) {
  const auto header = intake::ReadHl7Header(message);
  if (!header) return;
  const intake::Hl7Answer answer{intake::Hl7Verdict::kError, issues, "A1", kNow};
  const std::string text = intake::Acknowledge(*header, message, answer);
  if (text.empty()) return;
  const auto again = intake::ReadHl7Header(text);
  Demand(again.has_value() && again->segment == "MSH", "an acknowledgement begins with its header");
  Demand(
      again->field[10] == "A1" && again->field[3] == header->field[5] && again->field[6] == header->field[4],
      "sender and receiver change places");
  Demand(text.find("\rMSA") != std::string::npos && text.ends_with('\r'),
         "an acknowledgement says what it answers");
  Demand(std::ranges::count(text, '\r') <= 2 + 20, "an acknowledgement has a limit");
}

}  // namespace
}  // namespace fhir_adapter::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fhir_adapter;  // NOLINT: the entry cannot stand in it
  const std::string_view bytes = fuzz::TextOf(data, size);
  bool is_too_large = false;
  bool is_too_large_in_pieces = false;
  const auto whole = fuzz::Decode(bytes, bytes.size() + 1, is_too_large);
  const auto pieces = fuzz::Decode(bytes, 3, is_too_large_in_pieces);
  fuzz::Demand(whole == pieces && is_too_large == is_too_large_in_pieces,
               "pieces do not change the messages");
  for (const std::string& frame : whole) {
    for (const record::Hl7MessageText& text : record::SplitHl7Messages(frame)) {
      fuzz::CheckAnswer(text.bytes, fuzz::ReadAndShape(text.bytes));
    }
  }
  return 0;
}
