#include "fml/executor.h"

#include <algorithm>
#include <string>

#include "core/limits.h"

namespace fhir_adapter::fml {

using fhir::Element;
using fhir::Node;
using fhir::TypeInfo;
using fhirpath::Collection;
using fhirpath::Item;

namespace {

const Node* NodeOf(const Item& item) {
  return item.is_element() ? item.element().node : nullptr;
}

bool IsKindOf(const Item& item, const plan::Source& source) {
  if (item.is_element() && item.element().type != nullptr) {
    for (const TypeInfo* type : source.types) {
      if (fhir::Schema::IsSubtypeOf(*item.element().type, *type) || item.element().type == type) return true;
    }
    return false;
  }
  // A System value or an untyped one: by what a FHIR primitive of this name would be.
  for (const TypeInfo* type : source.types) {
    if (ClassOf(*type) != PrimitiveClass::kNone && ClassOf(*type) == ClassOf(item)) return true;
  }
  return false;
}

}  // namespace

template <class Observer>
void Executor<Observer>::Observe(const Node* made, const Node* parent, std::string_view member) {
  if constexpr (Observer::kActive) {
    observer_.rules_inside_out.assign(observer_.rules.rbegin(), observer_.rules.rend());
    observer_.sources_inside_out.assign(observer_.sources.rbegin(), observer_.sources.rend());
    LineageStep step;
    step.made = made;
    step.parent = parent;
    step.member = member;
    step.inputs = observer_.inputs;
    step.sources = observer_.sources_inside_out;
    step.rules = observer_.rules_inside_out;
    step.rows = observer_.rows;
    observer_.sink->Made(step);
  }
}

template <class Observer>
void Executor<Observer>::ObserveInputs(const Collection& values) {
  if constexpr (Observer::kActive) {
    for (const Item& item : values) {
      const Node* node = NodeOf(item);
      const bool has_room = observer_.inputs.size() < limits::kLineageInputsMax;
      const bool is_new =
          std::find(observer_.inputs.begin(), observer_.inputs.end(), node) == observer_.inputs.end();
      if (node != nullptr && node->line > 0 && has_room && is_new) observer_.inputs.push_back(node);
      const auto translated = observer_.translated.find(node);
      if (translated == observer_.translated.end() || !has_room) continue;
      for (const ConceptMapRow& row : translated->second) {
        const bool is_known =
            std::find(observer_.rows.begin(), observer_.rows.end(), row) != observer_.rows.end();
        if (!is_known) observer_.rows.push_back(row);
      }
    }
  }
}

template <class Observer>
void Executor<Observer>::ObserveTranslation(const Collection& values, std::span<const ConceptMapRow> rows) {
  if constexpr (Observer::kActive) {
    if (rows.empty()) return;
    observer_.sink->Translated(rows);
    std::vector<const Node*> nodes;
    for (const Item& item : values) nodes.push_back(NodeOf(item));
    while (!nodes.empty()) {
      const Node* node = nodes.back();
      nodes.pop_back();
      if (node == nullptr) continue;
      observer_.translated[node].assign(rows.begin(), rows.end());
      if (node->is_object()) {
        for (const fhir::Member& member : node->members()) nodes.push_back(member.value);
      } else if (node->is_array()) {
        nodes.insert(nodes.end(), node->items().begin(), node->items().end());
      }
    }
  }
}

template <class Observer>
bool Executor<Observer>::Run(const plan::EntryPlan& entry, const Item& record, Node*& target) {
  entry_ = &entry;
  globals_.assign(entry.globals.size(), Collection());
  global_state_.assign(entry.globals.size(), 0);
  items_.clear();
  depth_ = 0;
  Frame frame = machine_.frames().Push(entry.group->slots);
  frame.values[entry.source] = Collection(record);
  if (entry.target != plan::kNoSlot) {
    Node* root = entry.target_type != nullptr ? machine_.NewObject(*entry.target_type)
                                              : Node::Object(machine_.arena());
    frame.values[entry.target] = Collection(Item(Element{root, nullptr, entry.target_type, nullptr}));
    target = root;
  }
  const bool done = RunGroup(*entry.group, frame);
  machine_.frames().Pop(frame);
  return done;
}

template <class Observer>
bool Executor<Observer>::EvaluateGlobal(std::uint32_t index, Collection& value) {
  const plan::Global& global = entry_->globals[index];
  if (global.is_record_variable) {
    for (const auto& [name, text] : machine_.request().variables) {
      if (name == global.name) value = Collection(Item::String(machine_.arena().Copy(text)));
    }
    return true;
  }
  if (global.is_constant) {
    value = global.value;
    return true;
  }
  if (global_state_[index] == 2) {
    value = globals_[index];
    return true;
  }
  if (global_state_[index] == 1) {
    return machine_.Stop(Code::kMapFailed, "the constant " + global.name + " depends on itself");
  }
  global_state_[index] = 1;
  Frame frame = machine_.frames().Push(global.slots);
  for (const plan::GlobalUse& use : global.uses) {
    if (!EvaluateGlobal(use.global, frame.values[use.slot])) return false;
  }
  const bool done = machine_.Evaluate(*global.expression, frame, Collection(), value);
  machine_.frames().Pop(frame);
  globals_[index] = value;
  global_state_[index] = 2;
  return done;
}

template <class Observer>
bool Executor<Observer>::SetGlobals(const plan::GroupPlan& group, Frame& frame) {
  for (const plan::GlobalUse& use : group.globals) {
    if (!EvaluateGlobal(use.global, frame.values[use.slot])) return false;
  }
  return true;
}

template <class Observer>
bool Executor<Observer>::RunGroup(const plan::GroupPlan& group, Frame& frame) {
  if (++depth_ > limits::kMapRecursionMax) {
    return machine_.Stop(Code::kMapLimit, "groups call each other deeper than kMapRecursionMax (" +
                                              std::to_string(limits::kMapRecursionMax) + ")");
  }
  bool done = SetGlobals(group, frame);
  if (done && group.base != nullptr) {
    Frame base = machine_.frames().Push(group.base->slots);
    for (std::size_t i = 0; i < group.base_arguments.size(); ++i) {
      base.values[i] = frame.values[group.base_arguments[i]];
      base.places[i] = frame.places[group.base_arguments[i]];
    }
    done = RunGroup(*group.base, base);
    machine_.frames().Pop(base);
  }
  done = done && RunRules(group.rules, frame);
  --depth_;
  return done;
}

template <class Observer>
bool Executor<Observer>::RunRules(const std::vector<plan::Rule>& rules, Frame& frame) {
  for (const plan::Rule& rule : rules) {
    const RulePlace* const outer = machine_.rule;
    machine_.rule = &rule.place;
    const bool done = RunSource(rule, 0, frame, Collection());
    machine_.rule = outer;
    if (!done) return false;
  }
  return true;
}

template <class Observer>
bool Executor<Observer>::RunSource(const plan::Rule& rule, std::size_t index, Frame& frame,
                                   const Collection& focus) {
  if (index == rule.sources.size()) return Fire(rule, frame, focus);
  const plan::Source& source = rule.sources[index];
  const std::size_t base = items_.size();
  bool done = Gather(source, frame, base);
  if (items_.size() == base) return done;
  const bool has_conditions = source.where != nullptr || source.check != nullptr || source.log != nullptr;
  if (done && has_conditions) done = Filter(source, frame, base);
  std::size_t first = base;
  std::size_t last = items_.size();
  if (done && source.list_mode == ast::SourceListMode::kOnlyOne && last - first > 1) {
    done = machine_.Stop(Code::kMapFailed, "only_one: the source has several", &source.at);
  }
  if (done && source.list_mode != ast::SourceListMode::kAll) Select(source, base, first, last);
  const Node* const outer = machine_.source;
  for (std::size_t i = first; done && i < last; ++i) {
    const Collection item(items_[i]);
    const Node* const node = NodeOf(items_[i]);
    if (node != nullptr) machine_.source = node;
    if constexpr (Observer::kActive) {
      if (node != nullptr) observer_.sources.push_back(node);
    }
    if (source.alias != plan::kNoSlot) {
      frame.values[source.alias] = item;
      // The context itself under another name keeps its place in the target.
      frame.places[source.alias] = source.path.empty() ? frame.places[source.context] : Place{};
    }
    done = RunSource(rule, index + 1, frame, item);
    if constexpr (Observer::kActive) {
      if (node != nullptr) observer_.sources.pop_back();
    }
  }
  machine_.source = outer;
  items_.resize(base);
  return done;
}

template <class Observer>
bool Executor<Observer>::Gather(const plan::Source& source, Frame& frame, std::size_t base) {
  const Collection& context = frame.values[source.context];
  if (source.path.empty()) {
    for (const Item& item : context) items_.push_back(item);
  } else {
    for (const Item& item : context) machine_.AppendChildren(item, source.path.front(), items_);
    // Of a longer path each step's items come after their parents, which then go.
    std::size_t parents = base;
    for (std::size_t step = 1; step < source.path.size(); ++step) {
      const std::size_t children = items_.size();
      for (std::size_t i = parents; i < children; ++i) {
        const Item parent = items_[i];
        machine_.AppendChildren(parent, source.path[step], items_);
      }
      parents = children;
    }
    items_.erase(items_.begin() + static_cast<std::ptrdiff_t>(base),
                 items_.begin() + static_cast<std::ptrdiff_t>(parents));
  }
  if (source.has_cardinality) {
    const std::size_t count = items_.size() - base;
    if (count < source.cardinality.min || count > source.cardinality.max) {
      const std::string most =
          source.cardinality.max == ast::kManyMax ? "*" : std::to_string(source.cardinality.max);
      return machine_.Stop(Code::kMapFailed,
                           "the source has " + std::to_string(count) + " elements and the rule demands " +
                               std::to_string(source.cardinality.min) + ".." + most,
                           &source.at);
    }
  }
  if (source.default_value != nullptr && items_.size() == base) {
    Collection value;
    if (!machine_.Evaluate(*source.default_value, frame, context, value)) return false;
    for (const Item& item : value) items_.push_back(item);
  }
  if (!source.types.empty()) {
    const auto begin = items_.begin() + static_cast<std::ptrdiff_t>(base);
    items_.erase(
        std::remove_if(begin, items_.end(), [&source](const Item& item) { return !IsKindOf(item, source); }),
        items_.end());
  }
  return true;
}

template <class Observer>
bool Executor<Observer>::Filter(const plan::Source& source, Frame& frame, std::size_t base) {
  const bool logs = source.log != nullptr && machine_.request().log != nullptr;
  const auto bind = [&source, &frame, this](std::size_t index) {
    const Collection item(items_[index]);
    if (source.alias != plan::kNoSlot) frame.values[source.alias] = item;
    if (const Node* node = NodeOf(items_[index])) machine_.source = node;
    return item;
  };
  if (source.where != nullptr) {
    std::size_t kept = base;
    for (std::size_t i = base; i < items_.size(); ++i) {
      bool holds = false;
      if (!machine_.Test(*source.where, frame, bind(i), holds)) return false;
      if (holds) items_[kept++] = items_[i];
    }
    items_.resize(kept);
  }
  if (source.check != nullptr) {
    for (std::size_t i = base; i < items_.size(); ++i) {
      bool holds = false;
      if (!machine_.Test(*source.check, frame, bind(i), holds)) return false;
      if (!holds && !machine_.FailCheck(source.check_text, source.at)) return false;
    }
  }
  for (std::size_t i = base; logs && i < items_.size(); ++i) {
    Collection said;
    if (!machine_.Evaluate(*source.log, frame, bind(i), said)) return false;
    for (const Item& item : said) {
      if (const auto text = fhirpath::TextOf(item, machine_.arena())) {
        machine_.request().log->emplace_back(*text);
      }
    }
  }
  return true;
}

template <class Observer>
void Executor<Observer>::Select(const plan::Source& source, std::size_t base, std::size_t& first,
                                std::size_t& last) {
  first = base;
  last = items_.size();
  if (first == last) return;
  switch (source.list_mode) {
    case ast::SourceListMode::kAll:
    case ast::SourceListMode::kOnlyOne:
      return;
    case ast::SourceListMode::kFirst:
      last = first + 1;
      return;
    case ast::SourceListMode::kNotFirst:
      ++first;
      return;
    case ast::SourceListMode::kLast:
      first = last - 1;
      return;
    case ast::SourceListMode::kNotLast:
      --last;
      return;
  }
}

template <class Observer>
bool Executor<Observer>::Fire(const plan::Rule& rule, Frame& frame, const Collection& focus) {
  if (!machine_.CountStep()) return false;
  if constexpr (Observer::kActive) {
    observer_.rules.push_back(rule.place);
    observer_.sink->RuleRan(rule.place);
  }
  const bool done = rule.is_copy ? RunCopy(rule, frame) : RunTargets(rule, 0, frame, focus);
  if constexpr (Observer::kActive) {
    observer_.rules.pop_back();
  }
  return done;
}

template <class Observer>
bool Executor<Observer>::RunTargets(const plan::Rule& rule, std::size_t index, Frame& frame,
                                    const Collection& focus) {
  for (; index < rule.targets.size(); ++index) {
    const plan::Target& target = rule.targets[index];
    if (target.call != nullptr) {
      if (!RunCall(*target.call, frame, focus)) return false;
      continue;
    }
    Collection values;
    bool is_fresh = true;
    bool is_done = false;
    if constexpr (Observer::kActive) {
      observer_.inputs.clear();
      observer_.rows.clear();
    }
    if (target.alias != plan::kNoSlot) {
      frame.values[target.alias].Clear();
      frame.places[target.alias] = Place{};
    }
    if (target.constant != nullptr) {
      if (!PlaceConstant(target, frame)) return false;
      is_done = true;
    } else if (target.list_mode == ast::TargetListMode::kShare) {
      bool is_found = false;
      if (!RunShared(target, frame, focus, is_found)) return false;
      is_done = is_found;
    } else if (target.transform.kind == plan::TransformKind::kNone) {
      if (!MakeElement(target, frame)) return false;
      is_done = true;
    }
    if (is_done) continue;
    if (!RunTarget(target, frame, focus, values, is_fresh)) return false;
    // An alias stands for one value: the rest of the rule runs once for each.
    const bool repeats = values.size() > 1 && target.alias != plan::kNoSlot;
    for (const Item& item : values) {
      if constexpr (Observer::kActive) {
        if (values.size() > 1) {
          observer_.inputs.clear();
          ObserveInputs(Collection(item));
        }
      }
      if (!PlaceValue(target, frame, item, is_fresh)) return false;
      if (repeats && !RunTargets(rule, index + 1, frame, focus)) return false;
    }
    if (repeats) return true;
  }
  return RunDependents(rule, frame, focus);
}

template <class Observer>
bool Executor<Observer>::RunTarget(const plan::Target& target, Frame& frame, const Collection& focus,
                                   Collection& values, bool& is_fresh) {
  const TypeInfo* target_type = nullptr;
  if (!target.path.empty() && target.path.back().alternatives.size() == 1) {
    target_type = target.path.back().alternatives.front().type;
  } else if (target.path.empty() && target.context != plan::kNoSlot &&
             !frame.values[target.context].empty()) {
    const Item& variable = frame.values[target.context].front();
    if (variable.is_element()) target_type = variable.element().type;
  }
  if (!Evaluate(target.transform, frame, focus, target_type, values)) return false;
  const plan::TransformKind kind = target.transform.kind;
  is_fresh = kind != plan::TransformKind::kCopy && kind != plan::TransformKind::kEvaluate;
  if (kind == plan::TransformKind::kCopy && target.transform.arguments[0].kind == plan::ArgumentKind::kSlot) {
    is_fresh = frame.places[target.transform.arguments[0].slot].is_loose;
  }
  const bool is_scalar =
      !target.path.empty() && target.path.back().element != nullptr && !target.path.back().element->is_list();
  if (values.size() > 1 && is_scalar) {
    return machine_.Stop(
        Code::kMapFailed,
        "several values for the element " + std::string(target.path.back().name) + ", which holds one",
        &target.at);
  }
  return true;
}

template <class Observer>
bool Executor<Observer>::Evaluate(const plan::Transform& transform, Frame& frame, const Collection& focus,
                                  const TypeInfo* target_type, Collection& out) {
  if (transform.kind == plan::TransformKind::kEvaluate) {
    if (transform.arguments.size() == 1) {
      if (!machine_.Evaluate(transform.arguments[0], frame, focus, out)) return false;
      ObserveInputs(out);
      return true;
    }
    Collection context;
    if (!machine_.Evaluate(transform.arguments[0], frame, focus, context)) return false;
    if (context.empty()) return true;
    if (!machine_.Evaluate(transform.arguments[1], frame, context, out)) return false;
    ObserveInputs(out);
    return true;
  }
  if (transform.kind == plan::TransformKind::kCopy) {
    if (!machine_.Evaluate(transform.arguments[0], frame, focus, out)) return false;
    ObserveInputs(out);
    return true;
  }
  const std::size_t count = transform.arguments.size();
  const std::span<Collection> arguments(
      count == 0 ? nullptr : machine_.arena().template MakeArray<Collection>(count), count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!machine_.Evaluate(transform.arguments[i], frame, focus, arguments[i])) return false;
    ObserveInputs(arguments[i]);
  }
  TransformCall call{machine_, transform, arguments, target_type, out, nullptr};
  if constexpr (Observer::kActive) {
    const std::size_t rows_before = observer_.rows.size();
    call.rows = &observer_.rows;
    const bool done = RunTransform(call);
    ObserveTranslation(out, std::span(observer_.rows).subspan(rows_before));
    return done;
  } else {
    return RunTransform(call);
  }
}

