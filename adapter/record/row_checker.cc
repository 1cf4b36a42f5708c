#include <functional>
#include <set>
#include <utility>

#include "fhir/json_reader.h"
#include "record/structure_checker.h"

namespace fhir_adapter::record {
namespace {

using fhir::Node;

// Keys and references are gathered in one walk and compared afterwards, because a row may refer to one that
// stands further down.
class RowChecker {
 public:
  RowChecker(const Node& root, const RecordModel& model, std::string_view pointer, Arena& arena,
             Issues& issues)
      : root_(root), model_(model), pointer_(pointer), issues_(issues), keys_(arena), references_(arena) {}

  void Walk(const Node& node, const ModelElement& element) {
    for (const Node* item : node.items()) Walk(*item, element);
    if (node.is_array()) return;
    if (element.is_row_key && !keys_.emplace(element.path, node.text).second) {
      Report(Code::kDuplicateRow, node, "another row has the same key");
    }
    if (!element.row_reference.empty()) references_.push_back({&node, &element});
    for (const fhir::Member& member : node.members()) {
      const ModelElement* child = element.Find(member.name);
      if (child != nullptr) Walk(*member.value, *child);
    }
  }

  void Finish() {
    for (const Reference& reference : references_) {
      const std::string path = model_.root().path + "." + reference.element->row_reference;
      if (keys_.contains(Key(path, reference.node->text))) continue;
      Report(Code::kDanglingRow, *reference.node,
             "no row has this key in " + reference.element->row_reference);
    }
  }

 private:
  using Key = std::pair<std::string_view, std::string_view>;  // path of the element, value

  struct Reference {
    const Node* node;
    const ModelElement* element;
  };

  void Report(Code code, const Node& node, std::string message) {
    std::string pointer = std::string(pointer_) + fhir::PointerTo(root_, node);
    issues_.push_back(
        Issue{code, Location{{}, node.line, node.column, std::move(pointer)}, std::move(message)});
  }

  const Node& root_;
  const RecordModel& model_;
  const std::string_view pointer_;  // of the root
  Issues& issues_;
  std::set<Key, std::less<>, ArenaAllocator<Key>> keys_;
  ArenaVector<Reference> references_;
};

}  // namespace

void CheckRows(const Node& root, const RecordModel& model, std::string_view pointer, Arena& arena,
               Issues& issues) {
  RowChecker checker(root, model, pointer, arena, issues);
  checker.Walk(root, model.root());
  checker.Finish();
}

}  // namespace fhir_adapter::record
