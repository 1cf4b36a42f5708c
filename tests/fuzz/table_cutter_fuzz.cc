// The way from the bytes of a table to records, with the shipped model. The first byte chooses the layout.
// Chunks do not change the records, each record is JSON with a place for each of its values, and each row of
// the table is in some record.
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "property.h"
#include "record/record_envelope.h"
#include "record/record_model.h"
#include "record/record_reader.h"
#include "record/table_cutter.h"

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

record::TableLayout Layout(unsigned char choice) {
  record::TableLayout layout;
  layout.model = &ShippedModel();
  if ((choice & 1U) != 0) layout.form.separator = ';';
  if ((choice & 2U) != 0) layout.encoding = record::TextEncoding::kWindows1252;
  if ((choice & 4U) != 0) layout.decimal_sign = ',';
  if ((choice & 8U) != 0) layout.dates = record::DateForm::kDayMonthDots;
  if ((choice & 16U) != 0) layout.list_separator = "|";
  if ((choice & 32U) != 0) {
    for (const auto& [path, text] : {std::pair{"site", "a"}, std::pair{"revision", "1"}}) {
      layout.fixed.push_back({record::ColumnPath::Parse(path, ShippedModel()).value(), text});
    }
  }
  return layout;
}

std::vector<record::RecordText> Cut(std::string_view bytes, const record::TableLayout& layout,
                                    std::size_t chunk_bytes) {
  record::TableCutter cutter(layout);
  for (std::size_t at = 0; at < bytes.size(); at += chunk_bytes) cutter.Push(bytes.substr(at, chunk_bytes));
  cutter.Finish();
  std::vector<record::RecordText> texts;
  while (auto text = cutter.Next()) texts.push_back(std::move(*text));
  return texts;
}

std::size_t ValuesOf(const fhir::Node& node) {
  std::size_t values = 1;
  for (const fhir::Member& member : node.members()) values += ValuesOf(*member.value);
  for (const fhir::Node* item : node.items()) values += ValuesOf(*item);
  return values;
}

void ReadAndCheck(const record::RecordText& text) {
  Arena arena;
  const auto node = fhir::ReadJson(text.bytes, arena, fhir::kRecordLimits);
  if (!node) {
    Demand(node.error().code == Code::kLimit, "a record of a table is JSON");
    return;
  }
  Demand(text.places.size() == ValuesOf(**node), "each value has a place");
  Demand(fhir::ToJson(**node) == text.bytes, "a record of a table is written as we write");
  const record::RecordReading reading = record::ReadRecord(text, ShippedModel(), arena, "fuzz.csv");
  Demand(reading.root != nullptr, "a record of a table can be read");
  for (const Issue& issue : reading.issues)
    Demand(issue.where.line >= 2, "an issue has a row below the header");
  if (!reading.is_rejected()) {
    Demand(record::ReadEnvelope(*reading.root).has_value(), "what is not rejected has an envelope");
  }
}

}  // namespace
}  // namespace fhir_adapter::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fhir_adapter;  // NOLINT: the entry cannot stand in it
  if (size == 0) return 0;
  const record::TableLayout layout = fuzz::Layout(data[0]);
  const std::string_view bytes = fuzz::TextOf(data + 1, size - 1);
  const auto whole = fuzz::Cut(bytes, layout, bytes.size() + 1);
  const auto chunked = fuzz::Cut(bytes, layout, 7);
  fuzz::Demand(chunked.size() == whole.size(), "chunks do not change the number of records");
  for (std::size_t i = 0; i < whole.size(); ++i) {
    fuzz::Demand(chunked[i].bytes == whole[i].bytes && chunked[i].problem == whole[i].problem &&
                     chunked[i].issues == whole[i].issues,
                 "chunks do not change a record");
    if (whole[i].problem) {
      fuzz::Demand(whole[i].problem->where.line >= 1 && whole[i].problem->where.column >= 1,
                   "a problem has a place");
    } else {
      fuzz::ReadAndCheck(whole[i]);
    }
  }
  return 0;
}
