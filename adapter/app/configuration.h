// The configuration: one TOML file, environment overrides, secrets only by file.
//
// Precedence: FHIR_ADAPTER_SECTION_KEY in the environment, then the file, then the default. A key or value
// that is not known is an error with file, line, column and what would be valid. Values; read once, then only
// read.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace fhir_adapter::app {

inline constexpr const char* kShippedMap = "procedure-record";

struct SourceSettings {
  std::string name;
  std::string kind;  // "directory" or "sql"
  std::string path;  // of a directory
  std::string map = kShippedMap;
  std::string columns;  // how .csv files, or the columns of a query, are read; empty: none are taken
  // Of a database.
  std::string url;
  std::string password_file;
  std::string query;
  std::string high_water_column;
  std::int64_t overlap = 600;  // seconds of a time, else a number
  std::int64_t poll_s = 60;
};

struct Configuration {
  struct Site {
    std::string id = "pain-clinic";
    std::string canonical_base = "https://clinic.example/fhir";
    std::vector<std::string> accept;  // further sites whose records are taken
    std::string time_zone;            // of times without an offset (IANA); empty: there must be none
  } site;
  struct Store {
    std::string url = "sqlite:/var/lib/fhir-adapter/adapter.db";
  } store;
  struct Maps {
    std::string directory;  // empty: the maps that came with the program
  } maps;
  struct Http {
    std::string listen = "127.0.0.1:8620";
    std::string certificate_file;  // TLS; empty: plain text, on loopback only
    std::string key_file;
    std::string client_ca_file;  // mutual TLS; empty: clients are not asked for a certificate
    std::int64_t connections_max = 512;
    std::int64_t connections_per_address_max = 64;
    std::int64_t requests_per_second_max = 1'000;  // of one client
    std::string columns;                           // how text/csv is read; empty: it is not taken
    std::string map;                               // of records that are posted; empty: see DefaultMap
  } http;
  struct Mllp {
    std::string listen;            // empty: HL7 v2 is not spoken
    std::string certificate_file;  // TLS; empty: plain text, on loopback only
    std::string key_file;
    std::string client_ca_file;        // mutual TLS; together with senders
    std::vector<std::string> senders;  // "application|facility|certificate file"
    std::string processing_id = "P";   // that MSH-11 has to be
    std::int64_t connections_max = 256;
    std::int64_t connections_per_address_max = 64;
    std::int64_t idle_timeout_s = 60;
  } mllp;
  struct Auth {
    std::string kind = "none";  // of the HTTP interface: none (loopback only), token or jwt
    std::string issuer;
    std::string audience;
    std::string jwks_url;
    std::string jwks_file;
    std::string authority_file;  // CA certificates for jwks_url; empty: those of the system
    std::vector<std::string> ingest_scopes;
    std::vector<std::string> operator_scopes;
    std::vector<std::string> auditor_scopes;
  } auth;
  std::vector<SourceSettings> sources;
  struct Endpoint {
    std::string base_url;  // empty: nothing is sent, records wait
    std::string patient_identifier_system;
    std::string practitioner_identifier_system;
    std::string encounter_identifier_system;
    std::int64_t rematch_s = 60;
    std::int64_t retry_min_s = 1;
    std::int64_t retry_max_s = 300;
    std::int64_t retry_budget_h = 168;
    std::int64_t request_timeout_s = 30;
    std::int64_t connections_max = 8;
    std::string profile = "auto";         // or the rung that the server is known to need
    std::string audit_events = "off";     // FHIR AuditEvents of what is written
    std::string authority_file;           // CA certificates; empty: those of the system
    std::string client_certificate_file;  // mutual TLS, beside any kind of [endpoint.auth]
    std::string client_key_file;
  } endpoint;
  struct EndpointAuth {
    std::string kind = "none";
    std::string username;
    std::string password_file;
    std::string token_file;
    std::string client_id;
    std::string private_key_file;
    std::string key_id;
    std::string token_url;
    std::string scope = "system/*.cruds";
  } endpoint_auth;
  struct Push {
    std::int64_t link_window_h = 0;  // 0: an Observation has to name its administration
  } push;
  struct Limits {
    std::int64_t high_water = 1'000'000;
  } limits;
  struct Retention {
    std::int64_t done_days = 0;    // files of done/; 0: for good; so the next
    std::int64_t record_days = 0;  // bytes and mapped resources of delivered records
  } retention;
  struct Audit {
    std::string origin;                  // empty: made from canonical_base and site
    std::string witness_file;            // empty: none
    std::string witness_url;             // of a C2SP tlog-witness; empty: none
    std::string witness_key;             // its verifier key; together with witness_url
    std::string witness_authority_file;  // CA certificates; empty: those of the system
  } audit;
  struct Alert {
    std::vector<std::string> command;  // with its arguments; empty: nobody is called
  } alert;
  struct Service {
    std::int64_t shutdown_s = 30;
    std::string log_level = "info";
  } service;

  std::vector<std::string> warnings;  // what is accepted and has no effect
  std::string sha256;  // of the file's bytes and of what the environment overrides; names it in the log

  // The store's file of `sqlite:PATH`.
  std::string StorePath() const;
  // Where the HTTP interface is reached: https://127.0.0.1:8620.
  std::string HttpUrl(const std::string& address) const;
  // [endpoint] patient_identifier_system or its default below canonical_base.
  std::string PatientIdentifierSystem() const;
  // [http] map, else the map of the sources when they have the same, else procedure-record.
  std::string DefaultMap() const;
};

// One key of the file, for messages, documentation and tests.
struct ConfigurationKey {
  std::string_view section;  // "endpoint.auth"
  std::string_view key;
};
const std::vector<ConfigurationKey>& ConfigurationKeys();

using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment ProcessEnvironment();

// `text` is the content of `file` (only named in messages).
Result<Configuration> ParseConfiguration(std::string_view text, const std::string& file,
                                         const Environment& environment);
Result<Configuration> LoadConfiguration(const std::string& file, const Environment& environment);

}  // namespace fhir_adapter::app
