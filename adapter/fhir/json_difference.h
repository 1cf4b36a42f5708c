// What differs between two JSON trees, by element path: for people who read the result of a test or what a
// correction changed.
//
// Stateless; thread-safe. Numbers are compared digit for digit, members in their order, because the program
// promises the same bytes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "fhir/node.h"

namespace fhir_adapter::fhir {

// One line a difference, `path: expected …, found …`, at most `lines_max` and then one that counts the rest.
// Entries of a Bundle are matched by fullUrl and named by their type; other items by their place.
std::vector<std::string> Differences(const Node& expected, const Node& found, std::size_t lines_max);

// An element that differs. JSON texts; empty: it is not there.
struct ElementDifference {
  std::string path;
  std::string before;
  std::string after;

  bool operator==(const ElementDifference&) const = default;
};

// Every element that differs, whatever the order of members; whole values, in the order of `before`.
std::vector<ElementDifference> ElementDifferences(const Node& before, const Node& after);

// JSON laid out for reading: one member a line, but a value that fits into 150 columns stays on its line.
std::string LayOut(const Node& root);

}  // namespace fhir_adapter::fhir
