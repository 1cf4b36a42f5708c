// Pattern: a compiled regular expression behind a small header. RE2 runs in linear time, so that a pattern or
// a text from outside cannot stall a map; look-around and back references are not supported.
//
// Immutable and thread-safe after Compile. `.` matches line ends too (single line mode), as FHIRPath wants.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

namespace fhir_adapter::fhirpath::internal {

class Pattern {
 public:
  static Result<std::unique_ptr<Pattern>> Compile(std::string_view expression, std::string_view flags = "");
  ~Pattern();
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

  bool Finds(std::string_view text) const;       // anywhere
  bool MatchesAll(std::string_view text) const;  // the whole text
  // All matches replaced; `substitution` may hold $1, ${name}, \$ and $0.
  Result<std::string> Replace(std::string_view text, std::string_view substitution) const;

 private:
  struct Implementation;
  explicit Pattern(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace fhir_adapter::fhirpath::internal
