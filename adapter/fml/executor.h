// Executor: runs a plan. Parameterised on an observer, so that ordinary mapping pays nothing for lineage.
//
// Internal to adapter/fml. Used by one thread; the plan outlives it. Rules run in the order in which they
// stand; of several sources the first is the outermost loop.
#pragma once

#include <span>
#include <unordered_map>
#include <vector>

#include "fml/machine.h"
#include "fml/transforms.h"

namespace fhir_adapter::fml {

// Sees nothing.
struct NoObserver {
  static constexpr bool kActive = false;
};

// Tells a LineageSink.
struct LineageObserver {
  static constexpr bool kActive = true;
  LineageSink* sink = nullptr;
  std::vector<RulePlace> rules;            // outermost first
  std::vector<const fhir::Node*> sources;  // outermost first
  std::vector<const fhir::Node*> inputs;   // of the target that is being made
  std::vector<ConceptMapRow> rows;         // likewise
  // What rows gave, and the elements inside it: a rule may put it into a variable first.
  std::unordered_map<const fhir::Node*, std::vector<ConceptMapRow>> translated;
  std::vector<RulePlace> rules_inside_out;  // handed out
  std::vector<const fhir::Node*> sources_inside_out;
};

template <class Observer>
class Executor {
 public:
  Executor(Machine& machine, Observer& observer) : machine_(machine), observer_(observer) {}

  // The record in, the target out (null: stopped, or nothing was made).
  bool Run(const plan::EntryPlan& entry, const fhirpath::Item& record, fhir::Node*& target);

 private:
  using Collection = fhirpath::Collection;

  bool SetGlobals(const plan::GroupPlan& group, Frame& frame);
  bool EvaluateGlobal(std::uint32_t index, Collection& value);
  bool RunGroup(const plan::GroupPlan& group, Frame& frame);
  bool RunRules(const std::vector<plan::Rule>& rules, Frame& frame);
  bool RunSource(const plan::Rule& rule, std::size_t index, Frame& frame, const Collection& focus);
  bool Gather(const plan::Source& source, Frame& frame, std::size_t base);
  bool Filter(const plan::Source& source, Frame& frame, std::size_t base);
  void Select(const plan::Source& source, std::size_t base, std::size_t& first, std::size_t& last);
  bool Fire(const plan::Rule& rule, Frame& frame, const Collection& focus);
  bool RunTargets(const plan::Rule& rule, std::size_t index, Frame& frame, const Collection& focus);
  bool RunTarget(const plan::Target& target, Frame& frame, const Collection& focus, Collection& values,
                 bool& is_fresh);
  bool Evaluate(const plan::Transform& transform, Frame& frame, const Collection& focus,
                const fhir::TypeInfo* target_type, Collection& out);
  bool PlaceValue(const plan::Target& target, Frame& frame, const fhirpath::Item& item, bool is_fresh);
  bool RunShared(const plan::Target& target, Frame& frame, const Collection& focus, bool& is_found);
  bool MakeElement(const plan::Target& target, Frame& frame);
  bool PlaceConstant(const plan::Target& target, Frame& frame);
  fhir::Node* Parent(const plan::Target& target, Frame& frame, const fhir::TypeInfo*& type);
  bool ReplaceVariable(const plan::Target& target, Frame& frame, const fhirpath::Item& item, bool is_fresh);
  bool RunDependents(const plan::Rule& rule, Frame& frame, const Collection& focus);
  bool RunCall(const plan::Call& call, Frame& frame, const Collection& focus);
  bool RunCopy(const plan::Rule& rule, Frame& frame);
  bool RunDefault(const plan::Rule& rule, Frame& frame);
  const plan::DefaultGroup* FindDefault(const plan::Rule& rule, const fhir::TypeInfo* source,
                                        const plan::Step& step) const;
  void Observe(const fhir::Node* made, const fhir::Node* parent, std::string_view member);
  // Takes note of the elements of the record among what a transform was given or gave.
  void ObserveTranslation(const Collection& values, std::span<const ConceptMapRow> rows);
  void ObserveInputs(const Collection& values);

  Machine& machine_;
  Observer& observer_;
  const plan::EntryPlan* entry_ = nullptr;
  std::vector<fhirpath::Item> items_;  // of the sources that are being walked, innermost last
  std::vector<Collection> globals_;
  std::vector<std::uint8_t> global_state_;  // 0 not evaluated, 1 being evaluated, 2 known
  std::uint32_t depth_ = 0;
};

extern template class Executor<NoObserver>;
extern template class Executor<LineageObserver>;

}  // namespace fhir_adapter::fml
