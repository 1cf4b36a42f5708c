// The door: each route of the one table, with each kind of credential.
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <sstream>
#include <string>

#include "app/commands.h"
#include "app/daemon.h"
#include "app/local_user.h"
#include "app/token_book.h"
#include "core/limits.h"
#include "outbox/sqlite/sqlite_backend.h"
#include "support/certificates.h"
#include "support/http_client.h"
#include "support/temporary_directory.h"

namespace fhir_adapter::app {
namespace {

using test::HeaderList;
using test::HttpReply;

struct CommandResult {
  int status = 0;
  std::string out;
  std::string err;
};

class StoppedClock final : public Clock {
 public:
  TimeUs Now() override { return TimeUs{now_us}; }
  std::int64_t MonotonicUs() override { return now_us; }
  std::int64_t now_us = 0;
};

class Access : public testing::Test {
 protected:
  Access() : authority_(folder_, "authority"), certificate_(authority_.Issue("client")) {
    CreateEnded();
    folder_.Write("config.toml",
                  "[site]\nid = \"pain-clinic\"\n[store]\nurl = \"sqlite:" + folder_.File("adapter.db") +
                      "\"\n[http]\nlisten = \"127.0.0.1:0\"\n[auth]\nkind = \"token\"\n[maps]\ndirectory = "
                      "\"" FHIR_ADAPTER_MAPPINGS_DIR "\"\n");
    Start();
  }

  void Start() {
    auto configuration = LoadConfiguration(folder_.File("config.toml"),
                                           [](const std::string&) { return std::optional<std::string>(); });
    ASSERT_TRUE(configuration) << ToString(configuration.error());
    auto daemon = Daemon::Start(*configuration);
    ASSERT_TRUE(daemon) << ToString(daemon.error());
    daemon_ = std::move(*daemon);
    client_ = std::make_unique<test::HttpClient>(daemon_->http_address());
  }

  // In the store before the daemon runs: the command makes no token that has ended already.
  void CreateEnded() {
    storage::SqliteStoreSettings settings;
    settings.path = folder_.File("adapter.db");
    const auto backend = outbox::OpenSqliteBackend(std::move(settings), SystemRandom());
    ASSERT_TRUE(backend) << ToString(backend.error());
    const TimeUs now = SystemClock().Now();
    for (const Role role : kAllRoles) {
      ended_[role] = NewToken();
      outbox::AccessToken token;
      token.name = "ended-" + std::string(Name(role));
      token.roles = {role};
      token.sha256 = HashOfToken(ended_[role]);
      token.ends = now;
      const auto created = storage::Write(*(*backend)->store, [&](storage::Transaction& transaction) {
        return (*backend)->tokens.Create(transaction, token, {LocalUser(), "for a test", now});
      });
      ASSERT_TRUE(created) << ToString(created.error());
    }
  }

  CommandResult Token(const TokenOptions& options) {
    GlobalOptions global;
    global.configuration_file = folder_.File("config.toml");
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    const int status = RunToken(global, options, Streams{in, out, err});
    return {status, out.str(), err.str()};
  }

  // The token's text.
  std::string Create(const std::string& name, const std::vector<std::string>& roles) {
    CommandResult made = Token({"create", name, roles, "for a test"});
    EXPECT_EQ(made.status, 0) << made.err;
    EXPECT_EQ(made.out.size(), 44U);  // 256 bits in base64url, and a line end
    if (!made.out.empty()) made.out.pop_back();
    return made.out;
  }

  int StatusOf(const std::string& method, const std::string& path, const HeaderList& headers) {
    return client_->Send(method, path, "", headers).status;
  }
  static HeaderList Bearer(const std::string& token) { return {{"Authorization", "Bearer " + token}}; }

