#include "record/record_reader.h"

#include <utility>

#include "record/structure_checker.h"

namespace fhir_adapter::record {
namespace {

// From the text's own positions to those of the input that it was cut from.
struct PositionShift {
  std::uint32_t line;
  std::uint32_t column;

  bool is_needed() const { return line != 1 || column != 1; }
  void Apply(std::uint32_t& node_line, std::uint32_t& node_column) const {
    if (node_line == 1) node_column += column - 1;
    node_line += line - 1;
  }
  void Apply(fhir::Node& node) const {
    Apply(node.line, node.column);
    for (const fhir::Member& member : node.members()) Apply(*member.value);
    for (fhir::Node* item : node.items()) Apply(*item);
  }
};

}  // namespace

RecordReading ReadRecord(const RecordText& text, const RecordModel& model, Arena& arena,
                         const std::string& file, const fhir::JsonLimits& limits) {
  RecordReading reading;
  if (text.problem) {
    reading.issues.push_back(*text.problem);
  } else {
    const PositionShift shift{text.line, text.column};
    auto root = fhir::ReadJson(text.bytes, arena, limits);
    if (!root) {
      Error error = root.error();
      if (error.where.line == 0) error.where.line = error.where.column = 1;
      shift.Apply(error.where.line, error.where.column);
      error.where.pointer.insert(0, text.pointer);
      reading.issues.push_back(Issue{error.code, std::move(error.where), std::move(error.message)});
    } else {
      reading.root = *root;
      if (shift.is_needed()) shift.Apply(*reading.root);
      CheckStructure(*reading.root, model, text.pointer, reading.issues);
      if (!reading.is_rejected()) CheckRows(*reading.root, model, text.pointer, arena, reading.issues);
    }
  }
  for (Issue& issue : reading.issues) issue.where.file = file;
  return reading;
}

}  // namespace fhir_adapter::record
