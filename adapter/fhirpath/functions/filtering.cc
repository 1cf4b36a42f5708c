// Filtering, projection and combining: where, select, repeat, union, aggregate, sort, iif and their kin.
// FHIRPath N1 2.0.0, sections 5.2, 5.4, 5.5.1 (iif), 7 (aggregates); sort, coalesce: 3.0.0 draft.
#include <algorithm>
#include <vector>

#include "fhirpath/functions/function.h"

namespace fhir_adapter::fhirpath::internal {
namespace {

bool Where(Call& call) {
  for (std::uint32_t i = 0; i < call.input.size(); ++i) {
    Truth truth = Truth::kEmpty;
    if (!call.CriterionOn(0, call.input[i], i, truth)) return false;
    if (truth == Truth::kTrue && !call.Add(call.input[i])) return false;
  }
  return true;
}

bool Select(Call& call) {
  Collection values;
  for (std::uint32_t i = 0; i < call.input.size(); ++i) {
    if (!call.ArgumentOn(0, call.input[i], i, values)) return false;
    if (!call.evaluator.Append(call.node, values, call.out)) return false;
  }
  return true;
}

// Breadth first; what has been seen (by equality, for `distinct`) is not taken again.
bool RepeatItems(Call& call, bool distinct) {
  ItemSet seen(call.arena());
  Collection level = call.input;
  Collection values;
  while (!level.empty()) {
    Collection next;
    for (std::uint32_t i = 0; i < level.size(); ++i) {
      if (!call.ArgumentOn(0, level[i], i, values)) return false;
      for (const Item& item : values) {
        if (!call.evaluator.Step(call.node)) return false;
        if (distinct && !seen.Insert(item)) continue;
        if (!call.Add(item)) return false;
        next.Append(item, call.arena());
      }
    }
    level = next;
  }
  return true;
}

bool Repeat(Call& call) {
  return RepeatItems(call, true);
}
bool RepeatAll(Call& call) {
  return RepeatItems(call, false);
}

bool Union(Call& call) {
  Collection other;
  if (!call.Argument(0, other)) return false;
  ItemSet set(call.arena());
  for (const Item& item : call.input) set.Insert(item);
  for (const Item& item : other) set.Insert(item);
  return call.evaluator.Append(call.node, set.items(), call.out);
}

bool Combine(Call& call) {
  Collection other;
  if (!call.Argument(0, other)) return false;
  if (call.argument_count() == 2) {
    // combine(other, preserveOrder): ours always keeps the order.
    std::optional<Item> preserve;
    if (!call.SingleArgument(1, preserve)) return false;
  }
  return call.evaluator.Append(call.node, call.input, call.out) &&
         call.evaluator.Append(call.node, other, call.out);
}

bool Intersect(Call& call) {
  Collection other;
  if (!call.Argument(0, other)) return false;
  ItemSet wanted(call.arena());
  for (const Item& item : other) wanted.Insert(item);
  ItemSet result(call.arena());
  for (const Item& item : call.input) {
    if (wanted.Contains(item)) result.Insert(item);
  }
  return call.evaluator.Append(call.node, result.items(), call.out) &&
         call.evaluator.Step(call.node, call.input.size() + other.size());
}

bool Exclude(Call& call) {
  Collection other;
  if (!call.Argument(0, other)) return false;
  ItemSet unwanted(call.arena());
  for (const Item& item : other) unwanted.Insert(item);
  for (const Item& item : call.input) {
    if (!unwanted.Contains(item) && !call.Add(item)) return false;
  }
  return call.evaluator.Step(call.node, call.input.size() + other.size());
}

bool Aggregate(Call& call) {
  Collection total;
  if (call.argument_count() == 2 && !call.Argument(1, total)) return false;
  for (std::uint32_t i = 0; i < call.input.size(); ++i) {
    Collection next;
    if (!call.ArgumentOn(0, call.input[i], i, next, &total)) return false;
    total = next;
  }
  call.out = total;
  return true;
}

bool Iif(Call& call) {
  if (call.input.size() > 1) return call.Fail("iif() needs a single item, and there are several");
  // The criterion and both branches see the input as $this; without an input of its own the focus stays.
  const Focus focus{&call.input, call.focus.index, call.focus.total};
  Collection criterion;
  if (!call.evaluator.Evaluate(call.argument(0), focus, criterion)) return false;
  if (criterion.size() > 1) return call.Fail("the criterion of iif() must be a single Boolean");
  bool truth = false;
  if (!criterion.empty()) {
    const Item value = ToSystem(criterion.front(), call.arena());
    if (value.kind() != ItemKind::kBoolean) return call.Fail("the criterion of iif() must be a Boolean");
    truth = value.boolean();
  }
  if (truth) return call.evaluator.Evaluate(call.argument(1), focus, call.out);
  return call.argument_count() < 3 || call.evaluator.Evaluate(call.argument(2), focus, call.out);
}

bool Coalesce(Call& call) {
  for (std::size_t i = 0; i < call.argument_count(); ++i) {
    if (!call.Argument(i, call.out)) return false;
    if (!call.out.empty()) return true;
  }
  return true;
}

struct SortKey {
  Collection value;
  bool descending = false;
};

// -1, 0, 1; nothing when the two have no order.
std::optional<int> CompareKeys(const SortKey& a, const SortKey& b, Arena& arena) {
  int order = 0;
  if (a.value.empty() || b.value.empty()) {
    // Items without the key come first in either direction.
    return static_cast<int>(b.value.empty()) - static_cast<int>(a.value.empty());
  }
  switch (Compare(a.value.front(), b.value.front(), arena)) {
    case Order::kLess:
      order = -1;
      break;
    case Order::kGreater:
      order = 1;
      break;
    case Order::kEqual:
    case Order::kUnknown:
      break;
    case Order::kIncompatible:
      return std::nullopt;
  }
  return a.descending ? -order : order;
}

// sort([key [asc|desc], …]): a key with a minus in front sorts descending, whatever its type.
bool ReadSortKeys(Call& call, const Item& item, std::uint32_t index, std::vector<SortKey>& keys) {
  if (call.argument_count() == 0) {
    keys.push_back({item, false});
    return true;
  }
  for (std::size_t i = 0; i < call.argument_count(); ++i) {
    const Node* node = &call.argument(i);
    SortKey key;
    if (node->kind == NodeKind::kUnary && node->operation == Operation::kMinus) {
      key.descending = true;
      node = node->arguments[0];
    }
    const Collection self(item);
    if (!call.evaluator.Evaluate(*node, Focus{&self, index, nullptr}, key.value)) return false;
    if (key.value.size() > 1) return call.Fail("a key of sort() must be a single value");
    keys.push_back(std::move(key));
  }
  return true;
}

bool Sort(Call& call) {
  struct Row {
    Item item;
    std::vector<SortKey> keys;
  };
  std::vector<Row> rows;
  for (std::uint32_t i = 0; i < call.input.size(); ++i) {
    Row row{call.input[i], {}};
    if (!ReadSortKeys(call, row.item, i, row.keys)) return false;
    rows.push_back(std::move(row));
  }
  bool comparable = true;
  std::stable_sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
    for (std::size_t k = 0; k < a.keys.size(); ++k) {
      const auto order = CompareKeys(a.keys[k], b.keys[k], call.arena());
      if (!order) comparable = false;
      if (order && *order != 0) return *order < 0;
    }
    return false;
  });
  if (!comparable) return call.Fail("sort() needs keys of one kind");
  for (const Row& row : rows) {
    if (!call.Add(row.item)) return false;
  }
  return call.evaluator.Step(call.node, call.input.size());
}

