// HttpServer over TLS, with the openssl and curl commands as clients.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "net/http_server.h"
#include "net/tls_context.h"
#include "support/certificates.h"
#include "support/http_client.h"
#include "support/process.h"
#include "support/temporary_directory.h"

namespace fhir_adapter::net {
namespace {

using test::HttpClient;
using test::HttpReply;
using test::ProcessResult;
using test::RawConnection;
using testing::HasSubstr;

namespace fs = std::filesystem;

void Echo(const HttpRequest& request, const Responder& responder) {
  responder.Send(HttpResponse::WithBody(
      200, "text/plain",
      request.method + " " + std::to_string(request.body.size()) + " " + request.client_certificate_sha256));
}

class TlsServerTest : public testing::Test {
 protected:
  TlsServerTest() : authority_(folder_, "authority"), server_certificate_(authority_.Issue("server")) {}

  TlsFiles Files() const { return {server_certificate_.certificate_file, server_certificate_.key_file, ""}; }

  void StartServer(const TlsFiles& files) {
    auto tls = TlsContext::Load(files, SystemClock());
    ASSERT_TRUE(tls) << tls.error().message;
    options_.tls = *tls;
    Result<Router> router =
        Router::Create({{"GET", "/echo", {}, true, Echo, 0}, {"POST", "/echo", {}, true, Echo, 0}});
    ASSERT_TRUE(router);
    Result<std::unique_ptr<HttpServer>> server = HttpServer::Start(options_, std::move(*router));
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    port_ = std::to_string(server_->port());
  }

  HttpClient Client() const {
    HttpClient client("https://127.0.0.1:" + port_);
    client.set_tls(authority_.file());
    return client;
  }

  // A whole exchange of `openssl s_client`; both of its outputs.
  std::string OpenSslClient(std::vector<std::string> more) const {
    test::ProcessOptions options;
    options.arguments = {"openssl", "s_client",        "-connect", "127.0.0.1:" + port_,
                         "-CAfile", authority_.file(), "-ign_eof"};
    std::ranges::move(more, std::back_inserter(options.arguments));
    options.input = "GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    const ProcessResult result = test::RunProcess(options);
    return result.standard_output + result.standard_error;
  }

