#include "intake/sql_source.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <iterator>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "core/arena.h"
#include "core/digest.h"
#include "core/limits.h"
#include "core/log.h"
#include "pipeline/record_input.h"
#include "record/result_cutter.h"

namespace fhir_adapter::intake {
namespace {

constexpr int kDoublingsMax = 20;

// Another address, query or column: what the mark says of the old one says nothing of it.
std::string OriginOf(const SqlSettings& settings) {
  std::string text;
  for (const std::string* part :
       {&settings.database.url, &settings.query.query, &settings.query.mark_column}) {
    text += *part;
    text += '\0';
  }
  return Sha256Hex(text);
}

Result<std::vector<record::TableColumn>> ReadColumns(database::RecordQuery& query,
                                                     const record::TableLayout& layout) {
  ADAPTER_TRY(const std::vector<std::string> names, query.Columns());
  std::vector<record::CsvCell> header;
  for (const std::string& name : names) {
    header.push_back({name, 1, static_cast<std::uint32_t>(header.size() + 1)});
  }
  return record::ReadHeader(header, layout);
}

// The columns by which rows are of one record.
Result<std::vector<std::string>> KeysOf(const std::vector<record::TableColumn>& columns) {
  std::vector<std::string> keys;
  for (const record::TableColumn& column : columns) {
    const bool is_key = column.path && std::ranges::find(record::kRecordKey, column.path->text()) !=
                                           std::ranges::end(record::kRecordKey);
    if (is_key) keys.push_back(column.header);
  }
  if (!keys.empty()) return keys;
  return Fail(Code::kCsvHeader, "no column of the query holds the recordId");
}

// A store that is full, or not ready: it says so itself, and it ends by itself.
bool IsOfTheStore(Code code) {
  return code == Code::kHighWater || code == Code::kDiskFull || code == Code::kNotReady ||
         code == Code::kStoreFailed;
}

database::Cell CellOf(const outbox::SourceMark& mark) {
  return {mark.is_integer ? database::CellKind::kInteger : database::CellKind::kText, mark.mark};
}

using Step = std::function<Result<void>(storage::Transaction&)>;

// A record, and by which hash it is known when it comes again.
struct HashedRecord {
  pipeline::InputRecord record;
  std::string hash;
};

}  // namespace

Result<std::string> TrySqlSource(const SqlSettings& settings) {
  ADAPTER_TRY(const auto database, database::OpenDatabase(settings.database));
  database::RecordQuery query(*database, settings.query);
  ADAPTER_TRY(const auto columns, ReadColumns(query, *settings.table));
  ADAPTER_CHECK(KeysOf(columns));
  ADAPTER_CHECK(query.Try());
  return database->product() + ", " + std::to_string(columns.size()) + " columns";
}

struct SqlSource::Implementation {
  Implementation(SqlSettings source_settings, const record::RecordModel& record_model,
                 const Ports& source_ports)
      : settings(std::move(source_settings)), model(record_model), ports(source_ports) {
    actor.kind = ActorKind::kSystem;
    actor.id = "source:" + settings.name;
    actor.roles = {Role::kIngest};
    actor.authentication = "sql";
  }

  Result<void> Round();
  Result<void> ReadAll(database::Database& database);
  Result<outbox::SourceMark> LoadMark();
  std::vector<HashedRecord> Cut(const database::Table& table, const std::vector<record::TableColumn>& columns,
                                const std::string& key);
  Result<void> Take(const database::Portion& portion, const std::vector<record::TableColumn>& columns,
                    outbox::SourceMark& mark);
  Result<void> Submit(std::vector<HashedRecord> piece, const Step& last);
  void Note(const Result<void>& round);
  std::int64_t PauseMs();
  void Run();

  const SqlSettings settings;
  const record::RecordModel& model;
  const Ports ports;
  Principal actor;
  int failures = 0;         // one after the other
  bool is_waiting = false;  // for the store

