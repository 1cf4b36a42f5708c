// TokenBook: the tokens in force, in memory, so that a request is let in or sent away without asking the
// store.
//
// Thread-safe. A token is looked for by its hash, so that what is compared says nothing of the tokens in
// force.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/principal.h"
#include "core/result.h"
#include "net/http_message.h"
#include "outbox/access_tokens.h"

namespace fhir_adapter::app {

class TokenBook {
 public:
  explicit TokenBook(Clock& clock) : clock_(clock) {}

  void Replace(const std::vector<outbox::AccessToken>& tokens);  // revoked ones are left out

  // By `Authorization: Bearer …`. kUnauthorized without one, with several, or with one that is not in force,
  // has ended, or is bound to another client certificate than that of the connection.
  Result<Principal> Authenticate(const net::HttpRequest& head) const;

 private:
  struct Holder {
    std::string name;
    RoleSet roles;
    std::optional<TimeUs> ends;
    std::string certificate_sha256;
  };
  Clock& clock_;
  mutable std::mutex mutex_;  // guards the map
  std::map<std::string, Holder> by_hash_;
};

// The token of `Authorization: Bearer …` (RFC 6750 section 2.1). kUnauthorized without one or with several.
Result<std::string_view> BearerToken(const net::HttpRequest& head);

// 256 random bits as 43 characters (base64url); and how the store knows it.
std::string NewToken();
std::string HashOfToken(std::string_view token);

}  // namespace fhir_adapter::app
