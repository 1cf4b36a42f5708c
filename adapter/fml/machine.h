// Machine: what one record's run has to hand: memory, budget, variables, issues, and the moves on the source
// and target trees that the executor and the transforms share.
//
// Internal to adapter/fml. One per Mapper, begun anew for each record. A move that fails records an Issue
// with the rule and the source position and returns false; the run then ends.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/arena.h"
#include "core/issue.h"
#include "fhir/element.h"
#include "fhirpath/fhirpath.h"
#include "fml/convert.h"
#include "fml/mapper.h"
#include "fml/plan.h"
#include "fml/tree.h"

namespace fhir_adapter::fml {

inline constexpr std::uint32_t kNoIndex = 0xFFFFFFFF;

// Where a variable's value sits in the target, so that it can be replaced or given extensions.
struct Place {
  fhir::Node* parent = nullptr;
  const plan::Alternative* alternative = nullptr;
  std::uint32_t index = kNoIndex;  // in a list
  bool is_loose = false;           // made by create() or the like and not put anywhere yet
};

// The variables of one running group.
struct Frame {
  fhirpath::Collection* values = nullptr;
  Place* places = nullptr;
  std::uint32_t size = 0;
};

// Memory of frames: blocks that never move.
class FrameStack {
 public:
  Frame Push(std::uint32_t slots);
  void Pop(const Frame& frame);
  void Clear();

 private:
  struct Block {
    std::unique_ptr<fhirpath::Collection[]> values;
    std::unique_ptr<Place[]> places;
    std::uint32_t capacity = 0;
    std::uint32_t used = 0;
  };
  std::vector<Block> blocks_;
  std::size_t current_ = 0;
};

class Machine {
 public:
  explicit Machine(const fhir::Schema& schema) : schema_(schema) {}

  // `type` of the record; null: by its resourceType.
  void Begin(const MapRequest& request, const fhir::Node& record, const fhir::TypeInfo* type,
             Mapping& mapping);

  Arena& arena() { return arena_; }
  const fhir::Schema& schema() const { return schema_; }
  const MapRequest& request() const { return *request_; }
  Mapping& mapping() { return *mapping_; }
  FrameStack& frames() { return frames_; }

  // The rule that runs and the source element it runs for: for issues.
  const RulePlace* rule = nullptr;
  const fhir::Node* source = nullptr;

  // Records the issue; false. `at` is the place in the map, if it is not the rule's.
  bool Stop(Code code, std::string message, const ast::Position* at = nullptr);
  void Report(Code code, std::string message, const fhir::Node* where = nullptr);
  // A check that failed, `at` its place in the map. Whether the map goes on.
  bool FailCheck(const std::string& text, const ast::Position& at);
  bool has_stopped() const { return has_stopped_; }
  // An issue was reported that is graver than a note, or the run stopped.
  bool has_failed() const { return has_failed_; }

  bool CountStep() { return ++mapping_->steps <= request_->steps_max || StopAtSteps(); }
  bool Count(std::uint64_t elements, std::uint64_t bytes) {
    elements_ += elements;
    bytes_ += bytes;
    return (elements_ <= request_->elements_max && bytes_ <= request_->output_bytes_max) || StopAtSize();
  }

  // Expressions. `focus` is $this.
  bool Evaluate(const fhirpath::Expression& expression, const Frame& frame, const fhirpath::Collection& focus,
                fhirpath::Collection& out);
  // Empty counts as false.
  bool Test(const fhirpath::Expression& expression, const Frame& frame, const fhirpath::Collection& focus,
            bool& out);
  bool Evaluate(const plan::Argument& argument, const Frame& frame, const fhirpath::Collection& focus,
                fhirpath::Collection& out);

  // Source side: appends the elements called `step` below `parent`.
  void AppendChildren(const fhirpath::Item& parent, const plan::Step& step, std::vector<fhirpath::Item>& out);

