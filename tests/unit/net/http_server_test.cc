#include "net/http_server.h"

#include <atomic>
#include <condition_variable>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mutex>
#include <sys/stat.h>
#include <thread>

#include "support/http_client.h"
#include "support/temporary_directory.h"

namespace fhir_adapter::net {
namespace {

using test::HttpClient;
using test::HttpReply;
using test::RawConnection;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Keeps requests until the test answers them.
class Inbox {
 public:
  HttpHandler Handler() {
    return [this](HttpRequest request, Responder responder) {
      const std::lock_guard lock(mutex_);
      requests_.emplace_back(std::move(request), std::move(responder));
      changed_.notify_all();
    };
  }
  std::pair<HttpRequest, Responder> Take() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(10), [this] { return !requests_.empty(); }));
    auto first = std::move(requests_.front());
    requests_.erase(requests_.begin());
    return first;
  }
  bool empty() {
    const std::lock_guard lock(mutex_);
    return requests_.empty();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<HttpRequest, Responder>> requests_;
};

// Answers with what arrived: method, path, body length, body.
void Echo(HttpRequest request, const Responder& responder) {
  responder.Send(HttpResponse::WithBody(
      200, "text/plain",
      request.method + " " + request.path + " " + std::to_string(request.body.size()) + " " + request.body));
}

class HttpServerTest : public testing::Test {
 protected:
  void StartServer() {
    std::vector<Route> routes;
    routes.push_back({"GET", "/echo", {}, true, Echo, 0});
    routes.push_back({"POST", "/echo", {}, true, Echo, 0});
    routes.push_back({"POST", "/small", {}, true, Echo, 4});
    routes.push_back({"POST", "/ingest", {Role::kIngest}, false, Echo, 0});
    routes.push_back({"GET", "/audit", {Role::kAuditor}, false, Echo, 0});
    routes.push_back({"POST", "/later", {}, true, inbox_.Handler(), 0});
    routes.push_back({"GET", "/lost", {}, true, [](const HttpRequest&, const Responder&) {}, 0});
    routes.push_back({"GET",
                      "/throws",
                      {},
                      true,
                      [](const HttpRequest&, const Responder&) { throw std::runtime_error("x"); },
                      0});
    Result<Router> router = Router::Create(std::move(routes));
    ASSERT_TRUE(router);
    Result<std::unique_ptr<HttpServer>> server = HttpServer::Start(options_, std::move(*router));
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }

  HttpClient Client() { return HttpClient("http://127.0.0.1:" + std::to_string(server_->port())); }

  std::string RawExchange(const std::string& bytes) {
    RawConnection connection(server_->port());
    connection.Send(bytes);
    return connection.ReadAll();
  }

  HttpServerOptions options_;
  Inbox inbox_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, Get_IsAnswered) {
  StartServer();
  HttpClient client = Client();
  const HttpReply reply = client.Get("/echo?a=b");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "GET /echo 0 ");
  EXPECT_EQ(reply.Header("Connection"), "keep-alive");
  EXPECT_EQ(reply.Header("Cache-Control"), "no-store");
  EXPECT_FALSE(reply.Header("Date").empty());
  EXPECT_FALSE(reply.Header("X-Request-Id").empty());
}

