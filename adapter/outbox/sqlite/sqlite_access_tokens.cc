#include "outbox/sqlite/sqlite_access_tokens.h"

#include <algorithm>
#include <cctype>

#include "core/limits.h"
#include "outbox/sqlite/queries.h"
#include "outbox/sqlite/work_table.h"
#include "storage/sqlite/sqlite_transaction.h"

namespace fhir_adapter::outbox {
namespace {

using storage::Statement;

Statement Use(storage::Snapshot& snapshot, std::string_view query) {
  return storage::ConnectionOf(snapshot).Use(TokenQueries()[query]);
}

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= limits::kTokenNameBytesMax &&
         std::ranges::all_of(
             name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; });
}

AccessToken ReadToken(const Statement& statement) {
  AccessToken token;
  token.name = statement.Text(0);
  token.roles = RolesFromText(statement.View(1)).value_or(RoleSet());
  token.sha256 = statement.Text(2);
  token.created = TimeUs{statement.Integer(3)};
  if (const auto revoked = statement.OptionalInteger(4)) token.revoked = TimeUs{*revoked};
  if (const auto ends = statement.OptionalInteger(5)) token.ends = TimeUs{*ends};
  token.certificate_sha256 = statement.Text(6);
  return token;
}

Result<std::optional<AccessToken>> FindToken(storage::Snapshot& snapshot, std::string_view name) {
  Statement statement = Use(snapshot, "token");
  statement.Bind(name);
  ADAPTER_TRY(const bool has_row, statement.Step());
  return has_row ? std::optional(ReadToken(statement)) : std::optional<AccessToken>();
}

}  // namespace

Result<audit::Sequence> SqliteAccessTokens::Note(storage::Transaction& transaction, audit::EventKind event,
                                                 std::string_view name, const Change& change) {
  if (change.reason.empty()) return Fail(Code::kUsage, "a change of tokens needs a reason");
  audit::Entry entry;
  entry.time = change.now;
  entry.event = event;
  entry.actor = change.actor;
  entry.role = Name(Role::kOperator);
  entry.operation = "token " + std::string(name);
  entry.outcome = "ok";
  ADAPTER_TRY(const audit::Sequence sequence, log_.Append(transaction, entry));
  ADAPTER_CHECK(UseWork(transaction, "insert_remark").Bind(sequence, std::nullopt, change.reason).Run());
  return sequence;
}

Result<void> SqliteAccessTokens::Create(storage::Transaction& transaction, const AccessToken& token,
                                        const Change& change) {
  if (!IsName(token.name)) {
    return Fail(Code::kUsage, "a token's name is up to " + std::to_string(limits::kTokenNameBytesMax) +
                                  " letters, digits, '-', '_' and '.'");
  }
  if (token.roles.empty()) return Fail(Code::kUsage, "a token needs a role: ingest, operator or auditor");
  ADAPTER_TRY(const auto known, FindToken(transaction, token.name));
  if (known) return Fail(Code::kNotAllowed, "there is, or was, a token of this name: take another");
  ADAPTER_TRY(const audit::Sequence sequence,
              Note(transaction, audit::EventKind::kTokenCreated, token.name, change));
  std::optional<std::int64_t> ends_us;
  if (token.ends) ends_us.emplace(token.ends->us);
  return Use(transaction, "insert_token")
      .Bind(token.name, ToString(token.roles), token.sha256, change.now.us, ends_us, token.certificate_sha256,
            sequence)
      .Run();
}

Result<void> SqliteAccessTokens::Revoke(storage::Transaction& transaction, std::string_view name,
                                        const Change& change) {
  ADAPTER_TRY(const auto known, FindToken(transaction, name));
  if (!known) return Fail(Code::kNotFound, "there is no token of this name");
  if (known->revoked) return Fail(Code::kNotAllowed, "the token was revoked before");
  ADAPTER_TRY(const audit::Sequence sequence,
              Note(transaction, audit::EventKind::kTokenRevoked, name, change));
  return Use(transaction, "revoke_token").Bind(change.now.us, sequence, name).Run();
}

Result<std::vector<AccessToken>> SqliteAccessTokens::List(storage::Snapshot& snapshot) {
  std::vector<AccessToken> tokens;
  Statement statement = Use(snapshot, "tokens");
  while (true) {
    ADAPTER_TRY(const bool has_row, statement.Step());
    if (!has_row) return tokens;
    tokens.push_back(ReadToken(statement));
  }
}

}  // namespace fhir_adapter::outbox