template <class Observer>
Node* Executor<Observer>::Parent(const plan::Target& target, Frame& frame, const TypeInfo*& type) {
  Node* parent = machine_.ContainerOf(frame, target.context);
  if (parent == nullptr) return nullptr;
  type = frame.values[target.context].front().element().type;
  for (std::size_t i = 0; i + 1 < target.path.size(); ++i) {
    const plan::Step* step = machine_.Bind(target.path[i], type);
    if (step->alternatives.empty()) {
      machine_.Stop(Code::kMapFailed, "the target has no element " + std::string(target.path[i].name),
                    &target.at);
      return nullptr;
    }
    Collection value;
    Place place;
    const plan::Alternative& alternative = step->alternatives.front();
    if (!machine_.Make(*parent, *step, alternative, ast::TargetListMode::kNormal, value, place))
      return nullptr;
    const Element& made = value.front().element();
    Observe(made.node, parent, alternative.member);
    if (made.node == nullptr || !made.node->is_object()) return nullptr;
    parent = const_cast<Node*>(made.node);
    type = made.type;
  }
  return parent;
}

template <class Observer>
bool Executor<Observer>::PlaceConstant(const plan::Target& target, Frame& frame) {
  const TypeInfo* type = nullptr;
  Node* parent = Parent(target, frame, type);
  if (parent == nullptr) return !machine_.has_stopped();
  Node* node = target.constant;
  if constexpr (Observer::kActive) {
    CopyCount count;
    node = CopyTree(*node, machine_.arena(), count);
  }
  const plan::Alternative& alternative = target.path.back().alternatives[target.constant_index];
  Place place;
  if (!machine_.Put(*parent, target.path.back(), alternative, node, nullptr, target.list_mode, place)) {
    return false;
  }
  if (target.alias != plan::kNoSlot) {
    frame.values[target.alias] =
        Collection(Item(Element{node, nullptr, alternative.type, target.path.back().element}));
    frame.places[target.alias] = place;
  }
  Observe(node, parent, alternative.member);
  return true;
}

