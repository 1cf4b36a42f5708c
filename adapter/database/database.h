// Database: a database of another system, which is read and never written.
//
// Opened for one reading and closed after it, so that a file that was exchanged and a server that was started
// again are noticed. For one thread; Interrupt may be called from any. What is read is text as the database
// writes it, never through a binary number.
//
// Errors: kUnreachable (no connection, or it was lost), kUnauthorized, kTimeout (it took too long, or a lock
// was not given), kTls, kConfiguration (the address or the query: the message names the query's own words at
// most), kLimit (more than was asked for), kNotReady (interrupted), kServerAnswer (any other failure of the
// database, by its code). No message holds a value of a row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace fhir_adapter::database {

struct DatabaseSettings {
  std::string url;            // sqlite:/path, postgresql://user@host/name, odbc:Driver=…
  std::string password_file;  // empty: none is asked for
  std::string time_zone;      // in which the database writes instants (IANA); empty: UTC
  Clock* clock = nullptr;     // for limits::kSqlStatementSeconds; null: the system's
};

enum class CellKind : std::uint8_t { kNull, kText, kInteger, kReal, kBytes };

struct Cell {
  CellKind kind = CellKind::kNull;
  std::string text;
};

struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;
};

struct ReadLimits {
  std::size_t rows_max = 0;
  std::size_t bytes_max = 0;     // of all cells
  bool is_limit_an_end = false;  // reading ends at rows_max; else there being more is an error
};

// kLimit, of these.
Failure TooManyRows(const ReadLimits& limits);
Failure TooManyBytes(const ReadLimits& limits);

// When a query has taken too long, and what is said then.
class QueryDeadline {
 public:
  explicit QueryDeadline(Clock* clock);
  bool is_over() const { return clock_.MonotonicUs() > end_us_; }
  Failure TookTooLong() const;  // kTimeout

 private:
  Clock& clock_;
  const std::int64_t end_us_;
};

class Database {
 public:
  virtual ~Database() = default;

  // "SQLite 3.40.1", for a person.
  virtual std::string product() const = 0;
  // As an identifier in a query.
  virtual std::string Quoted(const std::string& name) const = 0;
  // The nth parameter of a query, from 1.
  virtual std::string Parameter(std::size_t number) const = 0;

  // Everything that is read between Open and the end sees one state of the database, where it can do that.
  virtual Result<Table> Read(const std::string& query, const std::vector<Cell>& parameters,
                             const ReadLimits& limits) = 0;
  // What Read is doing ends soon, with kNotReady.
  virtual void Interrupt() = 0;
};

// Whether an address has a form that OpenDatabase takes, and no password in it. Errors: kConfiguration.
Result<void> CheckUrl(const std::string& url);

Result<std::unique_ptr<Database>> OpenDatabase(const DatabaseSettings& settings);

}  // namespace fhir_adapter::database