constexpr FunctionInfo kFunctions[] = {
    {"where", 1, 1, Where, ResultRule::kInput, ArgumentRule::kEach},
    {"select", 1, 1, Select, ResultRule::kArgument, ArgumentRule::kEach},
    {"repeat", 1, 1, Repeat, ResultRule::kAny, ArgumentRule::kEach},
    {"repeatAll", 1, 1, RepeatAll, ResultRule::kAny, ArgumentRule::kEach},
    {"union", 1, 1, Union, ResultRule::kUnion},
    {"combine", 1, 2, Combine, ResultRule::kUnion},
    {"intersect", 1, 1, Intersect, ResultRule::kInput},
    {"exclude", 1, 1, Exclude, ResultRule::kInput},
    {"aggregate", 1, 2, Aggregate, ResultRule::kAny, ArgumentRule::kTotal},
    {"iif", 2, 3, Iif, ResultRule::kChoice, ArgumentRule::kInput},
    {"coalesce", 1, 100, Coalesce, ResultRule::kAny},
    {"sort", 0, 16, Sort, ResultRule::kInput, ArgumentRule::kEach},
};

}  // namespace

std::span<const FunctionInfo> FilteringFunctions() {
  return kFunctions;
}

}  // namespace fhir_adapter::fhirpath::internal
