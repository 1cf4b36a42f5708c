// `fhir-adapter token`: who may use the HTTP interface.
#include "app/change_call.h"
#include "app/commands.h"
#include "app/local_user.h"
#include "app/token_book.h"
#include "app/token_changes.h"
#include "net/http_message.h"
#include "net/tls_context.h"
#include "outbox/sqlite/sqlite_backend.h"

namespace fhir_adapter::app {
namespace {

using net::JsonString;

std::string TokenJson(const outbox::AccessToken& token) {
  return "{\"name\":" + JsonString(token.name) + ",\"roles\":" + JsonString(ToString(token.roles)) +
         ",\"created\":" + JsonString(ToString(token.created)) +
         ",\"ends\":" + (token.ends ? JsonString(ToString(*token.ends)) : "null") +
         ",\"certificate_sha256\":" +
         (token.certificate_sha256.empty() ? "null" : JsonString(token.certificate_sha256)) +
         ",\"revoked\":" + (token.revoked ? JsonString(ToString(*token.revoked)) : "null") + "}\n";
}

std::string TokenText(const outbox::AccessToken& token) {
  return token.name + "  " + ToString(token.roles) + "  since " + ToString(token.created) +
         (token.ends ? "  until " + ToString(*token.ends) : "") +
         (token.certificate_sha256.empty() ? "" : "  with " + token.certificate_sha256) +
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
  change.days = options.days;
  change.reason = options.reason;
  return change;
}

}  // namespace

int RunToken(const GlobalOptions& global, const TokenOptions& options, const Streams& streams) {
  const auto configuration = ConfigurationOf(global);
  if (!configuration) return Report(configuration.error(), streams);
  if (options.action == "list") return List(*configuration, global.json, streams);
  const std::string token = options.action == "create" ? NewToken() : std::string();
  TokenChange change = ChangeOf(options, token);
  if (!options.certificate_file.empty()) {
    auto certificate = net::CertificateSha256(options.certificate_file);
    if (!certificate) return Report(certificate.error(), streams);
    change.certificate_sha256 = std::move(*certificate);
  }
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