  test::TemporaryDirectory folder_;
  test::CertificateAuthority authority_;
  test::IssuedCertificate certificate_;
  std::map<Role, std::string> ended_;
  std::unique_ptr<Daemon> daemon_;
  std::unique_ptr<test::HttpClient> client_;
};

// A path that the pattern takes.
std::string PathOf(std::string pattern) {
  for (std::size_t begin = pattern.find('{'); begin != std::string::npos; begin = pattern.find('{')) {
    pattern.replace(begin, pattern.find('}') + 1 - begin, "x");
  }
  return pattern;
}

// Who may do what, as the design says it. A route that is not in this list fails the test.
TEST_F(Access, TableOfRoutes_IsAsDesigned) {
  std::string table;
  for (const net::Route& route : daemon_->routes()) {
    table += route.method + " " + route.pattern + " " + (route.is_public ? "public" : ToString(route.roles)) +
             "\n";
  }
  EXPECT_EQ(table,
            "POST /records ingest\n"
            "GET /records/{site}/{recordId} ingest+operator+auditor\n"
            "GET /health/live public\n"
            "GET /health/ready public\n"
            "GET /metrics operator+auditor\n"
            "POST /fhir ingest\n"
            "POST /fhir/Observation ingest\n"
            "PUT /fhir/Observation ingest\n"
            "PUT /fhir/Observation/{id} ingest\n"
            "GET /fhir/Observation/{id} ingest+operator+auditor\n"
            "GET /fhir/Observation/{id}/_history/{version} ingest+operator+auditor\n"
            "GET /fhir/metadata public\n");
}

// Each route × role × {no, wrong, ended, right} credential.
TEST_F(Access, EveryRouteWithEveryCredential_AnswersAsTheTableSays) {
  const std::string revoked = Create("revoked", {"ingest", "operator", "auditor"});
  EXPECT_EQ(Token({"revoke", "revoked", {}, "lost"}).status, 0);
  for (const Role role : kAllRoles) {
    const std::string name(Name(role));
    const std::string right = Create(name, {name});
    TokenOptions bound{"create", "bound-" + name, {name}, "for a test"};
    bound.certificate_file = certificate_.certificate_file;
    const std::string bound_token = Token(bound).out.substr(0, right.size());
    const std::vector<std::pair<std::string, HeaderList>> refused = {
        {"none", {}},
        {"ended", Bearer(ended_.at(role))},
        {"revoked", Bearer(revoked)},
        {"unknown", Bearer(NewToken())},
        {"empty", Bearer("")},
        {"hash of the right one", Bearer(HashOfToken(right))},
        {"bound to a certificate that is not shown", Bearer(bound_token)},
        {"other scheme", {{"Authorization", "Basic " + right}}},
        {"twice", {{"Authorization", "Bearer " + right}, {"Authorization", "Bearer " + right}}},
    };
    for (const net::Route& route : daemon_->routes()) {
      const std::string path = PathOf(route.pattern);
      const std::string what = name + " " + route.method + " " + path + " ";
      for (const auto& [credential, headers] : refused) {
        const int status = StatusOf(route.method, path, headers);
        EXPECT_EQ(status == 401, !route.is_public) << what << credential << ": " << status;
        EXPECT_NE(status, 403) << what << credential;
      }
      const int status = StatusOf(route.method, path, Bearer(right));
      const bool may = route.is_public || route.roles.Has(role);
      EXPECT_EQ(status == 403, !may) << what << status;
      EXPECT_NE(status, 401) << what;
    }
  }
}

// Each is in force until its end, and not at it.
TEST(TokenBook, Token_EndsAtItsEnd) {
  StoppedClock clock;
  TokenBook book(clock);
  outbox::AccessToken token;
  token.name = "ehr";
  token.roles = {Role::kIngest};
  token.sha256 = HashOfToken("x");
  token.ends = TimeUs{1'000};
  book.Replace({token});
  net::HttpRequest head;
  head.headers.Add("Authorization", "Bearer x");
  clock.now_us = 999;
  const auto before = book.Authenticate(head);
  ASSERT_TRUE(before);
  EXPECT_EQ(before->id, "ehr");
  clock.now_us = 1'000;
  const auto after = book.Authenticate(head);
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().code, Code::kUnauthorized);
}

TEST(TokenBook, BoundToken_IsGoodWithItsCertificateOnly) {
  TokenBook book(SystemClock());
  outbox::AccessToken token;
  token.name = "ehr";
  token.roles = {Role::kIngest};
  token.sha256 = HashOfToken("x");
  token.certificate_sha256 = std::string(64, 'a');
  book.Replace({token});
  net::HttpRequest head;
  head.headers.Add("Authorization", "Bearer x");
  EXPECT_FALSE(book.Authenticate(head));
  head.client_certificate_sha256 = std::string(64, 'b');
  EXPECT_FALSE(book.Authenticate(head));
  head.client_certificate_sha256 = std::string(64, 'a');
  EXPECT_TRUE(book.Authenticate(head));
}

TEST_F(Access, Days_HaveALimit) {
  TokenOptions options{"create", "longest", {"ingest"}, "for a test"};
  options.days = limits::kTokenDaysMax;
  EXPECT_EQ(Token(options).status, 0);
  options.name = "longer";
  options.days = limits::kTokenDaysMax + 1;
  EXPECT_EQ(Token(options).status, 1);
  options.days = -1;
  EXPECT_EQ(Token(options).status, 1);
  options.name = "short";
  options.days = 1;
  EXPECT_EQ(Token(options).status, 0);
  const std::string list = Token({"list", "", {}, ""}).out;
  EXPECT_NE(list.find("short  ingest  since "), std::string::npos) << list;
  EXPECT_NE(list.find("  until "), std::string::npos) << list;
}

// Nobody learns without a credential which routes there are.
TEST_F(Access, UnknownRoute_AsksForTheCredentialFirst) {
  const HttpReply reply = client_->Get("/api/v1/nothing");
  EXPECT_EQ(reply.status, 401);
  EXPECT_EQ(reply.Header("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(StatusOf("GET", "/api/v1/nothing", Bearer(Create("a", {"auditor"}))), 404);
}

TEST_F(Access, RevokedToken_IsOutFromTheNextRequestOnAndAfterARestart) {
  const std::string token = Create("ehr", {"ingest"});
  EXPECT_EQ(StatusOf("GET", "/fhir/Observation/x", Bearer(token)), 404);
  EXPECT_EQ(Token({"revoke", "ehr", {}, "replaced"}).status, 0);
  EXPECT_EQ(StatusOf("GET", "/fhir/Observation/x", Bearer(token)), 401);
  const std::string other = Create("ehr-2", {"ingest"});
  daemon_->Stop(1'000);
  daemon_.reset();
  Start();
  EXPECT_EQ(StatusOf("GET", "/fhir/Observation/x", Bearer(token)), 401);
  EXPECT_EQ(StatusOf("GET", "/fhir/Observation/x", Bearer(other)), 404);
}

TEST_F(Access, Names_AreGivenOnceAndHaveALimit) {
  Create("ehr", {"ingest"});
  EXPECT_EQ(Token({"create", "ehr", {"ingest"}, "again"}).status, 1);
  EXPECT_EQ(Token({"revoke", "ehr", {}, "lost"}).status, 0);
  EXPECT_EQ(Token({"revoke", "ehr", {}, "lost"}).status, 1);
  EXPECT_EQ(Token({"revoke", "nobody", {}, "lost"}).status, 1);
  EXPECT_EQ(Token({"create", "ehr", {"ingest"}, "again"}).status, 1);
  Create(std::string(limits::kTokenNameBytesMax, 'a'), {"ingest"});
  EXPECT_EQ(Token({"create", std::string(limits::kTokenNameBytesMax + 1, 'a'), {"ingest"}, "long"}).status,
            1);
  EXPECT_EQ(Token({"create", "a b", {"ingest"}, "space"}).status, 1);
  EXPECT_EQ(Token({"create", "b", {"ingest"}, ""}).status, 1);  // no reason
}

// The store, its journal and the list hold names and hashes only.
TEST_F(Access, TokenItself_IsNowhereInTheStore) {
  const std::string token = Create("ehr", {"ingest"});
  const CommandResult list = Token({"list", "", {}, ""});
  EXPECT_NE(list.out.find("ehr  ingest"), std::string::npos) << list.out;
  EXPECT_EQ(list.out.find(token), std::string::npos);
  std::string files;
  for (const char* name : {"adapter.db", "adapter.db-wal"}) files += test::ReadFile(folder_.File(name));
  EXPECT_EQ(files.find(token), std::string::npos);
  EXPECT_NE(files.find(HashOfToken(token)), std::string::npos);
}

}  // namespace
}  // namespace fhir_adapter::app