template <class Observer>
bool Executor<Observer>::PlaceValue(const plan::Target& target, Frame& frame, const Item& item,
                                    bool is_fresh) {
  if (target.context == plan::kNoSlot) {
    if (target.alias != plan::kNoSlot) {
      frame.values[target.alias] = Collection(item);
      frame.places[target.alias] = Place{};
      frame.places[target.alias].is_loose = is_fresh;
      if constexpr (Observer::kActive) {
        if (const Node* made = NodeOf(item)) Observe(made, nullptr, {});
      }
    }
    return true;
  }
  if (target.path.empty()) return ReplaceVariable(target, frame, item, is_fresh);
  const TypeInfo* type = nullptr;
  Node* parent = Parent(target, frame, type);
  if (parent == nullptr) return !machine_.has_stopped();
  const plan::Step* step = machine_.Bind(target.path.back(), type);
  const plan::Alternative* alternative = Choose(step->alternatives, item);
  if (alternative == nullptr) {
    return machine_.Stop(Code::kMapFailed,
                         "the element " + std::string(step->name) + " takes no value of this type",
                         &target.at);
  }
  Conversion converted;
  CopyCount count;
  if (alternative->type != nullptr) {
    converted = Convert(item, *alternative->type, is_fresh, machine_.arena(), count);
  } else {
    const Node* node = NodeOf(item);
    converted.node = node == nullptr ? fhirpath::ToNode(item, machine_.arena())
                     : is_fresh      ? const_cast<Node*>(node)
                                     : CopyTree(*node, machine_.arena(), count);
  }
  if (converted.fault != nullptr) {
    return machine_.Stop(Code::kMapFailed, std::string(step->name) + ": " + converted.fault, &target.at);
  }
  if constexpr (Observer::kActive) {
    // Shared nodes would have several places; lineage wants one each.
    if (converted.node != nullptr && !converted.node->is_object() && converted.node->line > 0) {
      converted.node = CopyTree(*converted.node, machine_.arena(), count);
    }
  }
  if (!machine_.Count(count.elements, count.bytes)) return false;
  Place place;
  if (!machine_.Put(*parent, *step, *alternative, converted.node, converted.shadow, target.list_mode,
                    place)) {
    return false;
  }
  const TypeInfo* actual = alternative->type;
  if (item.is_element() && item.element().type != nullptr && actual != nullptr &&
      actual->kind == fhir::TypeKind::kResource) {
    actual = item.element().type;
  }
  if (target.transform.kind == plan::TransformKind::kCopy &&
      target.transform.arguments[0].kind == plan::ArgumentKind::kSlot) {
    Place& origin = frame.places[target.transform.arguments[0].slot];
    if (origin.is_loose) origin = place;
  }
  if (target.alias != plan::kNoSlot) {
    frame.values[target.alias] =
        Collection(Item(Element{converted.node, converted.shadow, actual, step->element}));
    frame.places[target.alias] = place;
  }
  Observe(converted.node, parent, alternative->member);
  return true;
}

