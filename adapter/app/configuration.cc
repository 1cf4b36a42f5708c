#include "app/configuration.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <toml++/toml.h>

#include "app/configuration_keys.h"
#include "audit/cosignature.h"
#include "core/digest.h"
#include "database/database.h"
#include "net/listen_address.h"

namespace fhir_adapter::app {
namespace {

Location At(const toml::node& node, const std::string& file) {
  return Location{file, node.source().begin.line, node.source().begin.column, ""};
}

Location At(const toml::key& key, const std::string& file) {
  return Location{file, key.source().begin.line, key.source().begin.column, ""};
}

std::string Join(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words) {
    if (!text.empty()) text += ", ";
    text += word;
  }
  return text;
}

// "unknown key 'litsen' in [http]; did you mean 'listen'? Valid: connections_max, …"
Failure Unknown(const std::string& what, std::string_view word, const std::vector<std::string_view>& known,
                Location where) {
  std::string message = "unknown " + what;
  const std::string nearest = Nearest(word, known);
  message += nearest.empty() ? "." : "; did you mean '" + nearest + "'?";
  return Fail(Code::kConfiguration, message + " Valid: " + Join(known), std::move(where));
}

Result<void> CheckAllowed(std::string_view value, std::span<const std::string_view> allowed,
                          const std::string& name, Location where) {
  if (allowed.empty() || std::ranges::find(allowed, value) != allowed.end()) return {};
  return Unknown("value '" + std::string(value) + "' of " + name, value,
                 std::vector<std::string_view>(allowed.begin(), allowed.end()), std::move(where));
}

Result<void> CheckRange(std::int64_t value, std::int64_t min, std::int64_t max, const std::string& name,
                        Location where) {
  if (value >= min && value <= max) return {};
  return Fail(Code::kConfiguration,
              name + " must be from " + std::to_string(min) + " to " + std::to_string(max), std::move(where));
}

class Assignment {
 public:
  Assignment(Configuration& configuration, std::string name, Location where)
      : configuration_(configuration), name_(std::move(name)), where_(std::move(where)) {}

  Result<void> FromToml(const KeyRow& row, const toml::node& value) {
    if (const auto* key = std::get_if<TextKey>(&row.kind)) {
      const auto text = value.value_exact<std::string>();
      if (!text) return Fail(Code::kConfiguration, name_ + " must be a text in quotes", where_);
      return SetText(*key, *text);
    }
    if (const auto* key = std::get_if<IntegerKey>(&row.kind)) {
      const auto number = value.value_exact<std::int64_t>();
      if (!number) return Fail(Code::kConfiguration, name_ + " must be a whole number", where_);
      return SetInteger(*key, *number);
    }
    return SetList(std::get<TextListKey>(row.kind), value);
  }

  Result<void> FromText(const KeyRow& row, const std::string& text) {
    if (const auto* key = std::get_if<TextKey>(&row.kind)) return SetText(*key, text);
    if (const auto* key = std::get_if<IntegerKey>(&row.kind)) {
      std::int64_t number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error != std::errc() || end != text.data() + text.size()) {
        return Fail(Code::kConfiguration, name_ + " must be a whole number", where_);
      }
      return SetInteger(*key, number);
    }
    auto& list = std::get<TextListKey>(row.kind).get(configuration_);
    list.clear();
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find(',', begin), text.size());
      list.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    return {};
  }

 private:
  Result<void> SetText(const TextKey& key, const std::string& text) {
    ADAPTER_CHECK(CheckAllowed(text, key.allowed, name_, where_));
    key.get(configuration_) = text;
    return {};
  }
  Result<void> SetInteger(const IntegerKey& key, std::int64_t number) {
    ADAPTER_CHECK(CheckRange(number, key.min, key.max, name_, where_));
    key.get(configuration_) = number;
    return {};
  }
  Result<void> SetList(const TextListKey& key, const toml::node& value) {
    const toml::array* array = value.as_array();
    std::vector<std::string> texts;
    for (const toml::node& item : array ? *array : toml::array{}) {
      if (const auto text = item.value_exact<std::string>()) texts.push_back(*text);
    }
    if (!array || texts.size() != array->size()) {
      return Fail(Code::kConfiguration, name_ + " must be a list of texts: [\"a\", \"b\"]", where_);
    }
    key.get(configuration_) = std::move(texts);
    return {};
  }

  Configuration& configuration_;
  std::string name_;
  Location where_;
};

