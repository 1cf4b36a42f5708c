#include "sync/curl_client.h"

#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mutex>
#include <sys/stat.h>
#include <thread>

#include "core/limits.h"
#include "net/http_server.h"
#include "support/http_client.h"
#include "support/process.h"
#include "support/tcp_proxy.h"
#include "support/temporary_directory.h"

namespace fhir_adapter::sync {
namespace {

using test::ProxyFault;
using testing::HasSubstr;

constexpr std::int64_t kForeverMs = 3'600'000;

// A server that remembers its requests and answers all of them alike.
class Server {
 public:
  Server() {
    std::vector<net::Route> routes;
    for (const char* method : {"GET", "POST", "PUT"}) {
      for (const char* pattern : {"/fhir", "/fhir/{type}"}) {
        net::Route route;
        route.method = method;
        route.pattern = pattern;
        route.is_public = true;
        route.handler = [this](net::HttpRequest request, const net::Responder& responder) {
          const std::lock_guard lock(mutex_);
          requests_.push_back(std::move(request));
          responder.Send(answer_);
        };
        routes.push_back(std::move(route));
      }
    }
    auto router = net::Router::Create(std::move(routes));
    net::HttpServerOptions options;
    options.address = *net::ParseListenAddress("127.0.0.1:0");
    server_ = std::move(*net::HttpServer::Start(std::move(options), std::move(*router)));
  }
  std::uint16_t port() const { return server_->port(); }
  void SetAnswer(net::HttpResponse answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }
  std::vector<net::HttpRequest> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  std::mutex mutex_;
  std::vector<net::HttpRequest> requests_;
  net::HttpResponse answer_ = net::HttpResponse::WithBody(200, "application/fhir+json", "{}");
  std::unique_ptr<net::HttpServer> server_;
};

CurlClientSettings SettingsFor(std::uint16_t port) {
  CurlClientSettings settings;
  settings.base_url = "http://127.0.0.1:" + std::to_string(port) + "/fhir/";
  settings.user_agent = "fhir-adapter/test";
  return settings;
}

std::unique_ptr<CurlClient> ClientWith(const CurlClientSettings& settings) {
  auto made = CurlClient::Make(settings);
  EXPECT_TRUE(made.has_value()) << (made ? "" : ToString(made.error()));
  return made ? std::move(*made) : nullptr;
}

FhirAnswer Send(CurlClient& client, FhirRequest request) {
  std::promise<FhirAnswer> promise;
  client.Send(std::move(request), [&](FhirAnswer answer) { promise.set_value(std::move(answer)); });
  return promise.get_future().get();
}

FhirRequest Write(std::string body = "{\"resourceType\":\"Bundle\"}") {
  FhirRequest request;
  request.kind = RequestKind::kWrite;
  request.method = Method::kPost;
  request.body = std::move(body);
  request.request_id = "request-1";
  request.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  return request;
}

FhirRequest Read(std::string path) {
  FhirRequest request;
  request.path = std::move(path);
  return request;
}

// As /metadata, which belongs to no record.
TEST(CurlClient, RequestOfNobody_HasARequestIdAndATraceOfItsOwn) {
  Server server;
  const auto client = ClientWith(SettingsFor(server.port()));
  for (int i = 0; i < 2; ++i) Send(*client, Read("metadata"));
  ASSERT_EQ(server.requests().size(), 2U);
  for (const net::HttpRequest& got : server.requests()) {
    const std::string id(got.headers.Get("X-Request-Id"));
    EXPECT_EQ(id.size(), 32U);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
    const std::string parent(got.headers.Get("traceparent"));
    ASSERT_EQ(parent.size(), 55U) << parent;  // 00-<32>-<16>-01
    EXPECT_EQ(parent.substr(0, 3) + parent.substr(35, 1) + parent.substr(52), "00---01");
  }
  EXPECT_NE(server.requests()[0].headers.Get("X-Request-Id"),
            server.requests()[1].headers.Get("X-Request-Id"));
}

TEST(CurlClient, Write_CarriesItsHeadersAndBody) {
  Server server;
  const auto client = ClientWith(SettingsFor(server.port()));
  FhirRequest request = Write(std::string(300'000, 'x'));
  request.if_match = "W/\"3\"";
  const FhirAnswer answer = Send(*client, request);
  EXPECT_EQ(answer.transport, Transport::kAnswered);
  EXPECT_EQ(answer.status, 200);
  ASSERT_EQ(server.requests().size(), 1U);
  const net::HttpRequest got = server.requests()[0];
  EXPECT_EQ(got.method, "POST");
  EXPECT_EQ(got.path, "/fhir");
  EXPECT_EQ(got.body.size(), 300'000U);
  EXPECT_EQ(got.request_id, "request-1");
  EXPECT_EQ(got.traceparent, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  EXPECT_EQ(got.headers.Get("Prefer"), "return=minimal");
  EXPECT_EQ(got.headers.Get("If-Match"), "W/\"3\"");
  EXPECT_EQ(got.headers.Get("User-Agent"), "fhir-adapter/test");
  EXPECT_THAT(std::string(got.headers.Get("Content-Type")), HasSubstr("application/fhir+json"));
  EXPECT_FALSE(got.headers.Has("Expect"));
  EXPECT_FALSE(got.headers.Has("Authorization"));
  EXPECT_FALSE(got.headers.Has("Accept-Encoding"));
}

TEST(CurlClient, Search_AsksPastCaches) {
  Server server;
  const auto client = ClientWith(SettingsFor(server.port()));
  Send(*client, Read("Patient?identifier=s|a%5C%2Cb"));
  const net::HttpRequest got = server.requests().at(0);
  EXPECT_EQ(got.target, "/fhir/Patient?identifier=s|a%5C%2Cb");
  EXPECT_EQ(got.headers.Get("Cache-Control"), "no-cache");
}

TEST(CurlClient, AnswerHeaders_AreRead) {
  Server server;
  net::HttpResponse response = net::HttpResponse::WithBody(429, "application/fhir+json", "{}");
  response.headers.Add("ETag", "W/\"7\"");
  response.headers.Add("Location", "Patient/1");
  response.headers.Add("Content-Location", "Patient/2");
  response.headers.Add("Retry-After", "12");
  server.SetAnswer(response);
  const auto client = ClientWith(SettingsFor(server.port()));
  const FhirAnswer answer = Send(*client, Read("Patient"));
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.etag, "W/\"7\"");
  EXPECT_EQ(answer.location, "Patient/1");
  EXPECT_EQ(answer.content_location, "Patient/2");
  EXPECT_EQ(answer.retry_after, "12");
}

TEST(CurlClient, Redirect_IsNotFollowed) {
  Server server;
  Server elsewhere;
  net::HttpResponse response;
  response.status = 302;
  response.headers.Add("Location", "http://127.0.0.1:" + std::to_string(elsewhere.port()) + "/fhir");
  server.SetAnswer(response);
  const auto client = ClientWith(SettingsFor(server.port()));
  EXPECT_EQ(Send(*client, Write()).status, 302);
  EXPECT_TRUE(elsewhere.requests().empty());
}

TEST(CurlClient, NobodyListens_WasNotSent) {
  std::uint16_t port = 0;
  {
    Server gone;
    port = gone.port();
  }
  const auto client = ClientWith(SettingsFor(port));
  const FhirAnswer answer = Send(*client, Write());
  EXPECT_EQ(answer.transport, Transport::kNotSent);
  EXPECT_EQ(answer.failure, Code::kUnreachable);
}

// Faults of the reply, the last with so many bytes of it: amid the head, and amid the body.
class LostReply : public testing::TestWithParam<test::ProxyPlan> {};

TEST_P(LostReply, OnAKeptConnection_IsToldAndNotSentAgainByItself) {
  Server server;
  test::TcpProxy proxy(server.port());
  const auto client = ClientWith(SettingsFor(proxy.port()));
  ASSERT_EQ(Send(*client, Write()).status, 200);
  server.SetAnswer(net::HttpResponse::WithBody(200, "text/plain", std::string(5'000, 'x')));
  proxy.Order(GetParam());
  const FhirAnswer answer = Send(*client, Write());
  EXPECT_EQ(answer.transport, Transport::kMaybeSent);
  EXPECT_EQ(answer.status, 0);
  EXPECT_EQ(server.requests().size(), 2U);
  EXPECT_EQ(Send(*client, Write()).status, 200);
}

INSTANTIATE_TEST_SUITE_P(Faults, LostReply,
                         testing::Values(test::ProxyPlan{ProxyFault::kDropReply, 0, 0},
                                         test::ProxyPlan{ProxyFault::kResetReply, 0, 0},
                                         test::ProxyPlan{ProxyFault::kTruncateReply, 0, 20},
                                         test::ProxyPlan{ProxyFault::kTruncateReply, 0, 2'000}));

TEST(CurlClient, NoAnswerInTime_IsATimeoutAfterSending) {
  Server server;
  test::TcpProxy proxy(server.port());
  proxy.Order({ProxyFault::kStall, 0, 0});
  CurlClientSettings settings = SettingsFor(proxy.port());
  settings.request_timeout_ms = 300;
  const auto client = ClientWith(settings);
  const FhirAnswer answer = Send(*client, Write());
  EXPECT_EQ(answer.transport, Transport::kMaybeSent);
  EXPECT_EQ(answer.failure, Code::kTimeout);
}

// The rest of the answer never comes, and the time of the whole request is long.
TEST(CurlClient, AnswerThatStopsMidway_IsATimeoutOfItsOwn) {
  Server server;
  server.SetAnswer(net::HttpResponse::WithBody(200, "text/plain", std::string(5'000, 'x')));
  test::TcpProxy proxy(server.port());
  proxy.Order({ProxyFault::kThrottle, kForeverMs, 2'000});
  CurlClientSettings settings = SettingsFor(proxy.port());
  settings.request_timeout_ms = kForeverMs;
  settings.stall_timeout_ms = 100;
  const auto client = ClientWith(settings);
  const FhirAnswer answer = Send(*client, Write());
  EXPECT_EQ(answer.transport, Transport::kMaybeSent);
  EXPECT_EQ(answer.failure, Code::kTimeout);
  EXPECT_TRUE(answer.body.empty());
}

TEST(CurlClient, AnswerThatComesSlowly_IsReadToItsEnd) {
  Server server;
  server.SetAnswer(net::HttpResponse::WithBody(200, "text/plain", std::string(5'000, 'x')));
  test::TcpProxy proxy(server.port());
  proxy.Order({ProxyFault::kThrottle, 1, 100});
  const auto client = ClientWith(SettingsFor(proxy.port()));
  EXPECT_EQ(Send(*client, Write()).body.size(), 5'000U);
}

TEST(CurlClient, RequestsOneAfterTheOther_ShareAConnection) {
  Server server;
  test::TcpProxy proxy(server.port());
  const auto client = ClientWith(SettingsFor(proxy.port()));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Send(*client, Write()).status, 200);
  EXPECT_EQ(proxy.requests_seen(), 3U);
  EXPECT_EQ(proxy.connections_seen(), 1U);
}

// The name of the server is resolved nowhere: only the proxy of the environment can have answered.
TEST(CurlClient, ProxyOfTheEnvironment_IsAskedUnlessTheHostIsExempt) {
  Server server;
  test::TcpProxy proxy(server.port());
  const std::string address = "http://127.0.0.1:" + std::to_string(proxy.port());
  CurlClientSettings settings;
  settings.base_url = "http://hospital.invalid/fhir";
  ASSERT_EQ(setenv("http_proxy", address.c_str(), 1), 0);
  EXPECT_EQ(Send(*ClientWith(settings), Read("metadata")).transport, Transport::kAnswered);
  EXPECT_EQ(proxy.requests_seen(), 1U);
  ASSERT_EQ(setenv("no_proxy", "hospital.invalid", 1), 0);
  EXPECT_EQ(Send(*ClientWith(settings), Read("metadata")).transport, Transport::kNotSent);
  EXPECT_EQ(proxy.requests_seen(), 1U);
  ASSERT_EQ(unsetenv("http_proxy"), 0);
  ASSERT_EQ(unsetenv("no_proxy"), 0);
}

TEST(CurlClient, Cancelled_EndsWhatIsUnderWay) {
  Server server;
  test::TcpProxy proxy(server.port());
  proxy.Order({ProxyFault::kStall, 0, 0});
  const auto client = ClientWith(SettingsFor(proxy.port()));
  std::promise<FhirAnswer> promise;
  client->Send(Write(), [&](FhirAnswer answer) { promise.set_value(std::move(answer)); });
  while (server.requests().empty()) std::this_thread::yield();
  client->CancelAll();
  EXPECT_EQ(promise.get_future().get().transport, Transport::kMaybeSent);
}

TEST(CurlClient, AnswerAtTheLimit_IsReadAndOneByteMoreIsNot) {
  Server server;
  CurlClientSettings settings = SettingsFor(server.port());
  settings.answer_bytes_max = 1'000;
  const auto client = ClientWith(settings);
  server.SetAnswer(net::HttpResponse::WithBody(200, "text/plain", std::string(1'000, 'x')));
  EXPECT_EQ(Send(*client, Write()).body.size(), 1'000U);
  server.SetAnswer(net::HttpResponse::WithBody(200, "text/plain", std::string(1'001, 'x')));
  const FhirAnswer answer = Send(*client, Write());
  EXPECT_EQ(answer.transport, Transport::kMaybeSent);
  EXPECT_EQ(answer.failure, Code::kServerAnswer);
  EXPECT_TRUE(answer.body.empty());
}

TEST(CurlClient, AnswerHeadersAtTheLimit_AreReadAndOneByteMoreIsNot) {
  Server server;
  const auto answer_with = [](std::size_t padding) {
    auto answer = net::HttpResponse::WithBody(200, "application/fhir+json", "{}");
    answer.headers.Add("X-Padding", std::string(padding, 'x'));
    return answer;
  };
  server.SetAnswer(answer_with(1));
  test::RawConnection connection(server.port());
  connection.Send("GET /fhir/Patient HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string seen = connection.ReadUntil("\r\n\r\n");
  const std::size_t others = seen.find("\r\n\r\n") + 4 - 1;  // without the padding
  const auto client = ClientWith(SettingsFor(server.port()));
  server.SetAnswer(answer_with(limits::kAnswerHeaderBytesMax - others));
  EXPECT_EQ(Send(*client, Read("Patient")).transport, Transport::kAnswered);
  server.SetAnswer(answer_with(limits::kAnswerHeaderBytesMax - others + 1));
  const FhirAnswer refused = Send(*client, Read("Patient"));
  EXPECT_EQ(refused.transport, Transport::kMaybeSent);
  EXPECT_EQ(refused.failure, Code::kServerAnswer);
}

TEST(CurlClient, Address_MustBePlainHttp) {
  for (const char* url : {"", "ftp://h/fhir", "http://", "http://user:secret@h/fhir", "http://h/fhir?x=1",
                          "http://h/fhir#x", "http://h/ fhir"}) {
    CurlClientSettings settings;
    settings.base_url = url;
    const auto made = CurlClient::Make(settings);
    ASSERT_FALSE(made.has_value()) << url;
    EXPECT_EQ(made.error().code, Code::kConfiguration);
    EXPECT_EQ(made.error().message.find("secret"), std::string::npos);
  }
}

std::string WriteSecret(const test::TemporaryDirectory& folder, const std::string& name,
                        const std::string& content) {
  std::string file = folder.Write(name, content);
  EXPECT_EQ(chmod(file.c_str(), 0600), 0);
  return file;
}

TEST(Credentials, TokenFile_IsSentAndReadAgainWhenRefused) {
  Server server;
  test::TemporaryDirectory folder;
  CurlClientSettings settings = SettingsFor(server.port());
  settings.credentials.kind = CredentialSettings::Kind::kBearer;
  settings.credentials.secret_file = WriteSecret(folder, "token", "old-token\n");
  const auto client = ClientWith(settings);
  const FhirAnswer first = Send(*client, Read("Patient"));
  EXPECT_EQ(server.requests().at(0).headers.Get("Authorization"), "Bearer old-token");
  EXPECT_FALSE(client->RefreshCredentials(first.credentials));  // the same is no better
  folder.Write("token", "new-token\n");
  EXPECT_TRUE(client->RefreshCredentials(first.credentials));
  Send(*client, Read("Patient"));
  EXPECT_EQ(server.requests().at(1).headers.Get("Authorization"), "Bearer new-token");
  EXPECT_TRUE(client->RefreshCredentials(first.credentials));  // a late refusal of the old one
}

TEST(Credentials, UserAndPassword_AreBasic) {
  Server server;
  test::TemporaryDirectory folder;
  CurlClientSettings settings = SettingsFor(server.port());
  settings.credentials.kind = CredentialSettings::Kind::kBasic;
  settings.credentials.username = "Aladdin";
  settings.credentials.secret_file = WriteSecret(folder, "password", "open sesame");
  const auto client = ClientWith(settings);
  Send(*client, Read("Patient"));
  // RFC 7617 section 2.
  EXPECT_EQ(server.requests().at(0).headers.Get("Authorization"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

TEST(Credentials, SecretThatOthersMayRead_MakesNoClientAndIsNotTakenLater) {
  Server server;
  test::TemporaryDirectory folder;
  CurlClientSettings settings = SettingsFor(server.port());
  settings.credentials.kind = CredentialSettings::Kind::kBearer;
  settings.credentials.secret_file = WriteSecret(folder, "token", "old-token\n");
  ASSERT_EQ(chmod(settings.credentials.secret_file.c_str(), 0640), 0);
  const auto refused = CurlClient::Make(settings);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::kConfiguration);
  ASSERT_EQ(chmod(settings.credentials.secret_file.c_str(), 0600), 0);
  const auto client = ClientWith(settings);
  const FhirAnswer first = Send(*client, Read("Patient"));
  folder.Write("token", "new-token\n");
  ASSERT_EQ(chmod(settings.credentials.secret_file.c_str(), 0640), 0);
  EXPECT_FALSE(client->RefreshCredentials(first.credentials));
}

// A TLS server with a certificate of its own for `name`.
class TlsServer {
 public:
  explicit TlsServer(const std::string& name, std::vector<std::string> more = {}) {
    const test::ProcessResult made =
        test::RunProcess({.arguments = {"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                                        "2", "-subj", "/CN=test", "-addext", "subjectAltName=" + name,
                                        "-keyout", folder_.File("key"), "-out", certificate()},
                          .environment = {},
                          .working_directory = {},
                          .input = {}});
    EXPECT_EQ(made.exit_code, 0) << made.standard_error;
    test::ProcessOptions options;
    options.arguments = {"openssl", "s_server",    "-accept", "127.0.0.1:0",      "-www",
                         "-cert",   certificate(), "-key",    folder_.File("key")};
    if (!more.empty()) more.push_back(certificate());  // of whom it wants a certificate
    options.arguments.insert(options.arguments.end(), more.begin(), more.end());
    process_ = std::make_unique<test::Process>(options);
    const auto line = process_->WaitForLine("ACCEPT 127.0.0.1:");
    EXPECT_TRUE(line) << process_->StandardError();
    if (line) url_ = "https://127.0.0.1:" + line->substr(line->rfind(':') + 1) + "/fhir";
  }
  std::string certificate() const { return folder_.File("certificate"); }
  std::string key() const { return folder_.File("key"); }
  const std::string& url() const { return url_; }

 private:
  test::TemporaryDirectory folder_;
  std::unique_ptr<test::Process> process_;
  std::string url_;
};

FhirAnswer AskOverTls(const TlsServer& server, const std::string& authority_file) {
  CurlClientSettings settings;
  settings.base_url = server.url();
  settings.tls.authority_file = authority_file;
  const auto client = ClientWith(settings);
  return Send(*client, Read("metadata"));
}

TEST(CurlClient, TrustedCertificateOfTheHost_IsAccepted) {
  const TlsServer server("IP:127.0.0.1");
  EXPECT_EQ(AskOverTls(server, server.certificate()).transport, Transport::kAnswered);
}

// Says in which version of HTTP it was asked, and in which of its connections.
constexpr const char* kHttp2Server = R"(
  const [, certificate, key] = process.argv, read = require('fs').readFileSync;
  const server = require('http2').createSecureServer({cert: read(certificate), key: read(key), allowHTTP1: true});
  let sessions = 0;
  server.on('session', () => ++sessions);
  server.on('request', (request, response) => response.end(`${request.httpVersion} in ${sessions}`));
  server.listen(0, '127.0.0.1', () => console.log('READY ' + server.address().port));
)";

TEST(CurlClient, ServerWithHttp2_IsAskedInItOverOneConnection) {
  const TlsServer certified("IP:127.0.0.1");
  test::ProcessOptions options;
  options.arguments = {"node", "-e", kHttp2Server, certified.certificate(), certified.key()};
  test::Process server(options);
  const auto ready = server.WaitForLine("READY ");
  ASSERT_TRUE(ready) << server.StandardError();
  CurlClientSettings settings;
  settings.base_url = "https://127.0.0.1:" + ready->substr(ready->rfind(' ') + 1) + "/fhir";
  settings.tls.authority_file = certified.certificate();
  const auto client = ClientWith(settings);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Send(*client, Write()).body, "2.0 in 1");
}

TEST(CurlClient, MutualTls_IsHadWithTheClientCertificateOnly) {
  const TlsServer server("IP:127.0.0.1", {"-verify_return_error", "-Verify", "1", "-CAfile"});
  CurlClientSettings settings;
  settings.base_url = server.url();
  settings.tls.authority_file = server.certificate();
  EXPECT_NE(Send(*ClientWith(settings), Read("metadata")).transport, Transport::kAnswered);
  settings.tls.client_certificate_file = server.certificate();
  settings.tls.client_key_file = server.key();
  EXPECT_EQ(Send(*ClientWith(settings), Read("metadata")).transport, Transport::kAnswered);
}

TEST(CurlClient, UnknownAuthority_IsRefusedBeforeAnythingIsSent) {
  const TlsServer server("IP:127.0.0.1");
  const FhirAnswer answer = AskOverTls(server, "");
  EXPECT_EQ(answer.transport, Transport::kNotSent);
  EXPECT_EQ(answer.failure, Code::kTls);
}

TEST(CurlClient, CertificateOfAnotherHost_IsRefused) {
  const TlsServer server("DNS:hospital.example");
  const FhirAnswer answer = AskOverTls(server, server.certificate());
  EXPECT_EQ(answer.transport, Transport::kNotSent);
  EXPECT_EQ(answer.failure, Code::kTls);
}

}  // namespace
}  // namespace fhir_adapter::sync