  // Target side.
  // The step with its element: `step` itself, or the one that the type has at run time.
  const plan::Step* Bind(const plan::Step& step, const fhir::TypeInfo* type) {
    return step.element != nullptr ? &step : BindAtRunTime(step, type);
  }
  // The object that children of a variable's value are put into; null: there is none.
  fhir::Node* ContainerOf(Frame& frame, std::uint32_t slot);
  // Puts a finished node below `parent`.
  bool Put(fhir::Node& parent, const plan::Step& step, const plan::Alternative& alternative, fhir::Node* node,
           fhir::Node* shadow, ast::TargetListMode mode, Place& place);
  // Replaces the value at a place.
  bool Replace(const Place& place, fhir::Node* node);
  // The element without a transform: a new item of a list, the one there is otherwise.
  bool Make(fhir::Node& parent, const plan::Step& step, const plan::Alternative& alternative,
            ast::TargetListMode mode, fhirpath::Collection& value, Place& place);
  // One item for all rules that name the same share id below the same parent; null at first.
  struct Shared {
    const fhir::Node* parent = nullptr;
    std::uint32_t share_id = 0;
    fhirpath::Collection value;
    Place place;
  };
  Shared* FindShared(const fhir::Node& parent, std::uint32_t share_id);
  void AddShared(const Shared& shared) { shared_.emplace(ShareKey{shared.parent, shared.share_id}, shared); }

  fhir::Node* NewObject(const fhir::TypeInfo& type);
  // The number of a resource that reference() speaks of.
  std::size_t ReferenceTo(fhir::Node& resource);
  std::uint64_t NextCall(std::uint64_t call_site);

 private:
  void ReportAt(Code code, std::string message, const ast::Position* at);

  struct StepKey {
    const fhir::TypeInfo* type;
    std::string_view name;
    bool operator==(const StepKey&) const = default;
  };
  struct StepKeyHash {
    std::size_t operator()(const StepKey& key) const {
      return std::hash<const void*>()(key.type) * 31 + std::hash<std::string_view>()(key.name);
    }
  };
  struct ShareKey {
    const fhir::Node* parent;
    std::uint32_t share_id;
    bool operator==(const ShareKey&) const = default;
  };
  struct ShareKeyHash {
    std::size_t operator()(const ShareKey& key) const {
      return std::hash<const void*>()(key.parent) * 31 + key.share_id;
    }
  };
  // How many items of a list were put first and last.
  struct Ends {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    const RulePlace* first_rule = nullptr;
    const RulePlace* last_rule = nullptr;
  };

  bool StopAtSteps();
  const plan::Step* BindAtRunTime(const plan::Step& step, const fhir::TypeInfo* type);
  bool StopAtSize();
  void AppendItem(const fhir::Node* value, const fhir::Node* shadow, const plan::Step& step,
                  const plan::Alternative& alternative, std::vector<fhirpath::Item>& out);
  void AppendAlternative(const fhir::Node& container, const plan::Step& step,
                         const plan::Alternative& alternative, std::vector<fhirpath::Item>& out);
  bool PutUntyped(fhir::Node& parent, const plan::Alternative& alternative, fhir::Node* node, Place& place);
  bool PutInList(fhir::Node& list, fhir::Node* node, ast::TargetListMode mode, Place& place);
  Ends& EndsOf(const fhir::Node& list);
  fhir::Node* EnsureShadow(const Place& place, fhirpath::Collection& value);
  fhir::Node* Thaw(const Place& place, fhir::Node* node);

  const fhir::Schema& schema_;
  Arena arena_;
  FrameStack frames_;
  const MapRequest* request_ = nullptr;
  Mapping* mapping_ = nullptr;
  const fhir::Node* record_ = nullptr;
  bool has_stopped_ = false;
  bool has_failed_ = false;
  std::uint64_t elements_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t expression_steps_ = 0;
  fhirpath::EvaluationContext evaluation_;
  std::unordered_map<ShareKey, Shared, ShareKeyHash> shared_;
  std::unordered_map<const fhir::Node*, Ends> ends_;
  std::unordered_map<std::uint64_t, std::uint64_t> calls_;
  std::unordered_map<StepKey, plan::Step, StepKeyHash> steps_;  // bound at run time, kept over records
  Arena step_names_;
};

// The alternatives of an element as JSON members; the shadow names live in `arena`.
plan::Step MakeStep(const fhir::ElementInfo& element, std::string_view name, Arena& arena);

}  // namespace fhir_adapter::fml
