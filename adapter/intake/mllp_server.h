// MllpServer: HL7 v2 messages in MLLP frames on a TCP port, with TLS or without.
//
// Start() binds and listens; frames are read on an I/O thread of its own, which also calls the handler. Of
// one connection one frame at a time is in hand, and answers go back in the order of the frames. The server
// owns its connections; destroying it closes them. All methods may be called from any thread but its own.
//
// A bind outside loopback needs TLS with certificates of the clients, and senders that are bound to them.
// HL7 v2 Transport Specification: MLLP, Release 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/limits.h"
#include "core/result.h"
#include "net/listen_address.h"
#include "net/tls_context.h"

namespace fhir_adapter::intake {

// A message, and who sent it.
struct MllpFrame {
  std::string message;
  bool is_too_large = false;  // then `message` is its beginning
  std::string peer_address;
  std::string certificate_sha256;  // that the client showed; empty for none
};

enum class MllpOutcome : std::uint8_t { kAccepted, kRepeated, kError, kRejected };
inline constexpr std::size_t kMllpOutcomes = 4;
std::string_view Name(MllpOutcome outcome);

struct MllpReply {
  std::string message;                // empty: nothing is sent
  std::vector<MllpOutcome> outcomes;  // of each message; for the metrics
  bool is_broken = false;             // nothing can be said: closed, so that the sender sends it again
};

struct MllpLimits {
  std::size_t message_bytes_max = limits::kMllpMessageBytesMax;
  // Of all, and of one address. One more takes the place of the oldest (there) that never brought a message;
  // else it is closed.
  std::size_t connections_max = limits::kMllpConnectionsMax;
  std::size_t connections_per_address_max = limits::kMllpConnectionsPerAddressMax;
  std::int64_t idle_timeout_ms = limits::kMllpIdleTimeoutMs;  // between frames; closed
  // A frame must come at this rate on average, after a grace of one idle timeout; closed.
  std::size_t bytes_per_second_min = limits::kMllpBytesPerSecondMin;
  std::int64_t handshake_timeout_ms = limits::kTlsHandshakeTimeoutMs;
};

// How long who sends a frame may still be silent, having waited so long for it and got so much of it.
std::int64_t MllpTimeLeftMs(const MllpLimits& limits, std::size_t frame_bytes, std::int64_t waited_ms);

struct MllpStatistics {
  std::size_t connections = 0;
  std::int64_t messages[kMllpOutcomes] = {};
  std::int64_t frames_broken = 0;        // too large, given up, or not come to their end
  std::int64_t connections_refused = 0;  // or closed to make room
  std::int64_t failed_handshakes = 0;
};

class MllpServer {
 public:
  // May be called once, from any thread, also when the server has gone.
  using Answer = std::function<void(MllpReply)>;
  using Handler = std::function<void(const MllpFrame&, Answer)>;

  struct Options {
    net::ListenAddress address;
    MllpLimits limits;
    std::shared_ptr<net::TlsContext> tls;  // shared with who reloads it; null: plain text
    bool has_bound_senders = false;
    Handler handler;
  };

  // Errors: kConfiguration (not loopback without what that needs), kInputOutput (the address is taken).
  static Result<std::unique_ptr<MllpServer>> Start(Options options);
  ~MllpServer();
  MllpServer(const MllpServer&) = delete;
  MllpServer& operator=(const MllpServer&) = delete;

  std::string address() const;  // "127.0.0.1:2575", with the port in use
  std::uint16_t port() const;
  MllpStatistics statistics() const;

  // Stops accepting, closes connections between frames and waits until what is in hand is answered; at the
  // deadline the rest is closed. True when all were answered.
  bool Drain(std::int64_t deadline_ms);

 private:
  struct Implementation;
  explicit MllpServer(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace fhir_adapter::intake
