#include "storage/sqlite/query_set.h"

#include <gtest/gtest.h>

namespace fhir_adapter::storage {
namespace {

TEST(QuerySet, NamedStatements_EndBeforeTheNextName) {
  const QuerySet queries("-- A remark.\n-- name: one\nSELECT 1;\n\n-- name: two\nSELECT 2\n  + 2;\n");
  EXPECT_EQ(queries.all().size(), 2U);
  EXPECT_EQ(queries["one"].sql, "SELECT 1;\n\n");
  EXPECT_EQ(queries["two"].sql, "SELECT 2\n  + 2;\n");
  EXPECT_EQ(queries["two"].name, "two");
}

TEST(QuerySetDeathTest, UnknownName_Aborts) {
  const QuerySet queries("-- name: one\nSELECT 1;\n");
  EXPECT_DEATH(queries["other"], "no query named other");
}

}  // namespace
}  // namespace fhir_adapter::storage
