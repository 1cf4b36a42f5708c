// SqlSource: takes the records that a query of another system's database gives.
//
// Each round opens the database, reads what comes after the high-water mark and the overlap before it
// (database/record_query.h), cuts the rows into records (record/result_cutter.h) and hands what is new to the
// Receiver. Records, what was seen of the overlap, and at last the mark become durable in one transaction
// with the records that they speak of, so that a process that dies takes nothing twice and loses nothing. A
// record that comes again as it was is not handed on, and nothing is written while nothing is new.
//
// While the store is full or not ready nothing is read, and it goes on by itself. A database that cannot be
// read is tried again with a growing pause; the log has one line when that begins and one when it ends, and
// statistics() tells meanwhile.
//
// Start once; Stop (or the destructor) interrupts a query and waits for the records in hand. It runs a thread
// of its own; statistics may be called from any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/error.h"
#include "database/record_query.h"
#include "outbox/source_marks.h"
#include "pipeline/receive.h"
#include "record/record_model.h"
#include "record/table_layout.h"
#include "storage/transaction.h"

namespace fhir_adapter::intake {

struct SqlSettings {
  std::string name;  // of the source, in the audit log
  std::string map;   // that its records are for
  database::DatabaseSettings database;
  database::QuerySettings query;
  const record::TableLayout* table = nullptr;  // what the columns hold
  std::int64_t poll_ms = 60'000;               // between two rounds that found nothing more
  std::int64_t retry_min_ms = 1'000;
  std::int64_t retry_max_ms = 60'000;
};

struct SqlStatistics {
  std::int64_t rows = 0;  // read
  std::int64_t accepted = 0;
  std::int64_t known = 0;    // to the store; not those of the overlap
  std::int64_t refused = 0;  // rejected or conflicting
  bool has_trouble = false;  // the database cannot be read, for this reason
  Code trouble = Code::kUnreachable;
};

// What `check --connect` finds out: "PostgreSQL 15.3, 12 columns".
Result<std::string> TrySqlSource(const SqlSettings& settings);

class SqlSource {
 public:
  struct Ports {
    storage::Store& store;
    outbox::SourceMarks& marks;
    pipeline::Receiver& receiver;
    Clock& clock;
    Random& random;
  };

  SqlSource(SqlSettings settings, const record::RecordModel& model, const Ports& ports);
  ~SqlSource();
  SqlSource(const SqlSource&) = delete;
  SqlSource& operator=(const SqlSource&) = delete;

  void Start();
  void Stop();

  // Takes everything that is there now, on the calling thread, without Start.
  Result<void> TakeAll();

  SqlStatistics statistics() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace fhir_adapter::intake
