#include "net/detail/http_session.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <chrono>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "net/detail/session_timer.h"

namespace fhir_adapter::net {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::size_t kReadChunkBytes = 64 * 1024;
constexpr std::size_t kFirstReadBytes = 4 * 1024;     // of a request over TLS
constexpr std::size_t kLingerBytesMax = 1024 * 1024;  // read and thrown away before an early close
constexpr std::int64_t kLingerMs = 1'000;
constexpr std::size_t kClientApplicationBytesMax = 200;

// A line end in a header value would begin another header.
std::string OneLine(std::string value) {
  std::replace_if(
      value.begin(), value.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
  return value;
}

bool IsSetByServer(std::string_view name) {
  for (const std::string_view own :
       {"Connection", "Content-Length", "Date", "Keep-Alive", "Transfer-Encoding", "X-Request-Id"}) {
    if (EqualIgnoringCase(name, own)) return true;
  }
  return false;
}

class Session final : public HttpSession, public std::enable_shared_from_this<Session> {
 public:
  Session(StreamSocket socket, HttpServerContext& context, HttpPeer peer)
      : stream_(std::move(socket), context.options.tls ? context.options.tls->material() : nullptr),
        timer_(stream_.get_executor()),
        context_(context),
        peer_(std::move(peer)),
        buffer_(context.policy.limits.header_bytes_max + kReadChunkBytes) {}

  void Register() {
    ++context_.connections;
    ++context_.connections_by_address[peer_.address];
    context_.sessions.emplace(this, shared_from_this());
  }

  ~Session() override {
    if (auto found = context_.connections_by_address.find(peer_.address);
        found != context_.connections_by_address.end() && --found->second == 0) {
      context_.connections_by_address.erase(found);
    }
    const std::lock_guard lock(context_.mutex);
    if (--context_.connections == 0) context_.all_closed.notify_all();
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void Start();
  void Close() override;
  void CloseWhenIdle() override {
    if (state_ == State::kIdle || state_ == State::kHandshake) Close();
  }
  void OnAnswer(Responder::Sink::Answer answer);

 private:
  enum class State { kHandshake, kIdle, kHead, kBody, kHandling, kDelay, kWrite, kLinger, kClosed };
  using Parser = http::request_parser<http::buffer_body>;

  void OnHandshake(error_code error);
  void WaitForRequest();
  void ReadHead();
  void OnHead(error_code error);
  std::optional<HttpProblem> AcceptHead();
  std::optional<HttpProblem> Authorize(const RouteMatch& match);
  void NameClient();
  std::optional<HttpProblem> CheckRate();
  void StartBody();
  void ReadBody();
  void OnBody(error_code error);
  void Dispatch();
  void RespondToReadError(error_code error);
  void RespondProblem(const HttpProblem& problem);
  void Write(HttpResponse response);
  std::string ResponseHead(const HttpResponse& response) const;
  void OnWritten(error_code error);
  void Linger();
  void LingerOnSocket();
  void ReadLinger();
  void FinishExchange(int status, std::size_t response_bytes);
  void ReleaseBody();
  void ArmTimer(std::int64_t milliseconds);
  void OnTimer();
  const HttpLimits& limits() const { return context_.policy.limits; }

  SecureStream stream_;
  SessionTimer timer_;
  HttpServerContext& context_;
  HttpPeer peer_;
  State state_ = State::kIdle;
  bool is_first_request_ = true;
  bool timed_out_ = false;

  // What was read beyond the current request stays for the next. Bounded, since a chunk's extensions are read
  // whole before they are skipped.
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  HttpRequest request_;
  const Route* route_ = nullptr;
  std::string pattern_;
  std::vector<std::string> allowed_methods_;  // for the Allow header of a 405
  std::string body_;
  std::size_t body_bytes_max_ = 0;
  std::size_t body_bytes_ = 0;  // counted in context_.body_bytes
  std::vector<char> chunk_;
  std::chrono::steady_clock::time_point body_start_;
  std::int64_t start_us_ = 0;
  bool close_after_ = false;
  bool is_head_ = false;

  HttpResponse response_;
  std::string response_head_;
  int response_status_ = 0;
  std::size_t linger_bytes_ = 0;
};

class SessionSink final : public Responder::Sink {
 public:
  SessionSink(std::weak_ptr<Session> session, std::shared_ptr<IoGate> gate)
      : session_(std::move(session)), gate_(std::move(gate)) {}

  void Complete(Answer answer) override {
    gate_->Post([session = std::move(session_), answer = std::move(answer)]() mutable {
      if (const std::shared_ptr<Session> open = session.lock()) open->OnAnswer(std::move(answer));
    });
  }

 private:
  std::weak_ptr<Session> session_;
  std::shared_ptr<IoGate> gate_;  // outlives the server
};

void Session::Start() {
  if (!stream_.is_tls()) return WaitForRequest();
  state_ = State::kHandshake;
  ArmTimer(limits().handshake_timeout_ms);
  stream_.async_handshake([self = shared_from_this()](error_code error) { self->OnHandshake(error); });
}

void Session::OnHandshake(error_code error) {
  if (state_ != State::kHandshake) return Close();
  timer_.Stop();
  if (error) {
    ++context_.handshakes_failed;
    return LingerOnSocket();  // so that the client sees the alert that says why
  }
  peer_.certificate_sha256 = stream_.ClientCertificateSha256();
  WaitForRequest();
}

void Session::WaitForRequest() {
  if (context_.draining) return Close();
  state_ = State::kIdle;
  timed_out_ = false;
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(limits().header_bytes_max));
  // The route decides the limit, and it is not known yet. (No limit at all refuses every body in Boost 1.74.)
  parser_->body_limit(std::numeric_limits<std::uint64_t>::max());
  request_ = {};
  route_ = nullptr;
  pattern_.clear();
  allowed_methods_.clear();
  start_us_ = context_.clock->MonotonicUs();
  if (buffer_.size() > 0) return ReadHead();
  ArmTimer(is_first_request_ ? limits().header_timeout_ms : limits().idle_timeout_ms);
  is_first_request_ = false;
  if (stream_.is_tls()) {
    // What was received and not yet decrypted does not show on the socket.
    stream_.async_read_some(buffer_.prepare(kFirstReadBytes),
                            [self = shared_from_this()](error_code error, std::size_t bytes) {
                              if (error || self->state_ != State::kIdle) return self->Close();
                              self->buffer_.commit(bytes);
                              self->ReadHead();
                            });
    return;
  }
  stream_.socket().async_wait(StreamSocket::wait_read, [self = shared_from_this()](error_code error) {
    if (error || self->state_ != State::kIdle) return self->Close();
    self->ReadHead();
  });
}

void Session::ReadHead() {
  state_ = State::kHead;
  start_us_ = context_.clock->MonotonicUs();
  ArmTimer(limits().header_timeout_ms);
  http::async_read_header(stream_, buffer_, *parser_,
                          [self = shared_from_this()](error_code error, std::size_t bytes) {
                            // The parser's own limit counts only while the head is incomplete.
                            if (!error && bytes > self->limits().header_bytes_max) {
                              error = http::error::header_limit;
                            }
                            self->OnHead(error);
                          });
}

void Session::OnHead(error_code error) {
  if (state_ == State::kClosed) return;
  if (timed_out_ || error) return RespondToReadError(error);
  timer_.Stop();
  close_after_ = true;  // until the head is found good, what follows it cannot be trusted
  is_head_ = parser_->get().method() == http::verb::head;
  if (auto problem = AcceptHead()) return RespondProblem(*problem);
  if (parser_->is_done()) {
    close_after_ = !parser_->keep_alive();
    return Dispatch();
  }
  StartBody();
}

std::optional<HttpProblem> Session::AcceptHead() {
  HttpHead head;
  const auto& message = parser_->get();
  head.method = std::string(message.method_string());
  head.target = std::string(message.target());
  head.version = static_cast<int>(message.version());
  for (const auto& field : message) {
    head.headers.Add(std::string(field.name_string()), std::string(field.value()));
  }
  if (auto problem = CheckHead(head, context_.policy)) return problem;
  const std::string raw_path(RawPath(head.target));
  Result<HttpRequest> request = RequestOf(std::move(head));
  if (!request) return HttpProblem{400, "target", request.error().message};
  request_ = std::move(*request);
  request_.peer_address = peer_.address;
  request_.client_certificate_sha256 = peer_.certificate_sha256;
  Result<RouteMatch> match = context_.router.Find(request_.method, raw_path);
  if (!match) return HttpProblem{400, "target", match.error().message};
  if (match->route != nullptr) pattern_ = match->route->pattern;
  auto refused = Authorize(*match);
  if (auto problem = CheckRate()) return problem;  // what is refused counts too
  if (refused) return refused;
  route_ = match->route;
  request_.path_parameters = std::move(match->path_parameters);
  body_bytes_max_ = route_->body_bytes_max > 0 ? route_->body_bytes_max : limits().body_bytes_max;
  const auto length = parser_->content_length();
  if (length && *length > body_bytes_max_) {
    return HttpProblem{413, "limit", "the body is longer than " + std::to_string(body_bytes_max_) + " bytes"};
  }
  return std::nullopt;
}

// Who it is comes before what there is: without a credential nobody learns which routes exist.
std::optional<HttpProblem> Session::Authorize(const RouteMatch& match) {
  const bool is_public = match.route != nullptr && match.route->is_public;
  request_.principal = peer_.local_principal;
  if (context_.options.authenticate) {
    Result<Principal> principal = context_.options.authenticate(request_);
    if (principal) {
      request_.principal = std::move(*principal);
    } else if (is_public) {
      request_.principal = {};
    } else {
      request_.principal = {};
      NameClient();
      HttpProblem problem = ProblemOf(principal.error());
      if (principal.error().code == Code::kUnauthorized) problem.status = 401;
      return problem;
    }
  }
  NameClient();
  if (match.route == nullptr && match.allowed_methods.empty()) {
    return HttpProblem{404, "not-found", "there is no such route"};
  }
  if (match.route == nullptr) {
    allowed_methods_ = match.allowed_methods;
    return HttpProblem{405, "method-not-allowed", "the route has no method " + request_.method};
  }
  if (!is_public && !match.route->roles.Intersects(request_.principal.roles)) {
    return HttpProblem{403, "forbidden", "the credential lacks the role that this route needs"};
  }
  return std::nullopt;
}

void Session::NameClient() {
  request_.principal.client_address = peer_.address;
  request_.principal.client_application =
      std::string(request_.headers.Get("User-Agent").substr(0, kClientApplicationBytesMax));
  request_.principal.request_id = request_.request_id;
}

std::optional<HttpProblem> Session::CheckRate() {
  if (peer_.address.empty()) return std::nullopt;  // a user of this machine, on the Unix-domain socket
  const Principal& who = request_.principal;
  const bool is_known = who.kind == ActorKind::kCredential;
  const std::string client = is_known ? who.authentication + " " + who.id : peer_.address;
  const std::int64_t wait_ms = context_.rate.Take(client, context_.clock->MonotonicUs());
  if (wait_ms == 0) return std::nullopt;
  ++context_.throttled;
  HttpProblem problem{429, "rate-limit",
                      "more than " + std::to_string(limits().requests_per_second_max) +
                          " requests a second: send again later"};
  problem.retry_after_s = (wait_ms + 999) / 1'000;
  return problem;
}

void Session::StartBody() {
  state_ = State::kBody;
  body_.clear();
  chunk_.resize(kReadChunkBytes);
  body_start_ = std::chrono::steady_clock::now();
  if (request_.headers.Has("Expect") && buffer_.size() == 0) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    ArmTimer(limits().header_timeout_ms);
    asio::async_write(stream_, asio::buffer(kContinue),
                      [self = shared_from_this()](error_code error, std::size_t) {
                        if (error) return self->Close();
                        self->ReadBody();
                      });
    return;
  }
  ReadBody();
}

void Session::ReadBody() {
  // The sender owes a minimum rate on average; what has come extends the deadline.
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - body_start_);
  const std::int64_t earned_ms = static_cast<std::int64_t>(
      body_.size() * 1'000 / std::max<std::size_t>(limits().body_bytes_per_second_min, 1));
  ArmTimer(std::max<std::int64_t>(limits().header_timeout_ms + earned_ms - elapsed.count(), 0));
  auto& body = parser_->get().body();
  body.data = chunk_.data();
  body.size = chunk_.size();
  http::async_read_some(stream_, buffer_, *parser_,
                        [self = shared_from_this()](error_code error, std::size_t) { self->OnBody(error); });
}

void Session::OnBody(error_code error) {
  if (state_ == State::kClosed) return;
  if (error == http::error::need_buffer) error = {};
  if (timed_out_ || error) return RespondToReadError(error);
  const std::size_t bytes = chunk_.size() - parser_->get().body().size;
  if (bytes > body_bytes_max_ - body_.size()) {
    return RespondProblem(
        {413, "limit", "the body is longer than " + std::to_string(body_bytes_max_) + " bytes"});
  }
  if (context_.body_bytes + bytes > limits().bodies_bytes_max) {
    return RespondProblem({503, "not-ready", "too many large requests at once: send again later"});
  }
  body_.append(chunk_.data(), bytes);
  body_bytes_ += bytes;
  context_.body_bytes += bytes;
  if (!parser_->is_done()) return ReadBody();
  close_after_ = !parser_->keep_alive();
  Dispatch();
}

void Session::Dispatch() {
  timer_.Stop();
  state_ = State::kHandling;
  chunk_ = {};
  HttpRequest request = request_;
  request.body = std::move(body_);
  body_.clear();
  Responder responder(std::make_unique<SessionSink>(weak_from_this(), context_.gate));
  try {
    route_->handler(std::move(request), std::move(responder));
  } catch (const std::exception&) {
    // The responder has gone with the handler, so the client gets its 500; what state is left, nobody knows.
    close_after_ = true;
  }
}

void Session::OnAnswer(Responder::Sink::Answer answer) {
  if (state_ != State::kHandling) return;
  if (answer.kind != Responder::Sink::Kind::kSend) {
    if (answer.kind == Responder::Sink::Kind::kReset) {
      error_code ignored;
      static_cast<void>(stream_.socket().set_option(asio::socket_base::linger(true, 0), ignored));
    }
    FinishExchange(0, 0);
    return Close();
  }
  if (answer.delay_ms <= 0) return Write(std::move(answer.response));
  response_ = std::move(answer.response);
  state_ = State::kDelay;
  ArmTimer(answer.delay_ms);
}

void Session::RespondToReadError(error_code error) {
  close_after_ = true;
  if (timed_out_) {
    // Nobody waits for an answer to a request that was never begun.
    if (state_ == State::kHead && buffer_.size() == 0) return Close();
    return RespondProblem({408, "timeout", "the request did not arrive in time"});
  }
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return RespondProblem(
        {431, "limit",
         "the head of the request is longer than " + std::to_string(limits().header_bytes_max) + " bytes"});
  }
  if (error == http::error::end_of_stream || error == http::error::partial_message) return Close();
  if (error == http::error::bad_version)
    return RespondProblem({505, "http-version", "this server speaks HTTP/1.1"});
  if (error.category() == http::make_error_code(http::error::end_of_stream).category()) {
    return RespondProblem({400, "http-syntax", "the request is not HTTP/1.1"});
  }
  Close();
}