std::vector<std::string_view> KeysOf(std::string_view section) {
  std::vector<std::string_view> keys;
  for (const KeyRow& row : KeyRows()) {
    if (row.section == section) keys.push_back(row.key);
    const bool below = row.section.starts_with(section) && row.section.size() > section.size() &&
                       row.section[section.size()] == '.';
    const std::string_view child = below ? row.section.substr(section.size() + 1) : std::string_view();
    if (below && std::ranges::find(keys, child) == keys.end()) keys.push_back(child);
  }
  return keys;
}

std::vector<std::string_view> Sections() {
  std::vector<std::string_view> sections;
  for (const KeyRow& row : KeyRows()) {
    if (std::ranges::find(sections, row.section) == sections.end()) sections.push_back(row.section);
  }
  sections.push_back("source");
  return sections;
}

Result<void> ReadSection(const std::string& section, const toml::table& table, const std::string& file,
                         Configuration& configuration) {
  for (const auto& [key, value] : table) {
    const std::string child = section + "." + std::string(key.str());
    if (value.is_table() && !KeysOf(child).empty()) {
      ADAPTER_CHECK(ReadSection(child, *value.as_table(), file, configuration));
      continue;
    }
    const auto row = std::ranges::find_if(KeyRows(), [&](const KeyRow& candidate) {
      return candidate.section == section && candidate.key == key.str();
    });
    if (row == KeyRows().end()) {
      return Unknown("key '" + std::string(key.str()) + "' in [" + section + "]", key.str(), KeysOf(section),
                     At(key, file));
    }
    ADAPTER_CHECK(Assignment(configuration, "[" + section + "] " + std::string(key.str()), At(value, file))
                      .FromToml(*row, value));
  }
  return {};
}

Result<void> SetSourceKey(const SourceKeyRow& row, const toml::node& value, const std::string& file,
                          SourceSettings& source) {
  const std::string name = "[[source]] " + std::string(row.key);
  if (const auto* member = std::get_if<std::int64_t SourceSettings::*>(&row.member)) {
    const auto number = value.value_exact<std::int64_t>();
    if (!number) return Fail(Code::kConfiguration, name + " must be a whole number", At(value, file));
    ADAPTER_CHECK(CheckRange(*number, row.min, row.max, name, At(value, file)));
    source.*(*member) = *number;
    return {};
  }
  const auto text = value.value_exact<std::string>();
  if (!text) return Fail(Code::kConfiguration, name + " must be a text in quotes", At(value, file));
  ADAPTER_CHECK(CheckAllowed(*text, row.allowed, name, At(value, file)));
  source.*(std::get<std::string SourceSettings::*>(row.member)) = *text;
  return {};
}

Result<void> CheckSqlSource(const SourceSettings& source, const Location& where) {
  if (source.kind != "sql") return {};
  if (source.columns.empty()) {
    return Fail(Code::kConfiguration,
                "[[source]] of kind \"sql\" needs columns: what the columns of the query hold", where);
  }
  if (const auto url = database::CheckUrl(source.url); !url) {
    return Fail(Code::kConfiguration, "[[source]] url: " + url.error().message, where);
  }
  return {};
}

Result<SourceSettings> ReadSource(const toml::node& node, const std::string& file) {
  const toml::table* table = node.as_table();
  if (!table) return Fail(Code::kConfiguration, "[[source]] must be a table", At(node, file));
  SourceSettings source;
  std::vector<std::string_view> known;
  for (const SourceKeyRow& row : SourceKeyRows()) known.push_back(row.key);
  for (const auto& [key, value] : *table) {
    const auto row = std::ranges::find(SourceKeyRows(), key.str(), &SourceKeyRow::key);
    if (row == SourceKeyRows().end()) {
      return Unknown("key '" + std::string(key.str()) + "' in [[source]]", key.str(), known, At(key, file));
    }
    ADAPTER_CHECK(SetSourceKey(*row, value, file, source));
  }
  for (const SourceKeyRow& row : SourceKeyRows()) {
    const bool is_there = table->contains(row.key);
    const bool is_its_own = row.kind.empty() || row.kind == source.kind;
    if (is_there && !is_its_own) {
      return Fail(Code::kConfiguration,
                  "[[source]] " + std::string(row.key) + " is for kind = \"" + std::string(row.kind) + "\"",
                  At(*table->get(row.key), file));
    }
    if (row.is_needed && is_its_own && !is_there) {
      return Fail(Code::kConfiguration, "[[source]] needs " + std::string(row.key), At(node, file));
    }
  }
  ADAPTER_CHECK(CheckSqlSource(source, At(node, file)));
  return source;
}

