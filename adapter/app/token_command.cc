// `fhir-adapter token`: who may use the HTTP interface.
#include "app/change_call.h"
#include "app/commands.h"
#include "app/local_user.h"
#include "app/token_book.h"
#include "app/token_changes.h"
#include "net/http_message.h"
#include "outbox/sqlite/sqlite_backend.h"

namespace fhir_adapter::app {
namespace {

using net::JsonString;

std::string TokenJson(const outbox::AccessToken& token) {
  return "{\"name\":" + JsonString(token.name) + ",\"roles\":" + JsonString(ToString(token.roles)) +
         ",\"created\":" + JsonString(ToString(token.created)) +
         ",\"revoked\":" + (token.revoked ? JsonString(ToString(*token.revoked)) : "null") + "}\n";
}

std::string TokenText(const outbox::AccessToken& token) {
  return token.name + "  " + ToString(token.roles) + "  since " + ToString(token.created) +
         (token.revoked ? "  revoked " + ToString(*token.revoked) : "") + "\n";
}

int List(const Configuration& configuration, bool json, const Streams& streams) {
  const auto backend = outbox::OpenSqliteBackendReadOnly(StoreSettings(configuration), SystemRandom());
  if (!backend) return Report(backend.error(), streams);
  const auto tokens = storage::ReadValue<std::vector<outbox::AccessToken>>(
      *(*backend)->store, [&](storage::Snapshot& snapshot) { return (*backend)->tokens.List(snapshot); });
  if (!tokens) return Report(tokens.error(), streams);
  for (const outbox::AccessToken& token : *tokens)
    streams.out << (json ? TokenJson(token) : TokenText(token));
  return kExitDone;
}

TokenChange ChangeOf(const TokenOptions& options, const std::string& token) {
  TokenChange change;
  change.action = options.action;
  change.name = options.name;
  for (const std::string& role : options.roles) change.roles += (change.roles.empty() ? "" : "+") + role;
  if (options.action == "create") change.sha256 = HashOfToken(token);
  change.reason = options.reason;
  return change;
}

}  // namespace

int RunToken(const GlobalOptions& global, const TokenOptions& options, const Streams& streams) {
  const auto configuration = ConfigurationOf(global);
  if (!configuration) return Report(configuration.error(), streams);
  if (options.action == "list") return List(*configuration, global.json, streams);
  const std::string token = options.action == "create" ? NewToken() : std::string();
  const TokenChange change = ChangeOf(options, token);
  const auto results = MakeChange(*configuration, "/control/token", ToJson(change),
                                  [&change](outbox::SqliteBackend& backend, QueueChangeDone done) {
                                    ApplyTokenChange(change, LocalUser(), SystemClock().Now(), *backend.store,
                                                     backend.tokens, std::move(done));
                                  });
  if (!results) return Report(results.error(), streams);
  if (!ReportFailed(*results, streams)) return kExitRejected;
  if (options.action == "create") {
    streams.out << token << "\n";
    streams.err << "shown once: keep it in a file that only its user may read\n";
  }
  return kExitDone;
}

}  // namespace fhir_adapter::app
