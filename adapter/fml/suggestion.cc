#include "fml/suggestion.h"

#include <algorithm>

namespace fhir_adapter::fml {
namespace {

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Edits between two names: a letter more, less or other, or two neighbours exchanged. A difference of case
// alone counts as none.
std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before;
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  const auto same = [&a, &b](std::size_t i, std::size_t j) { return Lower(a[i]) == Lower(b[j]); };
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before = last;
    last = row;
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same(i - 1, j - 1) ? 0 : 1)});
      const bool is_exchange = i > 1 && j > 1 && same(i - 1, j - 2) && same(i - 2, j - 1);
      if (is_exchange) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

std::string Suggest(std::string_view wrong, const std::vector<std::string_view>& candidates) {
  constexpr std::size_t kNameBytesMax = 200;
  if (wrong.size() > kNameBytesMax) return "";
  std::string_view best;
  std::size_t least = std::max<std::size_t>(1, wrong.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    if (candidate.empty() || candidate.size() > kNameBytesMax || candidate == wrong) continue;
    const std::size_t distance = Distance(wrong, candidate);
    if (distance >= least) continue;
    least = distance;
    best = candidate;
  }
  return best.empty() ? "" : "; did you mean " + std::string(best) + "?";
}

}  // namespace fhir_adapter::fml