// `tgt = value` for a variable that stands for a primitive or a whole element of the target.
template <class Observer>
bool Executor<Observer>::ReplaceVariable(const plan::Target& target, Frame& frame, const Item& item,
                                         bool is_fresh) {
  Collection& variable = frame.values[target.context];
  Place& place = frame.places[target.context];
  if (variable.empty() || !variable.front().is_element()) return true;
  const Element& element = variable.front().element();
  if (element.type == nullptr) {
    return machine_.Stop(Code::kMapFailed, "a variable without type cannot be assigned", &target.at);
  }
  CopyCount count;
  const Conversion converted = Convert(item, *element.type, is_fresh, machine_.arena(), count);
  if (converted.fault != nullptr) return machine_.Stop(Code::kMapFailed, converted.fault, &target.at);
  if (converted.node == nullptr) return true;
  if (!machine_.Count(count.elements + 1, count.bytes + converted.node->text.size())) return false;
  if (place.is_loose && converted.node->kind != fhir::NodeKind::kObject) {
    Element filled = element;
    filled.node = converted.node;
    variable = Collection(Item(filled));
    return true;
  }
  if (!machine_.Replace(place, converted.node)) {
    // No place of its own (the root of the target): its content is taken over.
    Node* node = const_cast<Node*>(element.node);
    if (node == nullptr || !node->is_object() || !converted.node->is_object()) {
      return machine_.Stop(Code::kMapFailed, "this variable has no place that a value could be put into",
                           &target.at);
    }
    for (const fhir::Member& member : converted.node->members()) {
      node->Set(machine_.arena(), member.name, member.value);
      Observe(member.value, node, member.name);
    }
    return true;
  }
  Element replaced = element;
  replaced.node = converted.node;
  variable = Collection(Item(replaced));
  if (target.alias != plan::kNoSlot) {
    frame.values[target.alias] = variable;
    frame.places[target.alias] = place;
  }
  Observe(converted.node, place.parent, place.alternative->member);
  return true;
}

