#include "intake/mllp_server.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unordered_map>
#include <utility>

#include "core/log.h"
#include "intake/mllp_codec.h"
#include "net/detail/io_context.h"
#include "net/detail/listener.h"
#include "net/detail/secure_stream.h"
#include "net/detail/session_timer.h"
#include "net/io_thread.h"
#include "net/socket.h"

namespace fhir_adapter::intake {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using net::StreamSocket;

constexpr std::size_t kReadChunkBytes = 64 * 1024;
constexpr std::size_t kLingerBytesMax = 1024 * 1024;  // read and thrown away before an early close
constexpr std::int64_t kLingerMs = 1'000;

class Session;

// What the connections share. All of it is the I/O thread's but the atomics and what the mutex guards.
struct ServerContext {
  explicit ServerContext(MllpServer::Options server_options) : options(std::move(server_options)) {}

  MllpServer::Options options;
  std::shared_ptr<net::IoGate> gate;  // shared: answers may come after the server has gone
  bool draining = false;
  // Shared: a connection that waits for its answer has no pending operation that would keep it.
  std::unordered_map<Session*, std::shared_ptr<Session>> sessions;
  std::atomic<std::size_t> connections = 0;  // counts until the session is destroyed
  std::atomic<std::int64_t> messages[kMllpOutcomes] = {};
  std::atomic<std::int64_t> frames_broken = 0;
  std::atomic<std::int64_t> connections_refused = 0;
  std::atomic<std::int64_t> handshakes_failed = 0;
  std::mutex mutex;
  std::condition_variable all_closed;  // connections went to 0
};

class Session final : public std::enable_shared_from_this<Session> {
 public:
  Session(StreamSocket socket, ServerContext& context, std::string peer_address)
      : stream_(std::move(socket), context.options.tls ? context.options.tls->material() : nullptr),
        timer_(stream_.get_executor()),
        context_(context),
        peer_address_(std::move(peer_address)),
        decoder_(context.options.limits.message_bytes_max),
        chunk_(kReadChunkBytes, '\0') {
    ++context_.connections;
  }
  ~Session() {
    const std::lock_guard lock(context_.mutex);
    if (--context_.connections == 0) context_.all_closed.notify_all();
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void Start();
  void Close();
  void CloseWhenIdle() {
    if (state_ == State::kHandshake || (state_ == State::kReading && !decoder_.is_inside())) Close();
  }
  // Has never brought a whole message, and nothing of it is being handled.
  bool may_give_way() const {
    return !has_brought_ && (state_ == State::kHandshake || state_ == State::kReading);
  }
  void GiveWay() {
    if (decoder_.is_inside()) ++context_.frames_broken;
    Close();
  }
  std::chrono::steady_clock::time_point begin() const { return begin_; }
  const std::string& peer_address() const { return peer_address_; }

 private:
  enum class State { kHandshake, kReading, kHandling, kWriting, kLinger, kClosed };

  void OnHandshake(error_code error);
  void TakeNext();
  void Read();
  void OnRead(error_code error, std::size_t bytes);
  void Hand(std::string message, bool is_too_large);
  void OnAnswer(const MllpReply& reply);
  void OnWritten(error_code error);
  void Linger();
  void Break(std::string_view reason);
  void ArmTimer(std::int64_t milliseconds);
  void OnTimer();
  const MllpLimits& limits() const { return context_.options.limits; }

  net::SecureStream stream_;
  net::SessionTimer timer_;
  ServerContext& context_;
  const std::string peer_address_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::string certificate_sha256_;
  State state_ = State::kReading;
  bool has_brought_ = false;
  MllpDecoder decoder_;
  std::string chunk_;
  std::size_t frames_given_up_ = 0;
  bool is_waiting_ = true;                            // no frame has begun since the last answer
  std::chrono::steady_clock::time_point wait_begin_;  // of the wait for a frame, or for its rest
  bool close_after_ = false;
  std::string answer_;
  std::size_t linger_bytes_ = 0;
};

void Session::Start() {
  context_.sessions.emplace(this, shared_from_this());
  wait_begin_ = std::chrono::steady_clock::now();
  if (!stream_.is_tls()) return TakeNext();
  state_ = State::kHandshake;
  ArmTimer(limits().handshake_timeout_ms);
  stream_.async_handshake([self = shared_from_this()](error_code error) { self->OnHandshake(error); });
}

void Session::OnHandshake(error_code error) {
  if (state_ != State::kHandshake) return Close();
  timer_.Stop();
  if (error) {
    ++context_.handshakes_failed;
    return Close();
  }
  certificate_sha256_ = stream_.ClientCertificateSha256();
  wait_begin_ = std::chrono::steady_clock::now();
  TakeNext();
}

// What has come already goes before what is still to come.
void Session::TakeNext() {
  state_ = State::kReading;
  auto message = decoder_.Next();
  context_.frames_broken += static_cast<std::int64_t>(decoder_.frames_given_up() - frames_given_up_);
  frames_given_up_ = decoder_.frames_given_up();
  has_brought_ = has_brought_ || message.has_value();
  if (message) return Hand(std::move(*message), false);
  if (decoder_.is_too_large()) return Hand(std::string(decoder_.partial()), true);
  if (context_.draining && !decoder_.is_inside()) return Close();
  Read();
}

void Session::Read() {
  if (decoder_.is_inside() && std::exchange(is_waiting_, false))
    wait_begin_ = std::chrono::steady_clock::now();
  // A sender of a frame owes a rate on average; bytes between frames earn nothing.
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - wait_begin_);
  ArmTimer(MllpTimeLeftMs(limits(), decoder_.is_inside() ? decoder_.partial().size() : 0, elapsed.count()));
  stream_.async_read_some(
      asio::buffer(chunk_.data(), chunk_.size()),
      [self = shared_from_this()](error_code error, std::size_t bytes) { self->OnRead(error, bytes); });
}

void Session::OnRead(error_code error, std::size_t bytes) {
  if (state_ != State::kReading) return;
  timer_.Stop();
  if (error) return decoder_.is_inside() ? Break("mllp-frame-not-ended") : Close();
  decoder_.Push(std::string_view(chunk_).substr(0, bytes));
  TakeNext();
}

void Session::Hand(std::string message, bool is_too_large) {
  state_ = State::kHandling;
  if (is_too_large) {
    ++context_.frames_broken;
    close_after_ = true;
    LogEvent(LogLevel::kWarning, "mllp-frame-too-large", {{"client", peer_address_}});
  }
  MllpFrame frame;
  frame.message = std::move(message);
  frame.is_too_large = is_too_large;
  frame.peer_address = peer_address_;
  frame.certificate_sha256 = certificate_sha256_;
  MllpServer::Answer answer = [session = weak_from_this(), gate = context_.gate](MllpReply reply) {
    gate->Post([session, reply = std::move(reply)] {
      if (const auto open = session.lock()) open->OnAnswer(reply);
    });
  };
  try {
    context_.options.handler(frame, std::move(answer));
  } catch (const std::exception&) {
    Break("mllp-message-not-handled");  // without an answer: the sender sends it again
  }
}

void Session::OnAnswer(const MllpReply& reply) {
  if (state_ != State::kHandling) return;
  for (const MllpOutcome outcome : reply.outcomes) ++context_.messages[static_cast<std::size_t>(outcome)];
  if (reply.is_broken) return Break("mllp-message-not-handled");
  if (reply.message.empty()) return OnWritten({});
  state_ = State::kWriting;
  answer_ = FrameMllp(reply.message);
  ArmTimer(limits().idle_timeout_ms);
  asio::async_write(stream_, asio::buffer(answer_),
                    [self = shared_from_this()](error_code error, std::size_t) { self->OnWritten(error); });
}

void Session::OnWritten(error_code error) {
  if (state_ == State::kClosed) return;
  timer_.Stop();
  if (error || context_.draining) return Close();
  if (close_after_) return Linger();
  is_waiting_ = true;
  wait_begin_ = std::chrono::steady_clock::now();
  TakeNext();
}

// Closing while the sender still sends would make the system answer with a reset, which can overtake the
// acknowledgement. So what comes is read and dropped for a moment.
void Session::Linger() {
  if (state_ != State::kLinger) {
    state_ = State::kLinger;
    ArmTimer(kLingerMs);
    error_code ignored;
    static_cast<void>(stream_.socket().shutdown(StreamSocket::shutdown_send, ignored));
  }
  stream_.socket().async_read_some(asio::buffer(chunk_.data(), chunk_.size()),
                                   [self = shared_from_this()](error_code error, std::size_t bytes) {
                                     self->linger_bytes_ += bytes;
                                     if (error || self->linger_bytes_ > kLingerBytesMax) return self->Close();
                                     self->Linger();
                                   });
}

void Session::Break(std::string_view reason) {
  ++context_.frames_broken;
  LogEvent(LogLevel::kWarning, reason, {{"client", peer_address_}});
  Close();
}

void Session::Close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  timer_.Stop();
  error_code ignored;
  static_cast<void>(stream_.socket().shutdown(StreamSocket::shutdown_send, ignored));
  static_cast<void>(stream_.socket().close(ignored));
  context_.sessions.erase(this);  // may be the last reference but the caller's
}

