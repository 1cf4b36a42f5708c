// ResourceStore: every version of every resource in SQLite, with what searches look at.
//
// Owns its connection; belongs to one thread at a time. Contents are JSON texts, so that decimals keep their
// digits. Errors are those of the store (storage/sqlite/connection.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "sandbox/search_parameter.h"
#include "storage/sqlite/connection.h"

namespace fhir_adapter::sandbox {

struct StoredResource {
  std::int64_t key = 0;
  std::int64_t version = 0;
  bool is_deleted = false;
  std::int64_t updated_us = 0;
};

struct ResourceVersion {
  std::string type;
  std::string id;
  std::int64_t version = 0;
  std::string method;  // POST, PUT or DELETE
  std::int64_t updated_us = 0;
  std::string content;  // empty: deleted
};

struct ResourceWrite {
  std::string type;
  std::string id;
  std::string method;
  std::int64_t version = 0;
  std::int64_t updated_us = 0;
  std::optional<std::string> content;  // none: deletes
  std::vector<SearchEntry> entries;
  std::vector<ReferenceTarget> references;
};

struct HistoryQuery {
  std::optional<std::string> type;
  std::optional<std::string> id;
  std::int64_t since_us = kBeginningOfTime;
  std::size_t count = 0;
  std::size_t offset = 0;
};

struct DateRow {
  std::int64_t key = 0;
  std::int64_t first_us = 0;
  std::int64_t last_us = 0;
};

class ResourceStore {
 public:
  // In memory when `path` is empty.
  static Result<std::unique_ptr<ResourceStore>> Open(const std::string& path);
  ~ResourceStore();

  Result<void> Begin();
  Result<void> Commit();
  void Rollback();  // nothing when there is no transaction

  Result<std::optional<StoredResource>> Find(std::string_view type, std::string_view id);
  Result<void> Write(const ResourceWrite& write);
  Result<std::optional<ResourceVersion>> ReadVersion(std::int64_t key, std::int64_t version);
  Result<ResourceVersion> ReadCurrent(std::int64_t key);
  Result<bool> IsReferenced(std::string_view type, std::string_view id, std::int64_t except_key);
  Result<std::vector<ResourceVersion>> History(const HistoryQuery& query);
  Result<std::int64_t> HistoryTotal(const HistoryQuery& query);

  // Keys in ascending order. `query` is a name in queries.sql; the parameters are bound in order.
  Result<std::vector<std::int64_t>> Keys(std::string_view query, const std::vector<std::string>& parameters);
  Result<std::vector<DateRow>> Dates(std::string_view query, const std::vector<std::string>& parameters);
  Result<std::vector<std::pair<std::string, std::int64_t>>> CountByType();

 private:
  explicit ResourceStore(std::unique_ptr<storage::Connection> connection, bool is_file);
  Result<void> WriteEntries(std::int64_t key, const ResourceWrite& write);

  std::unique_ptr<storage::Connection> connection_;
  bool is_file_ = false;
  std::size_t commits_since_checkpoint_ = 0;
};

}  // namespace fhir_adapter::sandbox