template <class Observer>
bool Executor<Observer>::MakeElement(const plan::Target& target, Frame& frame) {
  if (target.path.empty()) {
    if (target.alias != plan::kNoSlot && target.context != plan::kNoSlot) {
      frame.values[target.alias] = frame.values[target.context];
      frame.places[target.alias] = frame.places[target.context];
    }
    return true;
  }
  const TypeInfo* type = nullptr;
  Node* parent = Parent(target, frame, type);
  if (parent == nullptr) return !machine_.has_stopped();
  const plan::Step* step = machine_.Bind(target.path.back(), type);
  if (step->alternatives.size() != 1) {
    return machine_.Stop(
        Code::kMapFailed,
        "the element " + std::string(step->name) +
            (step->alternatives.empty() ? " is unknown" : " has several types: use create()"),
        &target.at);
  }
  Collection value;
  Place place;
  if (!machine_.Make(*parent, *step, step->alternatives.front(), target.list_mode, value, place))
    return false;
  if (target.alias != plan::kNoSlot) {
    frame.values[target.alias] = value;
    frame.places[target.alias] = place;
  }
  Observe(value.front().element().node, parent, step->alternatives.front().member);
  return true;
}

template <class Observer>
bool Executor<Observer>::RunShared(const plan::Target& target, Frame& frame, const Collection& focus,
                                   bool& is_found) {
  is_found = true;
  const TypeInfo* type = nullptr;
  Node* parent = Parent(target, frame, type);
  if (parent == nullptr) return !machine_.has_stopped();
  Machine::Shared* shared = machine_.FindShared(*parent, target.share_id);
  if (shared == nullptr) {
    if (target.transform.kind == plan::TransformKind::kNone) {
      if (!MakeElement(target, frame)) return false;
    } else {
      Collection values;
      bool is_fresh = true;
      if (!RunTarget(target, frame, focus, values, is_fresh)) return false;
      if (values.empty()) return true;
      if (!PlaceValue(target, frame, values.front(), is_fresh)) return false;
    }
    if (target.alias == plan::kNoSlot) return true;
    machine_.AddShared(
        Machine::Shared{parent, target.share_id, frame.values[target.alias], frame.places[target.alias]});
    return true;
  }
  if (target.alias != plan::kNoSlot) {
    frame.values[target.alias] = shared->value;
    frame.places[target.alias] = shared->place;
  }
  return true;
}