void Session::ArmTimer(std::int64_t milliseconds) {
  timer_.Arm(milliseconds, [self = shared_from_this()] { self->OnTimer(); });
}

void Session::OnTimer() {
  if (state_ == State::kReading && decoder_.is_inside()) return Break("mllp-frame-not-ended");
  if (state_ != State::kHandling) Close();
}

// Outside this machine nobody speaks unseen, or as somebody else.
Result<void> CheckExposure(const MllpServer::Options& options) {
  const bool has_tls = options.tls != nullptr && options.tls->asks_for_client_certificate();
  if (options.address.is_loopback() || (has_tls && options.has_bound_senders)) return {};
  return Fail(
      Code::kConfiguration,
      "listen address " + net::ToString(options.address) +
          " is not loopback: that needs [mllp] certificate_file, key_file, client_ca_file and senders; "
          "else listen on 127.0.0.1 or [::1]");
}

}  // namespace

std::int64_t MllpTimeLeftMs(const MllpLimits& limits, std::size_t frame_bytes, std::int64_t waited_ms) {
  const std::size_t per_second = std::max<std::size_t>(limits.bytes_per_second_min, 1);
  const auto earned_ms = static_cast<std::int64_t>(frame_bytes * 1'000 / per_second);
  return std::max<std::int64_t>(limits.idle_timeout_ms + earned_ms - waited_ms, 0);
}

std::string_view Name(MllpOutcome outcome) {
  switch (outcome) {
    case MllpOutcome::kAccepted:
      return "accepted";
    case MllpOutcome::kRepeated:
      return "repeated";
    case MllpOutcome::kError:
      return "error";
    case MllpOutcome::kRejected:
      return "rejected";
  }
  return "";
}

struct MllpServer::Implementation {
  explicit Implementation(Options options) : context(std::move(options)) {}
  ~Implementation();

  void OnAccepted(StreamSocket socket);
  bool MakeRoom(const std::string& peer_address);
  std::vector<std::shared_ptr<Session>> Sessions() const;

  net::IoThread io_thread;
  ServerContext context;
  std::unique_ptr<net::Listener> listener;
  std::uint16_t port = 0;
  std::string address;
};

// Half a frame, or a connection that says nothing, keeps no sender out: the oldest that never brought a
// message gives way, of those of the address when that has its share. False when each has brought one.
bool MllpServer::Implementation::MakeRoom(const std::string& peer_address) {
  const MllpLimits& limits = context.options.limits;
  const auto is_of_address = [&peer_address](const auto& entry) {
    return entry.second->peer_address() == peer_address;
  };
  const auto of_address = static_cast<std::size_t>(std::ranges::count_if(context.sessions, is_of_address));
  const bool is_address_full = of_address >= limits.connections_per_address_max;
  if (!is_address_full && context.sessions.size() < limits.connections_max) return true;
  std::shared_ptr<Session> oldest;
  for (const auto& entry : context.sessions) {
    const auto& session = entry.second;
    if (!session->may_give_way() || (is_address_full && !is_of_address(entry))) continue;
    if (!oldest || session->begin() < oldest->begin()) oldest = session;
  }
  ++context.connections_refused;
  if (!oldest) return false;
  oldest->GiveWay();
  return true;
}

void MllpServer::Implementation::OnAccepted(StreamSocket socket) {
  const int descriptor = socket.native_handle();
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  std::string peer_address = net::PeerAddress(descriptor);
  if (!MakeRoom(peer_address)) return;  // closed: MLLP has no words for it
  std::make_shared<Session>(std::move(socket), context, std::move(peer_address))->Start();
}

std::vector<std::shared_ptr<Session>> MllpServer::Implementation::Sessions() const {
  std::vector<std::shared_ptr<Session>> sessions;
  for (const auto& [key, session] : context.sessions) sessions.push_back(session);
  return sessions;
}

MllpServer::Implementation::~Implementation() {
  if (!listener) return;
  io_thread.Run([this] {
    listener->Stop();
    context.draining = true;
    for (const auto& session : Sessions()) session->Close();
  });
  // The cancelled operations still hold their connections; they run out one after the other.
  {
    std::unique_lock lock(context.mutex);
    context.all_closed.wait(lock, [this] { return context.connections == 0; });
  }
  io_thread.Run([this] { listener.reset(); });
}

Result<std::unique_ptr<MllpServer>> MllpServer::Start(Options options) {
  ADAPTER_CHECK(CheckExposure(options));
  ADAPTER_TRY(net::FileDescriptor socket, net::ListenTcp(options.address));
  auto state = std::make_unique<Implementation>(std::move(options));
  Implementation& server = *state;
  server.port = net::BoundPort(socket.get());
  net::ListenAddress bound = server.context.options.address;
  bound.port = server.port;
  server.address = net::ToString(bound);
  server.context.gate = server.io_thread.implementation().gate;
  server.listener = std::make_unique<net::Listener>(
      server.io_thread, std::move(socket), bound.is_ipv6() ? AF_INET6 : AF_INET,
      [&server](StreamSocket accepted) { server.OnAccepted(std::move(accepted)); });
  return std::unique_ptr<MllpServer>(new MllpServer(std::move(state)));
}

MllpServer::MllpServer(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}

MllpServer::~MllpServer() = default;

std::string MllpServer::address() const {
  return implementation_->address;
}

std::uint16_t MllpServer::port() const {
  return implementation_->port;
}

MllpStatistics MllpServer::statistics() const {
  const ServerContext& context = implementation_->context;
  MllpStatistics statistics;
  statistics.connections = context.connections;
  for (std::size_t i = 0; i < kMllpOutcomes; ++i) statistics.messages[i] = context.messages[i];
  statistics.frames_broken = context.frames_broken;
  statistics.connections_refused = context.connections_refused;
  statistics.failed_handshakes = context.handshakes_failed;
  return statistics;
}

bool MllpServer::Drain(std::int64_t deadline_ms) {
  Implementation& state = *implementation_;
  state.io_thread.Run([&state] {
    state.context.draining = true;
    state.listener->Stop();
    for (const auto& session : state.Sessions()) session->CloseWhenIdle();
  });
  bool drained = false;
  {
    std::unique_lock lock(state.context.mutex);
    drained = state.context.all_closed.wait_for(lock, std::chrono::milliseconds(deadline_ms),
                                                [&state] { return state.context.connections == 0; });
  }
  state.io_thread.Run([&state] {
    for (const auto& session : state.Sessions()) session->Close();
  });
  return drained;
}

}  // namespace fhir_adapter::intake
