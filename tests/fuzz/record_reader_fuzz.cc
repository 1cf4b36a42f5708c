// The way from bytes to checked records, with the shipped model: the records and what is said about them do
// not depend on how the input is cut into chunks, and what is not rejected has a key and survives writing.
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "property.h"
#include "record/content_hash.h"
#include "record/record_envelope.h"
#include "record/record_model.h"
#include "record/record_reader.h"
#include "record/record_splitter.h"

namespace fhir_adapter::fuzz {
namespace {

const record::RecordModel& ShippedModel() {
  static const record::RecordModel model = [] {
    Arena arena;
    std::vector<const fhir::Node*> files;
    const fhir::Node* structure = nullptr;
    const std::string folder = std::string(FHIR_ADAPTER_SOURCE_DIR) + "/mappings/models";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
      const auto node = fhir::ReadJson(bytes, arena);
      Demand(node.has_value(), "a shipped model is JSON");
      files.push_back(*node);
      if (entry.path().filename() == "ProcedureRecord.json") structure = *node;
    }
    Demand(structure != nullptr, "the record's model is shipped");
    auto built = record::RecordModel::Build(*structure, files);
    Demand(built.has_value(), "the record's model can be built");
    return std::move(built).value();
  }();
  return model;
}

// `chunk_bytes` zero: all at once; else chunks of 1 to that many bytes.
std::vector<record::RecordText> Split(std::string_view bytes, record::RecordFormat format,
                                      std::size_t chunk_bytes) {
  std::vector<record::RecordText> texts;
  record::RecordSplitter splitter(format);
  const auto take = [&] {
    while (auto text = splitter.Next()) texts.push_back(std::move(*text));
  };
  for (std::size_t at = 0, round = 0; at < bytes.size(); ++round) {
    const std::size_t count = chunk_bytes == 0 ? bytes.size() : 1 + round % chunk_bytes;
    splitter.Push(bytes.substr(at, count));
    at += count;
    take();
  }
  splitter.Finish();
  take();
  return texts;
}

bool Same(const record::RecordText& a, const record::RecordText& b) {
  return a.bytes == b.bytes && a.line == b.line && a.column == b.column && a.pointer == b.pointer &&
         a.problem == b.problem;
}

void ReadAndCheck(const record::RecordText& text) {
  Arena arena;
  const record::RecordReading reading = record::ReadRecord(text, ShippedModel(), arena, "fuzz.json");
  if (reading.root == nullptr) Demand(reading.is_rejected(), "a record that cannot be read is rejected");
  if (reading.root == nullptr || reading.is_rejected()) return;
  Demand(record::ReadEnvelope(*reading.root).has_value(), "what is not rejected has an envelope");
  record::RecordText written;
  written.bytes = fhir::ToJson(*reading.root);
  const record::RecordReading again = record::ReadRecord(written, ShippedModel(), arena);
  Demand(again.root != nullptr && !again.is_rejected(), "what is not rejected is not rejected once written");
  Demand(again.issues.size() == reading.issues.size(), "writing leaves the number of issues alone");
  Demand(record::ContentHash(*again.root) == record::ContentHash(*reading.root),
         "writing leaves the content hash alone");
}

}  // namespace
}  // namespace fhir_adapter::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fhir_adapter;  // NOLINT: the entry cannot stand in it
  const std::string_view bytes = fuzz::TextOf(data, size);
  const record::RecordFormat format = record::GuessFormat(bytes);
  const auto whole = fuzz::Split(bytes, format, 0);
  for (const std::size_t chunk_bytes : {std::size_t{1}, std::size_t{7}}) {
    const auto chunked = fuzz::Split(bytes, format, chunk_bytes);
    fuzz::Demand(chunked.size() == whole.size(), "chunks do not change the number of records");
    for (std::size_t i = 0; i < whole.size(); ++i) {
      fuzz::Demand(fuzz::Same(chunked[i], whole[i]), "chunks do not change a record");
    }
  }
  for (const record::RecordText& text : whole) {
    if (!text.problem) fuzz::ReadAndCheck(text);
  }
  return 0;
}