  mutable std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  SqlStatistics statistics;
  database::Database* reading = nullptr;
  bool is_stopping = false;
  std::thread thread;
};

Result<outbox::SourceMark> SqlSource::Implementation::LoadMark() {
  const std::string origin = OriginOf(settings);
  const auto load = [this] {
    return storage::ReadValue<outbox::SourceMark>(ports.store, [this](storage::Snapshot& snapshot) {
      return ports.marks.Load(snapshot, settings.name);
    });
  };
  auto mark = load();
  if (mark && mark->origin == origin) return mark;
  if (!mark && mark.error().code != Code::kNotFound) return mark;
  if (mark) LogEvent(LogLevel::kWarning, "sql-source-begins-again", {{"source", settings.name}});
  ADAPTER_CHECK(storage::Write(ports.store, [&](storage::Transaction& transaction) {
    return ports.marks.Begin(transaction, settings.name, origin);
  }));
  return load();
}

std::vector<HashedRecord> SqlSource::Implementation::Cut(const database::Table& table,
                                                         const std::vector<record::TableColumn>& columns,
                                                         const std::string& key) {
  record::ResultCutter cutter(*settings.table, columns);
  for (const std::vector<database::Cell>& row : table.rows) {
    std::vector<record::ResultCell> cells;
    for (const database::Cell& cell : row) {
      cells.push_back({cell.text, cell.kind == database::CellKind::kBytes});
    }
    cutter.AddRow(cells);
  }
  std::vector<HashedRecord> records;
  Arena arena;
  while (const auto text = cutter.Next()) {
    arena.Reset();
    records.push_back(
        {pipeline::ReadInputRecord(*text, model, arena, settings.name), HmacSha256Hex(key, text->bytes)});
  }
  return records;
}

Result<void> SqlSource::Implementation::Submit(std::vector<HashedRecord> piece, const Step& last) {
  pipeline::Submission submission{settings.name, settings.map, actor, {}, {}};
  std::vector<std::string> hashes;
  for (HashedRecord& one : piece) {
    submission.records.push_back(std::move(one.record));
    hashes.push_back(std::move(one.hash));
  }
  submission.beside = [&](storage::Transaction& transaction) -> Result<void> {
    ADAPTER_CHECK(ports.marks.AddSeen(transaction, settings.name, hashes));
    return last ? last(transaction) : Result<void>();
  };
  ADAPTER_TRY(const pipeline::ReceiveAnswer answer, ports.receiver.ReceiveNow(std::move(submission)));
  const std::scoped_lock lock(mutex);
  for (const pipeline::RecordAnswer& record : answer.records) {
    switch (record.outcome) {
      case pipeline::RecordOutcome::kAccepted:
        ++statistics.accepted;
        break;
      case pipeline::RecordOutcome::kKnown:
        ++statistics.known;
        break;
      case pipeline::RecordOutcome::kConflict:
      case pipeline::RecordOutcome::kRejected:
        ++statistics.refused;
        break;
    }
  }
  return {};
}

// By pieces that are each stored as one; the last of them moves the mark.
Result<void> SqlSource::Implementation::Take(const database::Portion& portion,
                                             const std::vector<record::TableColumn>& columns,
                                             outbox::SourceMark& mark) {
  std::vector<HashedRecord> records = Cut(portion.table, columns, mark.key);
  std::set<std::string> here;
  std::vector<HashedRecord> news;
  for (HashedRecord& one : records) {
    const bool is_new = here.insert(one.hash).second && !mark.seen.contains(one.hash);
    if (is_new) news.push_back(std::move(one));
  }
  std::vector<std::string> gone;
  std::ranges::set_difference(mark.seen, here, std::back_inserter(gone));
  outbox::SourceMark to = mark;
  to.has_mark = portion.mark.has_value();
  to.mark = portion.mark ? portion.mark->text : "";
  to.is_integer = portion.mark && portion.mark->kind == database::CellKind::kInteger;
  to.seen = here;
  const bool is_same = !to.has_mark || (mark.has_mark && to.mark == mark.mark && gone.empty());
  const Step move = [&](storage::Transaction& transaction) {
    return ports.marks.Move(transaction, settings.name, to, gone, ports.clock.Now());
  };
  if (news.empty()) {
    if (is_same) return {};
    mark = std::move(to);
    return storage::Write(ports.store, [&](storage::Transaction& transaction) {
      return ports.marks.Move(transaction, settings.name, mark, gone, ports.clock.Now());
    });
  }
  for (std::size_t begin = 0; begin < news.size(); begin += limits::kAcceptRecordsMax) {
    const std::size_t end = std::min(news.size(), begin + limits::kAcceptRecordsMax);
    std::vector<HashedRecord> piece(
        std::make_move_iterator(news.begin() + static_cast<std::ptrdiff_t>(begin)),
        std::make_move_iterator(news.begin() + static_cast<std::ptrdiff_t>(end)));
    ADAPTER_CHECK(Submit(std::move(piece), end == news.size() ? move : Step()));
  }
  mark = std::move(to);
  return {};
}

Result<void> SqlSource::Implementation::ReadAll(database::Database& database) {
  database::RecordQuery query(database, settings.query);
  ADAPTER_TRY(const auto columns, ReadColumns(query, *settings.table));
  ADAPTER_TRY(const std::vector<std::string> keys, KeysOf(columns));
  ADAPTER_TRY(outbox::SourceMark mark, LoadMark());
  while (true) {
    ADAPTER_TRY(const database::Portion portion,
                query.Next(mark.has_mark ? std::optional(CellOf(mark)) : std::nullopt, keys));
    {
      const std::scoped_lock lock(mutex);
      statistics.rows += static_cast<std::int64_t>(portion.table.rows.size());
      if (is_stopping) return {};
    }
    ADAPTER_CHECK(Take(portion, columns, mark));
    if (portion.is_last) return {};
  }
}

Result<void> SqlSource::Implementation::Round() {
  if (is_waiting) {
    // Whether records would be taken.
    ADAPTER_CHECK(ports.receiver.ReceiveNow({settings.name, settings.map, actor, {}, {}}));
  }
  ADAPTER_TRY(const auto database, database::OpenDatabase(settings.database));
  {
    const std::scoped_lock lock(mutex);
    if (is_stopping) return {};
    reading = database.get();
  }
  auto done = ReadAll(*database);
  const std::scoped_lock lock(mutex);
  reading = nullptr;
  return is_stopping ? Result<void>() : done;
}

// One line when a trouble begins and one when it ends.
void SqlSource::Implementation::Note(const Result<void>& round) {
  const bool is_of_store = !round && IsOfTheStore(round.error().code);
  if (is_of_store != std::exchange(is_waiting, is_of_store)) {
    LogEvent(is_of_store ? LogLevel::kWarning : LogLevel::kInfo,
             is_of_store ? "sql-source-waits" : "sql-source-resumes",
             {{"source", settings.name}, {"code", is_of_store ? Name(round.error().code) : "ok"}});
  }
  if (is_of_store) return;
  failures = round ? 0 : failures + 1;
  const Code code = round ? Code::kUnreachable : round.error().code;
  const std::scoped_lock lock(mutex);
  const bool is_news = statistics.has_trouble == round.has_value() || (!round && statistics.trouble != code);
  statistics.has_trouble = !round;
  statistics.trouble = code;
  if (!is_news) return;
  if (round) {
    LogEvent(LogLevel::kInfo, "sql-source-recovered", {{"source", settings.name}});
  } else {
    LogEvent(LogLevel::kError, "sql-source-trouble",
             {{"source", settings.name}, {"code", Name(code)}, {"message", round.error().message}});
  }
}

// Full jitter, as with the FHIR server.
std::int64_t SqlSource::Implementation::PauseMs() {
  if (failures == 0) return is_waiting ? settings.retry_min_ms : settings.poll_ms;
  const std::int64_t ceiling_ms =
      std::min(settings.retry_max_ms, settings.retry_min_ms << std::min(failures - 1, kDoublingsMax));
  const std::int64_t span_ms = ceiling_ms - settings.retry_min_ms;
  return settings.retry_min_ms +
         (span_ms <= 0
              ? 0
              : static_cast<std::int64_t>(ports.random.Next() % static_cast<std::uint64_t>(span_ms + 1)));
}

void SqlSource::Implementation::Run() {
  while (true) {
    Note(Round());
    std::unique_lock lock(mutex);
    if (changed.wait_for(lock, std::chrono::milliseconds(PauseMs()), [this] { return is_stopping; })) return;
  }
}

SqlSource::SqlSource(SqlSettings settings, const record::RecordModel& model, const Ports& ports)
    : implementation_(std::make_unique<Implementation>(std::move(settings), model, ports)) {}

SqlSource::~SqlSource() {
  Stop();
}

void SqlSource::Start() {
  Implementation& self = *implementation_;
  self.thread = std::thread([&self] { self.Run(); });
}

void SqlSource::Stop() {
  Implementation& self = *implementation_;
  if (!self.thread.joinable()) return;
  {
    const std::scoped_lock lock(self.mutex);
    self.is_stopping = true;
    if (self.reading != nullptr) self.reading->Interrupt();
    self.changed.notify_all();
  }
  self.thread.join();
}

Result<void> SqlSource::TakeAll() {
  auto round = implementation_->Round();
  implementation_->Note(round);
  return round;
}

SqlStatistics SqlSource::statistics() const {
  const std::scoped_lock lock(implementation_->mutex);
  return implementation_->statistics;
}

}  // namespace fhir_adapter::intake
