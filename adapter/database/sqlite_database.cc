#include "database/sqlite_database.h"

#include <charconv>
#include <sqlite3.h>
#include <utility>

#include "core/limits.h"

namespace fhir_adapter::database {
namespace {

constexpr int kStepsBetweenLooks = 10'000;  // of SQLite's machine, between two looks at the clock

struct HandleCloser {
  void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
};
struct StatementCloser {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Handle = std::unique_ptr<sqlite3, HandleCloser>;
using StatementHandle = std::unique_ptr<sqlite3_stmt, StatementCloser>;

Failure FailureOf(int code, const std::string& what) {
  const std::string message = what + ": SQLite says " + sqlite3_errstr(code);
  switch (code & 0xFF) {
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return Fail(Code::kUnreachable, message);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Fail(Code::kTimeout, message);
    case SQLITE_INTERRUPT:
      return Fail(Code::kNotReady, message);
    case SQLITE_TOOBIG:
      return Fail(Code::kLimit, message);
    default:
      return Fail(Code::kServerAnswer, message);
  }
}

// What others put into the file shall be able to do nothing but be read.
void Harden(sqlite3* database) {
  int ignored = 0;
  const std::pair<int, int> switches[] = {
      {SQLITE_DBCONFIG_DEFENSIVE, 1},       {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
      {SQLITE_DBCONFIG_DQS_DML, 0},         {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
      {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},  {SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0},
      {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1}};
  for (const auto& [name, value] : switches) sqlite3_db_config(database, name, value, &ignored);
  sqlite3_extended_result_codes(database, 1);
  sqlite3_limit(database, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(database, SQLITE_LIMIT_LENGTH, static_cast<int>(limits::kSqlBytesMax));
}

Cell CellOf(sqlite3_stmt* statement, int column) {
  Cell cell;
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_NULL:
      return cell;
    case SQLITE_INTEGER:
      cell.kind = CellKind::kInteger;
      break;
    case SQLITE_FLOAT:
      cell.kind = CellKind::kReal;
      break;
    case SQLITE_BLOB:
      cell.kind = CellKind::kBytes;
      break;
    default:
      cell.kind = CellKind::kText;
      break;
  }
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  if (text != nullptr) {
    cell.text.assign(text, static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
  }
  return cell;
}

// Ends what the file is asked for when it takes too long.
class Watch {
 public:
  Watch(sqlite3* database, Clock* clock) : database_(database), deadline_(clock) {
    sqlite3_progress_handler(
        database_, kStepsBetweenLooks,
        [](void* self) { return static_cast<Watch*>(self)->deadline_.is_over() ? 1 : 0; }, this);
  }
  ~Watch() { sqlite3_progress_handler(database_, 0, nullptr, nullptr); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  bool has_ended() const { return deadline_.is_over(); }
  const QueryDeadline& deadline() const { return deadline_; }

 private:
  sqlite3* const database_;
  const QueryDeadline deadline_;
};

class SqliteDatabase final : public Database {
 public:
  SqliteDatabase(Handle handle, Clock* clock) : handle_(std::move(handle)), clock_(clock) {}

  std::string product() const override { return std::string("SQLite ") + sqlite3_libversion(); }
  std::string Quoted(const std::string& name) const override;
  std::string Parameter(std::size_t number) const override { return "?" + std::to_string(number); }
  Result<Table> Read(const std::string& query, const std::vector<Cell>& parameters,
                     const ReadLimits& limits) override;
  void Interrupt() override { sqlite3_interrupt(handle_.get()); }

  Result<void> Begin();

 private:
  Result<StatementHandle> Prepare(const std::string& query);

  Handle handle_;
  Clock* const clock_;  // null: the system's
};

std::string SqliteDatabase::Quoted(const std::string& name) const {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

Result<StatementHandle> SqliteDatabase::Prepare(const std::string& query) {
  sqlite3_stmt* made = nullptr;
  const int code =
      sqlite3_prepare_v2(handle_.get(), query.data(), static_cast<int>(query.size()), &made, nullptr);
  StatementHandle statement(made);
  if (code == SQLITE_OK) return statement;
  if ((code & 0xFF) != SQLITE_ERROR) return FailureOf(code, "the query cannot be prepared");
  // Of the query's own words: nothing of it was run.
  return Fail(Code::kConfiguration,
              std::string("the query cannot be prepared: ") + sqlite3_errmsg(handle_.get()));
}

Result<void> SqliteDatabase::Begin() {
  for (const char* text : {"PRAGMA query_only = ON", "BEGIN"}) {
    ADAPTER_TRY(const StatementHandle statement, Prepare(text));
    const int code = sqlite3_step(statement.get());
    if (code != SQLITE_DONE && code != SQLITE_ROW) return FailureOf(code, "the file cannot be read");
  }
  return {};
}

Result<Table> SqliteDatabase::Read(const std::string& query, const std::vector<Cell>& parameters,
                                   const ReadLimits& limits) {
  ADAPTER_TRY(const StatementHandle statement, Prepare(query));
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Cell& cell = parameters[i];
    const int number = static_cast<int>(i + 1);
    std::int64_t integer = 0;
    std::from_chars(cell.text.data(), cell.text.data() + cell.text.size(), integer);
    const int code = cell.kind == CellKind::kInteger
                         ? sqlite3_bind_int64(statement.get(), number, integer)
                         : sqlite3_bind_text(statement.get(), number, cell.text.data(),
                                             static_cast<int>(cell.text.size()), SQLITE_STATIC);
    if (code != SQLITE_OK) return FailureOf(code, "the query takes no such mark");
  }
  Table table;
  const int columns = sqlite3_column_count(statement.get());
  for (int i = 0; i < columns; ++i) table.columns.emplace_back(sqlite3_column_name(statement.get(), i));
  std::size_t bytes = 0;
  const Watch watch(handle_.get(), clock_);
  while (true) {
    const int code = sqlite3_step(statement.get());
    if (code == SQLITE_DONE) return table;
    if (watch.has_ended()) return watch.deadline().TookTooLong();
    if (code != SQLITE_ROW) return FailureOf(code, "the query cannot be run");
    if (table.rows.size() == limits.rows_max) return TooManyRows(limits);
    std::vector<Cell>& row = table.rows.emplace_back();
    for (int i = 0; i < columns; ++i) {
      row.push_back(CellOf(statement.get(), i));
      bytes += row.back().text.size();
    }
    if (bytes > limits.bytes_max) return TooManyBytes(limits);
    if (limits.is_limit_an_end && table.rows.size() == limits.rows_max) return table;
  }
}

}  // namespace

Result<std::unique_ptr<Database>> OpenSqlite(const DatabaseSettings& settings) {
  sqlite3* made = nullptr;
  const std::string path = settings.url.substr(kSqliteScheme.size());
  const int code = sqlite3_open_v2(path.c_str(), &made, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  Handle handle(made);
  if (code != SQLITE_OK) return FailureOf(code, "the file cannot be opened");
  Harden(handle.get());
  sqlite3_busy_timeout(handle.get(), limits::kSqlLockMs);
  auto database = std::make_unique<SqliteDatabase>(std::move(handle), settings.clock);
  ADAPTER_CHECK(database->Begin());
  return std::unique_ptr<Database>(std::move(database));
}

}  // namespace fhir_adapter::database
