#include "outbox/sqlite/sqlite_source_marks.h"

#include "outbox/sqlite/queries.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::outbox {
namespace {

using storage::Statement;

constexpr int kKeyWords = 4;  // of 64 bits

Statement Use(storage::Snapshot& snapshot, std::string_view query) {
  return storage::ConnectionOf(snapshot).Use(SourceQueries()[query]);
}

}  // namespace

Result<SourceMark> SqliteSourceMarks::Load(storage::Snapshot& snapshot, std::string_view source) {
  SourceMark mark;
  {
    Statement statement = Use(snapshot, "mark");
    statement.Bind(source);
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return Fail(Code::kNotFound, "this source was never read");
    mark.origin = statement.Text(0);
    mark.key = statement.Text(1);
    mark.has_mark = !statement.IsNull(2);
    if (mark.has_mark) mark.mark = statement.Text(2);
    mark.is_integer = statement.Integer(3) != 0;
  }
  Statement seen = Use(snapshot, "seen");
  seen.Bind(source);
  while (true) {
    ADAPTER_TRY(const bool has_row, seen.Step());
    if (!has_row) return mark;
    mark.seen.insert(seen.Text(0));
  }
}

Result<void> SqliteSourceMarks::Begin(storage::Transaction& transaction, std::string_view source,
                                      std::string_view origin) {
  std::string key;
  for (int word = 0; word < kKeyWords; ++word) {
    std::uint64_t bits = random_.Next();
    for (int byte = 0; byte < 8; ++byte, bits >>= 8) key += static_cast<char>(bits & 0xFF);
  }
  return Use(transaction, "begin").Bind(source, origin, storage::Blob{key}).Run();
}

Result<void> SqliteSourceMarks::AddSeen(storage::Transaction& transaction, std::string_view source,
                                        const std::vector<std::string>& hashes) {
  Statement insert = Use(transaction, "add_seen");
  for (const std::string& hash : hashes) ADAPTER_CHECK(insert.Bind(source, hash).Run());
  return {};
}

Result<void> SqliteSourceMarks::Move(storage::Transaction& transaction, std::string_view source,
                                     const SourceMark& to, const std::vector<std::string>& gone, TimeUs now) {
  Statement forget = Use(transaction, "delete_seen");
  for (const std::string& hash : gone) ADAPTER_CHECK(forget.Bind(source, hash).Run());
  return Use(transaction, "move").Bind(to.mark, static_cast<int>(to.is_integer), now.us, source).Run();
}

}  // namespace fhir_adapter::outbox