template <class Observer>
bool Executor<Observer>::RunDependents(const plan::Rule& rule, Frame& frame, const Collection& focus) {
  for (const plan::Call& call : rule.calls) {
    if (!RunCall(call, frame, focus)) return false;
  }
  if (rule.uses_default_group && !RunDefault(rule, frame)) return false;
  return RunRules(rule.rules, frame);
}

template <class Observer>
bool Executor<Observer>::RunCall(const plan::Call& call, Frame& frame, const Collection& focus) {
  Frame inner = machine_.frames().Push(call.group->slots);
  bool has_all = true;
  for (std::size_t i = 0; i < call.arguments.size() && has_all; ++i) {
    const plan::Argument& argument = call.arguments[i];
    if (!machine_.Evaluate(argument, frame, focus, inner.values[i])) {
      machine_.frames().Pop(inner);
      return false;
    }
    if (argument.kind == plan::ArgumentKind::kSlot) inner.places[i] = frame.places[argument.slot];
    has_all = !inner.values[i].empty();
  }
  const bool done = !has_all || RunGroup(*call.group, inner);
  machine_.frames().Pop(inner);
  return done;
}

template <class Observer>
const plan::DefaultGroup* Executor<Observer>::FindDefault(const plan::Rule& rule, const TypeInfo* source,
                                                          const plan::Step& step) const {
  for (const plan::DefaultGroup& group : rule.default_groups) {
    if (group.source != source) continue;
    if (step.alternatives.size() > 1 && !group.for_choice) continue;
    for (const plan::Alternative& alternative : step.alternatives) {
      if (alternative.type == group.target) return &group;
    }
  }
  return nullptr;
}

