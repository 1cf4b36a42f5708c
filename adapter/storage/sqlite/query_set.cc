#include "storage/sqlite/query_set.h"

#include <cstdio>
#include <cstdlib>

namespace fhir_adapter::storage {
namespace {

constexpr std::string_view kMark = "-- name: ";

}  // namespace

QuerySet::QuerySet(std::string_view file) {
  std::size_t begin = file.find(kMark);
  while (begin != std::string_view::npos) {
    const std::size_t name_begin = begin + kMark.size();
    const std::size_t name_end = file.find('\n', name_begin);
    if (name_end == std::string_view::npos) std::abort();
    const std::size_t next = file.find(kMark, name_end);
    Query query{
        std::string(file.substr(name_begin, name_end - name_begin)),
        std::string(file.substr(name_end + 1, next == std::string_view::npos ? next : next - name_end - 1))};
    std::string name = query.name;
    if (!queries_.emplace(std::move(name), std::move(query)).second) std::abort();
    begin = next;
  }
}

const Query& QuerySet::operator[](std::string_view name) const {
  const auto found = queries_.find(name);
  if (found == queries_.end()) {
    std::fprintf(stderr, "no query named %.*s\n", static_cast<int>(name.size()), name.data());
    std::abort();
  }
  return found->second;
}

}  // namespace fhir_adapter::storage
