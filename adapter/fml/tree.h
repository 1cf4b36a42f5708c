// The target tree: nodes that are made once and shared, copies, and what is left of a tree when it is done.
//
// Internal to adapter/fml. A frozen node belongs to a MapSet and may stand in many trees: it is never
// changed; who wants to change it takes a copy. A node of ours has line 0 (those of a source have a
// position).
#pragma once

#include <cstdint>
#include <string_view>

#include "core/arena.h"
#include "fhir/node.h"

namespace fhir_adapter::fml {

inline constexpr std::uint32_t kFrozenColumn = 0xFFFFFFFF;

inline bool IsFrozen(const fhir::Node& node) {
  return node.line == 0 && node.column == kFrozenColumn;
}

// Freezes a whole tree.
void Freeze(fhir::Node& node);

// The number that reference() gave to a resource of the target, plus one; 0: none.
inline std::uint32_t ReferenceMark(const fhir::Node& node) {
  return node.line == 0 && node.column != kFrozenColumn ? node.column : 0;
}

// A new node whose text is not copied: `text` must outlive the arena's content.
fhir::Node* MakeText(std::string_view text, Arena& arena);
fhir::Node* MakeNumber(std::string_view text, Arena& arena);

struct CopyCount {
  std::uint64_t elements = 0;
  std::uint64_t bytes = 0;
};

// A deep copy that shares the texts (and the nodes of frozen primitives) of the original.
fhir::Node* CopyTree(const fhir::Node& node, Arena& arena, CopyCount& count);

// Removes empty objects and arrays, which FHIR has not, from the inside out. False: nothing is left.
// Items that pair with a `_name` list stay as null.
bool Prune(fhir::Node& node, Arena& arena);

}  // namespace fhir_adapter::fml