void Session::RespondProblem(const HttpProblem& problem) {
  timer_.Stop();
  body_.clear();
  chunk_ = {};
  HttpResponse response = context_.options.render_problem
                              ? context_.options.render_problem(problem, request_.path)
                              : ProblemResponse(problem);
  if (problem.status == 405) {
    std::string allow;
    for (const std::string& method : allowed_methods_) allow += (allow.empty() ? "" : ", ") + method;
    response.headers.Set("Allow", allow);
  }
  if (problem.status == 401) response.headers.Set("WWW-Authenticate", "Bearer");
  if (problem.status == 415) response.headers.Set("Accept-Encoding", "identity");
  if (problem.retry_after_s > 0 || problem.status == 503) {
    response.headers.Set("Retry-After", std::to_string(std::max<std::int64_t>(problem.retry_after_s, 1)));
  }
  // A request without a body leaves the connection in a known state.
  const bool is_orderly = (problem.status >= 401 && problem.status <= 405) || problem.status == 429;
  if (parser_->is_done() && is_orderly) {
    close_after_ = !parser_->keep_alive();
  }
  Write(std::move(response));
}

std::string Session::ResponseHead(const HttpResponse& response) const {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  head += ReasonPhrase(response.status);
  head += "\r\nDate: " + HttpDate(context_.clock->Now()) + "\r\n";
  for (const HttpHeader& field : response.headers.all()) {
    if (!IsSetByServer(field.name)) head += OneLine(field.name) + ": " + OneLine(field.value) + "\r\n";
  }
  if (!response.headers.Has("Cache-Control")) head += "Cache-Control: no-store\r\n";
  head += "X-Content-Type-Options: nosniff\r\n";
  if (!request_.request_id.empty()) head += "X-Request-Id: " + request_.request_id + "\r\n";
  if (response.status != 204 && response.status != 304) {
    head += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
  }
  head += close_after_ ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n";
  return head;
}