  test::TemporaryDirectory folder_;
  test::CertificateAuthority authority_;
  test::IssuedCertificate server_certificate_;
  HttpServerOptions options_;
  std::unique_ptr<HttpServer> server_;
  std::string port_;
};

TEST_F(TlsServerTest, Request_IsAnsweredAndTheConnectionKept) {
  StartServer(Files());
  HttpClient client = Client();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.Get("/echo").body, "GET 0 ") << i;
  const std::string large(1'000'000, 'x');
  EXPECT_EQ(client.Post("/echo", large).body, "POST 1000000 ");
  EXPECT_EQ(server_->connection_count(), 1U);
}

TEST_F(TlsServerTest, Versions12And13_AreTakenAndOlderOnesRefused) {
  StartServer(Files());
  EXPECT_THAT(OpenSslClient({"-tls1_2"}), HasSubstr("HTTP/1.1 200 OK"));
  EXPECT_THAT(OpenSslClient({"-tls1_3"}), HasSubstr("HTTP/1.1 200 OK"));
  // With its own security level lowered it is the server that refuses, not the client.
  for (const char* version : {"-tls1_1", "-tls1"}) {
    const std::string answer = OpenSslClient({version, "-cipher", "DEFAULT@SECLEVEL=0"});
    EXPECT_THAT(answer, HasSubstr("alert protocol version")) << version;
    EXPECT_EQ(answer.find("HTTP/1.1 200"), std::string::npos) << version;
  }
  EXPECT_EQ(Client().Get("/echo").status, 200);
  EXPECT_EQ(server_->failed_handshakes(), 2);
}

TEST_F(TlsServerTest, CiphersWithoutForwardSecrecyOrAuthenticatedEncryption_AreRefused) {
  server_certificate_ = authority_.Issue("rsa", 30, "RSA -pkeyopt rsa_keygen_bits:2048");
  StartServer(Files());
  EXPECT_THAT(OpenSslClient({"-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"}),
              HasSubstr("HTTP/1.1 200 OK"));
  for (const char* cipher :
       {"AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA256", "DHE-RSA-AES128-GCM-SHA256", "aNULL"}) {
    EXPECT_THAT(OpenSslClient({"-tls1_2", "-cipher", std::string(cipher) + ":@SECLEVEL=0"}),
                HasSubstr("alert handshake failure"))
        << cipher;
  }
}

TEST_F(TlsServerTest, Curl_KnowsTheServerByItsAuthorityOnly) {
  StartServer(Files());
  test::ProcessOptions options;
  options.arguments = {
      "curl", "-s", "--noproxy", "*", "--cacert", authority_.file(), "https://localhost:" + port_ + "/echo"};
  EXPECT_EQ(test::RunProcess(options).standard_output, "GET 0 ");
  options.arguments[5] = test::CertificateAuthority(folder_, "other").file();
  EXPECT_EQ(test::RunProcess(options).exit_code, 60);  // curl: the peer's certificate is not known
}

TEST_F(TlsServerTest, PipelinedRequestsInOneRecord_AreAllAnswered) {
  StartServer(Files());
  test::ProcessOptions options;
  options.arguments = {"openssl", "s_client",       "-quiet", "-connect", "127.0.0.1:" + port_,
                       "-CAfile", authority_.file()};
  options.input =
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\none"
      "GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n"
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 5\r\n\r\nthree";
  const std::string answer = test::RunProcess(options).standard_output;
  EXPECT_THAT(answer, HasSubstr("POST 3 "));
  EXPECT_THAT(answer, HasSubstr("GET 0 "));
  EXPECT_THAT(answer, HasSubstr("POST 5 "));
}

// Several records that arrive together: the second lies decrypted or not in the stream when the first is
// answered.
TEST_F(TlsServerTest, RequestsInRecordsThatArriveTogether_AreAllAnswered) {
  StartServer(Files());
  test::ProcessOptions options;
  options.arguments = {"openssl", "s_client",        "-quiet",           "-connect", "127.0.0.1:" + port_,
                       "-CAfile", authority_.file(), "-split_send_frag", "600",      "-max_send_frag",
                       "600"};
  const std::string padding = "X-Padding: " + std::string(700, 'x') + "\r\n";
  for (int i = 0; i < 20; ++i)
    options.input += "GET /echo HTTP/1.1\r\nHost: localhost\r\n" + padding + "\r\n";
  options.input += "GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  const std::string answer = test::RunProcess(options).standard_output;
  std::size_t answers = 0;
  for (std::size_t at = answer.find("HTTP/1.1 200"); at != std::string::npos;
       at = answer.find("HTTP/1.1 200", at + 1))
    ++answers;
  EXPECT_EQ(answers, 21U) << answer;
}

TEST_F(TlsServerTest, ClientCertificate_IsAskedForAndNamed) {
  test::CertificateAuthority clients(folder_, "clients");
  const test::IssuedCertificate known = clients.Issue("ehr");
  const test::IssuedCertificate foreign = authority_.Issue("foreign");
  const test::IssuedCertificate ended = clients.Issue("ended", -1);
  TlsFiles files = Files();
  files.client_authority_file = clients.file();
  StartServer(files);
  HttpClient client = Client();
  EXPECT_EQ(client.Get("/echo").status, 0) << "no certificate";
  for (const auto& [certificate, what] :
       {std::pair(foreign, "another authority"), std::pair(ended, "ended")}) {
    HttpClient refused = Client();
    refused.set_tls(authority_.file(), certificate.certificate_file, certificate.key_file);
    EXPECT_EQ(refused.Get("/echo").status, 0) << what;
  }
  client.set_tls(authority_.file(), known.certificate_file, known.key_file);
  EXPECT_EQ(client.Get("/echo").body, "GET 0 " + test::FingerprintOf(known.certificate_file));
  EXPECT_EQ(server_->failed_handshakes(), 3);
  EXPECT_THAT(OpenSslClient({}), HasSubstr("alert certificate required"));
}

TEST_F(TlsServerTest, PlainText_IsNotAnsweredAndHarmsNobody) {
  StartServer(Files());
  RawConnection plain(server_->port());
  plain.Send("GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(plain.ReadAll().find("HTTP/1.1"), std::string::npos);
  EXPECT_TRUE(plain.closed());
  EXPECT_EQ(Client().Get("/echo").status, 200);
}

TEST_F(TlsServerTest, SilentHandshake_IsClosedAfterItsTime) {
  options_.limits.handshake_timeout_ms = 50;
  StartServer(Files());
  RawConnection silent(server_->port());
  EXPECT_EQ(silent.ReadAll(), "");
  EXPECT_TRUE(silent.closed());
}

TEST_F(TlsServerTest, HandshakesUnderWay_CountAsConnections) {
  options_.limits.connections_per_address_max = 2;
  StartServer(Files());
  RawConnection first(server_->port());
  RawConnection second(server_->port());
  RawConnection third(server_->port());
  EXPECT_EQ(third.ReadAll(), "");
  EXPECT_TRUE(third.closed());
  EXPECT_EQ(server_->connection_count(), 2U);
}

TEST_F(TlsServerTest, Host_MayBeANameOfTheCertificate) {
  StartServer(Files());
  HttpClient client = Client();
  EXPECT_EQ(client.Get("/echo", {{"Host", "intake.clinic.example"}}).status, 200);
  EXPECT_EQ(client.Get("/echo", {{"Host", "intake.clinic.example:8620"}}).status, 200);
  EXPECT_EQ(client.Get("/echo", {{"Host", "evil.example"}}).status, 421);
  EXPECT_EQ(client.Get("/echo", {{"Host", "clinic.example"}}).status, 421);
}

// The name of an interface beside loopback, which TLS and authentication together open.
TEST_F(TlsServerTest, AddressOutsideLoopback_NeedsTlsAndAuthentication) {
  const auto authenticate = [](const HttpRequest&) { return Result<Principal>(Principal{}); };
  auto tls = TlsContext::Load(Files(), SystemClock());
  ASSERT_TRUE(tls);
  HttpServerOptions options;
  options.address = *ParseListenAddress("0.0.0.0:0");
  options.tls = *tls;
  auto server = HttpServer::Start(options, *Router::Create({}));
  ASSERT_FALSE(server);
  EXPECT_THAT(server.error().message, HasSubstr("no authentication"));
  options.tls = nullptr;
  options.authenticate = authenticate;
  server = HttpServer::Start(options, *Router::Create({}));
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, Code::kConfiguration);
  EXPECT_THAT(server.error().message, HasSubstr("no TLS"));
  options.tls = *tls;
  EXPECT_TRUE(HttpServer::Start(options, *Router::Create({})));
}

TEST_F(TlsServerTest, ReloadUnderLoad_LosesNoRequest) {
  StartServer(Files());
  const test::IssuedCertificate other = authority_.Issue("next");
  const test::IssuedCertificate first = {folder_.File("first.pem"), folder_.File("first.key")};
  test::Install(server_certificate_, first);
  constexpr int kClients = 4;
  constexpr int kRequests = 60;
  std::atomic<int> answered = 0;
  std::atomic<int> running = kClients;
  std::vector<std::thread> clients;
  clients.reserve(kClients);
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([this, i, &answered, &running] {
      HttpClient client = Client();
      client.set_fresh_connections(i % 2 == 0);
      for (int k = 0; k < kRequests; ++k) {
        const HttpReply reply = client.Post("/echo", std::string(2'000, 'x'));
        if (reply.status == 200) ++answered;
      }
      --running;
    });
  }
  int reloads = 0;
  while (running > 0) {
    test::Install(reloads % 2 == 0 ? other : first, server_certificate_);
    EXPECT_TRUE(options_.tls->Reload());
    ++reloads;
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(answered, kClients * kRequests);
  EXPECT_GT(reloads, 0);
}

TEST_F(TlsServerTest, ReloadedCertificate_IsShownToTheNextConnection) {
  StartServer(Files());
  const test::IssuedCertificate next = authority_.Issue("next");
  EXPECT_THAT(OpenSslClient({}), HasSubstr("subject=CN = server"));
  test::Install(next, server_certificate_);
  EXPECT_FALSE(options_.tls->ReloadWhenChanged()) << "seen for the first time: it may not be complete";
  const auto reloaded = options_.tls->ReloadWhenChanged();
  ASSERT_TRUE(reloaded);
  EXPECT_TRUE(*reloaded);
  EXPECT_FALSE(options_.tls->ReloadWhenChanged());
  EXPECT_THAT(OpenSslClient({}), HasSubstr("subject=CN = next"));
}

TEST_F(TlsServerTest, BadNewCertificate_LeavesTheOldOneInForce) {
  StartServer(Files());
  const test::IssuedCertificate ended = authority_.Issue("ended", -1);
  const test::IssuedCertificate other = authority_.Issue("other");
  const test::IssuedCertificate good = {folder_.File("good.pem"), folder_.File("good.key")};
  test::Install(server_certificate_, good);
  const std::int64_t ends_s = options_.tls->ends_s();
  const auto expect_kept = [&](const std::string& what) {
    const auto reloaded = options_.tls->Reload();
    ASSERT_FALSE(reloaded) << what;
    EXPECT_THAT(reloaded.error().message, HasSubstr(what));
    EXPECT_EQ(options_.tls->ends_s(), ends_s);
    EXPECT_THAT(OpenSslClient({}), HasSubstr("subject=CN = server")) << what;
    test::Install(good, server_certificate_);
  };
  fs::remove(server_certificate_.certificate_file);
  fs::copy_file(other.certificate_file, server_certificate_.certificate_file);
  expect_kept("is not the key of the certificate");
  folder_.Write("server.pem", "-----BEGIN NOTHING-----\n");
  expect_kept("holds no certificate in PEM form");
  std::ofstream(server_certificate_.certificate_file, std::ios::app)
      << "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  expect_kept("certificate 2 of it cannot be read");
  fs::permissions(server_certificate_.key_file, fs::perms::group_read, fs::perm_options::add);
  expect_kept("chmod 600");
  test::Install(ended, server_certificate_);
  expect_kept("the certificate ended at");
  fs::remove(server_certificate_.certificate_file);
  expect_kept("cannot be read");
  EXPECT_TRUE(options_.tls->Reload()) << "all is as it was";
}

TEST_F(TlsServerTest, WeakKey_IsRefused) {
  const test::IssuedCertificate weak = authority_.Issue("weak", 30, "RSA -pkeyopt rsa_keygen_bits:1024");
  const auto tls = TlsContext::Load({weak.certificate_file, weak.key_file, ""}, SystemClock());
  ASSERT_FALSE(tls);
  EXPECT_EQ(tls.error().code, Code::kConfiguration);
  EXPECT_THAT(tls.error().message, HasSubstr("key too small"));
}

TEST_F(TlsServerTest, CertificateFile_HasALimit) {
  std::string content = test::ReadFile(server_certificate_.certificate_file);
  content.resize(limits::kTlsFileBytesMax, '\n');
  folder_.Write("server.pem", content);
  EXPECT_TRUE(TlsContext::Load(Files(), SystemClock()));
  folder_.Write("server.pem", content + "\n");
  EXPECT_FALSE(TlsContext::Load(Files(), SystemClock()));
}

}  // namespace
}  // namespace fhir_adapter::net