TEST_F(HttpServerTest, Head_HasTheLengthAndNoBody) {
  StartServer();
  const std::string answer =
      RawExchange("HEAD /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 13\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(HttpServerTest, KeepAlive_UsesOneConnection) {
  StartServer();
  HttpClient client = Client();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(client.Post("/echo", "x").body, "POST /echo 1 x");
  EXPECT_EQ(server_->connection_count(), 1u);
}

TEST_F(HttpServerTest, PipelinedRequests_AreAnsweredInOrder) {
  StartServer();
  const std::string answer = RawExchange(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\none"
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n"
      "GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const std::size_t first = answer.find("POST /echo 3 one");
  const std::size_t second = answer.find("POST /echo 3 two");
  const std::size_t third = answer.find("GET /echo 0 ");
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_NE(third, std::string::npos) << answer;
}

TEST_F(HttpServerTest, Http10_ClosesUnlessAskedToKeep) {
  StartServer();
  EXPECT_THAT(RawExchange("GET /echo HTTP/1.0\r\n\r\n"), HasSubstr("Connection: close"));
  RawConnection connection(server_->port());
  connection.Send("GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(connection.ReadUntil("GET /echo 0 "), HasSubstr("Connection: keep-alive"));
}

TEST_F(HttpServerTest, RequestId_IsEchoed) {
  StartServer();
  HttpClient client = Client();
  EXPECT_EQ(client.Get("/echo", {{"X-Request-Id", "abc"}}).Header("X-Request-Id"), "abc");
  EXPECT_EQ(client.Get("/nowhere", {{"X-Request-Id", "abd"}}).Header("X-Request-Id"), "abd");
}

TEST_F(HttpServerTest, UnlistedRoute_Is404AndOtherMethod405WithAllow) {
  StartServer();
  HttpClient client = Client();
  EXPECT_EQ(client.Get("/nowhere").status, 404);
  EXPECT_EQ(client.Get("/echo/").status, 404);
  const HttpReply reply = client.Delete("/echo");
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(reply.Header("Allow"), "GET, HEAD, POST");
  EXPECT_EQ(reply.Header("Content-Type"), "application/problem+json");
}

TEST_F(HttpServerTest, LostOrThrowingHandler_Gives500) {
  StartServer();
  HttpClient client = Client();
  EXPECT_EQ(client.Get("/lost").status, 500);
  EXPECT_EQ(client.Get("/throws").status, 500);
  EXPECT_EQ(client.Get("/echo").status, 200);
}

TEST_F(HttpServerTest, AnswerFromAnotherThread_ArrivesOnce) {
  StartServer();
  std::thread answerer([this] {
    auto [request, responder] = inbox_.Take();
    responder.Send(HttpResponse::WithBody(202, "text/plain", "first"));
    responder.Send(HttpResponse::WithBody(500, "text/plain", "second"));
  });
  HttpClient client = Client();
  const HttpReply reply = client.Post("/later", "x");
  answerer.join();
  EXPECT_EQ(reply.status, 202);
  EXPECT_EQ(reply.body, "first");
  EXPECT_EQ(client.Get("/echo").body, "GET /echo 0 ");
}

TEST_F(HttpServerTest, WaitingRequest_DoesNotBlockOthers) {
  StartServer();
  RawConnection waiting(server_->port());
  waiting.Send("POST /later HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
  auto [request, responder] = inbox_.Take();
  EXPECT_EQ(Client().Get("/echo").status, 200);
  responder.Send(HttpResponse::WithBody(200, "text/plain", "late"));
  EXPECT_THAT(waiting.ReadUntil("late"), HasSubstr("late"));
}

TEST_F(HttpServerTest, AnswerAfterServerHasGone_DoesNothing) {
  StartServer();
  RawConnection connection(server_->port());
  connection.Send("POST /later HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
  auto [request, responder] = inbox_.Take();
  server_.reset();
  responder.Send(HttpResponse::WithBody(200, "text/plain", "late"));
  EXPECT_EQ(connection.ReadAll(), "");
}

TEST_F(HttpServerTest, SendAfter_AnswersLater) {
  StartServer();
  RawConnection connection(server_->port());
  connection.Send("POST /later HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
  auto [request, responder] = inbox_.Take();
  const auto before = std::chrono::steady_clock::now();
  responder.SendAfter(HttpResponse::WithBody(200, "text/plain", "late"), 60);
  EXPECT_THAT(connection.ReadUntil("late"), HasSubstr("late"));
  EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(60));
}

TEST_F(HttpServerTest, CloseAndReset_GiveNoAnswer) {
  StartServer();
  for (const bool reset : {false, true}) {
    RawConnection connection(server_->port());
    connection.Send("POST /later HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    auto [request, responder] = inbox_.Take();
    if (reset) {
      responder.Reset();
    } else {
      responder.Close();
    }
    EXPECT_EQ(connection.ReadAll(), "");
    EXPECT_TRUE(connection.closed());
  }
}

TEST_F(HttpServerTest, LineEndInHeaderValue_DoesNotSplitTheResponse) {
  StartServer();
  RawConnection connection(server_->port());
  connection.Send("POST /later HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
  auto [request, responder] = inbox_.Take();
  HttpResponse response = HttpResponse::WithBody(200, "text/plain", "done");
  response.headers.Add("Location", "a\r\nX-Evil: 1");
  responder.Send(response);
  EXPECT_THAT(connection.ReadUntil("done"), Not(HasSubstr("\nX-Evil")));
}

TEST_F(HttpServerTest, BodyBytes_AreLimitedPerRoute) {
  StartServer();
  HttpClient client = Client();
  EXPECT_EQ(client.Post("/small", "1234").status, 200);
  EXPECT_EQ(client.Post("/small", "12345").status, 413);
  EXPECT_EQ(client.Post("/small", "1234", {{"Transfer-Encoding", "chunked"}}).status, 200);
  EXPECT_EQ(client.Post("/small", "12345", {{"Transfer-Encoding", "chunked"}}).status, 413);
}

TEST_F(HttpServerTest, DefaultBodyBytes_AreLimited) {
  options_.limits.body_bytes_max = 200'000;
  StartServer();
  HttpClient client = Client();
  EXPECT_EQ(client.Post("/echo", std::string(200'000, 'x')).status, 200);
  EXPECT_EQ(client.Post("/echo", std::string(200'001, 'x')).status, 413);
  // A length that is only claimed is refused at once, and nothing is allocated for it.
  const std::string answer =
      RawExchange("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4294967296\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, BodiesTogether_AreLimited) {
  options_.limits.bodies_bytes_max = 10;
  StartServer();
  HttpClient client = Client();
  EXPECT_EQ(client.Post("/echo", "1234567890").status, 200);
  EXPECT_EQ(client.Post("/echo", "12345678901").status, 503);
  RawConnection waiting(server_->port());
  waiting.Send("POST /later HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\n123456");
  auto [request, responder] = inbox_.Take();
  EXPECT_EQ(client.Post("/echo", "1234").status, 200);
  EXPECT_EQ(client.Post("/echo", "12345").status, 503);
  responder.Send(HttpResponse::WithBody(200, "text/plain", "done"));
  waiting.ReadUntil("done");
  EXPECT_EQ(client.Post("/echo", "12345").status, 200);
}

TEST_F(HttpServerTest, HeaderBytes_AreLimited) {
  options_.limits.header_bytes_max = 1'000;
  StartServer();
  const auto request_of = [](std::size_t bytes) {
    std::string head = "GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: ";
    head += std::string(bytes - head.size() - 4, 'x');
    return head + "\r\n\r\n";
  };
  EXPECT_THAT(RawExchange(request_of(1'000)), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(RawExchange(request_of(1'001)), StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpServerTest, ChunkExtension_IsLimited) {
  StartServer();
  RawConnection connection(server_->port());
  connection.Send("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;x=");
  // The server may stop reading before all of it is sent.
  connection.Send(std::string(4'000'000, 'x'));
  EXPECT_THAT(connection.ReadAll(), AnyOf(StartsWith("HTTP/1.1 431 "), ""));
  EXPECT_TRUE(connection.closed());
}

TEST_F(HttpServerTest, SlowHeader_Gives408) {
  options_.limits.header_timeout_ms = 50;
  StartServer();
  const std::string answer = RawExchange("GET /echo HTTP/1.1\r\nHost: loc");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 408 "));
}

TEST_F(HttpServerTest, SilentConnection_IsClosed) {
  options_.limits.header_timeout_ms = 50;
  StartServer();
  RawConnection connection(server_->port());
  EXPECT_EQ(connection.ReadAll(), "");
  EXPECT_TRUE(connection.closed());
}

TEST_F(HttpServerTest, IdleConnection_IsClosed) {
  options_.limits.idle_timeout_ms = 50;
  StartServer();
  RawConnection connection(server_->port());
  connection.Send("GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(connection.ReadAll(), HasSubstr("GET /echo 0 "));
  EXPECT_TRUE(connection.closed());
}

TEST_F(HttpServerTest, BodySlowerThanTheRate_Gives408) {
  options_.limits.header_timeout_ms = 50;
  options_.limits.body_bytes_per_second_min = 1'000;
  StartServer();
  const std::string answer =
      RawExchange("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n1234567890");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 408 "));
}

TEST_F(HttpServerTest, ConnectionsOfAnAddress_AreLimited) {
  options_.limits.connections_per_address_max = 2;
  StartServer();
  RawConnection first(server_->port());
  RawConnection second(server_->port());
  first.Send("GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n");
  second.Send("GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(first.ReadUntil("/echo 0 "), HasSubstr("200 OK"));
  EXPECT_THAT(second.ReadUntil("/echo 0 "), HasSubstr("200 OK"));
  RawConnection third(server_->port());
  EXPECT_THAT(third.ReadAll(), StartsWith("HTTP/1.1 503 "));
  EXPECT_TRUE(third.closed());
}

TEST_F(HttpServerTest, ConnectionsTogether_AreLimited) {
  options_.limits.connections_max = 1;
  StartServer();
  auto first = std::make_unique<RawConnection>(server_->port());
  first->Send("GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(first->ReadUntil("/echo 0 "), HasSubstr("200 OK"));
  EXPECT_THAT(RawConnection(server_->port()).ReadAll(), StartsWith("HTTP/1.1 503 "));
}

TEST_F(HttpServerTest, Expect100_IsAnsweredBeforeTheBodyComes) {
  StartServer();
  RawConnection connection(server_->port());
  connection.Send(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_THAT(connection.ReadUntil("\r\n\r\n"), StartsWith("HTTP/1.1 100 Continue\r\n\r\n"));
  connection.Send("ok");
  EXPECT_THAT(connection.ReadUntil("POST /echo 2 ok"), HasSubstr("HTTP/1.1 200 OK"));
}

TEST_F(HttpServerTest, Expect100OfRefusedRequest_GetsTheFinalAnswer) {
  StartServer();
  const std::string answer = RawExchange(
      "POST /small HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, RefusedRequest_IsRefusedBeforeItsBodyIsRead) {
  options_.authenticate = [](const HttpRequest& head) -> Result<Principal> {
    Principal principal;
    principal.kind = ActorKind::kCredential;
    const std::string_view token = head.headers.Get("Authorization");
    if (token == "Bearer ingest") principal.roles = {Role::kIngest};
    if (token == "Bearer audit") principal.roles = {Role::kAuditor};
    if (principal.roles.empty()) return Fail(Code::kUnauthorized, "no valid token");
    return principal;
  };
  StartServer();
  // No byte of the body is sent, and still the answer comes.
  EXPECT_THAT(RawExchange("POST /ingest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"),
              StartsWith("HTTP/1.1 401 "));
  HttpClient client = Client();
  EXPECT_EQ(client.Post("/ingest", "x", {{"Authorization", "Bearer ingest"}}).status, 200);
  EXPECT_EQ(client.Post("/ingest", "x", {{"Authorization", "Bearer audit"}}).status, 403);
  EXPECT_EQ(client.Get("/audit", {{"Authorization", "Bearer audit"}}).status, 200);
  EXPECT_EQ(client.Get("/audit", {{"Authorization", "Bearer ingest"}}).status, 403);
  EXPECT_EQ(client.Get("/echo").status, 200);     // public
  EXPECT_EQ(client.Get("/nowhere").status, 401);  // which routes exist is not told
}

TEST_F(HttpServerTest, Exchange_IsReportedWithPatternAndWithoutQuery) {
  std::mutex mutex;
  std::vector<HttpExchange> exchanges;
  options_.on_exchange = [&](const HttpExchange& exchange, const HttpRequest&) {
    const std::lock_guard lock(mutex);
    exchanges.push_back(exchange);
  };
  StartServer();
  HttpClient client = Client();
  client.Post("/echo?identifier=secret", "123");
  client.Get("/nowhere");
  server_.reset();
  ASSERT_EQ(exchanges.size(), 2u);
  EXPECT_EQ(exchanges[0].pattern, "/echo");
  EXPECT_EQ(exchanges[0].status, 200);
  EXPECT_EQ(exchanges[0].request_bytes, 3u);
  EXPECT_EQ(exchanges[1].pattern, "");
  EXPECT_EQ(exchanges[1].status, 404);
}

TEST_F(HttpServerTest, Problem_IsRenderedAsTheOwnerWants) {
  options_.render_problem = [](const HttpProblem& problem, std::string_view path) {
    return HttpResponse::WithBody(problem.status, "text/x", problem.code + " " + std::string(path));
  };
  StartServer();
  EXPECT_EQ(Client().Get("/no%20where").body, "not-found /no where");
}

TEST_F(HttpServerTest, Drain_FinishesWhatIsUnderWay) {
  StartServer();
  RawConnection idle(server_->port());
  idle.Send("GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n");
  idle.ReadUntil("/echo 0 ");
  RawConnection waiting(server_->port());
  waiting.Send("POST /later HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
  auto [request, responder] = inbox_.Take();
  bool drained = false;
  std::thread drain([&] { drained = server_->Drain(10'000); });
  idle.ReadAll();
  EXPECT_TRUE(idle.closed());
  EXPECT_FALSE(RawConnection(server_->port()).connected());
  responder.Send(HttpResponse::WithBody(200, "text/plain", "last"));
  EXPECT_THAT(waiting.ReadAll(), HasSubstr("Connection: close"));
  drain.join();
  EXPECT_TRUE(drained);
}

TEST_F(HttpServerTest, DrainDeadline_ClosesTheRest) {
  StartServer();
  RawConnection waiting(server_->port());
  waiting.Send("POST /later HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
  auto [request, responder] = inbox_.Take();
  EXPECT_FALSE(server_->Drain(20));
  EXPECT_EQ(waiting.ReadAll(), "");
}

class StoppedClock final : public Clock {
 public:
  TimeUs Now() override { return SystemClock().Now(); }
  std::int64_t MonotonicUs() override { return now_us; }
  std::atomic<std::int64_t> now_us = 0;
};

TEST_F(HttpServerTest, RequestsOfAClient_AreLimitedByItsCredentialElseItsAddress) {
  StoppedClock clock;
  options_.clock = &clock;
  options_.limits.requests_per_second_max = 2;
  options_.authenticate = [](const HttpRequest& head) -> Result<Principal> {
    if (!head.headers.Has("Authorization")) return Fail(Code::kUnauthorized, "who are you");
    Principal principal;
    principal.kind = ActorKind::kCredential;
    principal.id = std::string(head.headers.Get("Authorization"));
    principal.roles = RoleSet::All();
    return principal;
  };
  StartServer();
  HttpClient client = Client();
  const int burst = 2 * static_cast<int>(limits::kHttpRequestBurstSeconds);
  for (int i = 0; i < burst; ++i) EXPECT_EQ(client.Get("/audit").status, 401) << i;
  const HttpReply refused = client.Get("/audit");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.Header("Retry-After"), "1");
  EXPECT_EQ(client.Get("/echo").status, 429) << "public routes count too";
  EXPECT_EQ(client.Get("/audit", {{"Authorization", "a"}}).status, 200) << "it has shown who it is";
  for (int i = 1; i < burst; ++i) EXPECT_EQ(client.Get("/audit", {{"Authorization", "a"}}).status, 200);
  EXPECT_EQ(client.Post("/ingest", "body", {{"Authorization", "a"}}).status, 429);
  EXPECT_EQ(client.Get("/audit", {{"Authorization", "b"}}).status, 200);
  clock.now_us = 500'000;
  EXPECT_EQ(client.Get("/audit", {{"Authorization", "a"}}).status, 200);
  EXPECT_EQ(client.Get("/audit", {{"Authorization", "a"}}).status, 429);
  EXPECT_EQ(server_->throttled_requests(), 4);
}

TEST_F(HttpServerTest, AddressOutsideLoopback_IsRefused) {
  for (const char* address : {"0.0.0.0:0", "[::]:0", "192.0.2.1:0"}) {
    HttpServerOptions options;
    options.address = *ParseListenAddress(address);
    const auto server = HttpServer::Start(options, *Router::Create({}));
    ASSERT_FALSE(server) << address;
    EXPECT_EQ(server.error().code, Code::kConfiguration);
    EXPECT_THAT(server.error().message, HasSubstr("TLS and authentication"));
  }
}

TEST_F(HttpServerTest, TakenPort_IsNamed) {
  StartServer();
  HttpServerOptions options;
  options.address.port = server_->port();
  const auto second = HttpServer::Start(options, *Router::Create({}));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kInputOutput);
  EXPECT_THAT(second.error().message, HasSubstr(std::to_string(server_->port())));
}

TEST_F(HttpServerTest, Ipv6Loopback_Works) {
  options_.address = *ParseListenAddress("[::1]:0");
  StartServer();
  HttpClient client("http://" + server_->address());
  EXPECT_EQ(client.Get("/echo").status, 200);
}

TEST_F(HttpServerTest, UnixSocket_IsPrivateAndNamesThePeer) {
  const test::TemporaryDirectory directory;
  options_.unix_socket_path = directory.File("control.sock");
  StartServer();
  struct stat status{};
  ASSERT_EQ(stat(options_.unix_socket_path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  std::thread answerer([this] {
    auto [request, responder] = inbox_.Take();
    responder.Send(HttpResponse::WithBody(200, "text/plain",
                                          request.principal.id + " " + request.principal.authentication));
  });
  HttpClient client("http://adapter", options_.unix_socket_path);
  EXPECT_EQ(client.Post("/later", "").body, "uid:" + std::to_string(getuid()) + " peer-credentials");
  answerer.join();
  server_.reset();
  EXPECT_NE(stat(options_.unix_socket_path.c_str(), &status), 0);
}

TEST_F(HttpServerTest, UnixSocketInUse_IsRefusedAndStaleOneReplaced) {
  const test::TemporaryDirectory directory;
  options_.unix_socket_path = directory.File("control.sock");
  StartServer();
  const auto second = HttpServer::Start(options_, *Router::Create({}));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kStoreLocked);
  // A hard link survives the server and is then a socket on which nobody listens.
  const std::string stale = directory.File("stale.sock");
  ASSERT_EQ(link(options_.unix_socket_path.c_str(), stale.c_str()), 0);
  server_.reset();
  options_.unix_socket_path = stale;
  StartServer();
  EXPECT_EQ(HttpClient("http://adapter", stale).Get("/echo").status, 200);
}

TEST_F(HttpServerTest, UnixSocketPath_MustBeFreeAndShort) {
  const test::TemporaryDirectory directory;
  options_.unix_socket_path = directory.Write("file", "content");
  EXPECT_EQ(HttpServer::Start(options_, *Router::Create({})).error().code, Code::kInputOutput);
  options_.unix_socket_path = "/tmp/" + std::string(103, 'x');  // 108 bytes; 107 fit
  EXPECT_EQ(HttpServer::Start(options_, *Router::Create({})).error().code, Code::kConfiguration);
}

TEST_F(HttpServerTest, OneIoThread_ServesTwoServers) {
  IoThread io_thread;
  options_.io_thread = &io_thread;
  StartServer();
  std::vector<Route> routes;
  routes.push_back({"GET", "/echo", {}, true, Echo, 0});
  auto second = HttpServer::Start(options_, *Router::Create(std::move(routes)));
  ASSERT_TRUE(second);
  HttpClient client("http://127.0.0.1:" + std::to_string((*second)->port()));
  EXPECT_EQ(client.Get("/echo").status, 200);
  EXPECT_EQ(Client().Get("/echo").status, 200);
  second->reset();
  server_.reset();
}

// What request smuggling and sloppy parsers live on: each is refused, and the connection ends, so that
// nothing behind it is taken for a request.
struct Smuggled {
  const char* name;
  std::string bytes;
  int status;
};

class Smuggling : public HttpServerTest, public testing::WithParamInterface<Smuggled> {};

TEST_P(Smuggling, Request_IsRefusedAndTheConnectionCloses) {
  StartServer();
  RawConnection connection(server_->port());
  connection.Send(GetParam().bytes + "GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string answer = connection.ReadAll();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::to_string(GetParam().status)));
  EXPECT_THAT(answer, Not(HasSubstr("GET /echo")));
  EXPECT_TRUE(connection.closed());
}

std::string Post(const std::string& fields, const std::string& body) {
  return "POST /echo HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n" + body;
}

INSTANTIATE_TEST_SUITE_P(
    Corpus, Smuggling,
    testing::Values(
        Smuggled{"length_and_chunked",
                 Post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
        Smuggled{"chunked_and_length",
                 Post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), 400},
        Smuggled{"length_twice_equal", Post("Content-Length: 2\r\nContent-Length: 2\r\n", "ab"), 400},
        Smuggled{"length_twice_different", Post("Content-Length: 2\r\nContent-Length: 3\r\n", "abc"), 400},
        Smuggled{"length_list", Post("Content-Length: 2, 2\r\n", "ab"), 400},
        Smuggled{"length_sign", Post("Content-Length: +2\r\n", "ab"), 400},
        Smuggled{"length_negative", Post("Content-Length: -1\r\n", ""), 400},
        Smuggled{"length_hex", Post("Content-Length: 0x2\r\n", "ab"), 400},
        Smuggled{"length_overflow", Post("Content-Length: 18446744073709551617\r\n", "a"), 400},
        Smuggled{"chunked_twice",
                 Post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
        Smuggled{"chunked_identity", Post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"), 501},
        Smuggled{"chunked_unknown", Post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 501},
        Smuggled{"space_before_colon", Post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), 400},
        Smuggled{"chunk_size_not_hex", Post("Transfer-Encoding: chunked\r\n", "zz\r\nab\r\n0\r\n\r\n"), 400},
        Smuggled{"chunk_size_negative", Post("Transfer-Encoding: chunked\r\n", "-1\r\nab\r\n0\r\n\r\n"), 400},
        Smuggled{"chunk_size_overflow",
                 Post("Transfer-Encoding: chunked\r\n", "FFFFFFFFFFFFFFFFF\r\nab\r\n0\r\n\r\n"), 400},
        Smuggled{"chunk_without_line_end", Post("Transfer-Encoding: chunked\r\n", "2\r\nabXX0\r\n\r\n"), 400},
        Smuggled{"bare_line_feeds", "POST /echo HTTP/1.1\nHost: localhost\nContent-Length: 0\n\n", 505},
        Smuggled{"two_hosts", "GET /echo HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 400},
        Smuggled{"no_host", "GET /echo HTTP/1.1\r\n\r\n", 400},
        Smuggled{"other_host", "GET /echo HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421},
        Smuggled{"garbage", std::string("\x16\x03\x01\x02\x00\r\n\r\n", 9), 400},
        Smuggled{"no_version", "GET /echo\r\n\r\n", 400},
        Smuggled{"version_2", "GET /echo HTTP/2.0\r\nHost: localhost\r\n\r\n", 505},
        Smuggled{"nul_in_value", std::string("GET /echo HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n", 46),
                 400},
        Smuggled{"gzip", Post("Content-Encoding: gzip\r\nContent-Length: 2\r\n", "ab"), 415},
        Smuggled{"bad_escape", "GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400}),
    [](const testing::TestParamInfo<Smuggled>& example) { return example.param.name; });

}  // namespace
}  // namespace fhir_adapter::net
