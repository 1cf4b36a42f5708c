// The cases of the magnesium paper as tables: the same records, and the same Bundles, byte for byte.
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

#include "app/columns_file.h"
#include "app/mapping_files.h"
#include "app/time_zone_file.h"
#include "pipeline/record_input.h"
#include "pipeline/record_mapping.h"
#include "record/table_cutter.h"

namespace fhir_adapter::golden {
namespace {

std::string Fixture(const std::string& name) {
  return app::ReadFile(std::string(FHIR_ADAPTER_SOURCE_DIR) + "/fixtures/" + name).value();
}

class TableRecords : public testing::Test {
 protected:
  TableRecords() {
    std::vector<fml::Finding> findings;
    set_ =
        pipeline::MappingSet::Build(app::ReadMappingFiles(FHIR_ADAPTER_MAPPINGS_DIR).value(), {}, findings);
  }

  record::TableLayout Layout(const std::string& columns) {
    const std::string file = app::ColumnsPath(columns, FHIR_ADAPTER_MAPPINGS_DIR);
    std::vector<fml::Finding> findings;
    auto layout = app::ParseColumns(app::ReadFile(file).value(), file, set_->model(), findings);
    EXPECT_TRUE(layout.has_value());
    layout->time_zone = app::LoadTimeZone("Asia/Tokyo").value();
    return std::move(*layout);
  }

  std::vector<std::string> Bundles(std::unique_ptr<record::RecordCutter> cutter, const std::string& input) {
    cutter->Push(input);
    cutter->Finish();
    pipeline::RecordMapping mapping(set_);
    std::vector<std::string> bundles;
    while (const auto text = cutter->Next()) {
      const auto mapped = mapping.Map(*text, {}, pipeline::RecordForm::kBundle);
      for (const Issue& issue : mapped.issues)
        EXPECT_EQ(issue.disposition(), Disposition::kNote) << ToLine(issue);
      bundles.push_back(mapped.bundle);
    }
    return bundles;
  }
  std::string OfJson(const std::string& name) {
    return Bundles(record::MakeCutter(record::RecordFormat::kJson, nullptr), Fixture("records/" + name))
        .at(0);
  }
  std::vector<std::string> OfTable(const std::string& table, const record::TableLayout& layout) {
    return Bundles(record::MakeCutter(record::RecordFormat::kTable, &layout), table);
  }
  std::string HashOf(std::unique_ptr<record::RecordCutter> cutter, const std::string& input) {
    pipeline::RecordInput records(set_->model(), std::move(cutter));
    records.Push(input);
    records.Finish();
    return records.Next().value().content_sha256;
  }

  std::shared_ptr<const pipeline::MappingSet> set_;
};

TEST_F(TableRecords, ExportOfTheClinic_GivesTheBundlesOfTheJsonRecords) {
  const auto layout = Layout("clinic-export");
  const auto bundles = OfTable(Fixture("tables/mg-export.csv"), layout);
  ASSERT_EQ(bundles.size(), 3U);
  EXPECT_EQ(bundles[0], OfJson("mg-1.json"));
  EXPECT_EQ(bundles[1], OfJson("mg-2.json"));
  EXPECT_EQ(bundles[2], OfJson("mg-3-revision-1.json"));
}

TEST_F(TableRecords, RowsOfOneRecord_GiveTheBundleOfTheJsonRecord) {
  const auto layout = Layout("record-paths");
  const auto bundles = OfTable(Fixture("tables/mg-3-revision-2.csv"), layout);
  ASSERT_EQ(bundles.size(), 1U);
  EXPECT_EQ(bundles[0], OfJson("mg-3-revision-2.json"));
}

TEST_F(TableRecords, RecordOfATable_IsTheSameRecordAsItsJson) {
  const auto layout = Layout("record-paths");
  EXPECT_EQ(HashOf(record::MakeCutter(record::RecordFormat::kTable, &layout),
                   Fixture("tables/mg-3-revision-2.csv")),
            HashOf(record::MakeCutter(record::RecordFormat::kJson, nullptr),
                   Fixture("records/mg-3-revision-2.json")));
}

// The control: what is compared differs when one digit does.
TEST_F(TableRecords, OneDigitChanged_GivesAnotherBundle) {
  const auto layout = Layout("record-paths");
  std::string table = Fixture("tables/mg-3-revision-2.csv");
  const std::size_t at = table.find(",500,mg,");
  ASSERT_NE(at, std::string::npos);
  table.replace(at, 8, ",50,mg,");
  EXPECT_NE(OfTable(table, layout).at(0), OfJson("mg-3-revision-2.json"));
  table = Fixture("tables/mg-3-revision-2.csv");
  table.replace(table.find(",0.70,"), 6, ",0.7,");
  EXPECT_NE(OfTable(table, layout).at(0), OfJson("mg-3-revision-2.json"));
}

}  // namespace
}  // namespace fhir_adapter::golden