void Session::Write(HttpResponse response) {
  state_ = State::kWrite;
  if (context_.draining) close_after_ = true;
  response_ = std::move(response);
  response_status_ = response_.status;
  response_head_ = ResponseHead(response_);
  if (is_head_ || response_.status == 204 || response_.status == 304) response_.body.clear();
  const std::size_t bytes = response_head_.size() + response_.body.size();
  ArmTimer(limits().idle_timeout_ms +
           static_cast<std::int64_t>(bytes * 1'000 /
                                     std::max<std::size_t>(limits().body_bytes_per_second_min, 1)));
  const std::array<asio::const_buffer, 2> buffers = {asio::buffer(response_head_),
                                                     asio::buffer(response_.body)};
  asio::async_write(stream_, buffers,
                    [self = shared_from_this()](error_code error, std::size_t) { self->OnWritten(error); });
}

void Session::OnWritten(error_code error) {
  FinishExchange(error ? 0 : response_status_, response_.body.size());
  if (state_ == State::kClosed) return;
  timer_.Stop();
  response_ = {};
  if (error) return Close();
  if (close_after_) return Linger();
  WaitForRequest();
}

// Closing while the client still sends would make the system answer with a reset, which can overtake the
// response. So what comes is read and dropped for a moment.
void Session::Linger() {
  if (!stream_.is_tls()) return LingerOnSocket();
  state_ = State::kLinger;
  ArmTimer(kLingerMs);
  stream_.async_shutdown([self = shared_from_this()](error_code) {
    if (self->state_ == State::kLinger) self->LingerOnSocket();
  });
}

