#include "app/jwt_access.h"

#include "app/mapping_files.h"
#include "core/limits.h"
#include "sync/web_document.h"

namespace fhir_adapter::app {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;

Result<std::string> FetchKeys(const std::string& url, const sync::TlsSettings& tls) {
  ADAPTER_TRY(sync::WebDocument document, sync::Fetch({url, {}, limits::kJwtKeySetBytesMax}, tls));
  if (document.status != 200) {
    return Fail(Code::kServerAnswer, "HTTP " + std::to_string(document.status) + " from " + url);
  }
  return std::move(document.body);
}

std::function<Result<std::string>()> SourceOfKeys(const Configuration::Auth& auth) {
  if (!auth.jwks_file.empty()) return [file = auth.jwks_file] { return ReadFile(file); };
  return [url = auth.jwks_url, tls = sync::TlsSettings{auth.authority_file, "", ""}] {
    return FetchKeys(url, tls);
  };
}

Result<void> CheckKeyFile(const std::string& file) {
  ADAPTER_TRY(const std::string json, ReadFile(file));
  const auto keys = JsonWebKeySet::Parse(json);
  if (keys) return {};
  return Fail(Code::kConfiguration, "[auth] jwks_file: " + keys.error().message, Location{file, 0, 0, ""});
}

}  // namespace

JwtSettings JwtSettingsOf(const Configuration& configuration) {
  const Configuration::Auth& auth = configuration.auth;
  JwtSettings settings{{auth.issuer, auth.audience}, {}};
  const std::pair<const std::vector<std::string>&, Role> lists[] = {{auth.ingest_scopes, Role::kIngest},
                                                                    {auth.operator_scopes, Role::kOperator},
                                                                    {auth.auditor_scopes, Role::kAuditor}};
  for (const auto& [scopes, role] : lists) {
    for (const std::string& scope : scopes) settings.roles_of_scopes.emplace_back(scope, role);
  }
  return settings;
}

Principal PrincipalOf(const JwtClaims& claims, const JwtSettings& settings) {
  Principal principal;
  principal.kind = ActorKind::kCredential;
  principal.id = claims.subject;
  principal.authentication = "jwt";
  for (const auto& [scope, role] : settings.roles_of_scopes) {
    for (const std::string& granted : claims.scopes) {
      if (granted == scope) principal.roles.Add(role);
    }
  }
  return principal;
}

std::vector<fml::Finding> CheckTokenKeys(const Configuration& configuration) {
  const std::string& file = configuration.auth.jwks_file;
  if (configuration.auth.kind != "jwt" || file.empty()) return {};
  const auto checked = CheckKeyFile(file);
  if (checked) return {};
  return {{fml::Severity::kError, checked.error().code, checked.error().where, checked.error().message}};
}

JwtAccess::JwtAccess(JwtSettings settings, std::function<Result<std::string>()> read, Clock& clock)
    : settings_(std::move(settings)), clock_(clock), keys_(std::move(read), clock) {}

Result<std::unique_ptr<JwtAccess>> JwtAccess::Start(const Configuration& configuration, Clock& clock) {
  std::function<Result<std::string>()> read = SourceOfKeys(configuration.auth);
  if (!configuration.auth.jwks_file.empty()) ADAPTER_CHECK(CheckKeyFile(configuration.auth.jwks_file));
  std::unique_ptr<JwtAccess> access(new JwtAccess(JwtSettingsOf(configuration), std::move(read), clock));
  access->keys_.Start();
  return access;
}

Result<Principal> JwtAccess::Authenticate(std::string_view token, const net::HttpRequest& head) {
  const std::shared_ptr<const JsonWebKeySet> keys = keys_.keys();
  if (keys == nullptr) return Fail(Code::kNotReady, "the keys of access tokens cannot be read at the moment");
  const auto claims = VerifyJwt(token, *keys, settings_.expectation, clock_.Now().us / kSecondUs);
  if (!claims) {
    if (claims.error().code != Code::kNotFound) return Fail(claims.error());
    if (keys_.IsWorthWaiting(UnverifiedKeyId(token))) {
      return Fail(Code::kNotReady, "the access token names a new key, and the keys are being read again");
    }
    return Fail(Code::kUnauthorized, claims.error().message);
  }
  if (!claims->certificate_sha256.empty() && claims->certificate_sha256 != head.client_certificate_sha256) {
    return Fail(Code::kUnauthorized, "the access token is bound to a client certificate that was not shown");
  }
  return PrincipalOf(*claims, settings_);
}

}  // namespace fhir_adapter::app
