#include "sandbox/resource_store.h"

#include <array>
#include <utility>

#include "sandbox_embedded.h"
#include "storage/sqlite/query_set.h"
#include "storage/sqlite/schema.h"

namespace fhir_adapter::sandbox {

namespace {

constexpr std::size_t kCommitsBetweenCheckpoints = 256;

const storage::QuerySet& Queries() {
  static const storage::QuerySet queries(embedded::kQueries);
  return queries;
}

const storage::Schema& SandboxSchema() {
  static constexpr std::array kMigrations = {embedded::kSchema};
  static const storage::Schema schema{1178091858, kMigrations};
  return schema;
}

}  // namespace

ResourceStore::ResourceStore(std::unique_ptr<storage::Connection> connection, bool is_file)
    : connection_(std::move(connection)), is_file_(is_file) {}

ResourceStore::~ResourceStore() = default;

Result<std::unique_ptr<ResourceStore>> ResourceStore::Open(const std::string& path) {
  storage::ConnectionSettings settings;
  settings.path = path.empty() ? ":memory:" : path;
  settings.is_memory = path.empty();
  ADAPTER_TRY(auto connection, storage::Connection::Open(settings));
  ADAPTER_CHECK(storage::Migrate(*connection, SandboxSchema()));
  return std::unique_ptr<ResourceStore>(new ResourceStore(std::move(connection), !path.empty()));
}

Result<void> ResourceStore::Begin() {
  return connection_->Run(Queries()["begin"]);
}

Result<void> ResourceStore::Commit() {
  ADAPTER_CHECK(connection_->Run(Queries()["commit"]));
  if (is_file_ && ++commits_since_checkpoint_ >= kCommitsBetweenCheckpoints) {
    commits_since_checkpoint_ = 0;
    return connection_->Run(Queries()["checkpoint"]);
  }
  return {};
}

void ResourceStore::Rollback() {
  if (connection_->in_transaction()) {
    // Nothing was promised yet; a failure here shows again at the next statement.
    static_cast<void>(connection_->Run(Queries()["rollback"]).has_value());
  }
}

Result<std::optional<StoredResource>> ResourceStore::Find(std::string_view type, std::string_view id) {
  storage::Statement statement = connection_->Use(Queries()["find_resource"]);
  statement.Bind(type, id);
  ADAPTER_TRY(const bool found, statement.Step());
  if (!found) return std::optional<StoredResource>();
  StoredResource resource;
  resource.key = statement.Integer(0);
  resource.version = statement.Integer(1);
  resource.is_deleted = statement.Integer(2) != 0;
  resource.updated_us = statement.Integer(3);
  return std::optional(resource);
}

Result<void> ResourceStore::Write(const ResourceWrite& write) {
  ADAPTER_TRY(const std::optional<StoredResource> old, Find(write.type, write.id));
  const int is_deleted = write.content ? 0 : 1;
  std::int64_t key = 0;
  if (old) {
    key = old->key;
    storage::Statement update = connection_->Use(Queries()["update_resource"]);
    update.Bind(write.version, is_deleted, write.updated_us, key);
    ADAPTER_CHECK(update.Run());
  } else {
    storage::Statement insert = connection_->Use(Queries()["insert_resource"]);
    insert.Bind(write.type, write.id, write.version, is_deleted, write.updated_us);
    ADAPTER_TRY(const bool inserted, insert.Step());
    if (!inserted) return Fail(Code::kInternal, "insert_resource returned no key");
    key = insert.Integer(0);
  }
  storage::Statement version = connection_->Use(Queries()["insert_version"]);
  version.Bind(key, write.version, write.method, write.updated_us, write.content);
  ADAPTER_CHECK(version.Run());
  return WriteEntries(key, write);
}

Result<void> ResourceStore::WriteEntries(std::int64_t key, const ResourceWrite& write) {
  storage::Statement forget = connection_->Use(Queries()["delete_search_entries"]);
  forget.Bind(key);
  ADAPTER_CHECK(forget.Run());
  storage::Statement forget_references = connection_->Use(Queries()["delete_reference_entries"]);
  forget_references.Bind(key);
  ADAPTER_CHECK(forget_references.Run());
  for (const SearchEntry& entry : write.entries) {
    storage::Statement insert = connection_->Use(Queries()["insert_search_entry"]);
    insert.Bind(key, write.type, entry.parameter, entry.system, entry.value, entry.first_us, entry.last_us);
    ADAPTER_CHECK(insert.Run());
  }
  for (const ReferenceTarget& target : write.references) {
    storage::Statement insert = connection_->Use(Queries()["insert_reference_entry"]);
    insert.Bind(key, target.type, target.id);
    ADAPTER_CHECK(insert.Run());
  }
  return {};
}

Result<std::optional<ResourceVersion>> ResourceStore::ReadVersion(std::int64_t key, std::int64_t version) {
  storage::Statement statement = connection_->Use(Queries()["read_version"]);
  statement.Bind(key, version);
  ADAPTER_TRY(const bool found, statement.Step());
  if (!found) return std::optional<ResourceVersion>();
  ResourceVersion read;
  read.version = statement.Integer(0);
  read.method = statement.Text(1);
  read.updated_us = statement.Integer(2);
  read.content = statement.Text(3);
  read.id = statement.Text(4);
  return std::optional(std::move(read));
}

Result<ResourceVersion> ResourceStore::ReadCurrent(std::int64_t key) {
  storage::Statement statement = connection_->Use(Queries()["current_content"]);
  statement.Bind(key);
  ADAPTER_TRY(const bool found, statement.Step());
  if (!found) return Fail(Code::kInternal, "current_content found no row");
  ResourceVersion read;
  read.type = statement.Text(0);
  read.id = statement.Text(1);
  read.version = statement.Integer(2);
  read.updated_us = statement.Integer(3);
  read.content = statement.Text(4);
  return read;
}

Result<bool> ResourceStore::IsReferenced(std::string_view type, std::string_view id,
                                         std::int64_t except_key) {
  storage::Statement statement = connection_->Use(Queries()["is_referenced"]);
  statement.Bind(type, id, except_key);
  return statement.Step();
}

Result<std::vector<ResourceVersion>> ResourceStore::History(const HistoryQuery& query) {
  storage::Statement statement = connection_->Use(Queries()["history"]);
  statement.Bind(query.type, query.id, query.since_us, static_cast<std::int64_t>(query.count),
                 static_cast<std::int64_t>(query.offset));
  std::vector<ResourceVersion> versions;
  while (true) {
    ADAPTER_TRY(const bool found, statement.Step());
    if (!found) return versions;
    versions.push_back({statement.Text(0), statement.Text(1), statement.Integer(2), statement.Text(3),
                        statement.Integer(4), statement.Text(5)});
  }
}

Result<std::int64_t> ResourceStore::HistoryTotal(const HistoryQuery& query) {
  storage::Statement statement = connection_->Use(Queries()["history_total"]);
  statement.Bind(query.type, query.id, query.since_us);
  ADAPTER_TRY(const bool found, statement.Step());
  return found ? statement.Integer(0) : 0;
}

Result<std::vector<std::int64_t>> ResourceStore::Keys(std::string_view query,
                                                      const std::vector<std::string>& parameters) {
  storage::Statement statement = connection_->Use(Queries()[query]);
  for (const std::string& parameter : parameters) statement.Bind(parameter);
  std::vector<std::int64_t> keys;
  while (true) {
    ADAPTER_TRY(const bool found, statement.Step());
    if (!found) return keys;
    keys.push_back(statement.Integer(0));
  }
}

Result<std::vector<DateRow>> ResourceStore::Dates(std::string_view query,
                                                  const std::vector<std::string>& parameters) {
  storage::Statement statement = connection_->Use(Queries()[query]);
  for (const std::string& parameter : parameters) statement.Bind(parameter);
  std::vector<DateRow> rows;
  while (true) {
    ADAPTER_TRY(const bool found, statement.Step());
    if (!found) return rows;
    rows.push_back({statement.Integer(0), statement.Integer(1), statement.Integer(2)});
  }
}

Result<std::vector<std::pair<std::string, std::int64_t>>> ResourceStore::CountByType() {
  storage::Statement statement = connection_->Use(Queries()["count_by_type"]);
  std::vector<std::pair<std::string, std::int64_t>> counts;
  while (true) {
    ADAPTER_TRY(const bool found, statement.Step());
    if (!found) return counts;
    counts.emplace_back(statement.Text(0), statement.Integer(1));
  }
}

}  // namespace fhir_adapter::sandbox
