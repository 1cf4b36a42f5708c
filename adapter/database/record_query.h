// RecordQuery: what is new in the result of a query since a mark, in portions that can be held in memory.
//
//   RecordQuery query(database, {"SELECT …", "changed_at", 600});
//   ADAPTER_TRY(const auto columns, query.Columns());        // then the keys: which of them name a record
//   ADAPTER_TRY(Portion portion, query.Next(mark, keys));
//
// A portion holds the rows that come after the mark, as many as fit, those of the overlap before it, and all
// other rows of the records that these belong to. Rows whose high-water column is null are never new.
//
// Refers to the database, which must outlive it. For one thread. Errors: those of Database; kLimit when the
// rows of the overlap, or those of one value of the column, are more than can be held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/limits.h"
#include "core/result.h"
#include "database/database.h"

namespace fhir_adapter::database {

struct QuerySettings {
  std::string query;
  std::string mark_column;
  std::int64_t overlap = 0;  // of a time in seconds, else as a number
};

struct Portion {
  std::optional<Cell> mark;  // up to which it goes; none: there never was a row
  Table table;
  bool is_last = true;  // else there is more
};

class RecordQuery {
 public:
  RecordQuery(Database& database, QuerySettings settings);

  // Error: kConfiguration when the high-water column is not among them.
  Result<std::vector<std::string>> Columns();
  // `keys`: the columns by which rows are of one record.
  Result<Portion> Next(const std::optional<Cell>& mark, const std::vector<std::string>& keys);
  // One mark, to see whether the query can be run.
  Result<void> Try();

 private:
  std::string Text(std::string_view name, const std::vector<std::string>& keys) const;
  Result<std::vector<Cell>> MarksAfter(const std::optional<Cell>& mark, std::size_t count);
  Result<Portion> Take(const std::optional<Cell>& mark, const std::vector<std::string>& keys,
                       std::size_t count);

  Database& database_;
  const QuerySettings settings_;
  std::size_t new_rows_max_ = limits::kSqlNewRowsMax;  // halved when a portion was too large
};

}  // namespace fhir_adapter::database
