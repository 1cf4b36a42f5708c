// Access tokens of an authorisation server at the door of the daemon: each route of the one table with each
// kind of them.
#include "app/jwt_access.h"

#include <atomic>
#include <chrono>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "app/commands.h"
#include "app/daemon.h"
#include "net/http_server.h"
#include "support/certificates.h"
#include "support/http_client.h"
#include "support/temporary_directory.h"
#include "token_mint.h"

namespace fhir_adapter::app {
namespace {

using test::HeaderList;

constexpr const char* kIssuer = "https://ehr.example/oauth";
constexpr const char* kAudience = "https://intake.clinic.example";

// Where an authorisation server publishes its keys.
class KeyServer {
 public:
  // With a certificate: over TLS.
  explicit KeyServer(const test::IssuedCertificate* certificate = nullptr) {
    net::HttpServerOptions options;
    if (certificate != nullptr) {
      auto tls =
          net::TlsContext::Load({certificate->certificate_file, certificate->key_file, ""}, SystemClock());
      EXPECT_TRUE(tls);
      options.tls = *tls;
    }
    scheme_ = options.tls ? "https://" : "http://";
    auto router = net::Router::Create({{"GET",
                                        "/keys",
                                        {},
                                        true,
                                        [this](const net::HttpRequest&, const net::Responder& responder) {
                                          ++readings_;
                                          const std::scoped_lock lock(mutex_);
                                          net::HttpResponse response =
                                              net::HttpResponse::WithBody(status_, "application/json", json_);
                                          if (!location_.empty()) response.headers.Set("Location", location_);
                                          responder.Send(std::move(response));
                                        },
                                        0}});
    EXPECT_TRUE(router);
    auto server = net::HttpServer::Start(std::move(options), std::move(*router));
    EXPECT_TRUE(server);
    server_ = std::move(*server);
  }
  std::string url() const { return scheme_ + server_->address() + "/keys"; }
  int readings() const { return readings_; }
  void Publish(const std::string& json, int status = 200) {
    const std::scoped_lock lock(mutex_);
    json_ = json;
    status_ = status;
  }
  void Redirect(const std::string& location) {
    Publish("{}", 302);
    const std::scoped_lock lock(mutex_);
    location_ = location;
  }

 private:
  std::string scheme_;
  std::mutex mutex_;  // guards the next three
  std::string json_;
  int status_ = 200;
  std::string location_;
  std::atomic<int> readings_ = 0;
  std::unique_ptr<net::HttpServer> server_;  // last: its thread uses the others
};

std::string SetOf(const SigningKey& key, const std::string& kid) {
  return "{\"keys\":[" + key.Jwk("\"kid\":\"" + kid + "\"") + "]}";
}

class JwtDoor : public testing::Test {
 protected:
  JwtDoor() { keys_.Publish(SetOf(key_, "k1")); }

  void Start(const std::string& source) {
    folder_.Write("config.toml",
                  "[store]\nurl = \"sqlite:" + folder_.File("adapter.db") +
                      "\"\n[http]\nlisten = \"127.0.0.1:0\"\n" + "[auth]\nkind = \"jwt\"\nissuer = \"" +
                      kIssuer + "\"\naudience = \"" + kAudience + "\"\n" + source +
                      "\ningest_scopes = [\"system/Observation.cruds\", \"ingest\"]\noperator_scopes = "
                      "[\"operator\"]\nauditor_scopes = [\"auditor\"]\n[maps]\ndirectory = "
                      "\"" FHIR_ADAPTER_MAPPINGS_DIR "\"\n");
    auto configuration = LoadConfiguration(folder_.File("config.toml"),
                                           [](const std::string&) { return std::optional<std::string>(); });
    ASSERT_TRUE(configuration) << ToString(configuration.error());
    auto daemon = Daemon::Start(*configuration);
    ASSERT_TRUE(daemon) << ToString(daemon.error());
    daemon_ = std::move(*daemon);
    client_ = std::make_unique<test::HttpClient>(daemon_->http_address());
  }
  void StartWithUrl() { Start("jwks_url = \"" + keys_.url() + "\""); }
  void StartWithTls(const KeyServer& keys, const test::CertificateAuthority& authority) {
    Start("jwks_url = \"" + keys.url() + "\"\nauthority_file = \"" + authority.file() + "\"");
  }
  // Asks until the keys have been read so often.
  void WaitForReadings(const KeyServer& keys, int readings, const std::string& token) {
    const auto begin = std::chrono::steady_clock::now();
    while (keys.readings() < readings &&
           std::chrono::steady_clock::now() - begin < std::chrono::seconds(30)) {
      StatusOf("GET", "/metrics", Bearer(token));
    }
    ASSERT_GE(keys.readings(), readings);
  }

