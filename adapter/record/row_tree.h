// From rows of a table to the tree of a record.
//
// Stateless; thread-safe. Trees live in the caller's arena; each node has the row and the column of its cell.
#pragma once

#include <cstdint>
#include <vector>

#include "core/arena.h"
#include "core/issue.h"
#include "fhir/node.h"
#include "record/csv_row.h"
#include "record/table_layout.h"

namespace fhir_adapter::record {

// What one row says: cells that are not empty, and fixed values (within a list's item only where a cell of
// that item speaks). `columns` as ReadHeader gave them; `cells` has a cell for each.
fhir::Node* RowTree(const std::vector<CsvCell>& cells, const std::vector<TableColumn>& columns,
                    const TableLayout& layout, std::uint32_t row, Arena& arena);

// Adds what another row of the same record says. Items of a list that have a key (`seq`, `rowId`) are one
// when their keys are; others when they are equal in all. Where two rows say different things of one value
// the first stays and an issue csv-rows says where.
void MergeRow(fhir::Node& record, const fhir::Node& row, const RecordModel& model, Arena& arena,
              Issues& issues);

}  // namespace fhir_adapter::record
