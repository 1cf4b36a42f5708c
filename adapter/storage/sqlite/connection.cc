#include "storage/sqlite/connection.h"

#include <cerrno>
#include <cstdlib>
#include <sqlite3.h>
#include <utility>

#include "storage/sqlite/queries.h"
#include "storage/sqlite/query_set.h"

namespace fhir_adapter::storage {
namespace {

// A device without room also shows as an I/O error of the call that wanted to grow a file.
bool IsDiskFull(sqlite3* database, int code) {
  if ((code & 0xFF) == SQLITE_FULL) return true;
  if (code != SQLITE_IOERR_WRITE && code != SQLITE_IOERR_SHMSIZE && code != SQLITE_IOERR_TRUNCATE)
    return false;
  const int system = database == nullptr ? 0 : sqlite3_system_errno(database);
  return system == ENOSPC || system == EDQUOT;
}

Code Classify(sqlite3* database, int code) {
  if (IsDiskFull(database, code)) return Code::kDiskFull;
  switch (code & 0xFF) {
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_NOLFS:
    case SQLITE_PROTOCOL:
      return Code::kStoreFailed;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Code::kStoreDamaged;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Code::kStoreLocked;
    default:
      return Code::kInternal;
  }
}

void Harden(sqlite3* database) {
  int ignored = 0;
  const std::pair<int, int> switches[] = {
      {SQLITE_DBCONFIG_DEFENSIVE, 1},       {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
      {SQLITE_DBCONFIG_DQS_DML, 0},         {SQLITE_DBCONFIG_DQS_DDL, 0},
      {SQLITE_DBCONFIG_ENABLE_FKEY, 1},     {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
      {SQLITE_DBCONFIG_ENABLE_TRIGGER, 1},  {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
      {SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0}, {SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0},
  };
  for (const auto& [name, value] : switches) sqlite3_db_config(database, name, value, &ignored);
  sqlite3_extended_result_codes(database, 1);
  sqlite3_limit(database, SQLITE_LIMIT_ATTACHED, 0);
}

}  // namespace

void SqliteCloser::operator()(sqlite3* handle) const {
  sqlite3_close_v2(handle);
}
void StatementCloser::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Error SqliteError(sqlite3* database, int code, std::string_view what) {
  std::string message(what);
  message += ": SQLite ";
  message += std::to_string(code);
  message += " (";
  message += sqlite3_errstr(code);
  message += ")";
  return Error{Classify(database, code), std::move(message), {}};
}

Statement::Statement(sqlite3* database, sqlite3_stmt* statement, bool* in_use, StatementHandle owned,
                     const std::string* name)
    : database_(database), statement_(statement), in_use_(in_use), owned_(std::move(owned)), name_(name) {
  if (in_use_ != nullptr) *in_use_ = true;
}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_), owned_(std::move(other.owned_)), name_(other.name_), bound_(other.bound_) {
  statement_ = std::exchange(other.statement_, nullptr);
  in_use_ = std::exchange(other.in_use_, nullptr);
  failure_ = std::move(other.failure_);
}

Statement::~Statement() {
  Reset();
  if (in_use_ != nullptr) *in_use_ = false;
}

void Statement::Reset() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  bound_ = 0;
}

void Statement::BindNext(std::int64_t value) {
  if (statement_ == nullptr) return;
  if (sqlite3_bind_int64(statement_, ++bound_, value) != SQLITE_OK) std::abort();
}

// Static: the views live until the last Step, as the header asks.
void Statement::BindNext(std::string_view text) {
  if (statement_ == nullptr) return;
  const char* data = text.data() == nullptr ? "" : text.data();
  if (sqlite3_bind_text64(statement_, ++bound_, data, text.size(), SQLITE_STATIC, SQLITE_UTF8) != SQLITE_OK) {
    std::abort();
  }
}

void Statement::BindNext(Blob blob) {
  if (statement_ == nullptr) return;
  const char* data = blob.bytes.data() == nullptr ? "" : blob.bytes.data();
  if (sqlite3_bind_blob64(statement_, ++bound_, data, blob.bytes.size(), SQLITE_STATIC) != SQLITE_OK) {
    std::abort();
  }
}

void Statement::BindNext(std::nullopt_t) {
  if (statement_ == nullptr) return;
  if (sqlite3_bind_null(statement_, ++bound_) != SQLITE_OK) std::abort();
}

Result<bool> Statement::Step() {
  if (failure_) return Fail(*failure_);
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return Fail(SqliteError(database_, sqlite3_extended_errcode(database_), *name_));
}

Result<void> Statement::Run() {
  while (true) {
    ADAPTER_TRY(const bool has_row, Step());
    if (!has_row) break;
  }
  Reset();
  return {};
}

std::int64_t Statement::Integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string_view Statement::View(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr ? std::string_view()
                          : std::string_view(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

std::string Statement::Text(int column) const {
  return std::string(View(column));
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::optional<std::int64_t> Statement::OptionalInteger(int column) const {
  if (IsNull(column)) return std::nullopt;
  return Integer(column);
}

Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::Open(const ConnectionSettings& settings) {
  // Nobody reads SQLite's statistics of memory, and keeping them takes a mutex for every allocation. Only the
  // first call in a process can say so; where another user of SQLite came first, it stays as it is.
  [[maybe_unused]] static const int configured = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_PRIVATECACHE |
                    (settings.is_memory ? SQLITE_OPEN_MEMORY : 0) |
                    (settings.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(settings.path.c_str(), &raw, flags,
                                   settings.vfs.empty() ? nullptr : settings.vfs.c_str());
  SqliteHandle handle(raw);
  if (code != SQLITE_OK) {
    return Fail(SqliteError(raw, raw == nullptr ? code : sqlite3_extended_errcode(raw), "open"));
  }
  Harden(handle.get());
  sqlite3_busy_timeout(handle.get(), static_cast<int>(settings.busy_timeout_ms));
  std::unique_ptr<Connection> connection(new Connection(std::move(handle)));
  const QuerySet& queries = ConnectionQueries();
  ADAPTER_CHECK(connection->Run(queries["foreign_keys_on"]));
  ADAPTER_CHECK(connection->Run(queries["recursive_triggers_on"]));
  ADAPTER_CHECK(connection->Run(queries["temporary_in_memory"]));
  ADAPTER_CHECK(connection->Run(queries["no_automatic_checkpoint"]));
  if (settings.read_only) {
    int ignored = 0;
    sqlite3_db_config(connection->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, &ignored);
    ADAPTER_CHECK(connection->Run(queries["query_only"]));
    return connection;
  }
  if (!settings.is_single_file) ADAPTER_CHECK(connection->Run(queries["writer_open"]));
  ADAPTER_CHECK(
      connection->Run(queries[settings.synchronous_full ? "synchronous_full" : "synchronous_normal"]));
  ADAPTER_CHECK(connection->Run(queries["secure_delete_on"]));
  ADAPTER_CHECK(connection->Run(queries["journal_size_limit"]));
  return connection;
}

Statement Connection::Use(const Query& query) {
  Cached& cached = statements_[&query];
  if (cached.statement != nullptr && !cached.in_use && cached.sql != query.sql) cached.statement.reset();
  if (cached.statement != nullptr && !cached.in_use) {
    return Statement(handle(), cached.statement.get(), &cached.in_use, nullptr, &query.name);
  }
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(handle(), query.sql.c_str(), static_cast<int>(query.sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  StatementHandle prepared(raw);
  if (code != SQLITE_OK || raw == nullptr) {
    return Statement(SqliteError(handle(), sqlite3_extended_errcode(handle()), query.name));
  }
  if (cached.statement == nullptr) {
    cached.sql = query.sql;
    cached.statement = std::move(prepared);
    return Statement(handle(), cached.statement.get(), &cached.in_use, nullptr, &query.name);
  }
  return Statement(handle(), raw, nullptr, std::move(prepared), &query.name);
}

Result<void> Connection::Run(const Query& query) {
  return Use(query).Run();
}

Result<void> Connection::RunScript(std::string_view sql, std::string_view name) {
  const std::string text(sql);
  if (sqlite3_exec(handle(), text.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return Fail(SqliteError(handle(), sqlite3_extended_errcode(handle()), name));
  }
  return {};
}

std::int64_t Connection::last_rowid() const {
  return sqlite3_last_insert_rowid(handle_.get());
}

std::int64_t Connection::changes() const {
  return sqlite3_changes64(handle());
}

bool Connection::in_transaction() const {
  return sqlite3_get_autocommit(handle()) == 0;
}

}  // namespace fhir_adapter::storage