  static std::string Claims(const std::string& scope, std::int64_t ends_in_s = 300,
                            const std::string& audience = kAudience, const std::string& more = {}) {
    return std::string("{\"iss\":\"") + kIssuer + "\",\"aud\":\"" + audience +
           "\",\"sub\":\"ehr\",\"scope\":\"" + scope +
           "\",\"exp\":" + std::to_string(SystemClock().Now().us / 1'000'000 + ends_in_s) + more + "}";
  }
  static std::string Header(const std::string& kid) { return R"({"alg":"ES256","kid":")" + kid + "\"}"; }
  static HeaderList Bearer(const std::string& token) { return {{"Authorization", "Bearer " + token}}; }

  int StatusOf(const std::string& method, const std::string& path, const HeaderList& headers) {
    return client_->Send(method, path, "", headers).status;
  }
  // The status of GET /metrics once it is no longer 503; 503 at the deadline.
  int StatusInTheEnd(const std::string& token) {
    const auto begin = std::chrono::steady_clock::now();
    int status = 503;
    while (status == 503 && std::chrono::steady_clock::now() - begin < std::chrono::seconds(30)) {
      status = StatusOf("GET", "/metrics", Bearer(token));
    }
    return status;
  }

  test::TemporaryDirectory folder_;
  KeyServer keys_;
  SigningKey key_{"ES256"};
  std::unique_ptr<Daemon> daemon_;
  std::unique_ptr<test::HttpClient> client_;
};

std::string PathOf(std::string pattern) {
  for (std::size_t begin = pattern.find('{'); begin != std::string::npos; begin = pattern.find('{')) {
    pattern.replace(begin, pattern.find('}') + 1 - begin, "x");
  }
  return pattern;
}

TEST_F(JwtDoor, EveryRouteWithEveryToken_AnswersAsTheTableSays) {
  StartWithUrl();
  const SigningKey stranger("ES256");
  ASSERT_EQ(StatusInTheEnd(Token(Header("k1"), Claims("auditor"), key_)), 200);
  for (const Role role : kAllRoles) {
    const std::string scope(Name(role));
    const std::vector<std::pair<std::string, HeaderList>> refused = {
        {"none", {}},
        {"signed by another", Bearer(Token(Header("k1"), Claims(scope), stranger))},
        {"expired", Bearer(Token(Header("k1"), Claims(scope, -3'600), key_))},
        {"for another audience",
         Bearer(Token(Header("k1"), Claims(scope, 300, "https://other.example"), key_))},
        {"not signed", Bearer(UnsignedToken(R"({"alg":"none","kid":"k1"})", Claims(scope)))},
        {"signed with the public key",
         Bearer(HmacToken(R"({"alg":"HS256","kid":"k1"})", Claims(scope), key_.Pem()))},
        {"bound to a certificate",
         Bearer(Token(Header("k1"),
                      Claims(scope, 300, kAudience,
                             R"(,"cnf":{"x5t#S256":")" + Base64Url(std::string(32, 'a')) + "\"}"),
                      key_))},
        {"unknown token of our own", Bearer(std::string(43, 'a'))},
    };
    const HeaderList right = Bearer(Token(Header("k1"), Claims("openid " + scope), key_));
    for (const net::Route& route : daemon_->routes()) {
      const std::string path = PathOf(route.pattern);
      const std::string what = scope + " " + route.method + " " + path + " ";
      for (const auto& [token, headers] : refused) {
        const int status = StatusOf(route.method, path, headers);
        EXPECT_EQ(status == 401, !route.is_public) << what << token << ": " << status;
        EXPECT_NE(status, 403) << what << token;
      }
      const int status = StatusOf(route.method, path, right);
      EXPECT_EQ(status == 403, !route.is_public && !route.roles.Has(role)) << what << status;
      EXPECT_NE(status, 401) << what;
    }
  }
  for (const char* scope : {"", "openid", "Ingest", "ingest2", "system/Observation.crudsx"}) {
    EXPECT_EQ(StatusOf("POST", "/records", Bearer(Token(Header("k1"), Claims(scope), key_))), 403) << scope;
  }
  EXPECT_EQ(keys_.readings(), 1) << "no token made it read the keys again";
}

TEST_F(JwtDoor, OwnTokens_AreGoodBesideThem) {
  StartWithUrl();
  GlobalOptions global;
  global.configuration_file = folder_.File("config.toml");
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  ASSERT_EQ(RunToken(global, {"create", "prometheus", {"auditor"}, "metrics"}, Streams{in, out, err}), 0)
      << err.str();
  EXPECT_EQ(StatusOf("GET", "/metrics", Bearer(out.str().substr(0, 43))), 200);
}

TEST_F(JwtDoor, ExchangedKeys_AreReadAgain) {
  StartWithUrl();
  const SigningKey next("ES256");
  const std::string old_token = Token(Header("k1"), Claims("auditor"), key_);
  const std::string new_token = Token(Header("k2"), Claims("auditor"), next);
  ASSERT_EQ(StatusInTheEnd(old_token), 200);
  const test::HttpReply waiting = client_->Get("/metrics", Bearer(new_token));
  EXPECT_EQ(waiting.status, 503) << "a new key: it is looked for";
  EXPECT_EQ(waiting.Header("Retry-After"), "1");
  keys_.Publish(SetOf(next, "k2"));
  daemon_->Reload();
  EXPECT_EQ(StatusInTheEnd(new_token), 200);
  EXPECT_NE(StatusOf("GET", "/metrics", Bearer(old_token)), 200);
}

class JwtDoorOverTls : public JwtDoor {
 protected:
  test::CertificateAuthority authority_{folder_, "authority"};
  const test::IssuedCertificate certificate_ = authority_.Issue("keys");
};

TEST_F(JwtDoorOverTls, KeysOfOurOwnAuthority_AreReadAndReadAgainForANewKey) {
  KeyServer keys(&certificate_);
  keys.Publish(SetOf(key_, "k1"));
  StartWithTls(keys, authority_);
  const SigningKey next("ES256");
  const std::string new_token = Token(Header("k2"), Claims("auditor"), next);
  EXPECT_EQ(StatusInTheEnd(Token(Header("k1"), Claims("auditor"), key_)), 200);
  EXPECT_EQ(StatusOf("GET", "/metrics", Bearer(new_token)), 503) << "it is looked for";
  keys.Publish(SetOf(next, "k2"));
  daemon_->Reload();
  EXPECT_EQ(StatusInTheEnd(new_token), 200);
}

TEST_F(JwtDoorOverTls, ServerOfAnotherAuthority_IsNotBelieved) {
  KeyServer keys(&certificate_);
  keys.Publish(SetOf(key_, "k1"));
  const test::CertificateAuthority other(folder_, "other");
  StartWithTls(keys, other);
  const std::string token = Token(Header("k1"), Claims("auditor"), key_);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(StatusOf("GET", "/metrics", Bearer(token)), 503);
    daemon_->Reload();
  }
  EXPECT_EQ(keys.readings(), 0);
}

// Where the keys are was decided in the configuration.
TEST_F(JwtDoorOverTls, Redirect_IsNotFollowed) {
  KeyServer keys(&certificate_);
  KeyServer elsewhere(&certificate_);
  elsewhere.Publish(SetOf(key_, "k1"));
  keys.Redirect(elsewhere.url());
  StartWithTls(keys, authority_);
  const std::string token = Token(Header("k1"), Claims("auditor"), key_);
  WaitForReadings(keys, 1, token);
  daemon_->Reload();
  WaitForReadings(keys, 2, token);
  EXPECT_EQ(StatusOf("GET", "/metrics", Bearer(token)), 503);
  EXPECT_EQ(elsewhere.readings(), 0);
}

TEST_F(JwtDoorOverTls, FailedReading_KeepsTheKeysOfBefore) {
  KeyServer keys(&certificate_);
  keys.Publish(SetOf(key_, "k1"));
  StartWithTls(keys, authority_);
  const std::string token = Token(Header("k1"), Claims("auditor"), key_);
  ASSERT_EQ(StatusInTheEnd(token), 200);
  int readings = keys.readings();
  for (const auto& [json, status] : {std::pair("", 500), std::pair("{\"keys\":", 200)}) {
    keys.Publish(json, status);
    daemon_->Reload();
    WaitForReadings(keys, ++readings, token);
    EXPECT_EQ(StatusOf("GET", "/metrics", Bearer(token)), 200);
  }
}

TEST_F(JwtDoor, KeysThatCannotBeRead_LetNobodyIn) {
  keys_.Publish("", 500);
  StartWithUrl();
  const std::string token = Token(Header("k1"), Claims("auditor"), key_);
  EXPECT_EQ(StatusOf("GET", "/metrics", Bearer(token)), 503);
  EXPECT_EQ(StatusOf("GET", "/health/live", Bearer(token)), 200);
  keys_.Publish(SetOf(key_, "k1"));
  daemon_->Reload();
  EXPECT_EQ(StatusInTheEnd(token), 200);
}

TEST_F(JwtDoor, FileOfKeys_IsReadAtStartAndMustBeGood) {
  Start("jwks_file = \"" + folder_.Write("keys.json", SetOf(key_, "k1")) + "\"");
  EXPECT_EQ(StatusInTheEnd(Token(Header("k1"), Claims("auditor"), key_)), 200);
  daemon_.reset();
  folder_.Write("keys.json", "{}");
  const auto configuration = LoadConfiguration(
      folder_.File("config.toml"), [](const std::string&) { return std::optional<std::string>(); });
  ASSERT_TRUE(configuration);
  const auto daemon = Daemon::Start(*configuration);
  ASSERT_FALSE(daemon);
  EXPECT_EQ(daemon.error().code, Code::kConfiguration);
  EXPECT_EQ(CheckTokenKeys(*configuration).size(), 1U);
}

}  // namespace
}  // namespace fhir_adapter::app
