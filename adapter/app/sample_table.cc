// Samples of tables (CSV): how the table is written, what its columns hold, and which of them name the
// record.
#include <algorithm>
#include <array>
#include <map>

#include "app/sample.h"
#include "core/arena.h"
#include "fhir/temporal.h"
#include "record/csv_row.h"
#include "record/record_envelope.h"

namespace fhir_adapter::app {
namespace {

using fhir::Node;
using record::DateForm;
using Role = SampleElement::Role;

struct Column {
  std::string header;
  std::vector<std::string> cells;  // one a row; empty ones too
  std::string path;
  Role role = Role::kNone;

  std::vector<std::string> Filled() const {
    std::vector<std::string> filled;
    std::ranges::copy_if(cells, std::back_inserter(filled),
                         [](const std::string& cell) { return !cell.empty(); });
    return filled;
  }
};

// The sign that stands most often in the first line, outside of quotes.
char DelimiterOf(std::string_view text) {
  std::map<char, int> counts;
  bool is_quoted = false;
  for (const char c : text.substr(0, text.find('\n'))) {
    if (c == '"') is_quoted = !is_quoted;
    if (!is_quoted && (c == ',' || c == ';' || c == '\t' || c == '|')) ++counts[c];
  }
  const auto most = std::ranges::max_element(counts, {}, &std::pair<const char, int>::second);
  return most == counts.end() ? ',' : most->first;
}

Result<std::vector<Column>> ReadColumns(std::string_view text, char delimiter) {
  std::vector<Column> columns;
  record::CsvRowReader reader(text, {delimiter, '"'});
  std::uint32_t number = 0;
  while (!reader.at_end()) {
    ADAPTER_TRY(const auto cells, reader.Next());
    ++number;
    if (std::ranges::all_of(cells, [](const record::CsvCell& cell) { return cell.text.empty(); })) continue;
    const bool is_header = columns.empty();
    if (!is_header && cells.size() != columns.size()) {
      return Fail(Code::kCsvSyntax, "the row has another number of cells than the header",
                  Location{"", number, 1, ""});
    }
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (!is_header) {
        columns[i].cells.push_back(cells[i].text);
        continue;
      }
      const auto place = Location{"", number, static_cast<std::uint32_t>(i + 1), ""};
      if (cells[i].text.empty()) return Fail(Code::kCsvHeader, "a column without a name", place);
      if (std::ranges::find(columns, cells[i].text, &Column::header) != columns.end()) {
        return Fail(Code::kDuplicateKey, "a column of this name stands here twice", place);
      }
      columns.push_back({cells[i].text, {}, "", Role::kNone});
    }
  }
  if (columns.empty() || columns.front().cells.empty()) {
    return Fail(Code::kUsage, "a sample has a header and at least one row");
  }
  return columns;
}

// 1,5 and not 1.5, in some column that holds nothing but numbers.
bool HasDecimalComma(const std::vector<Column>& columns) {
  const auto is_number = [](const std::string& text) {
    return text.find_first_not_of("-0123456789,") == std::string::npos && std::ranges::count(text, ',') <= 1;
  };
  return std::ranges::any_of(columns, [&](const Column& column) {
    const auto cells = column.Filled();
    const bool has_comma = std::ranges::any_of(
        cells, [](const std::string& cell) { return cell.find(',') != std::string::npos; });
    return has_comma && std::ranges::all_of(cells, is_number);
  });
}

std::string FhirTime(const std::string& text, DateForm form, const TimeZone* zone) {
  return record::ToFhirTime(text, record::ValueType::kDateTime, form, zone);
}

bool AreTimes(const std::vector<std::string>& cells, DateForm form, const TimeZone* zone) {
  return !cells.empty() && std::ranges::all_of(cells, [&](const std::string& cell) {
    const std::string time = FhirTime(cell, form, zone);
    return cell.size() >= 7 && !record::IsUnsettledTime(time) && fhir::Temporal::ParseDateTime(time);
  });
}

// The form in which the dates of most columns can be read. 03/04/2014 may be either, and neither is taken.
DateForm DateFormOf(const std::vector<Column>& columns, const TimeZone* zone, bool& is_doubtful) {
  const auto readable = [&](DateForm form) {
    return std::ranges::count_if(columns,
                                 [&](const Column& column) { return AreTimes(column.Filled(), form, zone); });
  };
  const auto iso = readable(DateForm::kIso);
  DateForm best = DateForm::kIso;
  auto most = iso;
  for (const DateForm form : {DateForm::kDayMonthDots, DateForm::kDayMonthSlashes, DateForm::kMonthDaySlashes,
                              DateForm::kYearSlashes}) {
    if (const auto count = readable(form); count > most) {
      most = count;
      best = form;
    }
  }
  const bool has_slashes = best == DateForm::kDayMonthSlashes || best == DateForm::kMonthDaySlashes;
  is_doubtful = has_slashes && readable(DateForm::kDayMonthSlashes) == readable(DateForm::kMonthDaySlashes);
  return is_doubtful ? DateForm::kIso : best;
}

bool AreWholeTimes(const std::vector<std::string>& cells, const SampleTable& table, const TimeZone* zone) {
  return !cells.empty() && std::ranges::all_of(cells, [&](const std::string& cell) {
    return fhir::Temporal::ParseInstant(FhirTime(cell, table.dates, zone)).has_value();
  });
}

bool AreStatuses(const std::vector<std::string>& cells) {
  return !cells.empty() && std::ranges::all_of(cells, [](const std::string& cell) {
    return record::ParseRecordStatus(cell).has_value();
  });
}

bool IsFilled(const Column& column) {
  return column.Filled().size() == column.cells.size();
}

// Takes the columns that the store has to know by what they hold and how they are called.
class RoleFinder {
 public:
  RoleFinder(std::vector<Column>& columns, const SampleOptions& options, Sample& sample)
      : columns_(columns), options_(options), sample_(sample) {}

