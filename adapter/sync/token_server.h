// TokenServer: asks an OAuth 2 token server for an access token with a signed assertion, and finds where it
// is.
//
// Blocking, for one thread at a time. Never follows a redirect; an answer's text never appears in an error.
// HL7 SMART App Launch 2, Backend Services; RFC 6749 sections 4.4, 5; RFC 7523.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"
#include "sync/transport_security.h"

namespace fhir_adapter::sync {

struct AccessToken {
  std::string value;
  std::int64_t lifetime_s = 0;
};

// token_endpoint of a smart-configuration. It must be https unless `base_url` is plain http itself.
// Error kServerAnswer.
Result<std::string> ReadSmartConfiguration(std::string_view body, std::string_view base_url);

// The token of a successful answer. Error kServerAnswer (none, or of another type), kUnauthorized (a scope of
// `wanted_scope` was not granted: a server may drop it in silence).
Result<AccessToken> ReadTokenAnswer(std::string_view body, std::string_view wanted_scope);

// {base_url}/.well-known/smart-configuration. Errors: kUnreachable, kTimeout, kTls, kServerAnswer.
Result<std::string> DiscoverTokenUrl(const std::string& base_url, const TlsSettings& tls);

// Errors: those of ReadTokenAnswer and of the way there; kUnauthorized when it refuses the client.
Result<AccessToken> RequestToken(const std::string& token_url, const std::string& assertion,
                                 const std::string& scope, const TlsSettings& tls);

}  // namespace fhir_adapter::sync
