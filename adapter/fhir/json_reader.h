// Reads JSON text (RFC 8259, UTF-8) into a Node tree, with limits, positions and digits kept.
//
// Stateless functions; thread-safe. Errors carry line and column: json-syntax, encoding (bad UTF-8, a lone
// surrogate), duplicate-key (with the pointer of the second), limit. The tree lives in the caller's arena.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/arena.h"
#include "core/limits.h"
#include "core/result.h"
#include "fhir/node.h"

namespace fhir_adapter::fhir {

struct JsonLimits {
  std::size_t bytes_max = limits::kRecordBytesMax;
  std::size_t depth_max = limits::kRecordDepthMax;  // the root has depth 1
  std::size_t elements_max = limits::kRecordElementsMax;
};

inline constexpr JsonLimits kRecordLimits{};
inline constexpr JsonLimits kResourceLimits{limits::kResourceBytesMax, limits::kResourceDepthMax,
                                            limits::kResourceElementsMax};

// One value and nothing after it but white space. A byte order mark is skipped.
Result<Node*> ReadJson(std::string_view text, Arena& arena, const JsonLimits& limits = kResourceLimits);

// The JSON pointer (RFC 6901) of `target` below `root`, or "" when it is the root or not found. Walks the
// tree: for messages, not for the hot path.
std::string PointerTo(const Node& root, const Node& target);

// The node at a JSON pointer, or null.
const Node* AtPointer(const Node& root, std::string_view pointer);

// Its text; empty when it is not there or has none.
std::string_view TextAt(const Node& root, std::string_view pointer);

}  // namespace fhir_adapter::fhir
