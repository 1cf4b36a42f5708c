#include "database/odbc_database.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <mutex>
#include <optional>
#include <sql.h>
#include <sqlext.h>
#include <utility>

#include "core/limits.h"
#include "core/secret_file.h"
#include "database/odbc_string.h"

namespace fhir_adapter::database {
namespace {

constexpr SQLULEN kStatementSeconds = limits::kSqlStatementSeconds;
constexpr std::size_t kPieceBytes = 16'384;  // of a value, taken at once
constexpr std::size_t kNameUnitsMax = 512;   // of a column

using WideText = std::u16string;
static_assert(sizeof(SQLWCHAR) == sizeof(char16_t));

bool IsGood(SQLRETURN code) {
  return code == SQL_SUCCESS || code == SQL_SUCCESS_WITH_INFO;
}

WideText Widened(std::string_view text) {
  WideText wide;
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t point = length == 1 ? lead : lead & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length && at + i < text.size(); ++i) {
      point = (point << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
    }
    at += length;
    if (point < 0x10000) {
      wide += static_cast<char16_t>(point);
      continue;
    }
    wide += static_cast<char16_t>(0xD800 + ((point - 0x10000) >> 10));
    wide += static_cast<char16_t>(0xDC00 + ((point - 0x10000) & 0x3FF));
  }
  return wide;
}

void AppendPoint(char32_t point, std::string& text) {
  const auto add = [&text](char32_t byte) { text += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (point < 0x80) return add(point);
  if (point < 0x800) {
    add(0xC0 | (point >> 6));
  } else if (point < 0x10000) {
    add(0xE0 | (point >> 12));
    add(0x80 | ((point >> 6) & 0x3F));
  } else {
    add(0xF0 | (point >> 18));
    add(0x80 | ((point >> 12) & 0x3F));
    add(0x80 | ((point >> 6) & 0x3F));
  }
  add(0x80 | (point & 0x3F));
}

// A half of a pair alone becomes U+FFFD, as it has no bytes of its own.
std::string Narrowed(const char16_t* units, std::size_t count) {
  constexpr char32_t kReplacement = 0xFFFD;
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    const char32_t unit = units[i];
    const bool is_high = unit >= 0xD800 && unit < 0xDC00;
    const bool is_low = unit >= 0xDC00 && unit < 0xE000;
    const bool has_low = is_high && i + 1 < count && units[i + 1] >= 0xDC00 && units[i + 1] < 0xE000;
    if (has_low) {
      AppendPoint(0x10000 + ((unit - 0xD800) << 10) + (units[i + 1] - 0xDC00U), text);
      ++i;
    } else {
      AppendPoint(is_high || is_low ? kReplacement : unit, text);
    }
  }
  return text;
}

SQLWCHAR* Units(WideText& text) {
  return reinterpret_cast<SQLWCHAR*>(text.data());
}

struct Diagnosis {
  std::string state;    // SQLSTATE
  std::string message;  // as one line
};

Diagnosis DiagnosisOf(SQLSMALLINT type, SQLHANDLE handle) {
  std::array<SQLCHAR, 6> state{};
  std::array<SQLCHAR, 1024> message{};
  SQLINTEGER native = 0;
  SQLSMALLINT length = 0;
  Diagnosis diagnosis;
  if (!IsGood(SQLGetDiagRec(type, handle, 1, state.data(), &native, message.data(),
                            static_cast<SQLSMALLINT>(message.size()), &length))) {
    return diagnosis;
  }
  diagnosis.state = reinterpret_cast<const char*>(state.data());
  diagnosis.message = reinterpret_cast<const char*>(message.data());
  std::ranges::replace(diagnosis.message, '\n', ' ');
  return diagnosis;
}

// Class 42 speaks of the words of the query and of rights; what others say may hold values of rows.
Failure QueryFailure(const Diagnosis& diagnosis) {
  const std::string& state = diagnosis.state;
  const std::string message = "the query cannot be run: the ODBC driver says " + state;
  if (state == "HY008") return Fail(Code::kNotReady, message);
  if (state == "HYT00" || state == "57014") return Fail(Code::kTimeout, message);
  if (state.starts_with("08") || state.starts_with("57P")) return Fail(Code::kUnreachable, message);
  if (state == "42501") return Fail(Code::kUnauthorized, message + ": " + diagnosis.message);
  if (state.starts_with("42")) return Fail(Code::kConfiguration, message + ": " + diagnosis.message);
  return Fail(Code::kServerAnswer, message);
}

Failure ConnectFailure(const Diagnosis& diagnosis) {
  const auto says = [&](const char* words) { return diagnosis.message.find(words) != std::string::npos; };
  const std::string message = diagnosis.state + " " + diagnosis.message;
  // unixODBC warns where it has no such driver.
  const bool has_no_driver = diagnosis.state.starts_with("IM") || says("Can't open lib");
  if (has_no_driver) return Fail(Code::kConfiguration, message);
  if (diagnosis.state.starts_with("28") || says("authentication") || says("password")) {
    return Fail(Code::kUnauthorized, message);
  }
  if (says("SSL") || says("certificate")) return Fail(Code::kTls, message);
  return Fail(Code::kUnreachable, message);
}

class Handle {
 public:
  Handle(SQLSMALLINT type, SQLHANDLE parent) : type_(type) { SQLAllocHandle(type, parent, &handle_); }
  ~Handle() {
    if (handle_ != nullptr) SQLFreeHandle(type_, handle_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  SQLHANDLE get() const { return handle_; }

 private:
  const SQLSMALLINT type_;
  SQLHANDLE handle_ = nullptr;
};

// Destroyed from the last to the first.
struct Connection {
  Connection() : environment(SQL_HANDLE_ENV, nullptr) {
    SQLSetEnvAttr(environment.get(), SQL_ATTR_ODBC_VERSION, reinterpret_cast<SQLPOINTER>(SQL_OV_ODBC3),
                  0);  // NOLINT: how ODBC passes numbers
    database.emplace(SQL_HANDLE_DBC, environment.get());
  }
  ~Connection() {
    if (!is_open) return;
    SQLEndTran(SQL_HANDLE_DBC, database->get(), SQL_ROLLBACK);
    SQLDisconnect(database->get());
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Set(SQLINTEGER attribute, SQLULEN value) {
    SQLSetConnectAttr(database->get(), attribute, reinterpret_cast<SQLPOINTER>(value), 0);  // NOLINT
  }
  std::string Info(SQLUSMALLINT what) const {
    std::array<SQLCHAR, 256> text{};
    SQLSMALLINT length = 0;
    const SQLRETURN code =
        SQLGetInfo(database->get(), what, text.data(), static_cast<SQLSMALLINT>(text.size()), &length);
    return IsGood(code) ? reinterpret_cast<const char*>(text.data()) : "";
  }

  Handle environment;
  std::optional<Handle> database;
  bool is_open = false;
};

struct Column {
  std::string name;
  SQLSMALLINT type = SQL_VARCHAR;
};

CellKind KindOf(SQLSMALLINT type) {
  switch (type) {
    case SQL_BIGINT:
    case SQL_INTEGER:
    case SQL_SMALLINT:
    case SQL_TINYINT:
      return CellKind::kInteger;
    case SQL_DOUBLE:
    case SQL_FLOAT:
    case SQL_REAL:
      return CellKind::kReal;
    case SQL_BINARY:
    case SQL_VARBINARY:
    case SQL_LONGVARBINARY:
      return CellKind::kBytes;
    default:
      return CellKind::kText;
  }
}

bool IsWide(SQLSMALLINT type) {
  switch (type) {
    case SQL_CHAR:
    case SQL_VARCHAR:
    case SQL_LONGVARCHAR:
    case SQL_WCHAR:
    case SQL_WVARCHAR:
    case SQL_WLONGVARCHAR:
      return true;
    default:
      return false;
  }
}

class OdbcDatabase final : public Database {
 public:
  OdbcDatabase(std::unique_ptr<Connection> connection, Clock* clock)
      : connection_(std::move(connection)), clock_(clock) {}

  std::string product() const override {
    return connection_->Info(SQL_DBMS_NAME) + " " + connection_->Info(SQL_DBMS_VER) + " through ODBC";
  }
  std::string Quoted(const std::string& name) const override;
  std::string Parameter(std::size_t) const override { return "?"; }
  Result<Table> Read(const std::string& query, const std::vector<Cell>& parameters,
                     const ReadLimits& limits) override;
  void Interrupt() override;

  Result<void> Begin(const std::string& time_zone);

 private:
  class Running;
  Result<Table> Fetch(SQLHSTMT statement, const ReadLimits& limits, const QueryDeadline& deadline);
  Failure FailureOf(SQLHSTMT statement) const;

  std::unique_ptr<Connection> connection_;
  Clock* const clock_;  // null: the system's
  std::atomic<bool> is_interrupted_ = false;
  std::mutex mutex_;            // guards what follows
  SQLHSTMT running_ = nullptr;  // what Interrupt ends
};

// While it lives, its statement is the one that Interrupt ends.
class OdbcDatabase::Running {
 public:
  Running(OdbcDatabase& database, SQLHSTMT statement) : database_(database) { Set(statement); }
  ~Running() { Set(nullptr); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  void Set(SQLHSTMT statement) {
    const std::scoped_lock lock(database_.mutex_);
    database_.running_ = statement;
  }
  OdbcDatabase& database_;
};

std::string OdbcDatabase::Quoted(const std::string& name) const {
  const std::string quote = connection_->Info(SQL_IDENTIFIER_QUOTE_CHAR);
  if (quote.empty() || quote == " ") return name;
  std::string quoted = quote;
  for (const char c : name) {
    if (quote.front() == c) quoted += c;
    quoted += c;
  }
  return quoted + quote;
}

void OdbcDatabase::Interrupt() {
  is_interrupted_ = true;
  const std::scoped_lock lock(mutex_);
  if (running_ != nullptr) SQLCancel(running_);
}

Failure OdbcDatabase::FailureOf(SQLHSTMT statement) const {
  if (is_interrupted_) return Fail(Code::kNotReady, "the query was interrupted");
  SQLUINTEGER is_dead = SQL_CD_FALSE;
  SQLGetConnectAttr(connection_->database->get(), SQL_ATTR_CONNECTION_DEAD, &is_dead, SQL_IS_UINTEGER,
                    nullptr);
  if (is_dead == SQL_CD_TRUE) return Fail(Code::kUnreachable, "the connection to the database was lost");
  return QueryFailure(DiagnosisOf(SQL_HANDLE_STMT, statement));
}

// PostgreSQL's words; other databases keep their own time and locks.
Result<void> OdbcDatabase::Begin(const std::string& time_zone) {
  if (connection_->Info(SQL_DBMS_NAME) != "PostgreSQL") return {};
  const std::pair<const char*, std::string> settings[] = {
      {"timezone", time_zone.empty() ? "UTC" : time_zone},
      {"statement_timeout", std::to_string(limits::kSqlStatementSeconds) + "s"},
      {"lock_timeout", std::to_string(limits::kSqlLockMs)}};
  for (const auto& [name, value] : settings) {
    ADAPTER_CHECK(Read("SELECT pg_catalog.set_config(?, ?, false)",
                       {{CellKind::kText, name}, {CellKind::kText, value}}, {1, kPieceBytes, false}));
  }
  return {};
}

// What a parameter is bound to until the statement has run.
struct BoundParameter {
  SQLBIGINT integer = 0;
  WideText text;
  SQLLEN length = 0;

  SQLRETURN Bind(SQLHSTMT statement, SQLUSMALLINT number, const Cell& cell) {
    if (cell.kind == CellKind::kInteger) {
      std::from_chars(cell.text.data(), cell.text.data() + cell.text.size(), integer);
      return SQLBindParameter(statement, number, SQL_PARAM_INPUT, SQL_C_SBIGINT, SQL_BIGINT, 0, 0, &integer,
                              0, nullptr);
    }
    text = Widened(cell.text);
    length = static_cast<SQLLEN>(text.size() * sizeof(char16_t));
    return SQLBindParameter(statement, number, SQL_PARAM_INPUT, SQL_C_WCHAR, SQL_VARCHAR,
                            std::max<SQLULEN>(text.size(), 1), 0, text.data(), length, &length);
  }
};

std::vector<Column> ColumnsOf(SQLHSTMT statement) {
  SQLSMALLINT count = 0;
  SQLNumResultCols(statement, &count);
  std::vector<Column> columns(static_cast<std::size_t>(std::max<SQLSMALLINT>(count, 0)));
  for (std::size_t i = 0; i < columns.size(); ++i) {
    WideText name(kNameUnitsMax, u'\0');
    SQLSMALLINT length = 0;
    SQLULEN size = 0;
    SQLSMALLINT digits = 0;
    SQLSMALLINT nullable = 0;
    SQLDescribeColW(statement, static_cast<SQLUSMALLINT>(i + 1), Units(name),
                    static_cast<SQLSMALLINT>(name.size()), &length, &columns[i].type, &size, &digits,
                    &nullable);
    columns[i].name = Narrowed(name.data(), std::min(static_cast<std::size_t>(length), name.size()));
  }
  return columns;
}

// In pieces: a driver says too late, or never, how long a value is. False: the driver failed.
bool ReadCell(SQLHSTMT statement, std::size_t number, SQLSMALLINT type, std::size_t bytes_max, Cell& cell) {
  const bool is_wide = IsWide(type);
  const CellKind kind = KindOf(type);
  const SQLSMALLINT as = is_wide                    ? SQLSMALLINT{SQL_C_WCHAR}
                         : kind == CellKind::kBytes ? SQLSMALLINT{SQL_C_BINARY}
                                                    : SQLSMALLINT{SQL_C_CHAR};
  const std::size_t end_bytes = is_wide ? sizeof(char16_t) : kind == CellKind::kBytes ? 0 : 1;
  WideText piece(kPieceBytes / sizeof(char16_t), u'\0');
  std::string bytes;
  while (true) {
    SQLLEN length = 0;
    const SQLRETURN code = SQLGetData(statement, static_cast<SQLUSMALLINT>(number), as, piece.data(),
                                      static_cast<SQLLEN>(kPieceBytes), &length);
    if (code == SQL_NO_DATA) break;
    if (!IsGood(code)) return false;
    if (length == SQL_NULL_DATA) return true;
    const std::size_t room = kPieceBytes - end_bytes;
    const bool is_whole = length != SQL_NO_TOTAL && static_cast<std::size_t>(length) <= room;
    bytes.append(reinterpret_cast<const char*>(piece.data()),
                 is_whole ? static_cast<std::size_t>(length) : room);
    if (is_whole || bytes.size() > bytes_max * sizeof(char16_t)) break;
  }
  cell.kind = kind;
  if (is_wide) {
    WideText units(bytes.size() / sizeof(char16_t), u'\0');
    bytes.copy(reinterpret_cast<char*>(units.data()), units.size() * sizeof(char16_t));
    cell.text = Narrowed(units.data(), units.size());
  } else {
    cell.text = std::move(bytes);
  }
  if (type == SQL_BIT) cell.text = cell.text == "1" ? "true" : "false";
  return true;
}

Result<Table> OdbcDatabase::Fetch(SQLHSTMT statement, const ReadLimits& limits,
                                  const QueryDeadline& deadline) {
  Table table;
  const std::vector<Column> columns = ColumnsOf(statement);
  for (const Column& column : columns) table.columns.push_back(column.name);
  std::size_t bytes = 0;
  while (!columns.empty()) {
    const SQLRETURN code = SQLFetch(statement);
    if (code == SQL_NO_DATA) return table;
    if (!IsGood(code)) return FailureOf(statement);
    if (is_interrupted_) return Fail(Code::kNotReady, "the query was interrupted");
    if (deadline.is_over()) return deadline.TookTooLong();
    if (table.rows.size() == limits.rows_max) return TooManyRows(limits);
    std::vector<Cell>& row = table.rows.emplace_back(columns.size());
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (!ReadCell(statement, i + 1, columns[i].type, limits.bytes_max, row[i])) return FailureOf(statement);
      bytes += row[i].text.size();
    }
    if (bytes > limits.bytes_max) return TooManyBytes(limits);
    if (limits.is_limit_an_end && table.rows.size() == limits.rows_max) return table;
  }
  return table;
}

Result<Table> OdbcDatabase::Read(const std::string& query, const std::vector<Cell>& parameters,
                                 const ReadLimits& limits) {
  const QueryDeadline deadline(clock_);
  const Handle statement(SQL_HANDLE_STMT, connection_->database->get());
  if (statement.get() == nullptr) {
    return QueryFailure(DiagnosisOf(SQL_HANDLE_DBC, connection_->database->get()));
  }
  const Running running(*this, statement.get());
  const auto set = [&statement](SQLINTEGER attribute, SQLULEN value) {
    SQLSetStmtAttr(statement.get(), attribute, reinterpret_cast<SQLPOINTER>(value), 0);  // NOLINT
  };
  set(SQL_ATTR_QUERY_TIMEOUT, kStatementSeconds);
  set(SQL_ATTR_MAX_ROWS, limits.is_limit_an_end ? limits.rows_max : limits.rows_max + 1);
  WideText text = Widened(query);
  if (!IsGood(SQLPrepareW(statement.get(), Units(text), static_cast<SQLINTEGER>(text.size())))) {
    return FailureOf(statement.get());
  }
  std::vector<BoundParameter> bound(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto number = static_cast<SQLUSMALLINT>(i + 1);
    if (!IsGood(bound[i].Bind(statement.get(), number, parameters[i]))) return FailureOf(statement.get());
  }
  const SQLRETURN code = SQLExecute(statement.get());
  if (code != SQL_NO_DATA && !IsGood(code)) return FailureOf(statement.get());
  return Fetch(statement.get(), limits, deadline);
}

}  // namespace

Result<void> CheckOdbcUrl(const std::string& url) {
  ADAPTER_TRY(const auto keywords, ReadOdbcString(std::string_view(url).substr(kOdbcScheme.size())));
  return CheckOdbcKeywords(keywords);
}

Result<std::unique_ptr<Database>> OpenOdbc(const DatabaseSettings& settings) {
  std::string connection_string = settings.url.substr(kOdbcScheme.size());
  if (!settings.password_file.empty()) {
    ADAPTER_TRY(const std::string password, ReadSecret(settings.password_file));
    connection_string += ";PWD=" + OdbcValue(password);
  }
  auto connection = std::make_unique<Connection>();
  if (connection->database->get() == nullptr) return Fail(Code::kInternal, "there is no memory for ODBC");
  connection->Set(SQL_ATTR_LOGIN_TIMEOUT, limits::kSqlConnectSeconds);
  connection->Set(SQL_ATTR_ACCESS_MODE, SQL_MODE_READ_ONLY);
  WideText text = Widened(connection_string);
  SQLSMALLINT length = 0;
  const SQLRETURN code =
      SQLDriverConnectW(connection->database->get(), nullptr, Units(text),
                        static_cast<SQLSMALLINT>(text.size()), nullptr, 0, &length, SQL_DRIVER_NOPROMPT);
  if (!IsGood(code)) return ConnectFailure(DiagnosisOf(SQL_HANDLE_DBC, connection->database->get()));
  connection->is_open = true;
  connection->Set(SQL_ATTR_AUTOCOMMIT, SQL_AUTOCOMMIT_OFF);
  // Elsewhere than in PostgreSQL it would hold locks against those who write.
  if (connection->Info(SQL_DBMS_NAME) == "PostgreSQL") {
    connection->Set(SQL_ATTR_TXN_ISOLATION, SQL_TXN_REPEATABLE_READ);
  }
  auto database = std::make_unique<OdbcDatabase>(std::move(connection), settings.clock);
  ADAPTER_CHECK(database->Begin(settings.time_zone));
  return std::unique_ptr<Database>(std::move(database));
}

}  // namespace fhir_adapter::database