  Result<void> Find() {
    ADAPTER_CHECK(Take(Role::kRecordId, "recordId", options_.record_id, kRecordNames));
    if (ColumnOf(Role::kRecordId) == nullptr) TakeUnique();
    if (ColumnOf(Role::kRecordId) == nullptr) {
      return Fail(Code::kUsage, "no column looks like the number of a record: name it, --record-id COLUMN");
    }
    ADAPTER_CHECK(Take(Role::kPatient, "patient.mrn", options_.patient, kPatientNames));
    for (Column& column : columns_) {
      if (column.role != Role::kNone || !IsFilled(column)) continue;
      const std::string name = Normalized(column.header);
      const auto cells = column.Filled();
      if (name == "site") Give(column, Role::kSite, "site");
      if (name == "status" && AreStatuses(cells)) Give(column, Role::kStatus, "status");
      if (name == "revision") Give(column, Role::kRevision, "revision");
      const bool is_recorded = std::ranges::find(kRecordedNames, name) != kRecordedNames.end();
      if (is_recorded && AreWholeTimes(cells, sample_.table, options_.time_zone.get())) {
        Give(column, Role::kRecorded, "recorded");
      }
    }
    Fix(Role::kSite, "site", options_.site);
    Fix(Role::kRevision, "revision", "1");
    Fix(Role::kStatus, "status", "completed");
    return {};
  }

  const Column* ColumnOf(Role role) const {
    const auto found = std::ranges::find(columns_, role, &Column::role);
    return found == columns_.end() ? nullptr : &*found;
  }

 private:
  static constexpr std::array<std::string_view, 12> kRecordNames = {
      "recordid",   "recordno", "recordnumber", "record",     "caseid", "caseno",
      "casenumber", "case",     "procedureid",  "identifier", "id",     "number"};
  static constexpr std::array<std::string_view, 8> kPatientNames = {
      "patientmrn",    "mrn", "patientid",           "patientno",
      "patientnumber", "pid", "medicalrecordnumber", "chartno"};
  static constexpr std::array<std::string_view, 8> kRecordedNames = {
      "recorded",   "recordedat",   "created",   "createdat",
      "documented", "documentedat", "enteredat", "timestamp"};

  void Give(Column& column, Role role, const std::string& path) {
    if (ColumnOf(role) != nullptr) return;
    column.role = role;
    column.path = path;
  }

  template <class Names>
  Result<void> Take(Role role, const std::string& path, const std::string& header, const Names& names) {
    if (!header.empty()) {
      const auto named = std::ranges::find(columns_, header, &Column::header);
      if (named == columns_.end()) return Fail(Code::kUsage, "the table has no column '" + header + "'");
      if (!IsFilled(*named)) return Fail(Code::kUsage, "the column '" + header + "' has empty cells");
      Give(*named, role, path);
      return {};
    }
    for (const std::string_view name : names) {
      const auto named = std::ranges::find_if(columns_, [&](const Column& column) {
        return Normalized(column.header) == name && IsFilled(column) && column.role == Role::kNone;
      });
      if (named == columns_.end()) continue;
      Give(*named, role, path);
      sample_.remarks.push_back("column '" + named->header + "' is taken as " + path);
      return {};
    }
    return {};
  }

