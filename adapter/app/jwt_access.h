// JwtAccess: lets in who shows an access token of the authorisation server, with the roles that its scopes
// give.
//
// Thread-safe. Nothing here waits: keys are read by a thread of their own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/configuration.h"
#include "app/json_web_token.h"
#include "app/key_reader.h"
#include "core/clock.h"
#include "core/principal.h"
#include "core/result.h"
#include "fml/map_set.h"
#include "net/http_message.h"

namespace fhir_adapter::app {

struct JwtSettings {
  JwtExpectation expectation;
  std::vector<std::pair<std::string, Role>> roles_of_scopes;  // a scope may give several
};
JwtSettings JwtSettingsOf(const Configuration& configuration);

// A token that is good, as who it is. No role when no scope gives one: then every route refuses it.
Principal PrincipalOf(const JwtClaims& claims, const JwtSettings& settings);

// For `check`: a file of keys that cannot be used.
std::vector<fml::Finding> CheckTokenKeys(const Configuration& configuration);

class JwtAccess {
 public:
  // Starts to read the keys. Errors: those of a file of keys that cannot be used; a URL is asked in the
  // background.
  static Result<std::unique_ptr<JwtAccess>> Start(const Configuration& configuration, Clock& clock);

  // `token` is that of the request. Errors: kUnauthorized; kNotReady while the keys, or one that the token
  // names, are still to be read.
  Result<Principal> Authenticate(std::string_view token, const net::HttpRequest& head);

  void ReadKeysAgain() { keys_.AskAgain(); }

 private:
  JwtAccess(JwtSettings settings, std::function<Result<std::string>()> read, Clock& clock);

  const JwtSettings settings_;
  Clock& clock_;
  KeyReader keys_;
};

}  // namespace fhir_adapter::app
