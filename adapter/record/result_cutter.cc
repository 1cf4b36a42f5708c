#include "record/result_cutter.h"

#include <algorithm>
#include <utility>

#include "core/limits.h"
#include "fhir/utf8.h"
#include "record/row_record.h"
#include "record/row_tree.h"

namespace fhir_adapter::record {
namespace {

bool IsWholeNumber(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Numbers by their size, so that row 10 comes after row 9.
int Compare(std::string_view a, std::string_view b) {
  if (IsWholeNumber(a) && IsWholeNumber(b) && a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

}  // namespace

std::optional<Issue> ResultCutter::ProblemOf(const std::vector<ResultCell>& cells) const {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const Location where{"", rows_, static_cast<std::uint32_t>(i + 1), ""};
    if (cells[i].is_bytes) return Issue{Code::kType, where, "a value of bytes, where a text is expected"};
    if (fhir::FindInvalidUtf8(cells[i].text) != cells[i].text.size()) {
      return Issue{Code::kEncoding, where, "a text that is not UTF-8"};
    }
  }
  return std::nullopt;
}

void ResultCutter::AddRow(const std::vector<ResultCell>& cells) {
  Row row;
  row.number = ++rows_;
  std::optional<Issue> problem = ProblemOf(cells);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    row.cells.push_back(CsvCell{cells[i].text, row.number, static_cast<std::uint32_t>(i + 1)});
  }
  arena_.Reset();
  auto key = RowKey(*RowTree(row.cells, columns_, layout_, row.number, arena_), columns_, row.number);
  if (!key) {
    if (!problem) problem = Issue{key.error().code, key.error().where, key.error().message};
    records_.push_back({{}, std::move(problem), "row " + std::to_string(row.number)});
    records_.back().rows.push_back(std::move(row));
    return;
  }
  const std::string name = (*key)[0] + "/" + (*key)[1] + "/" + (*key)[2];
  const auto [found, is_new] = record_of_key_.emplace(std::move(*key), records_.size());
  if (is_new) records_.push_back({{}, std::nullopt, name});
  Record& record = records_[found->second];
  if (record.rows.size() == limits::kTableRecordRowsMax) {
    problem = Issue{Code::kLimit, Location{"", row.number, 1, ""},
                    "more than " + std::to_string(limits::kTableRecordRowsMax) + " rows of one record"};
  } else {
    record.rows.push_back(std::move(row));
  }
  if (!record.problem) record.problem = std::move(problem);
}

bool ResultCutter::IsBefore(const Row& a, const Row& b) const {
  for (const TableColumn& column : columns_) {
    if (!column.path && !column.is_unknown) continue;
    const int order = Compare(a.cells[column.number - 1].text, b.cells[column.number - 1].text);
    if (order != 0) return order < 0;
  }
  return false;
}

// Its rows as they came, a line each, for whoever looks for them.
RecordText ResultCutter::Refused(const Record& record) const {
  RecordText text;
  text.problem = record.problem;
  text.line = record.problem->where.line;
  text.column = record.problem->where.column;
  for (const Row& row : record.rows) {
    for (const CsvCell& cell : row.cells) {
      if (cell.column > 1) text.bytes += ',';
      text.bytes += CsvText(cell.text, ',');
    }
    text.bytes += '\n';
  }
  if (text.bytes.size() > limits::kRecordBytesMax) text.bytes = record.name;
  return text;
}

std::optional<RecordText> ResultCutter::Next() {
  if (next_ == records_.size()) return std::nullopt;
  Record record = std::exchange(records_[next_++], {});
  std::ranges::stable_sort(record.rows, [this](const Row& a, const Row& b) { return IsBefore(a, b); });
  if (record.problem) return Refused(record);
  arena_.Reset();
  std::vector<fhir::Node*> trees;
  for (const Row& row : record.rows) {
    trees.push_back(RowTree(row.cells, columns_, layout_, row.number, arena_));
  }
  RecordText text = RecordOfRows(trees, record.rows.front().number, layout_, arena_);
  if (text.problem) text.bytes = record.name;
  return text;
}

}  // namespace fhir_adapter::record
