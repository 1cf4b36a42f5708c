#include "app/configuration_keys.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace fhir_adapter::app {
namespace {

constexpr std::array<std::string_view, 4> kAuthKinds = {"none", "basic", "bearer", "smart-backend"};
constexpr std::array<std::string_view, 4> kProfiles = {"auto", "transaction", "batch", "single"};
constexpr std::array<std::string_view, 2> kSwitch = {"off", "on"};
constexpr std::array<std::string_view, 3> kAccessKinds = {"none", "token", "jwt"};
constexpr std::array<std::string_view, 3> kProcessingIds = {"P", "T", "D"};
constexpr std::array<std::string_view, 5> kLogLevels = {"debug", "info", "warning", "error", "off"};
constexpr std::array<std::string_view, 2> kSourceKinds = {"directory", "sql"};

#define TEXT(member)                                              \
  TextKey {                                                       \
    [](Configuration& c) -> std::string& { return c.member; }, {} \
  }
#define TEXT_OF(member, allowed)                                       \
  TextKey {                                                            \
    [](Configuration& c) -> std::string& { return c.member; }, allowed \
  }
#define INTEGER(member, min, max)                                        \
  IntegerKey {                                                           \
    [](Configuration& c) -> std::int64_t& { return c.member; }, min, max \
  }
#define TEXT_LIST(member)                                                  \
  TextListKey {                                                            \
    [](Configuration& c) -> std::vector<std::string>& { return c.member; } \
  }

// What comes in, and who may bring it.
std::vector<KeyRow> IntakeRows() {
  return {
      {"site", "id", TEXT(site.id)},
      {"site", "canonical_base", TEXT(site.canonical_base)},
      {"site", "accept", TEXT_LIST(site.accept)},
      {"site", "time_zone", TEXT(site.time_zone)},
      {"store", "url", TEXT(store.url)},
      {"maps", "directory", TEXT(maps.directory)},
      {"http", "listen", TEXT(http.listen)},
      {"http", "certificate_file", TEXT(http.certificate_file)},
      {"http", "key_file", TEXT(http.key_file)},
      {"http", "client_ca_file", TEXT(http.client_ca_file)},
      {"http", "connections_max", INTEGER(http.connections_max, 1, 10'000)},
      {"http", "connections_per_address_max", INTEGER(http.connections_per_address_max, 1, 10'000)},
      {"http", "requests_per_second_max", INTEGER(http.requests_per_second_max, 1, 1'000'000)},
      {"http", "columns", TEXT(http.columns)},
      {"http", "map", TEXT(http.map)},
      {"mllp", "listen", TEXT(mllp.listen)},
      {"mllp", "certificate_file", TEXT(mllp.certificate_file)},
      {"mllp", "key_file", TEXT(mllp.key_file)},
      {"mllp", "client_ca_file", TEXT(mllp.client_ca_file)},
      {"mllp", "senders", TEXT_LIST(mllp.senders)},
      {"mllp", "processing_id", TEXT_OF(mllp.processing_id, kProcessingIds)},
      {"mllp", "connections_max", INTEGER(mllp.connections_max, 1, 10'000)},
      {"mllp", "connections_per_address_max", INTEGER(mllp.connections_per_address_max, 1, 10'000)},
      {"mllp", "idle_timeout_s", INTEGER(mllp.idle_timeout_s, 1, 86'400)},
      {"auth", "kind", TEXT_OF(auth.kind, kAccessKinds)},
      {"auth", "issuer", TEXT(auth.issuer)},
      {"auth", "audience", TEXT(auth.audience)},
      {"auth", "jwks_url", TEXT(auth.jwks_url)},
      {"auth", "jwks_file", TEXT(auth.jwks_file)},
      {"auth", "authority_file", TEXT(auth.authority_file)},
      {"auth", "ingest_scopes", TEXT_LIST(auth.ingest_scopes)},
      {"auth", "operator_scopes", TEXT_LIST(auth.operator_scopes)},
      {"auth", "auditor_scopes", TEXT_LIST(auth.auditor_scopes)},
  };
}

std::vector<KeyRow> FurtherRows() {
  return {
      {"endpoint", "base_url", TEXT(endpoint.base_url)},
      {"endpoint", "patient_identifier_system", TEXT(endpoint.patient_identifier_system)},
      {"endpoint", "practitioner_identifier_system", TEXT(endpoint.practitioner_identifier_system)},
      {"endpoint", "encounter_identifier_system", TEXT(endpoint.encounter_identifier_system)},
      {"endpoint", "rematch_s", INTEGER(endpoint.rematch_s, 1, 86'400)},
      {"endpoint", "retry_min_s", INTEGER(endpoint.retry_min_s, 1, 3'600)},
      {"endpoint", "retry_max_s", INTEGER(endpoint.retry_max_s, 1, 86'400)},
      {"endpoint", "retry_budget_h", INTEGER(endpoint.retry_budget_h, 1, 8'760)},
      {"endpoint", "request_timeout_s", INTEGER(endpoint.request_timeout_s, 1, 600)},
      {"endpoint", "connections_max", INTEGER(endpoint.connections_max, 1, 64)},
      {"endpoint", "profile", TEXT_OF(endpoint.profile, kProfiles)},
      {"endpoint", "audit_events", TEXT_OF(endpoint.audit_events, kSwitch)},
      {"endpoint", "authority_file", TEXT(endpoint.authority_file)},
      {"endpoint", "client_certificate_file", TEXT(endpoint.client_certificate_file)},
      {"endpoint", "client_key_file", TEXT(endpoint.client_key_file)},
      {"endpoint.auth", "kind", TEXT_OF(endpoint_auth.kind, kAuthKinds)},
      {"endpoint.auth", "username", TEXT(endpoint_auth.username)},
      {"endpoint.auth", "password_file", TEXT(endpoint_auth.password_file)},
      {"endpoint.auth", "token_file", TEXT(endpoint_auth.token_file)},
      {"endpoint.auth", "client_id", TEXT(endpoint_auth.client_id)},
      {"endpoint.auth", "private_key_file", TEXT(endpoint_auth.private_key_file)},
      {"endpoint.auth", "key_id", TEXT(endpoint_auth.key_id)},
      {"endpoint.auth", "token_url", TEXT(endpoint_auth.token_url)},
      {"endpoint.auth", "scope", TEXT(endpoint_auth.scope)},
      {"push", "link_window_h", INTEGER(push.link_window_h, 0, 87'600)},
      {"limits", "high_water", INTEGER(limits.high_water, 1, 100'000'000)},
      {"retention", "done_days", INTEGER(retention.done_days, 0, 36'500)},
      {"retention", "record_days", INTEGER(retention.record_days, 0, 36'500)},
      {"audit", "origin", TEXT(audit.origin)},
      {"audit", "witness_file", TEXT(audit.witness_file)},
      {"audit", "witness_url", TEXT(audit.witness_url)},
      {"audit", "witness_key", TEXT(audit.witness_key)},
      {"audit", "witness_authority_file", TEXT(audit.witness_authority_file)},
      {"alert", "command", TEXT_LIST(alert.command)},
      {"service", "shutdown_s", INTEGER(service.shutdown_s, 1, 600)},
      {"service", "log_level", TEXT_OF(service.log_level, kLogLevels)},
  };
}

const std::vector<KeyRow>& Rows() {
  static const std::vector<KeyRow> rows = [] {
    std::vector<KeyRow> all = IntakeRows();
    std::ranges::move(FurtherRows(), std::back_inserter(all));
    return all;
  }();
  return rows;
}

#undef TEXT
#undef TEXT_OF
#undef INTEGER
#undef TEXT_LIST

constexpr std::string_view kDirectory = "directory";
constexpr std::string_view kSql = "sql";
constexpr std::int64_t kOverlapMax = 1'000'000'000;
constexpr std::int64_t kPollSecondsMax = 86'400;

const std::array<SourceKeyRow, 11> kSourceRows = {{
    {"name", "", true, &SourceSettings::name, {}},
    {"kind", "", true, &SourceSettings::kind, kSourceKinds},
    {"path", kDirectory, true, &SourceSettings::path, {}},
    {"map", "", false, &SourceSettings::map, {}},
    {"columns", "", false, &SourceSettings::columns, {}},
    {"url", kSql, true, &SourceSettings::url, {}},
    {"password_file", kSql, false, &SourceSettings::password_file, {}},
    {"query", kSql, true, &SourceSettings::query, {}},
    {"high_water_column", kSql, true, &SourceSettings::high_water_column, {}},
    {"overlap", kSql, false, &SourceSettings::overlap, {}, 0, kOverlapMax},
    {"poll_s", kSql, false, &SourceSettings::poll_s, {}, 1, kPollSecondsMax},
}};

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row[b.size()];
}

}  // namespace

std::span<const KeyRow> KeyRows() {
  return Rows();
}

std::span<const SourceKeyRow> SourceKeyRows() {
  return kSourceRows;
}

std::string Nearest(std::string_view word, const std::vector<std::string_view>& known) {
  std::string best;
  std::size_t best_distance = word.size() / 3 + 2;
  for (const std::string_view candidate : known) {
    const std::size_t distance = EditDistance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

const std::vector<ConfigurationKey>& ConfigurationKeys() {
  static const std::vector<ConfigurationKey> keys = [] {
    std::vector<ConfigurationKey> all;
    for (const KeyRow& row : KeyRows()) all.push_back({row.section, row.key});
    for (const SourceKeyRow& row : SourceKeyRows()) all.push_back({"source", row.key});
    return all;
  }();
  return keys;
}

}  // namespace fhir_adapter::app
