// The token client against a stub that says what a real token server cannot be brought to say; the real one
// stands in tests/interop/smart.
#include "sync/smart_credentials.h"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mutex>
#include <openssl/evp.h>
#include <set>
#include <sys/stat.h>

#include "core/limits.h"
#include "core/secret_file.h"
#include "fhir/json_reader.h"
#include "net/http_server.h"
#include "support/process.h"
#include "support/temporary_directory.h"
#include "sync/client_assertion.h"
#include "sync/resource_content.h"

namespace fhir_adapter::sync {
namespace {

using testing::HasSubstr;

class FakeClock final : public Clock {
 public:
  TimeUs Now() override { return TimeUs{1'800'000'000'000'000 + monotonic_us}; }
  std::int64_t MonotonicUs() override { return monotonic_us; }
  void Advance(std::int64_t seconds) { monotonic_us += seconds * 1'000'000; }
  std::int64_t monotonic_us = 1;
};

void RunTool(std::vector<std::string> arguments) {
  test::ProcessOptions options;
  options.arguments = std::move(arguments);
  const test::ProcessResult result = test::RunProcess(options);
  ASSERT_EQ(result.exit_code, 0) << result.standard_error;
}

std::string MakeKey(const test::TemporaryDirectory& folder, const std::string& name, const std::string& kind,
                    const std::string& parameter) {
  RunTool({"openssl", "genpkey", "-algorithm", kind, "-pkeyopt", parameter, "-out", folder.File(name)});
  ::chmod(folder.File(name).c_str(), 0600);
  return folder.File(name);
}

std::string Decoded(std::string text) {
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  const std::size_t padding = (4 - text.size() % 4) % 4;
  text.append(padding, '=');
  std::string bytes(text.size(), '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  bytes.resize(size < 0 ? 0 : static_cast<std::size_t>(size) - padding);
  return bytes;
}

std::array<std::string, 3> Parts(const std::string& jwt) {
  const std::size_t first = jwt.find('.');
  const std::size_t second = jwt.find('.', first + 1);
  return {jwt.substr(0, first), jwt.substr(first + 1, second - first - 1), jwt.substr(second + 1)};
}

AssertionClaims Claims() {
  return {"clinic", "https://t.example/token", "key-1", "unique", 1'800'000'000, 240};
}

TEST(ClientAssertion, RsaKey_IsSignedAsRs384ForOthersToVerify) {
  test::TemporaryDirectory folder;
  const std::string key = MakeKey(folder, "key", "RSA", "rsa_keygen_bits:2048");
  const auto jwt = SignAssertion(Claims(), test::ReadFile(key));
  ASSERT_TRUE(jwt) << ToString(jwt.error());
  const auto parts = Parts(*jwt);
  EXPECT_EQ(Decoded(parts[0]), R"({"alg":"RS384","typ":"JWT","kid":"key-1"})");
  EXPECT_EQ(Decoded(parts[1]),
            R"({"iss":"clinic","sub":"clinic","aud":"https://t.example/token","iat":1800000000,)"
            R"("exp":1800000240,"jti":"unique"})");
  folder.Write("text", parts[0] + "." + parts[1]);
  folder.Write("signature", Decoded(parts[2]));
  RunTool({"openssl", "pkey", "-in", key, "-pubout", "-out", folder.File("public")});
  RunTool({"openssl", "dgst", "-sha384", "-verify", folder.File("public"), "-signature",
           folder.File("signature"), folder.File("text")});
}

TEST(ClientAssertion, EllipticKey_IsSignedAsEs384OfTwo48ByteNumbers) {
  test::TemporaryDirectory folder;
  const std::string key = MakeKey(folder, "key", "EC", "ec_paramgen_curve:P-384");
  const std::string pem = test::ReadFile(key);
  for (int i = 0; i < 600; ++i) {  // one in 128 has a number that begins with a zero byte
    const auto jwt = SignAssertion(Claims(), pem);
    ASSERT_TRUE(jwt);
    ASSERT_EQ(Decoded(Parts(*jwt)[2]).size(), 96U);
  }
  EXPECT_THAT(Decoded(Parts(*SignAssertion(Claims(), pem))[0]), HasSubstr("\"ES384\""));
}

TEST(ClientAssertion, KeysOfOtherKinds_AreRefused) {
  test::TemporaryDirectory folder;
  const std::string small = MakeKey(folder, "small", "RSA", "rsa_keygen_bits:1024");
  const std::string curve = MakeKey(folder, "curve", "EC", "ec_paramgen_curve:P-256");
  for (const std::string& pem :
       {test::ReadFile(small), test::ReadFile(curve), std::string("no key"), std::string()}) {
    const auto jwt = SignAssertion(Claims(), pem);
    ASSERT_FALSE(jwt);
    EXPECT_EQ(jwt.error().code, Code::kConfiguration);
  }
}

struct AnswerCase {
  const char* name;
  const char* body;
  const char* scope;
  Code code;  // kInternal: good
};

class TokenAnswer : public testing::TestWithParam<AnswerCase> {};

TEST_P(TokenAnswer, IsReadAsRfc6749Says) {
  const auto token = ReadTokenAnswer(GetParam().body, GetParam().scope);
  EXPECT_EQ(token ? Code::kInternal : token.error().code, GetParam().code);
  if (!token) {
    EXPECT_EQ(token.error().message.find("s3cret"), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, TokenAnswer,
    testing::Values(
        AnswerCase{"Good", R"({"access_token":"a","token_type":"Bearer","expires_in":9,"scope":"x y"})",
                   "y x", Code::kInternal},
        AnswerCase{"More", R"({"access_token":"a","token_type":"bearer","scope":"x y z"})", "x",
                   Code::kInternal},
        AnswerCase{"Less", R"({"access_token":"s3cret","token_type":"bearer","scope":"x"})", "x y",
                   Code::kUnauthorized},
        AnswerCase{"ScopeUnsaid", R"({"access_token":"s3cret","token_type":"bearer"})", "x",
                   Code::kUnauthorized},
        AnswerCase{"PartOfAWord", R"({"access_token":"s3cret","token_type":"bearer","scope":"xx"})", "x",
                   Code::kUnauthorized},
        AnswerCase{"NoToken", R"({"token_type":"bearer","scope":"x"})", "x", Code::kServerAnswer},
        AnswerCase{"LineEnd", R"({"access_token":"a\r\nX: s3cret","token_type":"bearer","scope":"x"})", "x",
                   Code::kServerAnswer},
        AnswerCase{"OtherType", R"({"access_token":"s3cret","token_type":"mac","scope":"x"})", "x",
                   Code::kServerAnswer},
        AnswerCase{"Ended", R"({"access_token":"s3cret","token_type":"bearer","expires_in":0,"scope":"x"})",
                   "x", Code::kServerAnswer},
        AnswerCase{"Negative",
                   R"({"access_token":"s3cret","token_type":"bearer","expires_in":-5,"scope":"x"})", "x",
                   Code::kServerAnswer},
        AnswerCase{"List", R"(["s3cret"])", "x", Code::kServerAnswer},
        AnswerCase{"NoJson", "<html>s3cret", "x", Code::kServerAnswer}),
    [](const auto& one) { return std::string(one.param.name); });

TEST(TokenAnswer, TokenOfTheGreatestLength_IsTakenAndOneByteMoreIsNot) {
  const auto answer = [](std::size_t size) {
    return ReadTokenAnswer(
        R"({"token_type":"bearer","scope":"x","access_token":")" + std::string(size, 'a') + "\"}", "x");
  };
  EXPECT_TRUE(answer(limits::kSecretBytesMax));
  EXPECT_FALSE(answer(limits::kSecretBytesMax + 1));
}

TEST(SmartConfiguration, TokenEndpoint_MustBeHttpsUnlessTheServerIsNot) {
  const auto read = [](const std::string& url, const std::string& base) {
    return ReadSmartConfiguration(R"({"token_endpoint":")" + url + "\"}", base).has_value();
  };
  EXPECT_TRUE(read("https://t.example/token", "https://h/fhir"));
  EXPECT_TRUE(read("http://127.0.0.1:1/token", "http://127.0.0.1:1/fhir"));
  EXPECT_FALSE(read("http://t.example/token", "https://h/fhir"));
  EXPECT_FALSE(read("https://user@t.example/token", "https://h/fhir"));
  EXPECT_FALSE(read("file:///etc/passwd", "https://h/fhir"));
  EXPECT_FALSE(read("", "https://h/fhir"));
}

// Discovery at /fhir, tokens at /token.
class StubServer {
 public:
  StubServer() {
    std::vector<net::Route> routes;
    const auto add = [&](const char* method, const char* pattern, auto answer) {
      net::Route route;
      route.method = method;
      route.pattern = pattern;
      route.is_public = true;
      route.handler = [this, answer](const net::HttpRequest& request, const net::Responder& responder) {
        const std::lock_guard lock(mutex_);
        traces_.emplace(request.headers.Get("X-Request-Id"), request.headers.Get("traceparent"));
        responder.Send(answer(request));
      };
      routes.push_back(std::move(route));
    };
    add("GET", "/fhir/.well-known/smart-configuration", [this](const net::HttpRequest&) {
      ++discoveries_;
      return net::HttpResponse::WithBody(200, "application/json",
                                         R"({"token_endpoint":")" + origin() + "/token\"}");
    });
    add("POST", "/token", [this](const net::HttpRequest& request) {
      bodies_.push_back(request.body);
      if (answer_.status != 200 || !answer_.body.empty()) return answer_;
      return net::HttpResponse::WithBody(
          200, "application/json",
          R"({"access_token":"token-)" + std::to_string(bodies_.size()) +
              R"(","token_type":"bearer","expires_in":300,"scope":"system/*.cruds"})");
    });
    auto router = net::Router::Create(std::move(routes));
    net::HttpServerOptions options;
    options.address = *net::ParseListenAddress("127.0.0.1:0");
    server_ = std::move(*net::HttpServer::Start(std::move(options), std::move(*router)));
  }
  std::string origin() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }
  void SetAnswer(net::HttpResponse answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }
  std::vector<std::string> bodies() {
    const std::lock_guard lock(mutex_);
    return bodies_;
  }
  // X-Request-Id and traceparent of all requests.
  std::set<std::pair<std::string, std::string>> traces() {
    const std::lock_guard lock(mutex_);
    return traces_;
  }
  int discoveries() {
    const std::lock_guard lock(mutex_);
    return discoveries_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> bodies_;
  std::set<std::pair<std::string, std::string>> traces_;
  int discoveries_ = 0;
  net::HttpResponse answer_;
  std::unique_ptr<net::HttpServer> server_;
};

class SmartCredentialsTest : public testing::Test {
 protected:
  SmartCredentialsTest() {
    MakeKey(folder_, "key", "EC", "ec_paramgen_curve:P-384");
    settings_.kind = CredentialSettings::Kind::kSmartBackend;
    settings_.secret_file = folder_.File("key");
    settings_.client_id = "clinic";
    settings_.key_id = "key-1";
    settings_.scope = "system/*.cruds";
  }
  SmartCredentials Make() { return {settings_, server_.origin() + "/fhir", TlsSettings{}, clock_}; }
  std::string Assertion(std::size_t request) {
    const std::string body = server_.bodies().at(request);
    const std::size_t begin = body.find("client_assertion=") + 17;
    return body.substr(begin, body.find('&', begin) - begin);
  }

