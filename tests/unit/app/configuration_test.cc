#include "app/configuration.h"

#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <map>
#include <sstream>

#include "core/limits.h"

namespace fhir_adapter::app {
namespace {

Environment Nothing() {
  return [](const std::string&) -> std::optional<std::string> { return std::nullopt; };
}

Environment Of(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
}

std::string ErrorOf(const std::string& text) {
  const auto configuration = ParseConfiguration(text, "c.toml", Nothing());
  return configuration ? "no error" : ToString(configuration.error());
}

TEST(Configuration, Empty_HasTheDocumentedDefaults) {
  const auto configuration = ParseConfiguration("", "c.toml", Nothing());
  ASSERT_TRUE(configuration);
  EXPECT_EQ(configuration->site.id, "pain-clinic");
  EXPECT_EQ(configuration->site.canonical_base, "https://clinic.example/fhir");
  EXPECT_EQ(configuration->PatientIdentifierSystem(), "https://clinic.example/fhir/sid/mrn");
  EXPECT_EQ(configuration->StorePath(), "/var/lib/fhir-adapter/adapter.db");
  EXPECT_EQ(configuration->http.listen, "127.0.0.1:8620");
  EXPECT_EQ(configuration->http.connections_max, 512);
  EXPECT_EQ(configuration->http.connections_per_address_max, 64);
  EXPECT_EQ(configuration->http.requests_per_second_max, limits::kHttpRequestsPerSecondMax);
  EXPECT_EQ(configuration->endpoint.rematch_s, 60);
  EXPECT_EQ(configuration->endpoint.retry_min_s, 1);
  EXPECT_EQ(configuration->endpoint.retry_max_s, 300);
  EXPECT_EQ(configuration->endpoint.retry_budget_h, 168);
  EXPECT_EQ(configuration->endpoint.request_timeout_s, 30);
  EXPECT_EQ(configuration->endpoint.connections_max, 8);
  EXPECT_EQ(configuration->service.shutdown_s, 30);
  EXPECT_EQ(configuration->limits.high_water, 1'000'000);
  EXPECT_EQ(configuration->endpoint_auth.kind, "none");
  EXPECT_TRUE(configuration->site.accept.empty());
}

TEST(Configuration, AlertCommand_BeginsWithAWholePath) {
  const auto configuration =
      ParseConfiguration("[alert]\ncommand = [\"/bin/page\", \"a b\"]\n", "c.toml", Nothing());
  ASSERT_TRUE(configuration) << ToString(configuration.error());
  EXPECT_EQ(configuration->alert.command, (std::vector<std::string>{"/bin/page", "a b"}));
  EXPECT_NE(ErrorOf("[alert]\ncommand = [\"page\"]\n").find("whole path"), std::string::npos);
}

TEST(Configuration, TablesWithoutTimeZone_AreRefused) {
  const std::string source = "[[source]]\nname='a'\nkind='directory'\npath='/in'\ncolumns='export'\n";
  EXPECT_EQ(ErrorOf(source),
            "c.toml: columns of [[source]] 'a' takes tables, whose times need [site] time_zone, for example "
            "\"Europe/Berlin\"");
  EXPECT_EQ(ErrorOf("[http]\ncolumns='export'\n"),
            "c.toml: [http] columns takes tables, whose times need [site] time_zone, for example "
            "\"Europe/Berlin\"");
  EXPECT_EQ(ErrorOf("[site]\ntime_zone='Asia/Tokyo'\n" + source), "no error");
}

TEST(Configuration, Sources_AreReadInOrder) {
  const auto configuration = ParseConfiguration(
      "[[source]]\nname='a'\nkind='directory'\npath='/in/a'\n[[source]]\nname='b'\nkind='directory'\npath='/"
      "in/b'\nmap='other'\n",
      "c.toml", Nothing());
  ASSERT_TRUE(configuration) << ToString(configuration.error());
  ASSERT_EQ(configuration->sources.size(), 2U);
  EXPECT_EQ(configuration->sources[0].map, "procedure-record");
  EXPECT_EQ(configuration->sources[1].path, "/in/b");
  EXPECT_EQ(configuration->sources[1].map, "other");
}

TEST(Configuration, DefaultMap_IsTheOneOfAllSourcesOrTheShipped) {
  const auto default_map = [](const std::string& text) {
    const auto configuration = ParseConfiguration(text, "c.toml", Nothing());
    return configuration ? configuration->DefaultMap() : ToString(configuration.error());
  };
  const std::string shipped = "[[source]]\nname='a'\nkind='directory'\npath='/in/a'\n";
  const std::string other = "[[source]]\nname='b'\nkind='directory'\npath='/in/b'\nmap='other'\n";
  EXPECT_EQ(default_map(""), "procedure-record");
  EXPECT_EQ(default_map(other), "other");
  EXPECT_EQ(default_map(shipped + other), "procedure-record");
  EXPECT_EQ(default_map("[http]\nmap='posted'\n" + shipped + other), "posted");
}

struct Bad {
  const char* text;
  const char* error;
};

class BadConfiguration : public testing::TestWithParam<Bad> {};

TEST_P(BadConfiguration, Error_NamesFileLineColumnAndWhatIsValid) {
  EXPECT_EQ(ErrorOf(GetParam().text), GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadConfiguration,
    testing::Values(
        Bad{"[http]\nlitsen = '1'\n",
            "c.toml:2:1: unknown key 'litsen' in [http]; did you mean 'listen'? Valid: listen, "
            "certificate_file, key_file, client_ca_file, connections_max, connections_per_address_max, "
            "requests_per_second_max, columns, map"},
        Bad{"[stoer]\n",
            "c.toml:1:2: unknown section [stoer]; did you mean 'store'? Valid: site, store, maps, http, "
            "mllp, auth, endpoint, endpoint.auth, push, limits, retention, audit, alert, service, source"},
        Bad{"[site]\nid = 5\n", "c.toml:2:6: [site] id must be a text in quotes"},
        Bad{"[limits]\nhigh_water = 'x'\n", "c.toml:2:14: [limits] high_water must be a whole number"},
        Bad{"[limits]\nhigh_water = 0\n", "c.toml:2:14: [limits] high_water must be from 1 to 100000000"},
        Bad{"[endpoint.auth]\nkind = 'bearr'\n",
            "c.toml:2:8: unknown value 'bearr' of [endpoint.auth] kind; did you mean 'bearer'? Valid: none, "
            "basic, "
            "bearer, smart-backend"},
        Bad{"[site]\naccept = 'a'\n", "c.toml:2:10: [site] accept must be a list of texts: [\"a\", \"b\"]"},
        Bad{"[[source]]\nname='a'\nkind='directory'\n", "c.toml:1:1: [[source]] needs path"},
        Bad{"[[source]]\nname='a'\nkind='ftp'\npath='p'\n",
            "c.toml:3:6: unknown value 'ftp' of [[source]] kind. Valid: directory, sql"},
        Bad{"[[source]]\nname='a'\nkind='directory'\npath='p'\nurl='sqlite:/a'\n",
            "c.toml:5:5: [[source]] url is for kind = \"sql\""},
        Bad{"[[source]]\nname='a'\nkind='sql'\nurl='sqlite:/a'\nquery='q'\n",
            "c.toml:1:1: [[source]] needs high_water_column"},
        Bad{"[[source]]\nname='a'\nkind='sql'\nurl='sqlite:/a'\nquery='q'\nhigh_water_column='c'\n",
            "c.toml:1:1: [[source]] of kind \"sql\" needs columns: what the columns of the query hold"},
        Bad{"[[source]]\nname='a'\nkind='sql'\nurl='db'\nquery='q'\nhigh_water_column='c'\ncolumns='t'\n",
            "c.toml:1:1: [[source]] url: url begins with sqlite:, postgresql:// or odbc:"},
        Bad{"[[source]]\nname='a'\nkind='sql'\npoll_s=0\n",
            "c.toml:4:8: [[source]] poll_s must be from 1 to 86400"},
        Bad{"[[source]]\nname='a'\nkind='sql'\noverlap='1'\n",
            "c.toml:4:9: [[source]] overlap must be a whole number"},
        Bad{"[endpoint]\nbase_url = 'ftp://h'\n",
            "c.toml: [endpoint] base_url must begin with http:// or https://"},
        Bad{"[endpoint.auth]\nkind='bearer'\n", "c.toml: [endpoint.auth] kind = \"bearer\" needs token_file"},
        Bad{"[endpoint.auth]\nkind='smart-backend'\nclient_id='a'\nkey_id='k'\n",
            "c.toml: [endpoint.auth] kind = \"smart-backend\" needs client_id, private_key_file, key_id and "
            "scope"},
        Bad{"[endpoint]\nbase_url='https://h'\n[endpoint.auth]\ntoken_url='http://h/token'\n",
            "c.toml: [endpoint.auth] token_url must begin with https://"},
        Bad{"[endpoint]\nclient_certificate_file='c'\n",
            "c.toml: [endpoint] client_certificate_file and client_key_file are set together"},
        Bad{"[http]\nlisten='localhost'\n",
            "c.toml: [http] listen: listen address \"localhost\": has no port; examples: 127.0.0.1:8620, "
            "[::1]:8620"},
        Bad{"[http]\nkey_file='k'\n", "c.toml: [http] certificate_file and key_file are set together"},
        Bad{"[http]\nclient_ca_file='c'\n",
            "c.toml: [http] client_ca_file needs certificate_file and key_file"},
        Bad{"[http]\nlisten='0.0.0.0:1'\n",
            "c.toml: [http] listen = \"0.0.0.0:1\" can be reached from other machines: set [http] "
            "certificate_file and key_file (TLS) and [auth] kind (who may), or listen on 127.0.0.1 or [::1]"},
        Bad{"[mllp]\nlisten='127.0.0.1:1'\n",
            "c.toml: [mllp] listen takes messages, whose times need [site] time_zone, for example "
            "\"Europe/Berlin\""},
        Bad{"[site]\ntime_zone='UTC'\n[mllp]\nlisten='0.0.0.0:1'\n",
            "c.toml: [mllp] listen = \"0.0.0.0:1\" can be reached from other machines: set [mllp] "
            "certificate_file, key_file, client_ca_file and senders, or listen on 127.0.0.1 or [::1]"},
        Bad{"[site]\ntime_zone='UTC'\n[mllp]\nlisten='127.0.0.1:1'\ncertificate_file='c'\n",
            "c.toml: [mllp] certificate_file and key_file are set together"},
        Bad{"[site]\ntime_zone='UTC'\n[mllp]\nlisten='127.0.0.1:1'\nclient_ca_file='c'\n",
            "c.toml: [mllp] client_ca_file needs certificate_file and key_file"},
        Bad{"[site]\ntime_zone='UTC'\n[mllp]\nlisten='127.0.0.1:1'\ncertificate_file='c'\nkey_file='k'\n"
            "client_ca_file='a'\n",
            "c.toml: [mllp] client_ca_file and senders are set together"},
        Bad{"[site]\ntime_zone='UTC'\n[mllp]\nlisten='127.0.0.1:1'\ncertificate_file='c'\nkey_file='k'\n"
            "client_ca_file='a'\nsenders=['EMAR|pain-clinic']\n",
            "c.toml: [mllp] senders: write \"application|facility|certificate file\", as in MSH-3 and MSH-4"},
        Bad{"[mllp]\nprocessing_id='X'\n",
            "c.toml:2:15: unknown value 'X' of [mllp] processing_id; did you mean 'P'? Valid: P, T, D"},
        Bad{"[auth]\nkind='jwt'\nissuer='i'\naudience='a'\ningest_scopes=['s']\n",
            "c.toml: [auth] kind = \"jwt\" needs issuer, audience, and either jwks_url or jwks_file"},
        Bad{"[auth]\nkind='jwt'\nissuer='i'\naudience='a'\njwks_url='http://h/keys'\ningest_scopes=['s']\n",
            "c.toml: [auth] jwks_url must begin with https://"},
        Bad{"[auth]\nkind='jwt'\nissuer='i'\naudience='a'\njwks_url='https://h/keys'\n",
            "c.toml: [auth] kind = \"jwt\" needs scopes: ingest_scopes, operator_scopes or auditor_scopes"},
        Bad{"[store]\nurl='oracle:x'\n", "c.toml: [store] url must be sqlite:/path/to/file"}));

TEST(Configuration, TwoSourcesOfOneName_AreRefused) {
  EXPECT_EQ(ErrorOf("[[source]]\nname='a'\nkind='directory'\npath='p'\n[[source]]\nname='a'\nkind='directory'"
                    "\npath='q'\n"),
            "c.toml:5:1: two [[source]] are named 'a'");
}

TEST(Configuration, BrokenToml_NamesLineAndColumn) {
  const auto configuration = ParseConfiguration("[site]\nid = \"a\n", "c.toml", Nothing());
  ASSERT_FALSE(configuration);
  EXPECT_EQ(configuration.error().where.line, 2U);
}

TEST(Configuration, Environment_OverridesTheFile) {
  const auto configuration = ParseConfiguration("[http]\nlisten='127.0.0.1:1'\n", "c.toml",
                                                Of({{"FHIR_ADAPTER_HTTP_LISTEN", "127.0.0.1:2"},
                                                    {"FHIR_ADAPTER_ENDPOINT_AUTH_KIND", "none"},
                                                    {"FHIR_ADAPTER_LIMITS_HIGH_WATER", "7"},
                                                    {"FHIR_ADAPTER_SITE_ACCEPT", "a,b"}}));
  ASSERT_TRUE(configuration);
  EXPECT_EQ(configuration->http.listen, "127.0.0.1:2");
  EXPECT_EQ(configuration->limits.high_water, 7);
  EXPECT_EQ(configuration->site.accept, (std::vector<std::string>{"a", "b"}));
}

TEST(Configuration, Sha256_NamesTheFileAndWhatOverridesIt) {
  const auto hash = [](const char* text, const Environment& environment) {
    const auto configuration = ParseConfiguration(text, "c.toml", environment);
    EXPECT_TRUE(configuration);
    return configuration ? configuration->sha256 : std::string();
  };
  const std::string plain = hash("[limits]\nhigh_water = 7\n", Nothing());
  EXPECT_EQ(plain.size(), 64U);
  EXPECT_EQ(hash("[limits]\nhigh_water = 7\n", Nothing()), plain);
  EXPECT_NE(hash("[limits]\nhigh_water = 8\n", Nothing()), plain);
  EXPECT_NE(hash("[limits]\nhigh_water = 7\n", Of({{"FHIR_ADAPTER_LIMITS_HIGH_WATER", "9"}})), plain);
}

TEST(Configuration, BadEnvironment_NamesTheVariable) {
  const auto configuration =
      ParseConfiguration("", "c.toml", Of({{"FHIR_ADAPTER_LIMITS_HIGH_WATER", "many"}}));
  ASSERT_FALSE(configuration);
  EXPECT_EQ(ToString(configuration.error()),
            "environment: FHIR_ADAPTER_LIMITS_HIGH_WATER must be a whole number");
}

std::string ReadExample() {
  std::ifstream stream(FHIR_ADAPTER_SOURCE_DIR "/deploy/config.example.toml");
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

TEST(ExampleConfiguration, IsAccepted) {
  const auto configuration = ParseConfiguration(ReadExample(), "config.example.toml", Nothing());
  ASSERT_TRUE(configuration) << ToString(configuration.error());
  EXPECT_TRUE(configuration->warnings.empty());
}

TEST(ExampleConfiguration, NamesEveryKeyOfTheProgramInItsSection) {
  const std::string text = ReadExample();
  for (const ConfigurationKey& key : ConfigurationKeys()) {
    std::string section;
    bool found = false;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("["))
        section = line.substr(line.find_first_not_of('['), line.find(']') - line.find_first_not_of('['));
      // A database to read is shown only: there is none that everybody has.
      if (section == "source" && line.starts_with("# ")) line.erase(0, 2);
      found = found || (section == key.section && line.starts_with(std::string(key.key) + " = "));
    }
    EXPECT_TRUE(found) << "[" << key.section << "] " << key.key;
  }
}

}  // namespace
}  // namespace fhir_adapter::app
