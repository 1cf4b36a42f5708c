#include "database/postgres_database.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <libpq-fe.h>
#include <map>
#include <utility>

#include "core/limits.h"
#include "core/secret_file.h"

namespace fhir_adapter::database {
namespace {

constexpr int kRowsAtOnce = 500;
constexpr Oid kBooleanType = 16;  // pg_type.dat of PostgreSQL; fixed for all versions
constexpr Oid kBytesType = 17;

struct ConnectionCloser {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct ResultCloser {
  void operator()(PGresult* result) const { PQclear(result); }
};
struct CancelCloser {
  void operator()(PGcancel* cancel) const { PQfreeCancel(cancel); }
};
using ConnectionHandle = std::unique_ptr<PGconn, ConnectionCloser>;
using ResultHandle = std::unique_ptr<PGresult, ResultCloser>;

// A message as one line.
std::string OneLine(const char* text) {
  std::string line = text == nullptr ? "" : text;
  while (!line.empty() && line.back() == '\n') line.pop_back();
  std::ranges::replace(line, '\n', ' ');
  return line;
}

// The options that the address sets, by name.
Result<std::map<std::string, std::string>> OptionsOf(const std::string& url) {
  char* message = nullptr;
  PQconninfoOption* options = PQconninfoParse(url.c_str(), &message);
  if (options == nullptr) {
    const std::string why = OneLine(message);
    PQfreemem(message);
    return Fail(Code::kConfiguration, "the address cannot be read: " + why);
  }
  std::map<std::string, std::string> set;
  for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option) {
    if (option->val != nullptr) set[option->keyword] = option->val;
  }
  PQconninfoFree(options);
  return set;
}

// A socket of this machine, or loopback. Several hosts: every one.
bool IsOnThisMachine(const std::map<std::string, std::string>& options) {
  const auto named = options.contains("hostaddr") ? options.find("hostaddr") : options.find("host");
  if (named == options.end()) return true;  // the local socket
  const std::string& hosts = named->second;
  for (std::size_t begin = 0; begin <= hosts.size();) {
    const std::size_t end = std::min(hosts.find(',', begin), hosts.size());
    const std::string host = hosts.substr(begin, end - begin);
    const bool is_local = host.empty() || host.starts_with("/") || host.starts_with("127.") ||
                          host == "localhost" || host == "::1";
    if (!is_local) return false;
    begin = end + 1;
  }
  return true;
}

// Class 42 speaks of the words of the query and of rights; what others say may hold values of rows.
Failure FailureOf(const PGresult* result, PGconn* connection) {
  if (PQstatus(connection) == CONNECTION_BAD) {
    return Fail(Code::kUnreachable, "the connection to PostgreSQL was lost");
  }
  const char* state_field = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const std::string state = state_field == nullptr ? "" : state_field;
  const std::string message = "the query cannot be run: PostgreSQL says " + state;
  if (state == "57014") return Fail(Code::kTimeout, message + " (cancelled, or statement_timeout)");
  if (state.starts_with("57P") || state.starts_with("08")) return Fail(Code::kUnreachable, message);
  if (state == "42501") {
    return Fail(Code::kUnauthorized,
                message + ": " + OneLine(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY)));
  }
  if (state.starts_with("42")) {
    return Fail(Code::kConfiguration,
                message + ": " + OneLine(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY)));
  }
  return Fail(Code::kServerAnswer, message);
}

Failure ConnectFailure(PGconn* connection) {
  const std::string message = OneLine(PQerrorMessage(connection));
  const auto says = [&message](const char* words) { return message.find(words) != std::string::npos; };
  if (PQconnectionNeedsPassword(connection) != 0 || PQconnectionUsedPassword(connection) != 0 ||
      says("authentication") || says("role \"") || says("pg_hba.conf")) {
    return Fail(Code::kUnauthorized, message);
  }
  if (says("SSL") || says("certificate")) return Fail(Code::kTls, message);
  return Fail(Code::kUnreachable, message);
}

class PostgresDatabase final : public Database {
 public:
  explicit PostgresDatabase(ConnectionHandle connection)
      : connection_(std::move(connection)), cancel_(PQgetCancel(connection_.get())) {}

  std::string product() const override;
  std::string Quoted(const std::string& name) const override;
  std::string Parameter(std::size_t number) const override { return "$" + std::to_string(number); }
  Result<Table> Read(const std::string& query, const std::vector<Cell>& parameters,
                     const ReadLimits& limits) override;
  void Interrupt() override;

  Result<void> Begin(const std::string& time_zone);

 private:
  Result<ResultHandle> Run(const std::string& text, const std::vector<Cell>& parameters = {});
  // False: there are no more rows.
  Result<bool> Fetch(std::size_t count, const ReadLimits& limits, Table& table, std::size_t& bytes);

  ConnectionHandle connection_;
  std::unique_ptr<PGcancel, CancelCloser> cancel_;
};

std::string PostgresDatabase::product() const {
  const char* version = PQparameterStatus(connection_.get(), "server_version");
  return std::string("PostgreSQL ") + (version == nullptr ? "" : version);
}

