#include "support/tcp_proxy.h"

#include <atomic>
#include <chrono>
#include <gtest/gtest.h>
#include <memory>

#include "net/http_server.h"
#include "support/http_client.h"

namespace fhir_adapter::test {
namespace {

class TcpProxyTest : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<net::Route> routes;
    routes.push_back({"POST",
                      "/count",
                      {},
                      true,
                      [this](const net::HttpRequest&, const net::Responder& responder) {
                        ++handled_;
                        responder.Send(net::HttpResponse::WithBody(200, "text/plain", "counted"));
                      },
                      0});
    server_ = std::move(*net::HttpServer::Start({}, *net::Router::Create(std::move(routes))));
    proxy_ = std::make_unique<TcpProxy>(server_->port());
    client_ = std::make_unique<HttpClient>("http://127.0.0.1:" + std::to_string(proxy_->port()));
  }

  // A request on a connection of its own, or on the one that is kept open.
  HttpReply Post(bool fresh = true) {
    client_->set_fresh_connections(fresh);
    return client_->Post("/count", "x");
  }

  std::atomic<int> handled_ = 0;
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<TcpProxy> proxy_;
  std::unique_ptr<HttpClient> client_;
};

TEST_F(TcpProxyTest, NoFault_PassesEverything) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Post(false).body, "counted");
  EXPECT_EQ(proxy_->requests_seen(), 3u);
  EXPECT_EQ(proxy_->faults_done(), 0u);
}

struct Case {
  ProxyFault fault;
  int handled;  // by the server
};

class ProxyFaults : public TcpProxyTest, public testing::WithParamInterface<Case> {};

TEST_P(ProxyFaults, FaultyRequest_IsHandledOrNotAndNeverAnswered) {
  proxy_->Order({GetParam().fault, 0, 5});
  client_->set_timeout_ms(GetParam().fault == ProxyFault::kStall ? 100 : 30'000);
  EXPECT_EQ(Post().status, 0);
  EXPECT_EQ(handled_, GetParam().handled);
  client_->set_timeout_ms(30'000);
  EXPECT_EQ(Post().status, 200);
  EXPECT_EQ(proxy_->faults_done(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Kinds, ProxyFaults,
                         testing::Values(Case{ProxyFault::kResetRequest, 0}, Case{ProxyFault::kDropReply, 1},
                                         Case{ProxyFault::kResetReply, 1},
                                         Case{ProxyFault::kTruncateReply, 1}, Case{ProxyFault::kHalfClose, 1},
                                         Case{ProxyFault::kStall, 1}));

TEST_F(TcpProxyTest, TruncatedReply_HasSoManyBytes) {
  proxy_->Order({ProxyFault::kTruncateReply, 0, 12});
  RawConnection connection(proxy_->port());
  connection.Send("POST /count HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx");
  EXPECT_EQ(connection.ReadAll(), "HTTP/1.1 200");
}

TEST_F(TcpProxyTest, DelayedReply_ArrivesLate) {
  proxy_->Order({ProxyFault::kDelayReply, 50, 0});
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(Post().status, 200);
  EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(50));
}

TEST_F(TcpProxyTest, FaultsHitRequestsOnAConnectionThatIsKept) {
  const std::string request = "POST /count HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx";
  proxy_->Order({});
  proxy_->Order({ProxyFault::kDropReply, 0, 0});
  RawConnection connection(proxy_->port());
  connection.Send(request);
  const std::string first = connection.ReadUntil("counted");
  connection.Send(request);
  EXPECT_EQ(connection.ReadAll(), first);
  EXPECT_EQ(handled_, 2);
}

TEST_F(TcpProxyTest, EveryNth_IsHit) {
  proxy_->OrderEvery({ProxyFault::kDropReply, 0, 0}, 3);
  std::string answers;
  for (int i = 0; i < 7; ++i) answers += Post().status == 200 ? 'a' : '-';
  EXPECT_EQ(answers, "aa-aa-a");
}

TEST_F(TcpProxyTest, ServerThatIsGone_ResetsTheClient) {
  server_.reset();
  EXPECT_EQ(Post().status, 0);
}

}  // namespace
}  // namespace fhir_adapter::test