  void TakeUnique() {
    for (Column& column : columns_) {
      const std::set<std::string> distinct(column.cells.begin(), column.cells.end());
      if (!IsFilled(column) || distinct.size() != column.cells.size() || column.cells.size() < 2) continue;
      Give(column, Role::kRecordId, "recordId");
      sample_.remarks.push_back("column '" + column.header + "' is taken as recordId: no value comes twice");
      return;
    }
  }

  void Fix(Role role, const std::string& path, const std::string& value) {
    if (ColumnOf(role) == nullptr) sample_.table.fixed.emplace_back(path, value);
  }

  std::vector<Column>& columns_;
  const SampleOptions& options_;
  Sample& sample_;
};

// Which rows are of one record.
std::vector<std::vector<std::size_t>> RecordsOf(const std::vector<Column>& columns) {
  std::map<std::vector<std::string>, std::size_t> known;
  std::vector<std::vector<std::size_t>> records;
  for (std::size_t row = 0; row < columns.front().cells.size(); ++row) {
    std::vector<std::string> key;
    for (const Column& column : columns) {
      const bool is_key =
          column.role == Role::kRecordId || column.role == Role::kSite || column.role == Role::kRevision;
      if (is_key) key.push_back(column.cells[row]);
    }
    const auto [found, is_new] = known.emplace(std::move(key), records.size());
    if (is_new) records.emplace_back();
    records[found->second].push_back(row);
  }
  return records;
}

// Whether rows of one record say different things in this column: then it belongs to a row and not to the
// record.
bool DiffersInARecord(const Column& column, const std::vector<std::vector<std::size_t>>& records) {
  return std::ranges::any_of(records, [&column](const std::vector<std::size_t>& rows) {
    std::set<std::string> values;
    for (const std::size_t row : rows) {
      if (!column.cells[row].empty()) values.insert(column.cells[row]);
    }
    return values.size() > 1;
  });
}

void NameColumns(std::vector<Column>& columns, const std::vector<std::vector<std::size_t>>& records) {
  std::set<std::string> taken = {"site", "recordId", "revision", "status", "recorded", "patient", "rows"};
  for (Column& column : columns) {
    if (!column.path.empty()) continue;
    const std::string wanted = ElementName(column.header);
    std::string name = wanted;
    for (int number = 2; !taken.insert(name).second; ++number) name = wanted + std::to_string(number);
    column.path = DiffersInARecord(column, records) ? "rows." + name : name;
  }
}

// What a cell says in the form of JSON.
std::string Plain(const std::string& cell, const SampleTable& table, const TimeZone* zone, bool is_time) {
  if (is_time) return FhirTime(cell, table.dates, zone);
  std::string text = cell;
  if (table.decimal_sign == ',' && text.find_first_not_of("-0123456789,") == std::string::npos) {
    std::ranges::replace(text, ',', '.');
  }
  return text;
}

class TableTree {
 public:
  TableTree(std::vector<Column>& columns, const Sample& sample, const TimeZone* zone)
      : columns_(columns), sample_(sample), zone_(zone) {
    for (const Column& column : columns) {
      is_time_.push_back(AreTimes(column.Filled(), sample.table.dates, zone));
    }
  }

  // The record that the rows make, all of its values texts.
  const Node* Make(const std::vector<std::size_t>& rows, Arena& arena) const {
    Node* root = Node::Object(arena);
    for (const auto& [path, value] : sample_.table.fixed) Set(*root, path, value, arena);
    Node* list = Node::Array(arena);
    for (const std::size_t row : rows) {
      Node* item = Node::Object(arena);
      for (std::size_t i = 0; i < columns_.size(); ++i) {
        const Column& column = columns_[i];
        if (column.cells[row].empty()) continue;
        const std::string value = Plain(column.cells[row], sample_.table, zone_, is_time_[i]);
        const bool is_of_row = column.path.starts_with("rows.");
        Set(is_of_row ? *item : *root, is_of_row ? column.path.substr(5) : column.path, value, arena);
      }
      if (item->size > 0) list->Append(arena, item);
    }
    if (list->size > 0) root->AddMember(arena, "rows", list);
    return root;
  }

