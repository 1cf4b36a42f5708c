#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "fhir/json_pointer.h"
#include "record/structure_checker.h"

namespace fhir_adapter::record {
namespace {

using fhir::Node;

// Keys and references are gathered in one walk and compared afterwards, because a row may refer to one that
// stands further down.
class RowChecker {
 public:
  explicit RowChecker(const RecordModel& model) : model_(model) {}

  void Walk(const Node& node, const ModelElement& element, std::string& pointer) {
    if (node.is_array()) {
      const auto items = node.items();
      for (std::size_t i = 0; i < items.size(); ++i) {
        const std::size_t size = pointer.size();
        fhir::AppendPointerIndex(i, pointer);
        Walk(*items[i], element, pointer);
        pointer.resize(size);
      }
      return;
    }
    if (element.is_row_key && !keys_[element.path].insert(node.text).second) {
      Report(Code::kDuplicateRow, node, pointer, "another row has the same key");
    }
    if (!element.row_reference.empty()) references_.push_back({&node, &element, pointer});
    for (const fhir::Member& member : node.members()) {
      const ModelElement* child = element.Find(member.name);
      if (child == nullptr) continue;
      const std::size_t size = pointer.size();
      fhir::AppendPointerToken(member.name, pointer);
      Walk(*member.value, *child, pointer);
      pointer.resize(size);
    }
  }

  void Finish() {
    for (const Reference& reference : references_) {
      const auto& keys = keys_[model_.root().path + "." + reference.element->row_reference];
      if (keys.contains(reference.node->text)) continue;
      Report(Code::kDanglingRow, *reference.node, reference.pointer,
             "no row has this key in " + reference.element->row_reference);
    }
  }

  Issues& issues() { return issues_; }

 private:
  struct Reference {
    const Node* node;
    const ModelElement* element;
    std::string pointer;
  };

  void Report(Code code, const Node& node, const std::string& pointer, std::string message) {
    issues_.push_back(Issue{code, Location{{}, node.line, node.column, pointer}, std::move(message)});
  }

  const RecordModel& model_;
  std::unordered_map<std::string, std::unordered_set<std::string_view>> keys_;
  std::vector<Reference> references_;
  Issues issues_;
};

}  // namespace

void CheckRows(const Node& root, const RecordModel& model, std::string pointer, Issues& issues) {
  RowChecker checker(model);
  checker.Walk(root, model.root(), pointer);
  checker.Finish();
  issues.insert(issues.end(), std::make_move_iterator(checker.issues().begin()),
                std::make_move_iterator(checker.issues().end()));
}

}  // namespace fhir_adapter::record
