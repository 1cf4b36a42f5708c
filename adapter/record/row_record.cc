#include "record/row_record.h"

#include <algorithm>

#include "core/limits.h"
#include "fhir/json_writer.h"
#include "record/row_tree.h"

namespace fhir_adapter::record {
namespace {

void AddPlaces(const fhir::Node& node, std::vector<RecordText::Place>& places) {
  places.push_back({node.line, node.column});
  for (const fhir::Member& member : node.members()) AddPlaces(*member.value, places);
  for (const fhir::Node* item : node.items()) AddPlaces(*item, places);
}

// What stands at `site`, `recordId` or `revision` of a row.
std::string KeyPart(const fhir::Node& row, std::string_view name) {
  const fhir::Node* value = row.Find(name);
  return value == nullptr ? "" : std::string(value->text);
}

}  // namespace

Result<std::vector<std::string>> RowKey(const fhir::Node& row, const std::vector<TableColumn>& columns,
                                        std::uint32_t number) {
  std::vector<std::string> key;
  for (const std::string_view name : kRecordKey) {
    key.push_back(KeyPart(row, name));
    if (!key.back().empty()) continue;
    const auto column = std::ranges::find_if(columns, [&](const TableColumn& candidate) {
      return candidate.path && candidate.path->text() == name;
    });
    const std::uint32_t cell = column == columns.end() ? 1 : column->number;
    return Fail(Code::kCsvRows, "the row does not say to which record it belongs: no " + std::string(name),
                Location{"", number, cell, "/" + std::string(name)});
  }
  return key;
}

RecordText RecordOfRows(const std::vector<fhir::Node*>& rows, std::uint32_t first_number,
                        const TableLayout& layout, Arena& arena) {
  RecordText record;
  record.line = first_number;
  fhir::Node& root = *rows.front();
  for (std::size_t i = 1; i < rows.size(); ++i) {
    MergeRow(root, *rows[i], *layout.model, arena, record.issues);
  }
  record.bytes = fhir::ToJson(root);
  AddPlaces(root, record.places);
  if (record.bytes.size() > limits::kRecordBytesMax) {
    record.problem = Issue{Code::kLimit, Location{"", record.line, 1, ""},
                           "the record is larger than " + std::to_string(limits::kRecordBytesMax) + " bytes"};
    record.bytes.clear();
  }
  return record;
}

}  // namespace fhir_adapter::record
