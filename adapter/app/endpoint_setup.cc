#include "app/endpoint_setup.h"

#include "app/version.h"

namespace fhir_adapter::app {
namespace {

sync::CredentialSettings CredentialsOf(const Configuration::EndpointAuth& auth) {
  using Kind = sync::CredentialSettings::Kind;
  sync::CredentialSettings settings;
  if (auth.kind == "basic") {
    settings.kind = Kind::kBasic;
    settings.username = auth.username;
    settings.secret_file = auth.password_file;
  } else if (auth.kind == "bearer") {
    settings.kind = Kind::kBearer;
    settings.secret_file = auth.token_file;
  } else if (auth.kind == "smart-backend") {
    settings.kind = Kind::kSmartBackend;
    settings.secret_file = auth.private_key_file;
    settings.client_id = auth.client_id;
    settings.key_id = auth.key_id;
    settings.token_url = auth.token_url;
    settings.scope = auth.scope;
  }
  return settings;
}

}  // namespace

sync::CurlClientSettings ClientSettingsOf(const Configuration& configuration) {
  const Configuration::Endpoint& endpoint = configuration.endpoint;
  sync::CurlClientSettings settings;
  settings.base_url = endpoint.base_url;
  settings.user_agent = "fhir-adapter/" + ProgramVersion();
  settings.request_timeout_ms = endpoint.request_timeout_s * 1'000;
  settings.connections_max = endpoint.connections_max;
  settings.credentials = CredentialsOf(configuration.endpoint_auth);
  settings.tls = {endpoint.authority_file, endpoint.client_certificate_file, endpoint.client_key_file};
  return settings;
}

}  // namespace fhir_adapter::app
