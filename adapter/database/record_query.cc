#include "database/record_query.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "database/mark.h"
#include "database_embedded.h"

namespace fhir_adapter::database {
namespace {

constexpr std::string_view kName = "-- name: ";

// The text of a name in select.sql.
std::string Template(std::string_view name) {
  const std::string_view file = embedded::kSelect;
  const std::size_t found = file.find(std::string(kName) + std::string(name) + "\n");
  if (found == std::string_view::npos) std::abort();
  const std::size_t begin = file.find('\n', found) + 1;
  const std::size_t end = file.find("\n-- ", begin);
  return std::string(file.substr(begin, end == std::string_view::npos ? end : end - begin));
}

// A query stands inside another one: without the sign that ends it.
std::string Trimmed(std::string query) {
  while (!query.empty() && (query.back() == ';' || query.back() == ' ' || query.back() == '\n' ||
                            query.back() == '\t' || query.back() == '\r')) {
    query.pop_back();
  }
  return query;
}

std::vector<Cell> Repeated(const std::vector<Cell>& cells, int times) {
  std::vector<Cell> all;
  for (int i = 0; i < times; ++i) all.insert(all.end(), cells.begin(), cells.end());
  return all;
}

}  // namespace

RecordQuery::RecordQuery(Database& database, QuerySettings settings)
    : database_(database),
      settings_{Trimmed(std::move(settings.query)), std::move(settings.mark_column), settings.overlap} {}

// Filled in from the left, so that what the query itself says is never taken for a place.
std::string RecordQuery::Text(std::string_view name, const std::vector<std::string>& keys) const {
  const std::string form = Template(name);
  std::string text;
  std::size_t parameters = 0;
  for (std::size_t at = 0; at < form.size();) {
    const std::size_t open = std::min(form.find('{', at), form.size());
    text += form.substr(at, open - at);
    if (open == form.size()) break;
    const std::size_t close = form.find('}', open);
    const std::string place = form.substr(open + 1, close - open - 1);
    at = close + 1;
    if (place == "query") text += settings_.query;
    if (place == "mark") text += database_.Quoted(settings_.mark_column);
    if (place == "parameter") text += database_.Parameter(++parameters);
    if (place != "keys" && place != "same") continue;
    bool is_first = true;
    for (const std::string& key : keys) {
      const std::string column = database_.Quoted(key);
      if (place == "keys") {
        text += (is_first ? "w." : ", w.") + column;
      } else {
        text += (is_first ? "k." : " AND k.") + column + " = q." + column;
      }
      is_first = false;
    }
  }
  return text;
}

Result<std::vector<std::string>> RecordQuery::Columns() {
  ADAPTER_TRY(Table table, database_.Read(Text("columns", {}), {}, {1, limits::kSqlBytesMax, false}));
  if (std::ranges::find(table.columns, settings_.mark_column) == table.columns.end()) {
    return Fail(Code::kConfiguration,
                "the query has no column '" + settings_.mark_column + "': see high_water_column");
  }
  return std::move(table.columns);
}

Result<std::vector<Cell>> RecordQuery::MarksAfter(const std::optional<Cell>& mark, std::size_t count) {
  const ReadLimits limits{count, limits::kSqlBytesMax, true};
  ADAPTER_TRY(const Table table, mark ? database_.Read(Text("next_marks", {}), {*mark}, limits)
                                      : database_.Read(Text("first_marks", {}), {}, limits));
  std::vector<Cell> marks;
  for (const std::vector<Cell>& row : table.rows) {
    const Cell& cell = row.front();
    if (cell.kind == CellKind::kReal || cell.kind == CellKind::kBytes) {
      return Fail(Code::kConfiguration,
                  "the high-water column '" + settings_.mark_column +
                      "' must hold whole numbers or texts, which can be compared exactly");
    }
    marks.push_back(cell);
  }
  return marks;
}

Result<void> RecordQuery::Try() {
  ADAPTER_CHECK(Columns());
  ADAPTER_TRY(const std::vector<Cell> marks, MarksAfter(std::nullopt, 1));
  if (marks.empty()) return {};
  ADAPTER_CHECK(MarkBefore(marks.front(), settings_.overlap));
  return {};
}

Result<Portion> RecordQuery::Take(const std::optional<Cell>& mark, const std::vector<std::string>& keys,
                                  std::size_t count) {
  ADAPTER_TRY(const std::vector<Cell> marks, MarksAfter(mark, count));
  Portion portion;
  portion.mark = mark;
  if (!mark && marks.empty()) return portion;
  portion.is_last = marks.size() < count;
  if (!marks.empty()) portion.mark = marks.back();
  Cell from = mark ? *mark : marks.front();
  if (mark) {
    ADAPTER_TRY(from, MarkBefore(*mark, settings_.overlap));
  }
  constexpr int kRanges = 3;  // of the text
  ADAPTER_TRY(portion.table, database_.Read(Text("records", keys), Repeated({from, *portion.mark}, kRanges),
                                            {limits::kSqlRowsMax, limits::kSqlBytesMax, false}));
  return portion;
}

Result<Portion> RecordQuery::Next(const std::optional<Cell>& mark, const std::vector<std::string>& keys) {
  while (true) {
    auto portion = Take(mark, keys, new_rows_max_);
    if (portion) {
      new_rows_max_ = std::min(limits::kSqlNewRowsMax, new_rows_max_ * 2);
      return portion;
    }
    if (portion.error().code != Code::kLimit || new_rows_max_ == 1) return portion;
    new_rows_max_ = new_rows_max_ / 2;
  }
}

}  // namespace fhir_adapter::database
