// The door: each route of the one table, with each kind of credential.
#include <gtest/gtest.h>
#include <memory>
#include <sstream>
#include <string>

#include "app/commands.h"
#include "app/daemon.h"
#include "app/token_book.h"
#include "core/limits.h"
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

class Access : public testing::Test {
 protected:
  Access() {
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

TEST_F(Access, EveryRouteWithEveryCredential_AnswersAsTheTableSays) {
  const std::string revoked = Create("revoked", {"ingest", "operator", "auditor"});
  EXPECT_EQ(Token({"revoke", "revoked", {}, "lost"}).status, 0);
  const std::string good = Create("good", {"ingest", "operator", "auditor"});
  const std::vector<HeaderList> refused = {
      {},
      Bearer(revoked),
      Bearer(NewToken()),
      Bearer(""),
      Bearer(HashOfToken(good)),
      {{"Authorization", "Basic " + good}},
      {{"Authorization", "Bearer " + good}, {"Authorization", "Bearer " + good}},
  };
  for (const net::Route& route : daemon_->routes()) {
    const std::string path = PathOf(route.pattern);
    for (std::size_t i = 0; i < refused.size(); ++i) {
      const int status = StatusOf(route.method, path, refused[i]);
      EXPECT_EQ(status == 401, !route.is_public) << route.method << " " << path << " credential " << i;
      EXPECT_NE(status, 403);
    }
  }
  for (const Role role : kAllRoles) {
    const std::string token = Create(std::string(Name(role)), {std::string(Name(role))});
    for (const net::Route& route : daemon_->routes()) {
      const int status = StatusOf(route.method, PathOf(route.pattern), Bearer(token));
      const bool may = route.is_public || route.roles.Has(role);
      EXPECT_EQ(status == 403, !may) << Name(role) << " " << route.method << " " << route.pattern << ": "
                                     << status;
      EXPECT_NE(status, 401);
    }
  }
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
