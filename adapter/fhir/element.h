// Element: the FHIR view of a node: its type, and for a primitive the `_name` sibling with id and extensions.
//
// A small value; views into a tree and a Schema that must outlive it. Thread-safe for finished trees.
// FHIR R4 JSON representation: a list of primitives pairs `name[i]` with `_name[i]`; either may be null.
#pragma once

#include <string_view>
#include <vector>

#include "fhir/node.h"
#include "fhir/schema.h"

namespace fhir_adapter::fhir {

struct Element {
  const Node* node = nullptr;               // the value; null when a primitive has only extensions
  const Node* shadow = nullptr;             // the object of `_name` that belongs to it, or null
  const TypeInfo* type = nullptr;           // the actual type (a resource: by its resourceType)
  const ElementInfo* definition = nullptr;  // null for a root

  bool empty() const { return node == nullptr && shadow == nullptr; }
};

// The root element of a resource or logical instance. `type` null: taken from resourceType; unknown gives an
// Element without type.
Element RootElement(const Node& node, const Schema& schema, const TypeInfo* type = nullptr);

// Appends the children called `name` ("value" finds valueQuantity, with its type). Unknown names append
// nothing.
void AppendChildren(const Element& parent, std::string_view name, const Schema& schema,
                    std::vector<Element>& out);

// Appends all children in schema order, unknown members left out.
void AppendAllChildren(const Element& parent, const Schema& schema, std::vector<Element>& out);

}  // namespace fhir_adapter::fhir
