// QuerySet: the named statements of one .sql file. `-- name: claim_next` begins a statement that ends before
// the next name. All SQL of the program stands in such files.
//
// Immutable after construction; meant for function-local statics, so that a Query's address is its identity.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace fhir_adapter::storage {

struct Query {
  std::string name;
  std::string sql;
};

class QuerySet {
 public:
  explicit QuerySet(std::string_view file);

  // Aborts for a name that the file does not hold: a defect.
  const Query& operator[](std::string_view name) const;

  const std::map<std::string, Query, std::less<>>& all() const { return queries_; }

 private:
  std::map<std::string, Query, std::less<>> queries_;
};

}  // namespace fhir_adapter::storage
