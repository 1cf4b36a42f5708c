#include "app/unmapped_table.h"

#include <algorithm>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "core/limits.h"

namespace fhir_adapter::app {

void UnmappedTable::Count(std::span<const fml::UnmappedCode> codes) {
  for (const fml::UnmappedCode& code : codes) {
    const auto known = counts_.find(code);
    if (known != counts_.end()) {
      ++known->second;
    } else if (counts_.size() < limits::kMapIssuesMax) {
      counts_.emplace(code, 1);
    } else {
      ++not_listed_;
    }
  }
}

void UnmappedTable::Print(std::ostream& out) const {
  if (counts_.empty()) return;
  std::vector<std::pair<const fml::UnmappedCode*, std::size_t>> rows;
  for (const auto& [code, count] : counts_) rows.emplace_back(&code, count);
  std::ranges::stable_sort(rows, [](const auto& a, const auto& b) { return a.second > b.second; });
  out << "unmapped codes (count, what became of it, ConceptMap, code):\n";
  for (const auto& [code, count] : rows) {
    const std::string number = std::to_string(count);
    out << std::string(number.size() < 7 ? 7 - number.size() : 0, ' ') << number << "  " << Name(code->policy)
        << "  " << code->concept_map << "  " << code->system << (code->system.empty() ? "" : "|")
        << code->code << "\n";
  }
  if (not_listed_ == 0) return;
  out << "        and " << not_listed_ << " more of other codes\n";
}

}  // namespace fhir_adapter::app
