// What holds for the SQLite backend alone: every statement fits the schema, and none that runs with the work
// reads more than it needs.

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "outbox/sqlite/queries.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/schema.h"

namespace fhir_adapter::test {
namespace {

using storage::QuerySet;

std::unique_ptr<storage::Connection> OpenSchema() {
  auto connection = storage::Connection::Open({.path = ":memory:", .is_memory = true});
  EXPECT_TRUE(connection);
  EXPECT_TRUE(storage::Migrate(**connection, storage::AdapterSchema()));
  return std::move(*connection);
}

std::vector<std::string> PlanOf(storage::Connection& connection, const storage::Query& query) {
  const storage::Query explain{query.name, "EXPLAIN QUERY PLAN " + query.sql};
  std::vector<std::string> lines;
  auto statement = connection.Use(explain);
  while (true) {
    auto step = statement.Step();
    EXPECT_TRUE(step) << query.name << ": " << ToString(step.error());
    if (!step || !*step) return lines;
    lines.push_back(statement.Text(3));
  }
}

struct Set {
  const char* file;
  const QuerySet& (*queries)();
};

constexpr Set kSets[] = {
    {"erase.sql", outbox::EraseQueries},     {"inbox.sql", outbox::InboxQueries},
    {"key.sql", outbox::KeyQueries},         {"ledger.sql", outbox::LedgerQueries},
    {"mapping.sql", outbox::MappingQueries}, {"message.sql", outbox::MessageQueries},
    {"pushed.sql", outbox::PushedQueries},   {"queue.sql", outbox::QueueQueries},
    {"remap.sql", outbox::RemapQueries},     {"retention.sql", outbox::RetentionQueries},
    {"source.sql", outbox::SourceQueries},   {"token.sql", outbox::TokenQueries},
    {"trace.sql", outbox::TraceQueries},     {"work.sql", outbox::WorkQueries},
};

// Small tables that are read whole on purpose: one row for each state, a UNION of six rows, the tokens.
bool MayScan(const std::string& line) {
  return line.starts_with("SCAN work_count") || line.starts_with("SCAN access_token") ||
         line.starts_with("SCAN e ") || line == "SCAN e" || line.starts_with("SCAN first") ||
         line == "SCAN CONSTANT ROW" || line.starts_with("SCAN (subquery");
}

bool IsFullScan(const std::string& line) {
  return line.starts_with("SCAN ") && line.find("USING") == std::string::npos && !MayScan(line);
}

TEST(SqlitePlan, NoStatement_ScansATable) {
  for (const Set& set : kSets) {
    auto connection = OpenSchema();
    for (const auto& [name, query] : set.queries().all()) {
      // A listing without a filter goes along the primary key from the cursor.
      for (const std::string& line : PlanOf(*connection, query)) {
        EXPECT_FALSE(IsFullScan(line)) << set.file << " " << name << ": " << line;
      }
    }
  }
}

struct Wanted {
  const char* query;
  const char* index;
};

// The statements of a claim: each by the index made for it, and none sorts.
TEST(SqlitePlan, Claim_GoesByItsIndexes) {
  auto connection = OpenSchema();
  for (const Wanted& wanted : {
           Wanted{"due_patients", "INDEX patient_lease_due"},
           Wanted{"head_of_line", "INDEX work_item_line"},
           Wanted{"sending_of_patient", "INDEX work_item_line"},
           Wanted{"lower_in_flight", "INDEX work_item_subject"},
           Wanted{"higher_deliverable", "INDEX work_item_subject"},
           Wanted{"end_lease", "INDEX patient_lease_owner"},
           Wanted{"extend_lease", "INDEX patient_lease_owner"},
           Wanted{"next_due", "INDEX patient_lease_due"},
           Wanted{"dependents", "INDEX work_item_dependent"},
           Wanted{"held_for_patient", "INDEX work_item_held"},
           Wanted{"all_sending", "INDEX work_item_state"},
       }) {
    const auto lines = PlanOf(*connection, outbox::WorkQueries()[wanted.query]);
    bool is_used = false;
    for (const std::string& line : lines) {
      is_used = is_used || line.find(wanted.index) != std::string::npos;
      if (std::string(wanted.query) == "held_for_patient") continue;  // a few rows, by position
      EXPECT_EQ(line.find("TEMP B-TREE"), std::string::npos) << wanted.query << ": " << line;
    }
    EXPECT_TRUE(is_used) << wanted.query << " does not use " << wanted.index;
  }
}

// SQLite would take the index by endpoint or state and read everything that was ever delivered; a record's
// own rows are few, so that sorting them is no matter.
TEST(SqlitePlan, RowsOfARecord_AreFoundByTheRecord) {
  auto connection = OpenSchema();
  const std::pair<storage::Query, const char*> wanted[] = {
      {outbox::LedgerQueries()["ledger_of_subject"], "INDEX resource_ledger_subject"},
      {outbox::LedgerQueries()["ledger_of_subject_everywhere"], "INDEX resource_ledger_subject"},
      {outbox::MappingQueries()["waits_for_mapping"], "INDEX work_item_subject"}};
  for (const auto& [query, index] : wanted) {
    bool is_used = false;
    for (const std::string& line : PlanOf(*connection, query))
      is_used = is_used || line.find(index) != std::string::npos;
    EXPECT_TRUE(is_used) << query.name;
  }
}

// However much was ever delivered, a trace reads what belongs to the record and what names it.
TEST(SqlitePlan, Trace_GoesByItsIndexes) {
  auto connection = OpenSchema();
  for (const Wanted& wanted : {
           Wanted{"subjects_of_record_id", "INDEX record_subject_record"},
           Wanted{"subjects_of_server_id", "INDEX resource_ledger_server"},
           Wanted{"subjects_of_identifier", "INDEX resource_ledger_identifier"},
           Wanted{"subjects_of_mrn", "INDEX record_revision_patient"},
           Wanted{"subjects_of_receipt", "inbox USING INDEX sqlite_autoindex_inbox_1 (receipt=?)"},
           Wanted{"subject", "USING PRIMARY KEY (subject_key=?)"},
           Wanted{"refused_subject", "INDEX inbox_rejected"},
           Wanted{"revisions_of_subject", "USING PRIMARY KEY (subject_key=?)"},
           Wanted{"refusals_of_subject", "INDEX inbox_rejected"},
           Wanted{"work_of_subject", "INDEX work_item_subject"},
           Wanted{"remarks_of_subject", "INDEX work_remark_position"},
           Wanted{"is_intended", "INDEX work_item_subject"},
       }) {
    bool is_used = false;
    std::string plan;
    for (const std::string& line : PlanOf(*connection, outbox::TraceQueries()[wanted.query])) {
      is_used = is_used || line.find(wanted.index) != std::string::npos;
      plan += line + "\n";
    }
    EXPECT_TRUE(is_used) << wanted.query << " does not use " << wanted.index << ":\n" << plan;
  }
}

// However many records came twice, only those that owe the log a count are looked at.
TEST(SqlitePlan, UncountedRepeats_AreFoundByTheirIndex) {
  auto connection = OpenSchema();
  for (const auto& [query, table] :
       {std::pair(&outbox::InboxQueries()["uncounted_repeats"], "repeated_arrival"),
        std::pair(&outbox::InboxQueries()["uncounted_erased"], "repeated_erased"),
        std::pair(&outbox::MessageQueries()["uncounted_messages"], "repeated_message")}) {
    bool is_used = false;
    for (const std::string& line : PlanOf(*connection, *query)) {
      is_used = is_used || line.find("INDEX " + std::string(table) + "_uncounted") != std::string::npos;
    }
    EXPECT_TRUE(is_used) << table;
  }
}

TEST(SqlitePlan, Control_AStatementWithoutAnIndexIsFound) {
  auto connection = OpenSchema();
  const storage::Query query{"control", "SELECT 1 FROM work_item WHERE attempts = ?;"};
  const auto lines = PlanOf(*connection, query);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(IsFullScan(lines[0])) << lines[0];
}

// Every table that says in which state something is names the entry that brought it there.
TEST(SqliteSchema, StateTables_NameTheirAuditEntry) {
  auto connection = OpenSchema();
  for (const char* table : {"inbox", "record_revision", "work_item", "mapping", "map_set", "resource_ledger",
                            "rule_firing", "patient_link", "patient_found", "access_token", "setting",
                            "repeated_arrival", "repeated_message", "repeated_erased"}) {
    const storage::Query query{"columns", "SELECT \"notnull\" FROM pragma_table_info('" + std::string(table) +
                                              "') WHERE name = 'audit_seq';"};
    auto statement = connection->Use(query);
    auto step = statement.Step();
    ASSERT_TRUE(step) << ToString(step.error());
    ASSERT_TRUE(*step) << table;
    EXPECT_EQ(statement.Integer(0), 1) << table;
  }
}

TEST(SqliteSchema, AuditEntry_CannotBeChangedOrDeleted) {
  auto connection = OpenSchema();
  ASSERT_TRUE(connection->RunScript("INSERT INTO audit_entry VALUES (1, 't', 1, x'00');", "insert"));
  EXPECT_FALSE(connection->RunScript("UPDATE audit_entry SET bytes = x'01';", "update"));
  EXPECT_FALSE(connection->RunScript("DELETE FROM audit_entry;", "delete"));
  EXPECT_FALSE(
      connection->RunScript("INSERT OR REPLACE INTO audit_entry VALUES (1, 't', 1, x'02');", "replace"));
}

}  // namespace
}  // namespace fhir_adapter::test
