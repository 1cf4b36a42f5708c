// The codes that no table of codes had, counted over a run of `map`: what a clinician has to add.
// For people: with `--json` standard error holds issues only, one `unmapped-code` for each such code.
//
//   unmapped codes (count, what became of it, ConceptMap, code):
//         3  text-only  https://clinic.example/fhir/ConceptMap/route  epidural
#pragma once

#include <cstddef>
#include <iosfwd>
#include <map>
#include <span>

#include "fml/mapper.h"

namespace fhir_adapter::app {

class UnmappedTable {
 public:
  void Count(std::span<const fml::UnmappedCode> codes);

  // Nothing when there was none. The most frequent first. Beyond kMapIssuesMax different codes only their
  // number is known.
  void Print(std::ostream& out) const;

 private:
  std::map<fml::UnmappedCode, std::size_t> counts_;
  std::size_t not_listed_ = 0;
};

}  // namespace fhir_adapter::app