  test::TemporaryDirectory folder_;
  StubServer server_;
  FakeClock clock_;
  CredentialSettings settings_;
};

TEST_F(SmartCredentialsTest, Token_IsAskedForOnceAndRenewedBeforeItEnds) {
  SmartCredentials credentials = Make();
  ASSERT_TRUE(credentials.Load());
  EXPECT_TRUE(server_.bodies().empty()) << "nobody is asked before there is something to send";
  EXPECT_EQ(credentials.current().header, "Authorization: Bearer token-1");
  clock_.Advance(239);
  EXPECT_EQ(credentials.current().header, "Authorization: Bearer token-1");
  clock_.Advance(2);  // 60 s before the end of 300
  EXPECT_EQ(credentials.current().header, "Authorization: Bearer token-2");
  EXPECT_EQ(server_.bodies().size(), 2U);
  EXPECT_EQ(server_.discoveries(), 1);
  EXPECT_THAT(server_.bodies()[0], HasSubstr("grant_type=client_credentials"));
  EXPECT_THAT(server_.bodies()[0], HasSubstr("scope=system%2F%2A.cruds"));
}

TEST_F(SmartCredentialsTest, EachRequest_HasAnIdAndATraceOfItsOwn) {
  SmartCredentials credentials = Make();
  ASSERT_TRUE(credentials.Obtain());
  ASSERT_TRUE(credentials.Obtain());
  const auto traces = server_.traces();
  EXPECT_EQ(traces.size(), 3U) << "one discovery and two tokens";
  for (const auto& [id, parent] : traces) {
    EXPECT_EQ(id.size(), 32U);
    EXPECT_EQ(parent.size(), 55U);
  }
}

TEST_F(SmartCredentialsTest, EachAssertion_IsNewShortAndForTheTokenUrl) {
  SmartCredentials credentials = Make();
  std::set<std::string> ids;
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(credentials.Obtain());
    Arena arena;
    const std::string text = Decoded(Parts(Assertion(i))[1]);
    const auto claims = fhir::ReadJson(text, arena);
    ASSERT_TRUE(claims) << text;
    EXPECT_EQ(MemberText(**claims, "aud"), server_.origin() + "/token");
    EXPECT_EQ(MemberText(**claims, "iss"), "clinic");
    EXPECT_EQ(MemberText(**claims, "sub"), "clinic");
    EXPECT_EQ((*claims)->Find("exp")->text, "1800000240");  // at most five minutes
    ids.emplace(MemberText(**claims, "jti"));
  }
  EXPECT_EQ(ids.size(), 3U);
}

TEST_F(SmartCredentialsTest, RefusedToken_IsReplacedOnceForAllWhoUsedIt) {
  SmartCredentials credentials = Make();
  const auto used = credentials.current();
  EXPECT_TRUE(credentials.Refresh(used.generation));
  EXPECT_TRUE(credentials.Refresh(used.generation)) << "another request with the old token";
  EXPECT_EQ(server_.bodies().size(), 2U);
  EXPECT_EQ(credentials.current().header, "Authorization: Bearer token-2");
}

TEST_F(SmartCredentialsTest, ServerThatRefuses_IsNotAskedAgainAtOnce) {
  server_.SetAnswer(net::HttpResponse::WithBody(401, "application/json", R"({"error":"invalid_client"})"));
  SmartCredentials credentials = Make();
  EXPECT_FALSE(credentials.current().is_available);
  EXPECT_FALSE(credentials.current().is_available);
  EXPECT_FALSE(credentials.Refresh(0));
  EXPECT_EQ(server_.bodies().size(), 1U);
  server_.SetAnswer({});
  clock_.Advance(limits::kTokenRetryMs / 1'000);
  EXPECT_TRUE(credentials.current().is_available);
  EXPECT_EQ(server_.bodies().size(), 2U);
}

TEST_F(SmartCredentialsTest, TokenServerGone_TheTokenIsUsedToItsEnd) {
  SmartCredentials credentials = Make();
  const auto token = credentials.current();
  server_.SetAnswer(net::HttpResponse::WithBody(503, "application/json", "{}"));
  clock_.Advance(299);
  EXPECT_EQ(credentials.current().header, token.header);
  clock_.Advance(1);
  EXPECT_FALSE(credentials.current().is_available);
}

TEST_F(SmartCredentialsTest, Redirect_IsNotFollowed) {
  net::HttpResponse answer;
  answer.status = 307;
  answer.headers.Add("Location", server_.origin() + "/token");
  server_.SetAnswer(answer);
  SmartCredentials credentials = Make();
  const auto obtained = credentials.Obtain();
  ASSERT_FALSE(obtained);
  EXPECT_EQ(obtained.error().code, Code::kServerAnswer);
  EXPECT_EQ(server_.bodies().size(), 1U);
}

TEST_F(SmartCredentialsTest, AnswerOfTheGreatestLength_IsReadAndOneByteMoreIsNot) {
  const std::string token = R"({"access_token":"a","token_type":"bearer","scope":"system/*.cruds"})";
  const auto obtain = [&](std::size_t size) {
    server_.SetAnswer(
        net::HttpResponse::WithBody(200, "application/json", token + std::string(size - token.size(), ' ')));
    return Make().Obtain().has_value();
  };
  EXPECT_TRUE(obtain(limits::kTokenAnswerBytesMax));
  EXPECT_FALSE(obtain(limits::kTokenAnswerBytesMax + 1));
}

TEST_F(SmartCredentialsTest, KeyFile_IsPrivateAndReadForEachToken) {
  SmartCredentials credentials = Make();
  ASSERT_TRUE(credentials.Obtain());
  MakeKey(folder_, "key", "RSA", "rsa_keygen_bits:2048");
  ASSERT_TRUE(credentials.Obtain());
  EXPECT_THAT(Decoded(Parts(Assertion(0))[0]), HasSubstr("ES384"));
  EXPECT_THAT(Decoded(Parts(Assertion(1))[0]), HasSubstr("RS384"));
  settings_.secret_file = folder_.File("none");
  EXPECT_EQ(Make().Load().error().code, Code::kFileNotFound);
}

TEST_F(SmartCredentialsTest, KeyFileThatOthersMayRead_IsRefused) {
  for (const mode_t mode : {0640U, 0604U, 0620U}) {
    ::chmod(settings_.secret_file.c_str(), mode);
    const auto loaded = Make().Load();
    ASSERT_FALSE(loaded) << mode;
    EXPECT_EQ(loaded.error().code, Code::kConfiguration);
    EXPECT_THAT(loaded.error().message, HasSubstr("chmod 600"));
  }
  ::chmod(settings_.secret_file.c_str(), 0600);
  EXPECT_TRUE(Make().Load());
}

TEST_F(SmartCredentialsTest, KeyFileOfTheGreatestLength_IsReadAndOneByteMoreIsNot) {
  const std::string key = ReadOwnersFile(settings_.secret_file, limits::kSecretBytesMax).value();
  const auto load = [&](std::size_t size) {
    settings_.secret_file = folder_.Write("long", key + std::string(size - key.size(), '\n'));
    ::chmod(settings_.secret_file.c_str(), 0600);
    return Make().Load().has_value();
  };
  EXPECT_TRUE(load(limits::kSecretBytesMax));
  EXPECT_FALSE(load(limits::kSecretBytesMax + 1));
}

}  // namespace
}  // namespace fhir_adapter::sync