Result<void> ReadSources(const toml::node& node, const std::string& file, Configuration& configuration) {
  const toml::array* array = node.as_array();
  if (!array) return Fail(Code::kConfiguration, "write [[source]] with two brackets", At(node, file));
  for (const toml::node& item : *array) {
    ADAPTER_TRY(SourceSettings source, ReadSource(item, file));
    const bool taken = std::ranges::any_of(
        configuration.sources, [&](const SourceSettings& other) { return other.name == source.name; });
    if (taken) {
      return Fail(Code::kConfiguration, "two [[source]] are named '" + source.name + "'", At(item, file));
    }
    configuration.sources.push_back(std::move(source));
  }
  return {};
}

Result<void> ReadTable(const toml::table& root, const std::string& file, Configuration& configuration) {
  for (const auto& [key, value] : root) {
    const std::string section(key.str());
    if (section == "source") {
      ADAPTER_CHECK(ReadSources(value, file, configuration));
    } else if (!value.is_table() || KeysOf(section).empty()) {
      return Unknown("section [" + section + "]", section, Sections(), At(key, file));
    } else {
      ADAPTER_CHECK(ReadSection(section, *value.as_table(), file, configuration));
    }
  }
  return {};
}

std::string EnvironmentName(const KeyRow& row) {
  std::string name = "FHIR_ADAPTER_" + std::string(row.section) + "_" + std::string(row.key);
  std::ranges::transform(name, name.begin(), [](char c) {
    if (c == '.') return '_';
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return name;
}

// `read`: what was found, to be hashed.
Result<void> ReadEnvironment(const Environment& environment, Configuration& configuration,
                             std::string& read) {
  for (const KeyRow& row : KeyRows()) {
    const std::string name = EnvironmentName(row);
    if (const auto text = environment(name)) {
      read.append(1, '\0').append(name).append(1, '=').append(*text);
      ADAPTER_CHECK(Assignment(configuration, name, Location{"environment", 0, 0, ""}).FromText(row, *text));
    }
  }
  return {};
}

Result<void> CheckAccess(const Configuration& configuration, const Location& where) {
  const auto& auth = configuration.endpoint_auth;
  if (auth.kind == "bearer" && auth.token_file.empty()) {
    return Fail(Code::kConfiguration, "[endpoint.auth] kind = \"bearer\" needs token_file", where);
  }
  if (auth.kind == "basic" && (auth.username.empty() || auth.password_file.empty())) {
    return Fail(Code::kConfiguration, "[endpoint.auth] kind = \"basic\" needs username and password_file",
                where);
  }
  if (auth.kind == "smart-backend" && (auth.client_id.empty() || auth.private_key_file.empty() ||
                                       auth.key_id.empty() || auth.scope.empty())) {
    return Fail(
        Code::kConfiguration,
        "[endpoint.auth] kind = \"smart-backend\" needs client_id, private_key_file, key_id and scope",
        where);
  }
  const std::string& token_url = auth.token_url;
  const bool is_plain =
      token_url.starts_with("http://") && configuration.endpoint.base_url.starts_with("http://");
  if (!token_url.empty() && !token_url.starts_with("https://") && !is_plain) {
    return Fail(Code::kConfiguration, "[endpoint.auth] token_url must begin with https://", where);
  }
  const auto& endpoint = configuration.endpoint;
  if (endpoint.client_certificate_file.empty() != endpoint.client_key_file.empty()) {
    return Fail(Code::kConfiguration,
                "[endpoint] client_certificate_file and client_key_file are set together", where);
  }
  return {};
}

// Plain http only to this machine.
bool IsSafeUrl(std::string_view url) {
  constexpr std::array<std::string_view, 4> kSafe = {
      "https://", "http://127.0.0.1:", "http://localhost:", "http://[::1]:"};
  return std::ranges::any_of(kSafe, [&](std::string_view begin) { return url.starts_with(begin); });
}

Result<void> CheckTokenIssuer(const Configuration::Auth& auth, const Location& where) {
  if (auth.kind != "jwt") return {};
  if (auth.issuer.empty() || auth.audience.empty() || auth.jwks_url.empty() == auth.jwks_file.empty()) {
    return Fail(Code::kConfiguration,
                "[auth] kind = \"jwt\" needs issuer, audience, and either jwks_url or jwks_file", where);
  }
  if (!auth.jwks_url.empty() && !IsSafeUrl(auth.jwks_url)) {
    return Fail(Code::kConfiguration, "[auth] jwks_url must begin with https://", where);
  }
  if (auth.ingest_scopes.empty() && auth.operator_scopes.empty() && auth.auditor_scopes.empty()) {
    return Fail(Code::kConfiguration,
                "[auth] kind = \"jwt\" needs scopes: ingest_scopes, operator_scopes or auditor_scopes",
                where);
  }
  return {};
}

// Outside this machine nobody is let in unseen, and nothing is said in clear.
Result<void> CheckListener(const Configuration& configuration, const Location& where) {
  const Configuration::Http& http = configuration.http;
  if (http.certificate_file.empty() != http.key_file.empty()) {
    return Fail(Code::kConfiguration, "[http] certificate_file and key_file are set together", where);
  }
  const bool has_tls = !http.certificate_file.empty();
  if (!http.client_ca_file.empty() && !has_tls) {
    return Fail(Code::kConfiguration, "[http] client_ca_file needs certificate_file and key_file", where);
  }
  const auto address = net::ParseListenAddress(http.listen);
  if (!address) return Fail(Code::kConfiguration, "[http] listen: " + address.error().message, where);
  const bool has_access = configuration.auth.kind != "none";
  if (address->is_loopback() || (has_tls && has_access)) return {};
  return Fail(Code::kConfiguration,
              "[http] listen = \"" + http.listen + "\" can be reached from other machines: set " +
                  (has_tls ? "" : "[http] certificate_file and key_file (TLS)") +
                  (has_tls || has_access ? "" : " and ") + (has_access ? "" : "[auth] kind (who may)") +
                  ", or listen on 127.0.0.1 or [::1]",
              where);
}

// Outside this machine nobody speaks as somebody else.
Result<void> CheckMllp(const Configuration& configuration, const Location& where) {
  const Configuration::Mllp& mllp = configuration.mllp;
  if (mllp.listen.empty()) return {};
  if (mllp.certificate_file.empty() != mllp.key_file.empty()) {
    return Fail(Code::kConfiguration, "[mllp] certificate_file and key_file are set together", where);
  }
  if (!mllp.client_ca_file.empty() && mllp.certificate_file.empty()) {
    return Fail(Code::kConfiguration, "[mllp] client_ca_file needs certificate_file and key_file", where);
  }
  if (mllp.client_ca_file.empty() != mllp.senders.empty()) {
    return Fail(Code::kConfiguration, "[mllp] client_ca_file and senders are set together", where);
  }
  for (const std::string& sender : mllp.senders) {
    const auto bars = std::ranges::count(sender, '|');
    if (bars == 2 && !sender.ends_with('|') && !sender.starts_with('|')) continue;
    return Fail(Code::kConfiguration,
                "[mllp] senders: write \"application|facility|certificate file\", as in MSH-3 and MSH-4",
                where);
  }
  const auto address = net::ParseListenAddress(mllp.listen);
  if (!address) return Fail(Code::kConfiguration, "[mllp] listen: " + address.error().message, where);
  if (address->is_loopback() || !mllp.senders.empty()) return {};
  return Fail(Code::kConfiguration,
              "[mllp] listen = \"" + mllp.listen +
                  "\" can be reached from other machines: set [mllp] certificate_file, key_file, "
                  "client_ca_file and senders, or listen on 127.0.0.1 or [::1]",
              where);
}

// Times of a table, and of most HL7 v2 messages, have no offset of their own.
Result<void> CheckTables(const Configuration& configuration, const Location& where) {
  if (!configuration.site.time_zone.empty()) return {};
  if (!configuration.mllp.listen.empty()) {
    return Fail(Code::kConfiguration,
                "[mllp] listen takes messages, whose times need [site] time_zone, for example "
                "\"Europe/Berlin\"",
                where);
  }
  std::string reader = configuration.http.columns.empty() ? "" : "[http] columns";
  for (const SourceSettings& source : configuration.sources) {
    if (!source.columns.empty()) reader = "columns of [[source]] '" + source.name + "'";
  }
  if (reader.empty()) return {};
  return Fail(Code::kConfiguration,
              reader + " takes tables, whose times need [site] time_zone, for example \"Europe/Berlin\"",
              where);
}

Result<void> CheckWitness(const Configuration::Audit& audit, const Location& where) {
  if (audit.witness_url.empty() != audit.witness_key.empty()) {
    return Fail(Code::kConfiguration, "[audit] witness_url and witness_key are set together", where);
  }
  if (audit.witness_url.empty()) return {};
  if (!audit.witness_url.starts_with("http://") && !audit.witness_url.starts_with("https://")) {
    return Fail(Code::kConfiguration, "[audit] witness_url must begin with http:// or https://", where);
  }
  const auto key = audit::WitnessKey::Parse(audit.witness_key);
  if (!key) return Fail(Code::kConfiguration, "[audit] witness_key: " + key.error().message, where);
  return {};
}

Result<void> CheckTogether(const Configuration& configuration, const std::string& file) {
  const Location where{file, 0, 0, ""};
  ADAPTER_CHECK(CheckTables(configuration, where));
  if (!configuration.store.url.starts_with("sqlite:") || configuration.StorePath().empty()) {
    return Fail(Code::kConfiguration, "[store] url must be sqlite:/path/to/file", where);
  }
  if (configuration.endpoint.retry_min_s > configuration.endpoint.retry_max_s) {
    return Fail(Code::kConfiguration, "[endpoint] retry_min_s is greater than retry_max_s", where);
  }
  const std::string& url = configuration.endpoint.base_url;
  if (!url.empty() && !url.starts_with("http://") && !url.starts_with("https://")) {
    return Fail(Code::kConfiguration, "[endpoint] base_url must begin with http:// or https://", where);
  }
  ADAPTER_CHECK(CheckListener(configuration, where));
  ADAPTER_CHECK(CheckMllp(configuration, where));
  ADAPTER_CHECK(CheckWitness(configuration.audit, where));
  if (!configuration.alert.command.empty() && !configuration.alert.command.front().starts_with('/')) {
    return Fail(Code::kConfiguration, "[alert] command begins with the whole path of a program", where);
  }
  ADAPTER_CHECK(CheckTokenIssuer(configuration.auth, where));
  return CheckAccess(configuration, where);
}

}  // namespace

std::string Configuration::StorePath() const {
  return store.url.substr(std::string_view("sqlite:").size());
}

std::string Configuration::HttpUrl(const std::string& address) const {
  return (http.certificate_file.empty() ? "http://" : "https://") + address;
}

std::string Configuration::PatientIdentifierSystem() const {
  if (!endpoint.patient_identifier_system.empty()) return endpoint.patient_identifier_system;
  return site.canonical_base + "/sid/mrn";
}

std::string Configuration::DefaultMap() const {
  if (!http.map.empty()) return http.map;
  const auto is_same = [this](const SourceSettings& source) { return source.map == sources.front().map; };
  return !sources.empty() && std::ranges::all_of(sources, is_same) ? sources.front().map : kShippedMap;
}

Environment ProcessEnvironment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): before any thread starts
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

Result<Configuration> ParseConfiguration(std::string_view text, const std::string& file,
                                         const Environment& environment) {
  Configuration configuration;
  try {
    const toml::table root = toml::parse(text, file);
    ADAPTER_CHECK(ReadTable(root, file, configuration));
  } catch (const toml::parse_error& error) {
    const auto& begin = error.source().begin;
    return Fail(Code::kConfiguration, std::string(error.description()),
                Location{file, begin.line, begin.column, ""});
  }
  std::string read(text);
  ADAPTER_CHECK(ReadEnvironment(environment, configuration, read));
  configuration.sha256 = Sha256Hex(read);
  ADAPTER_CHECK(CheckTogether(configuration, file));
  if (configuration.mllp.listen.empty() && !configuration.mllp.senders.empty()) {
    configuration.warnings.push_back("[mllp] has no effect without listen");
  }
  return configuration;
}

Result<Configuration> LoadConfiguration(const std::string& file, const Environment& environment) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    return Fail(Code::kConfiguration, std::string("cannot be read: ") + std::strerror(errno),
                Location{file, 0, 0, ""});
  }
  const std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  return ParseConfiguration(text, file, environment);
}

}  // namespace fhir_adapter::app
