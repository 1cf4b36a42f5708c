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

// The places of a record that was made from a table, in the order of its values.
void ApplyPlaces(fhir::Node& node, const std::vector<RecordText::Place>& places, std::size_t& next) {
  if (next < places.size()) {
    node.line = places[next].line;
    node.column = places[next].column;
    ++next;
  }
  for (const fhir::Member& member : node.members()) ApplyPlaces(*member.value, places, next);
  for (fhir::Node* item : node.items()) ApplyPlaces(*item, places, next);
}

void ApplyPlaces(fhir::Node& root, const RecordText& text) {
  const PositionShift shift{text.line, text.column};
  std::size_t next = 0;
  if (!text.places.empty()) {
    ApplyPlaces(root, text.places, next);
  } else if (shift.is_needed()) {
    shift.Apply(root);
  }
}

Issue IssueOf(Error error, const RecordText& text) {
  const PositionShift shift{text.line, text.column};
  if (!text.places.empty()) {
    error.where.line = text.places.front().line;
    error.where.column = text.places.front().column;
  } else {
    if (error.where.line == 0) error.where.line = error.where.column = 1;
    shift.Apply(error.where.line, error.where.column);
  }
  error.where.pointer.insert(0, text.pointer);
  return Issue{error.code, std::move(error.where), std::move(error.message)};
}

}  // namespace

RecordReading ReadRecord(const RecordText& text, const RecordModel& model, Arena& arena,
                         const std::string& file, const fhir::JsonLimits& limits) {
  RecordReading reading;
  if (text.problem) {
    reading.issues.push_back(*text.problem);
  } else {
    reading.issues = text.issues;
    auto root = fhir::ReadJson(text.bytes, arena, limits);
    if (!root) {
      reading.issues.push_back(IssueOf(std::move(root).error(), text));
    } else {
      reading.root = *root;
      ApplyPlaces(*reading.root, text);
      CheckStructure(*reading.root, model, text.pointer, reading.issues);
      if (!reading.is_rejected()) CheckRows(*reading.root, model, text.pointer, arena, reading.issues);
    }
  }
  for (Issue& issue : reading.issues) issue.where.file = file;
  return reading;
}

}  // namespace fhir_adapter::record
