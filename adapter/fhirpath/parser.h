// Parser: tokens to tree, by precedence climbing.
//
// FHIRPath N1 2.0.0, section 11 (formal grammar). Beyond it, as users of maps expect: words like `div` are
// names after a dot, and "double quotes" hold strings too. Nesting and chains are limited by
// limits::kFhirPathDepthMax, so that later passes may recurse.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "core/result.h"
#include "fhirpath/ast.h"

namespace fhir_adapter::fhirpath::internal {

struct ParsedPrefix {
  std::unique_ptr<Program> program;
  std::size_t end = 0;
};

// `whole`: anything but white space after the expression is an error.
Result<ParsedPrefix> ParseProgram(std::string_view text, std::size_t offset, const Location& where,
                                  bool whole);

}  // namespace fhir_adapter::fhirpath::internal
