// A ConceptMap as a table that a clinician edits in a spreadsheet (CSV), and back, without loss.
//
//   # url: https://clinic.example/fhir/ConceptMap/route
//   # status: active
//   # unmapped-policy: text-only
//   system,code,display,target system,target code,target display,equivalence,comment
//   ,oral,By mouth,http://snomed.info/sct,26643006,Oral route,equivalent,
//
// Lines that begin with # are the elements of the ConceptMap, `# name: text` or `# name = JSON`, and
// `# group N name = JSON` those of its Nth group. Then one line names the columns, and each further line is a
// row: a code with one target. A code with several targets has several lines, one after the other; a code
// without a target has one with the target columns empty. Where `system` or `target system` changes a group
// ends. Further columns are there when needed: `system version`, `target version`, `depends on` and `product`
// (`property=value; property=value`, or JSON), and `more` (JSON, {"element":{…},"target":{…}}, for what has
// no column). The separator is a comma, semicolon or tab, as the line of column names has it. R4 ConceptMaps
// have a column `equivalence`, R5 ones `relationship`.
//
// Stateless; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "core/arena.h"
#include "core/result.h"
#include "fhir/node.h"

namespace fhir_adapter::fml {

// Whether the bytes begin as such a table does.
bool IsConceptMapTable(std::string_view bytes);

// The ConceptMap as a tree in `arena`; its nodes have the positions of their cells. Errors: syntax or limit,
// with line and column. A code that a spreadsheet has turned into a number is an error.
Result<fhir::Node*> ReadConceptMapTable(std::string_view bytes, std::string_view file, Arena& arena);

// Error semantic: the table cannot hold something of this ConceptMap (text with blanks around it, for one).
Result<std::string> WriteConceptMapTable(const fhir::Node& concept_map);

}  // namespace fhir_adapter::fml
