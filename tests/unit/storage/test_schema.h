// A small schema for tests of the store itself.
#pragma once

#include <string_view>

#include "storage/sqlite/query_set.h"
#include "storage/sqlite/schema.h"

namespace fhir_adapter::storage {

inline constexpr std::string_view kTestMigrations[] = {
    R"(PRAGMA application_id = 77;
       PRAGMA user_version = 1;
       CREATE TABLE disk_probe (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
       CREATE TABLE entry (number INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;)",
    R"(PRAGMA user_version = 2;
       ALTER TABLE entry ADD COLUMN size INTEGER NOT NULL DEFAULT 0;)",
};

inline const Schema& TestSchema() {
  static const Schema schema{77, kTestMigrations};
  return schema;
}
inline const Schema& FirstTestSchema() {
  static const Schema schema{77, std::span(kTestMigrations).first(1)};
  return schema;
}

inline const QuerySet& TestQueries() {
  static const QuerySet queries(R"(
-- name: insert
INSERT INTO entry (number, text) VALUES (?, ?);
-- name: delete_secrets
DELETE FROM entry WHERE text LIKE '%secret%';
-- name: count
SELECT count(*) FROM entry;
-- name: numbers
SELECT number FROM entry ORDER BY number;
-- name: fill
INSERT INTO entry (number, text) VALUES (?, hex(randomblob(?)));
)");
  return queries;
}

}  // namespace fhir_adapter::storage
