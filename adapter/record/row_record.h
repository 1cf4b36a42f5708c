// What the rows of a table and the rows that a database gives have in common: to which record a row belongs,
// and the record that its rows make. Private to record.
//
// Stateless; thread-safe. Trees are those of RowTree, in the caller's arena.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/arena.h"
#include "core/result.h"
#include "fhir/node.h"
#include "record/record_cutter.h"
#include "record/table_layout.h"

namespace fhir_adapter::record {

// Site, record id and revision. Error: csv-rows, with the cell that is empty.
Result<std::vector<std::string>> RowKey(const fhir::Node& row, const std::vector<TableColumn>& columns,
                                        std::uint32_t number);

// `rows` are of one record, and not empty; the first becomes the record.
RecordText RecordOfRows(const std::vector<fhir::Node*>& rows, std::uint32_t first_number,
                        const TableLayout& layout, Arena& arena);

}  // namespace fhir_adapter::record