std::string PostgresDatabase::Quoted(const std::string& name) const {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

void PostgresDatabase::Interrupt() {
  std::array<char, 256> ignored{};
  PQcancel(cancel_.get(), ignored.data(), static_cast<int>(ignored.size()));
}

Result<ResultHandle> PostgresDatabase::Run(const std::string& text, const std::vector<Cell>& parameters) {
  std::vector<const char*> values;
  for (const Cell& cell : parameters) values.push_back(cell.text.c_str());
  ResultHandle result(PQexecParams(connection_.get(), text.c_str(), static_cast<int>(values.size()), nullptr,
                                   values.data(), nullptr, nullptr, 0));
  const ExecStatusType status = PQresultStatus(result.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return result;
  return FailureOf(result.get(), connection_.get());
}

Result<void> PostgresDatabase::Begin(const std::string& time_zone) {
  const std::pair<const char*, std::string> settings[] = {
      {"datestyle", "ISO, YMD"},
      {"intervalstyle", "iso_8601"},
      {"timezone", time_zone.empty() ? "UTC" : time_zone},
      {"statement_timeout", std::to_string(limits::kSqlStatementSeconds) + "s"},
      {"lock_timeout", std::to_string(limits::kSqlLockMs)}};
  for (const auto& [name, value] : settings) {
    ADAPTER_CHECK(Run("SELECT pg_catalog.set_config($1, $2, false)",
                      {{CellKind::kText, name}, {CellKind::kText, value}}));
  }
  ADAPTER_CHECK(Run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
  return {};
}

Result<bool> PostgresDatabase::Fetch(std::size_t count, const ReadLimits& limits, Table& table,
                                     std::size_t& bytes) {
  ADAPTER_TRY(const ResultHandle result, Run("FETCH FORWARD " + std::to_string(count) + " FROM portion"));
  const int columns = PQnfields(result.get());
  if (table.columns.empty()) {
    for (int i = 0; i < columns; ++i) table.columns.emplace_back(PQfname(result.get(), i));
  }
  const int rows = PQntuples(result.get());
  for (int row = 0; row < rows; ++row) {
    if (table.rows.size() == limits.rows_max) return TooManyRows(limits);
    std::vector<Cell>& cells = table.rows.emplace_back(static_cast<std::size_t>(columns));
    for (int i = 0; i < columns; ++i) {
      Cell& cell = cells[static_cast<std::size_t>(i)];
      if (PQgetisnull(result.get(), row, i) != 0) continue;
      const Oid type = PQftype(result.get(), i);
      cell.kind = type == kBytesType ? CellKind::kBytes : CellKind::kText;
      cell.text.assign(PQgetvalue(result.get(), row, i),
                       static_cast<std::size_t>(PQgetlength(result.get(), row, i)));
      if (type == kBooleanType) cell.text = cell.text == "t" ? "true" : "false";
      bytes += cell.text.size();
    }
    if (bytes > limits.bytes_max) return TooManyBytes(limits);
  }
  return static_cast<std::size_t>(rows) == count;
}

Result<Table> PostgresDatabase::Read(const std::string& query, const std::vector<Cell>& parameters,
                                     const ReadLimits& limits) {
  ADAPTER_CHECK(Run("DECLARE portion NO SCROLL CURSOR FOR " + query, parameters));
  Table table;
  std::size_t bytes = 0;
  // One more than may be there shows that there are more.
  const std::size_t wanted = limits.is_limit_an_end ? limits.rows_max : limits.rows_max + 1;
  bool is_more = true;
  while (is_more && table.rows.size() < wanted) {
    const std::size_t count = std::min<std::size_t>(kRowsAtOnce, wanted - table.rows.size());
    auto fetched = Fetch(count, limits, table, bytes);
    if (!fetched) {
      // Too much: less may be asked for next.
      if (fetched.error().code == Code::kLimit) ADAPTER_CHECK(Run("CLOSE portion"));
      return Fail(std::move(fetched).error());
    }
    is_more = *fetched;
  }
  ADAPTER_CHECK(Run("CLOSE portion"));
  return table;
}

}  // namespace

bool IsPostgresUrl(const std::string& url) {
  return url.starts_with("postgresql://") || url.starts_with("postgres://");
}

Result<void> CheckPostgresUrl(const std::string& url) {
  ADAPTER_TRY(const auto options, OptionsOf(url));
  if (options.contains("password")) {
    return Fail(Code::kConfiguration,
                "the address holds a password: put it into a file and name that in "
                "password_file");
  }
  if (IsOnThisMachine(options)) return {};
  const auto mode = options.find("sslmode");
  const bool is_verified =
      mode == options.end() || mode->second == "verify-full" || mode->second == "verify-ca";
  if (is_verified) return {};
  return Fail(Code::kConfiguration,
              "another machine is spoken to with sslmode=verify-full or verify-ca only");
}

Result<std::unique_ptr<Database>> OpenPostgres(const DatabaseSettings& settings) {
  ADAPTER_TRY(const auto options, OptionsOf(settings.url));
  std::string password;
  if (!settings.password_file.empty()) {
    ADAPTER_TRY(password, ReadSecret(settings.password_file));
  }
  const std::string connect_timeout = std::to_string(limits::kSqlConnectSeconds);
  std::vector<const char*> names = {"dbname", "connect_timeout", "client_encoding", "application_name"};
  std::vector<const char*> values = {settings.url.c_str(), connect_timeout.c_str(), "UTF8", "fhir-adapter"};
  const auto add = [&](const char* name, const char* value) {
    names.push_back(name);
    values.push_back(value);
  };
  if (!password.empty()) add("password", password.c_str());
  if (!IsOnThisMachine(options) && !options.contains("sslmode")) add("sslmode", "verify-full");
  names.push_back(nullptr);
  values.push_back(nullptr);
  constexpr int kIsAddress = 1;  // dbname is the whole address
  ConnectionHandle connection(PQconnectdbParams(names.data(), values.data(), kIsAddress));
  if (connection == nullptr) return Fail(Code::kInternal, "there is no memory for a connection");
  if (PQstatus(connection.get()) != CONNECTION_OK) return ConnectFailure(connection.get());
  auto database = std::make_unique<PostgresDatabase>(std::move(connection));
  ADAPTER_CHECK(database->Begin(settings.time_zone));
  return std::unique_ptr<Database>(std::move(database));
}

}  // namespace fhir_adapter::database
