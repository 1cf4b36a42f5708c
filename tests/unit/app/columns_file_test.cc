// Columns files: what they say of tables, and what is found wrong with them.
#include "app/columns_file.h"

#include <gtest/gtest.h>

#include "app/mapping_files.h"
#include "app/time_zone_file.h"

namespace fhir_adapter::app {
namespace {

const pipeline::MappingSet& Shipped() {
  static const std::shared_ptr<const pipeline::MappingSet> set = [] {
    std::vector<fml::Finding> findings;
    return pipeline::MappingSet::Build(ReadMappingFiles(FHIR_ADAPTER_MAPPINGS_DIR).value(), {}, findings);
  }();
  return *set;
}

std::string Findings(const std::string& text) {
  std::vector<fml::Finding> findings;
  const auto layout = ParseColumns(text, "c.toml", Shipped().model(), findings);
  EXPECT_EQ(layout.has_value(), findings.empty());
  std::string lines;
  for (const fml::Finding& finding : findings) lines += fml::ToLine(finding) + "\n";
  return lines;
}

record::TableLayout Read(const std::string& text) {
  std::vector<fml::Finding> findings;
  auto layout = ParseColumns(text, "c.toml", Shipped().model(), findings);
  EXPECT_TRUE(layout.has_value());
  return std::move(layout).value_or(record::TableLayout());
}

TEST(ColumnsFile, Empty_IsCommasAndUtf8) {
  const record::TableLayout layout = Read("");
  EXPECT_EQ(layout.form.separator, ',');
  EXPECT_EQ(layout.form.quote, '"');
  EXPECT_EQ(layout.encoding, record::TextEncoding::kUtf8);
  EXPECT_EQ(layout.decimal_sign, '.');
  EXPECT_EQ(layout.dates, record::DateForm::kIso);
  EXPECT_TRUE(layout.columns.empty());
}

TEST(ColumnsFile, EachKey_IsTaken) {
  const record::TableLayout layout = Read(
      "delimiter = \"\\t\"\nquote = \"'\"\nencoding = \"windows-1252\"\ndecimal = \",\"\ndates = "
      "\"DD.MM.YYYY\"\n"
      "list_separator = \"|\"\n"
      "[columns]\n\"Case\" = \"recordId\"\n\"Printed\" = \"\"\n\"Sex\" = \"patient.sex\"\n"
      "[fixed]\nprocedure.kind = \"intrathecal-injection\"\nrevision = 1\n"
      "[values.Sex]\nm = \"male\"\n\"-\" = \"\"\n");
  EXPECT_EQ(layout.form.separator, '\t');
  EXPECT_EQ(layout.form.quote, '\'');
  EXPECT_EQ(layout.encoding, record::TextEncoding::kWindows1252);
  EXPECT_EQ(layout.decimal_sign, ',');
  EXPECT_EQ(layout.dates, record::DateForm::kDayMonthDots);
  EXPECT_EQ(layout.list_separator, "|");
  ASSERT_EQ(layout.columns.size(), 3U);
  EXPECT_EQ(layout.columns[0].header, "Case");
  EXPECT_EQ(layout.columns[0].path->text(), "recordId");
  EXPECT_FALSE(layout.columns[1].path.has_value());
  EXPECT_EQ(layout.columns[2].values, (record::CellValues{{"-", ""}, {"m", "male"}}));
  ASSERT_EQ(layout.fixed.size(), 2U);
  EXPECT_EQ(layout.fixed[0].path.text(), "procedure.kind");
  EXPECT_EQ(layout.fixed[1].text, "1");
}

TEST(ColumnsFile, WrongThings_AreNamedWithPlaceAndSuggestion) {
  EXPECT_EQ(Findings("delimeter = \";\"\n"),
            "c.toml:1:1: error: unknown key 'delimeter'; did you mean 'delimiter'?\n");
  EXPECT_EQ(
      Findings("\n[columns]\n\"Dose\" = \"administrations.dosse.value\"\n"),
      "c.toml:3:10: error: 'administrations.dosse.value': the record model has no such field; did you mean "
      "'administrations.dose.value'?\n");
  EXPECT_EQ(Findings("[columns]\nDose = \"administrations.dose\"\n"),
            "c.toml:2:8: error: 'administrations.dose': dose holds fields of its own; name one of them: "
            "administrations.dose.value administrations.dose.unit\n");
  EXPECT_EQ(Findings("encoding = \"windows-1251\"\n"),
            "c.toml:1:12: error: encoding must be one of utf-8 windows-1252 iso-8859-1; did you mean "
            "'windows-1252'?\n");
  EXPECT_EQ(Findings("[fixed]\nstatus = \"complete\"\n"),
            "c.toml:2:10: error: status: the code is not one of completed corrected in-progress not-done "
            "voided; did "
            "you mean 'completed'?\n");
  EXPECT_EQ(Findings("[columns]\nSex = \"patient.sex\"\n[values.Sex]\nm = \"mail\"\n"),
            "c.toml:4:5: error: patient.sex: the code is not one of female male other unknown; did you mean "
            "'male'?\n");
  EXPECT_EQ(
      Findings("[columns]\nSex = \"patient.sex\"\n[values.Sexx]\nm = \"male\"\n"),
      "c.toml:3:9: error: [values] speaks of a column 'Sexx' that [columns] does not name; did you mean "
      "'Sex'?\n");
  EXPECT_EQ(Findings("[columns]\nA = \"patient.mrn\"\nB = \"patient.mrn\"\n"),
            "c.toml:3:5: error: patient.mrn has a column or a fixed value already\n");
  EXPECT_EQ(Findings("delimiter = \"ab\"\n"),
            "c.toml:1:13: error: delimiter must be one character, such as ; or \\t\n");
  EXPECT_EQ(Findings("delimiter = '\"'\n"), "c.toml:1:1: error: delimiter and quote are the same\n");
  EXPECT_EQ(Findings("[fixed]\nrevision = \"one\"\n"),
            "c.toml:2:12: error: revision: a value of type integer is expected\n");
  EXPECT_EQ(Findings("[fixed]\nrevision = 1.0\n"), "c.toml:2:12: error: a text in quotes is expected\n");
  EXPECT_TRUE(Findings("[columns\n").starts_with("c.toml:1:"));
}

TEST(ColumnsFile, ShippedOnes_AreGood) {
  const auto files = ColumnsFiles(FHIR_ADAPTER_MAPPINGS_DIR);
  ASSERT_EQ(files.size(), 2U);
  for (const std::string& file : files) EXPECT_EQ(Findings(ReadFile(file).value()), "") << file;
}

TEST(ColumnsFile, Name_IsAFileOfTheMapsAndAPathItself) {
  EXPECT_EQ(ColumnsPath("export", "/etc/maps"), "/etc/maps/columns/export.toml");
  EXPECT_EQ(ColumnsPath("/etc/export.toml", "/etc/maps"), "/etc/export.toml");
}

TEST(TimeZoneFile, Name_IsThatOfTheDataBase) {
  EXPECT_EQ(LoadTimeZone("").value(), nullptr);
  EXPECT_EQ(LoadTimeZone("Europe/Berlin").value()->name(), "Europe/Berlin");
  const auto wrong = LoadTimeZone("Europe/Berln");
  ASSERT_FALSE(wrong.has_value());
  EXPECT_NE(wrong.error().message.find("did you mean 'Europe/Berlin'?"), std::string::npos)
      << wrong.error().message;
  for (const char* name : {"../../etc/passwd", "/etc/passwd", "Europe", "zone.tab"}) {
    EXPECT_FALSE(LoadTimeZone(name).has_value()) << name;
  }
}

}  // namespace
}  // namespace fhir_adapter::app
