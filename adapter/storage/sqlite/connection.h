// RAII over one SQLite connection: hardened when opened, statements prepared once and reused.
//
// A Connection belongs to one thread at a time. It owns its handle and statements. Texts are UTF-8, times
// integer microseconds. SQL comes from QuerySets only (storage/sqlite/query_set.h). Errors: kDiskFull,
// kStoreFailed (any other I/O error), kStoreDamaged, kStoreLocked, kInternal (a defect: broken SQL or a
// broken constraint); messages name the query, never a value.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace fhir_adapter::storage {

struct Query;

struct SqliteCloser {
  void operator()(sqlite3* handle) const;
};
struct StatementCloser {
  void operator()(sqlite3_stmt* statement) const;
};
using SqliteHandle = std::unique_ptr<sqlite3, SqliteCloser>;
using StatementHandle = std::unique_ptr<sqlite3_stmt, StatementCloser>;

struct Blob {
  std::string_view bytes;
};

// A prepared statement in use; goes back to its connection, reset, when it is destroyed. Parameters are bound
// in the order of the `?` in the SQL; views must live until the statement is stepped for the last time.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  template <class... Values>
  Statement& Bind(const Values&... values) {
    (BindNext(values), ...);
    return *this;
  }

  Result<bool> Step();  // true: there is a row
  Result<void> Run();   // to the end, ignoring rows
  // Forgets rows and parameters, so that the statement can be bound and run again.
  void Reset();

  std::int64_t Integer(int column) const;
  std::string Text(int column) const;
  std::string_view View(int column) const;  // until the next Step
  bool IsNull(int column) const;
  std::optional<std::int64_t> OptionalInteger(int column) const;

 private:
  friend class Connection;
  Statement(sqlite3* database, sqlite3_stmt* statement, bool* in_use, StatementHandle owned,
            const std::string* name);
  explicit Statement(Error failure) : failure_(std::move(failure)) {}

  void BindNext(std::int64_t value);
  void BindNext(int value) { BindNext(static_cast<std::int64_t>(value)); }
  void BindNext(std::string_view text);
  void BindNext(const std::string& text) { BindNext(std::string_view(text)); }
  void BindNext(const char* text) { BindNext(std::string_view(text)); }
  void BindNext(Blob blob);
  void BindNext(std::nullopt_t);
  template <class T>
  void BindNext(const std::optional<T>& value) {
    if (value) {
      BindNext(*value);
    } else {
      BindNext(std::nullopt);
    }
  }

  sqlite3* database_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;  // null when it could not be prepared
  bool* in_use_ = nullptr;             // of the cached statement; null for an owned one
  StatementHandle owned_;              // when the cached one was busy
  const std::string* name_ = nullptr;
  int bound_ = 0;
  std::optional<Error> failure_;  // why it could not be prepared; told by Step
};

struct ConnectionSettings {
  std::string path;
  bool read_only = false;
  std::string vfs = {};                  // empty: the system's
  bool is_memory = false;                // for tests of SQL only
  bool is_single_file = false;           // without a write-ahead log: a copy being made
  bool synchronous_full = true;          // false only as a negative control of tests
  std::int64_t busy_timeout_ms = 2'000;  // another process that holds the file for a moment
};

class Connection {
 public:
  static Result<std::unique_ptr<Connection>> Open(const ConnectionSettings& settings);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // A statement ready to be bound. When it cannot be prepared (an unreadable file) its Step fails.
  Statement Use(const Query& query);

  Result<void> Run(const Query& query);
  // Several statements, as in a migration.
  Result<void> RunScript(std::string_view sql, std::string_view name);

  std::int64_t changes() const;  // rows changed by the last statement
  // Of the last row inserted. Cheaper than RETURNING, for which SQLite makes a table each time.
  std::int64_t last_rowid() const;
  bool in_transaction() const;
  sqlite3* handle() const { return handle_.get(); }

 private:
  explicit Connection(SqliteHandle handle) : handle_(std::move(handle)) {}

  struct Cached {
    std::string sql;  // of the statement: a Query may end and another take its address
    StatementHandle statement;
    bool in_use = false;
  };
  SqliteHandle handle_;
  // Keyed by the address of the Query.
  std::unordered_map<const Query*, Cached> statements_;
};

// What a SQLite result code means for the caller.
Error SqliteError(sqlite3* database, int code, std::string_view what);

}  // namespace fhir_adapter::storage