// `src.a -> tgt.a;`
template <class Observer>
bool Executor<Observer>::RunCopy(const plan::Rule& rule, Frame& frame) {
  const plan::Target& target = rule.targets.front();
  const Collection source = frame.values[rule.sources.front().alias];
  const Item& item = source.front();
  if constexpr (Observer::kActive) {
    observer_.inputs.clear();
    observer_.rows.clear();
  }
  ObserveInputs(source);
  const TypeInfo* source_type = item.is_element() ? item.element().type : nullptr;
  if (!rule.default_groups.empty() && source_type != nullptr && !target.path.empty()) {
    const TypeInfo* type = nullptr;
    Node* parent = Parent(target, frame, type);
    if (parent == nullptr) return !machine_.has_stopped();
    const plan::Step* step = machine_.Bind(target.path.back(), type);
    if (const plan::DefaultGroup* group = FindDefault(rule, source_type, *step)) {
      const plan::Alternative* alternative = ChooseByType(step->alternatives, *group->target);
      Collection value;
      Place place;
      if (!machine_.Make(*parent, *step, *alternative, target.list_mode, value, place)) return false;
      Observe(value.front().element().node, parent, alternative->member);
      Frame inner = machine_.frames().Push(group->group->slots);
      inner.values[0] = source;
      inner.values[1] = value;
      inner.places[1] = place;
      const bool done = RunGroup(*group->group, inner);
      machine_.frames().Pop(inner);
      return done;
    }
  }
  return PlaceValue(target, frame, item, false);
}

// A rule with one source, one target and no `then`.
template <class Observer>
bool Executor<Observer>::RunDefault(const plan::Rule& rule, Frame& frame) {
  const std::uint32_t source_slot = rule.sources.front().alias;
  const std::uint32_t target_slot = rule.targets.front().alias;
  const Collection& source = frame.values[source_slot];
  const Collection& target = frame.values[target_slot];
  if (source.empty() || target.empty()) return true;
  if (!source.front().is_element() || !target.front().is_element()) return true;
  const TypeInfo* source_type = source.front().element().type;
  const TypeInfo* target_type = target.front().element().type;
  for (const plan::DefaultGroup& group : rule.default_groups) {
    if (group.source != source_type || group.target != target_type) continue;
    Frame inner = machine_.frames().Push(group.group->slots);
    inner.values[0] = source;
    inner.values[1] = target;
    inner.places[1] = frame.places[target_slot];
    const bool done = RunGroup(*group.group, inner);
    machine_.frames().Pop(inner);
    return done;
  }
  return true;
}

template class Executor<NoObserver>;
template class Executor<LineageObserver>;

}  // namespace fhir_adapter::fml