void Session::LingerOnSocket() {
  state_ = State::kLinger;
  error_code ignored;
  static_cast<void>(stream_.socket().shutdown(StreamSocket::shutdown_send, ignored));
  chunk_.resize(kReadChunkBytes);
  ArmTimer(kLingerMs);
  ReadLinger();
}

void Session::ReadLinger() {
  stream_.socket().async_read_some(asio::buffer(chunk_),
                                   [self = shared_from_this()](error_code error, std::size_t bytes) {
                                     self->linger_bytes_ += bytes;
                                     if (error || self->linger_bytes_ > kLingerBytesMax) return self->Close();
                                     self->ReadLinger();
                                   });
}

void Session::FinishExchange(int status, std::size_t response_bytes) {
  const std::size_t request_bytes = body_bytes_;
  ReleaseBody();
  if (!context_.options.on_exchange) return;
  HttpExchange exchange;
  exchange.method = request_.method;
  exchange.pattern = pattern_;
  exchange.request_id = request_.request_id;
  exchange.status = status;
  exchange.duration_us = context_.clock->MonotonicUs() - start_us_;
  exchange.request_bytes = request_bytes;
  exchange.response_bytes = response_bytes;
  context_.options.on_exchange(exchange, request_);
}

void Session::ReleaseBody() {
  context_.body_bytes -= body_bytes_;
  body_bytes_ = 0;
}

void Session::Close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  timer_.Stop();
  ReleaseBody();
  error_code ignored;
  static_cast<void>(stream_.socket().close(ignored));
  context_.sessions.erase(this);  // may be the last reference but the caller's
}

void Session::ArmTimer(std::int64_t milliseconds) {
  timer_.Arm(milliseconds, [self = shared_from_this()] { self->OnTimer(); });
}

void Session::OnTimer() {
  switch (state_) {
    case State::kHead:
    case State::kBody: {
      timed_out_ = true;
      error_code ignored;
      static_cast<void>(stream_.socket().cancel(ignored));
      return;
    }
    case State::kDelay:
      return Write(std::move(response_));
    case State::kHandling:
    case State::kClosed:
      return;
    case State::kHandshake:
    case State::kIdle:
    case State::kWrite:
    case State::kLinger:
      return Close();
  }
}

}  // namespace

void StartHttpSession(StreamSocket socket, HttpServerContext& context, HttpPeer peer) {
  const auto session = std::make_shared<Session>(std::move(socket), context, std::move(peer));
  session->Register();
  session->Start();
}

}  // namespace fhir_adapter::net
