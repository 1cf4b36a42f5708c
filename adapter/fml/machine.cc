#include "fml/machine.h"

#include <algorithm>
#include <utility>

#include "fhir/json_reader.h"

namespace fhir_adapter::fml {

using fhir::Element;
using fhir::Node;
using fhir::TypeInfo;
using fhirpath::Collection;
using fhirpath::Item;

namespace {

constexpr std::uint32_t kFrameBlockSlots = 4096;

}  // namespace

Frame FrameStack::Push(std::uint32_t slots) {
  while (current_ < blocks_.size() && blocks_[current_].used + slots > blocks_[current_].capacity) {
    ++current_;
  }
  if (current_ == blocks_.size()) {
    const std::uint32_t capacity = std::max(slots, kFrameBlockSlots);
    blocks_.push_back(
        Block{std::make_unique<Collection[]>(capacity), std::make_unique<Place[]>(capacity), capacity, 0});
  }
  Block& block = blocks_[current_];
  Frame frame{block.values.get() + block.used, block.places.get() + block.used, slots};
  for (std::uint32_t i = 0; i < slots; ++i) {
    frame.values[i].Clear();
    frame.places[i] = Place{};
  }
  block.used += slots;
  return frame;
}

void FrameStack::Pop(const Frame& frame) {
  Block& block = blocks_[current_];
  block.used -= frame.size;
  while (current_ > 0 && blocks_[current_].used == 0) --current_;
}

void FrameStack::Clear() {
  for (Block& block : blocks_) block.used = 0;
  current_ = 0;
}

void Machine::Begin(const MapRequest& request, const Node& record, const TypeInfo* type, Mapping& mapping) {
  arena_.Reset();
  request_ = &request;
  mapping_ = &mapping;
  record_ = &record;
  has_stopped_ = false;
  has_failed_ = false;
  elements_ = 0;
  bytes_ = 0;
  expression_steps_ = 0;
  shared_.clear();
  ends_.clear();
  calls_.clear();
  frames_.Clear();
  rule = nullptr;
  source = &record;
  evaluation_ = fhirpath::EvaluationContext{};
  evaluation_.arena = &arena_;
  evaluation_.schema = &schema_;
  evaluation_.moment = request.moment;
  evaluation_.host = request.host;
  evaluation_.steps_used = &expression_steps_;
  evaluation_.steps_max = request.expression_steps_max;
  const Element root = fhir::RootElement(record, schema_, type);
  evaluation_.resource = Item(root);
  evaluation_.root_resource = Item(root);
}

void Machine::Report(Code code, std::string message, const Node* where) {
  const Node* at = where != nullptr ? where : source;
  Issue issue;
  issue.code = code;
  issue.where.file = request_->file;
  if (at != nullptr) {
    issue.where.line = at->line;
    issue.where.column = at->column;
    issue.where.pointer = std::string(request_->pointer_prefix) + fhir::PointerTo(*record_, *at);
  }
  if (rule != nullptr) {
    message += " (rule " + std::string(rule->rule) + " of group " + std::string(rule->group) + ", " +
               std::string(rule->file) + ":" + std::to_string(rule->line) + ")";
  }
  issue.message = std::move(message);
  if (issue.disposition() != Disposition::kNote) {
    has_failed_ = true;
  } else {
    if (mapping_->issues.size() >= limits::kMapIssuesMax) {
      if (!has_stopped_) Stop(Code::kMapLimit, "the record has more than kMapIssuesMax issues");
      return;
    }
    // A note about one element is said once, however many rules come by.
    for (const Issue& known : mapping_->issues) {
      if (known.code == code && known.where == issue.where) return;
    }
  }
  mapping_->issues.push_back(std::move(issue));
}

bool Machine::Stop(Code code, std::string message, const ast::Position* at) {
  if (has_stopped_) return false;
  has_stopped_ = true;
  ReportAt(code, std::move(message), at);
  has_failed_ = true;
  return false;
}

void Machine::ReportAt(Code code, std::string message, const ast::Position* at) {
  if (at == nullptr || rule == nullptr) return Report(code, std::move(message));
  const RulePlace* const outer = rule;
  RulePlace inner = *rule;
  inner.line = at->line;
  inner.column = at->column;
  rule = &inner;
  Report(code, std::move(message));
  rule = outer;
}

bool Machine::FailCheck(const std::string& text, const ast::Position& at) {
  const bool goes_on = request_->goes_on_after_check && mapping_->issues.size() < limits::kMapIssuesMax;
  if (!goes_on) return Stop(Code::kMapCheck, "check failed: " + text, &at);
  ReportAt(Code::kMapCheck, "check failed: " + text, &at);
  return true;
}

bool Machine::StopAtSteps() {
  return Stop(Code::kMapLimit,
              "the map ran more rules than kMapStepsMax (" + std::to_string(request_->steps_max) + ")");
}

bool Machine::StopAtSize() {
  if (elements_ > request_->elements_max) {
    return Stop(Code::kMapLimit, "the map made more elements than kMapElementsMax (" +
                                     std::to_string(request_->elements_max) + ")");
  }
  return Stop(Code::kMapLimit, "the map made more bytes than kMapOutputBytesMax (" +
                                   std::to_string(request_->output_bytes_max) + ")");
}

bool Machine::Evaluate(const fhirpath::Expression& expression, const Frame& frame, const Collection& focus,
                       Collection& out) {
  evaluation_.variables = {frame.values, frame.size};
  auto result = expression.Evaluate(evaluation_, focus);
  if (!result) {
    const Code code = result.error().code == Code::kMapLimit ? Code::kMapLimit : Code::kMapFailed;
    const ast::Position at{result.error().where.line, result.error().where.column};
    return Stop(code, result.error().message, at.line > 0 ? &at : nullptr);
  }
  out = *result;
  return true;
}

bool Machine::Test(const fhirpath::Expression& expression, const Frame& frame, const Collection& focus,
                   bool& out) {
  evaluation_.variables = {frame.values, frame.size};
  const auto result = expression.EvaluateBoolean(evaluation_, focus);
  if (!result) {
    const Code code = result.error().code == Code::kMapLimit ? Code::kMapLimit : Code::kMapFailed;
    const ast::Position at{result.error().where.line, result.error().where.column};
    return Stop(code, result.error().message, at.line > 0 ? &at : nullptr);
  }
  out = result->value_or(false);
  return true;
}

bool Machine::Evaluate(const plan::Argument& argument, const Frame& frame, const Collection& focus,
                       Collection& out) {
  switch (argument.kind) {
    case plan::ArgumentKind::kConstant:
      out = argument.constant;
      return true;
    case plan::ArgumentKind::kSlot:
      out = frame.values[argument.slot];
      return true;
    case plan::ArgumentKind::kExpression:
      return Evaluate(*argument.expression, frame, focus, out);
  }
  return true;
}

plan::Step MakeStep(const fhir::ElementInfo& element, std::string_view name, Arena& arena) {
  plan::Step step;
  step.name = name;
  step.element = &element;
  for (const fhir::ElementType& type : element.types) {
    if (type.type == nullptr) continue;
    plan::Alternative alternative;
    alternative.type = type.type;
    alternative.member =
        type.json_name.empty() ? fhir::Schema::JsonName(element, *type.type) : type.json_name;
    // "valueString" written in a map is the element `value`, as a string and nothing else.
    if (element.is_choice && name != element.name && name != alternative.member) continue;
    if (type.type->kind == fhir::TypeKind::kPrimitive) {
      alternative.shadow = arena.Copy("_" + std::string(alternative.member));
    }
    step.alternatives.push_back(alternative);
  }
  return step;
}

const plan::Step* Machine::BindAtRunTime(const plan::Step& step, const TypeInfo* type) {
  const StepKey key{type, step.name};
  const auto found = steps_.find(key);
  if (found != steps_.end()) return &found->second;
  plan::Step bound;
  bound.name = step.name;
  if (type != nullptr) {
    if (const fhir::ElementInfo* element = fhir::Schema::FindElement(*type, step.name)) {
      bound = MakeStep(*element, step.name, step_names_);
    }
  } else {
    bound.alternatives.push_back(plan::Alternative{step.name, {}, nullptr});
  }
  return &steps_.emplace(key, std::move(bound)).first->second;
}

namespace {

// `name` and `_name` of an object in one pass.
struct Pair {
  const Node* value = nullptr;
  const Node* shadow = nullptr;
};

Pair FindPair(const Node& object, const plan::Alternative& alternative) {
  Pair pair;
  for (const fhir::Member& member : object.members()) {
    if (fhir::IsSameName(member.name, alternative.member)) {
      pair.value = member.value;
    } else if (fhir::IsSameName(member.name, alternative.shadow)) {
      pair.shadow = member.value;
    }
  }
  if (alternative.shadow.empty()) pair.shadow = nullptr;  // a member may have no name
  return pair;
}

}  // namespace

void Machine::AppendItem(const Node* value, const Node* shadow, const plan::Step& step,
                         const plan::Alternative& alternative, std::vector<Item>& out) {
  if (value != nullptr && value->is_null()) value = nullptr;
  if (shadow != nullptr && !shadow->is_object()) shadow = nullptr;
  if (value == nullptr && shadow == nullptr) return;
  const TypeInfo* type = alternative.type;
  if (value != nullptr && type != nullptr && type->kind == fhir::TypeKind::kResource) {
    const Node* name = value->Find("resourceType");
    const TypeInfo* actual = name == nullptr ? nullptr : schema_.FindType(name->text);
    if (actual != nullptr) type = actual;
  }
  out.emplace_back(Element{value, shadow, type, step.element});
}

void Machine::AppendAlternative(const Node& container, const plan::Step& step,
                                const plan::Alternative& alternative, std::vector<Item>& out) {
  const auto [value, shadow] = FindPair(container, alternative);
  if (value == nullptr && shadow == nullptr) return;
  const bool is_list = (value != nullptr && value->is_array()) || (shadow != nullptr && shadow->is_array());
  if (!is_list) return AppendItem(value, shadow, step, alternative, out);
  const std::size_t values = value == nullptr ? 0 : value->items().size();
  const std::size_t shadows = shadow == nullptr ? 0 : shadow->items().size();
  for (std::size_t i = 0; i < std::max(values, shadows); ++i) {
    AppendItem(i < values ? value->items()[i] : nullptr, i < shadows ? shadow->items()[i] : nullptr, step,
               alternative, out);
  }
}

void Machine::AppendChildren(const Item& parent, const plan::Step& step, std::vector<Item>& out) {
  if (!parent.is_element()) return;
  const Element& element = parent.element();
  const bool is_primitive = element.type != nullptr ? element.type->kind == fhir::TypeKind::kPrimitive
                                                    : element.node != nullptr && !element.node->is_object();
  if (is_primitive && step.name == "value") {
    out.push_back(parent);
    return;
  }
  const Node* container =
      element.node != nullptr && element.node->is_object() ? element.node : element.shadow;
  if (container == nullptr) return;
  const plan::Step* bound = Bind(step, element.type);
  for (const plan::Alternative& alternative : bound->alternatives) {
    AppendAlternative(*container, *bound, alternative, out);
  }
}

Node* Machine::Thaw(const Place& place, Node* node) {
  if (!IsFrozen(*node)) return node;
  CopyCount count;
  Node* copy = CopyTree(*node, arena_, count);
  (void)Replace(place, copy);
  return copy;
}

Node* Machine::EnsureShadow(const Place& place, Collection& value) {
  if (place.parent == nullptr || place.alternative == nullptr || place.alternative->shadow.empty()) {
    return nullptr;
  }
  Node* shadow = place.parent->Find(place.alternative->shadow);
  if (place.index == kNoIndex) {
    if (shadow == nullptr) {
      shadow = Node::Object(arena_);
      place.parent->AddMember(arena_, place.alternative->shadow, shadow);
    }
  } else {
    if (shadow == nullptr) {
      shadow = Node::Array(arena_);
      place.parent->AddMember(arena_, place.alternative->shadow, shadow);
    }
    while (shadow->size <= place.index) shadow->Append(arena_, Node::Null(arena_));
    Node*& item = shadow->item_data[place.index];
    if (item->is_null()) item = Node::Object(arena_);
    shadow = item;
  }
  Element element = value.front().element();
  element.shadow = shadow;
  value = Collection(Item(element));
  return shadow;
}

Node* Machine::ContainerOf(Frame& frame, std::uint32_t slot) {
  Collection& value = frame.values[slot];
  if (value.empty() || !value.front().is_element()) return nullptr;
  const Element& element = value.front().element();
  const bool is_primitive = element.type != nullptr && element.type->kind == fhir::TypeKind::kPrimitive;
  if (is_primitive) return EnsureShadow(frame.places[slot], value);
  if (element.node == nullptr || !element.node->is_object()) return nullptr;
  Node* node = const_cast<Node*>(element.node);
  if (!IsFrozen(*node)) return node;
  Element thawed = element;
  thawed.node = Thaw(frame.places[slot], node);
  value = Collection(Item(thawed));
  return const_cast<Node*>(thawed.node);
}

Machine::Ends& Machine::EndsOf(const Node& list) {
  return ends_[&list];
}

bool Machine::PutInList(Node& list, Node* node, ast::TargetListMode mode, Place& place) {
  const bool is_end = mode == ast::TargetListMode::kFirst || mode == ast::TargetListMode::kLast;
  if (ends_.empty() && !is_end) {
    place.index = list.size;
    list.Append(arena_, node);
    return true;
  }
  Ends& ends = EndsOf(list);
  std::uint32_t index = list.size - ends.last;
  if (mode == ast::TargetListMode::kFirst) {
    if (ends.first_rule != nullptr && ends.first_rule != rule) {
      return Stop(Code::kMapFailed, "two rules claim the first place of one list");
    }
    ends.first_rule = rule;
    index = ends.first++;
  } else if (mode == ast::TargetListMode::kLast) {
    if (ends.last_rule != nullptr && ends.last_rule != rule) {
      return Stop(Code::kMapFailed, "two rules claim the last place of one list");
    }
    ends.last_rule = rule;
    index = list.size;
    ++ends.last;
  }
  list.Append(arena_, node);
  std::rotate(list.item_data + index, list.item_data + list.size - 1, list.item_data + list.size);
  place.index = index;
  return true;
}

// Nothing says whether the member repeats: a second value makes it a list, so that none is lost.
bool Machine::PutUntyped(Node& parent, const plan::Alternative& alternative, Node* node, Place& place) {
  if (node == nullptr) return true;
  Node* known = parent.Find(alternative.member);
  if (known == nullptr) {
    parent.AddMember(arena_, alternative.member, node);
    return true;
  }
  if (!known->is_array()) {
    Node* list = Node::Array(arena_);
    list->Append(arena_, known);
    parent.Set(arena_, alternative.member, list);
    known = list;
  }
  place.index = known->size;
  known->Append(arena_, node);
  return true;
}

namespace {

// An element has one of the forms of a choice.
void RemoveOtherForms(Node& parent, const fhir::ElementInfo& element, std::string_view kept) {
  for (std::uint32_t i = parent.size; i-- > 0;) {
    const std::string_view name = parent.member_data[i].name;
    if (!name.starts_with(element.name) || name == kept) continue;
    const bool is_form =
        std::any_of(element.types.begin(), element.types.end(),
                    [name](const fhir::ElementType& type) { return type.json_name == name; });
    if (is_form) parent.Remove(name);
  }
}

}  // namespace

bool Machine::Put(Node& parent, const plan::Step& step, const plan::Alternative& alternative, Node* node,
                  Node* shadow, ast::TargetListMode mode, Place& place) {
  place = Place{&parent, &alternative, kNoIndex, false};
  const std::uint64_t bytes = (node == nullptr ? 0 : node->text.size()) + alternative.member.size() + 8;
  if (!Count(1, bytes)) return false;
  if (step.element == nullptr) return PutUntyped(parent, alternative, node, place);
  if (!step.element->is_list()) {
    if (step.element->is_choice && step.element->types.size() > 1) {
      RemoveOtherForms(parent, *step.element, alternative.member);
    }
    if (node != nullptr) parent.Set(arena_, alternative.member, node);
    if (shadow != nullptr) parent.Set(arena_, alternative.shadow, shadow);
    return true;
  }
  Node* list = parent.Find(alternative.member);
  if (list == nullptr) {
    list = Node::Array(arena_);
    parent.AddMember(arena_, alternative.member, list);
  } else if (IsFrozen(*list)) {
    CopyCount count;
    list = CopyTree(*list, arena_, count);
    parent.Set(arena_, alternative.member, list);
  }
  if (mode == ast::TargetListMode::kSingle && list->size > 0) {
    list->item_data[0] = node == nullptr ? list->item_data[0] : node;
    place.index = 0;
    return true;
  }
  if (!PutInList(*list, node == nullptr ? Node::Null(arena_) : node, mode, place)) return false;
  if (shadow != nullptr) {
    Collection holder(Item(Element{}));
    Node* made = EnsureShadow(place, holder);
    if (made != nullptr) *made = *shadow;
  }
  return true;
}

bool Machine::Replace(const Place& place, Node* node) {
  if (place.parent == nullptr || place.alternative == nullptr) return false;
  if (place.index == kNoIndex) {
    place.parent->Set(arena_, place.alternative->member, node);
    return true;
  }
  Node* list = place.parent->Find(place.alternative->member);
  if (list == nullptr || !list->is_array() || place.index >= list->size) return false;
  list->item_data[place.index] = node;
  return true;
}

bool Machine::Make(Node& parent, const plan::Step& step, const plan::Alternative& alternative,
                   ast::TargetListMode mode, Collection& value, Place& place) {
  const bool is_list = step.element != nullptr && step.element->is_list();
  const bool is_primitive =
      alternative.type != nullptr && alternative.type->kind == fhir::TypeKind::kPrimitive;
  Node* found = parent.Find(alternative.member);
  if (is_list && found != nullptr && mode == ast::TargetListMode::kSingle && found->size > 0) {
    place = Place{&parent, &alternative, 0, false};
    Node* item = Thaw(place, found->item_data[0]);
    value = Collection(Item(Element{item, nullptr, alternative.type, step.element}));
    return true;
  }
  if (step.element != nullptr && !is_list && (found != nullptr || is_primitive)) {
    place = Place{&parent, &alternative, kNoIndex, false};
    Node* node = found == nullptr ? nullptr : Thaw(place, found);
    value = Collection(Item(Element{node, nullptr, alternative.type, step.element}));
    return true;
  }
  Node* node = is_primitive                  ? Node::Null(arena_)
               : alternative.type != nullptr ? NewObject(*alternative.type)
                                             : Node::Object(arena_);
  if (!Put(parent, step, alternative, node, nullptr, mode, place)) return false;
  value = Collection(Item(Element{is_primitive ? nullptr : node, nullptr, alternative.type, step.element}));
  return true;
}

Machine::Shared* Machine::FindShared(const Node& parent, std::uint32_t share_id) {
  const auto found = shared_.find(ShareKey{&parent, share_id});
  return found == shared_.end() ? nullptr : &found->second;
}

Node* Machine::NewObject(const TypeInfo& type) {
  Node* node = Node::Object(arena_);
  if (type.kind == fhir::TypeKind::kResource && !type.is_abstract) {
    node->AddMember(arena_, "resourceType", MakeText(type.name, arena_));
  }
  return node;
}

std::size_t Machine::ReferenceTo(Node& resource) {
  if (resource.column == 0) {
    mapping_->referenced.push_back(&resource);
    resource.column = static_cast<std::uint32_t>(mapping_->referenced.size());
  }
  return resource.column - 1;
}

std::uint64_t Machine::NextCall(std::uint64_t call_site) {
  return calls_[call_site]++;
}

}  // namespace fhir_adapter::fml
