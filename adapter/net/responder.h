// Responder: the one answer that a request is owed.
//
// A copyable handle, so that it fits into std::function; all copies stand for the same answer. Any thread may
// complete it. The first completion counts, later ones are ignored, and when the last copy goes away without
// one the client gets 500. It may outlive the server: completing it then does nothing.
#pragma once

#include <cstdint>
#include <memory>

#include "net/http_message.h"

namespace fhir_adapter::net {

class Responder {
 public:
  // Where answers go; implemented by the server's connections.
  class Sink {
   public:
    enum class Kind : std::uint8_t { kSend, kClose, kReset };
    struct Answer {
      Kind kind = Kind::kSend;
      HttpResponse response;
      std::int64_t delay_ms = 0;
    };
    virtual ~Sink() = default;
    virtual void Complete(Answer answer) = 0;  // called once, from any thread
  };

  explicit Responder(std::unique_ptr<Sink> sink);

  void Send(HttpResponse response) const;
  void Send(const Error& error) const { Send(ProblemResponse(error)); }
  // Sends after a delay that blocks no thread.
  void SendAfter(HttpResponse response, std::int64_t delay_ms) const;
  // Closes the connection without an answer, in order or with a TCP reset. For fault injection.
  void Close() const;
  void Reset() const;

 private:
  class State;
  std::shared_ptr<State> state_;  // shared: the copies are one answer
};

}  // namespace fhir_adapter::net