 private:
  static void Set(Node& object, const std::string& path, const std::string& value, Arena& arena) {
    const std::size_t dot = path.find('.');
    if (dot == std::string::npos) return object.Set(arena, arena.Copy(path), Node::String(arena, value));
    Node* inner = object.Find(path.substr(0, dot));
    if (inner == nullptr) {
      inner = Node::Object(arena);
      object.AddMember(arena, arena.Copy(path.substr(0, dot)), inner);
    }
    Set(*inner, path.substr(dot + 1), value, arena);
  }

  const std::vector<Column>& columns_;
  const Sample& sample_;
  const TimeZone* zone_;
  std::vector<bool> is_time_;
};

// Headers as labels, empty columns too, and the roles.
void Label(const std::vector<Column>& columns, SampleElement& root) {
  for (const Column& column : columns) {
    SampleElement* element = &root;
    std::string_view path = column.path;
    while (!path.empty()) {
      const std::size_t dot = std::min(path.find('.'), path.size());
      const std::string_view name = path.substr(0, dot);
      path.remove_prefix(std::min(dot + 1, path.size()));
      if (element->Find(name) == nullptr) {
        element->children.push_back({std::string(name), column.path, false, false, 0, 0, {}, {}, {}});
      }
      element = element->Find(name);
    }
    element->label = column.header;
  }
}

void GiveRoles(SampleElement& root) {
  constexpr std::pair<std::string_view, Role> kRoles[] = {{"site", Role::kSite},
                                                          {"recordId", Role::kRecordId},
                                                          {"revision", Role::kRevision},
                                                          {"status", Role::kStatus},
                                                          {"recorded", Role::kRecorded}};
  for (const auto& [name, role] : kRoles) {
    if (SampleElement* leaf = root.Find(name)) leaf->role = role;
  }
  SampleElement* patient = root.Find("patient");
  if (patient != nullptr && patient->Find("mrn") != nullptr) patient->Find("mrn")->role = Role::kPatient;
}

}  // namespace

Result<Sample> ReadTableSample(std::string_view text, const SampleOptions& options) {
  Sample sample;
  sample.form = SampleForm::kTable;
  record::DecodedText decoded = record::DecodeText(std::string(text), record::TextEncoding::kUtf8);
  if (decoded.bad_at) {
    sample.table.encoding = record::TextEncoding::kWindows1252;
    decoded = record::DecodeText(std::string(text), sample.table.encoding);
    if (decoded.bad_at) return Fail(Code::kEncoding, decoded.why);
  }
  sample.table.delimiter = DelimiterOf(decoded.text);
  ADAPTER_TRY(std::vector<Column> columns, ReadColumns(decoded.text, sample.table.delimiter));
  if (sample.table.delimiter != ',' && HasDecimalComma(columns)) sample.table.decimal_sign = ',';
  bool is_doubtful = false;
  sample.table.dates = DateFormOf(columns, options.time_zone.get(), is_doubtful);
  if (is_doubtful) {
    sample.remarks.emplace_back(
        "dates may be DD/MM/YYYY or MM/DD/YYYY: they are taken as texts; name the form in the columns file "
        "and make "
        "them dateTime in the model");
  }
  RoleFinder roles(columns, options, sample);
  ADAPTER_CHECK(roles.Find());
  const auto records = RecordsOf(columns);
  NameColumns(columns, records);
  for (const Column& column : columns) sample.table.columns.emplace_back(column.header, column.path);

  const TableTree tree(columns, sample, options.time_zone.get());
  Arena arena;
  for (const auto& rows : records) {
    arena.Reset();
    ADAPTER_CHECK(Observe(*tree.Make(rows, arena), sample.root));
  }
  if (SampleElement* rows = sample.root.Find("rows")) rows->is_list = true;
  sample.records = records.size();
  Label(columns, sample.root);
  GiveRoles(sample.root);
  sample.has_envelope =
      roles.ColumnOf(Role::kPatient) != nullptr && roles.ColumnOf(Role::kRecorded) != nullptr;
  if (!sample.has_envelope) {
    sample.remarks.emplace_back(
        "`serve` needs a column with the patient's number (patient.mrn) and one with the time of the entry "
        "to the "
        "second (recorded), and did not find both; `map` and `map test` do without");
  }
  return sample;
}

}  // namespace fhir_adapter::app
