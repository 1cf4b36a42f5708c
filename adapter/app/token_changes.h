// Making and revoking tokens. One implementation for the daemon's control socket and for the command that
// finds no daemon.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "app/queue_changes.h"
#include "net/router.h"
#include "outbox/access_tokens.h"

namespace fhir_adapter::app {

struct TokenChange {
  std::string action;  // create or revoke
  std::string name;
  std::string roles;               // create: "ingest+auditor"
  std::string sha256;              // create: the token itself stays with who makes it
  std::int64_t days = 0;           // create: until it ends, up to limits::kTokenDaysMax; 0: it does not
  std::string certificate_sha256;  // create: of the client certificate that it is bound to; may be empty
  std::string reason;
};

std::string ToJson(const TokenChange& change);
Result<TokenChange> ParseTokenChange(std::string_view json);  // kUsage

// The result is named by the token. As ApplyQueueChange.
void ApplyTokenChange(const TokenChange& change, const Principal& actor, TimeUs now, storage::Store& store,
                      outbox::AccessTokens& tokens, QueueChangeDone done);

// POST /control/token. `changed` is called after a change.
net::Route TokenControlRoute(storage::Store& store, outbox::AccessTokens& tokens, Clock& clock,
                             std::function<void()> changed);

}  // namespace fhir_adapter::app
