#include "net/responder.h"

#include <atomic>
#include <utility>

namespace fhir_adapter::net {

class Responder::State {
 public:
  explicit State(std::unique_ptr<Sink> sink) : sink_(std::move(sink)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  ~State() {
    if (completed_.load()) return;
    Complete({Sink::Kind::kSend, ProblemResponse({500, "internal", "the request was not answered"}), 0});
  }

  void Complete(Sink::Answer answer) {
    if (completed_.exchange(true)) return;
    sink_->Complete(std::move(answer));
  }

 private:
  std::unique_ptr<Sink> sink_;
  std::atomic<bool> completed_ = false;
};

Responder::Responder(std::unique_ptr<Sink> sink) : state_(std::make_shared<State>(std::move(sink))) {}

void Responder::Send(HttpResponse response) const {
  state_->Complete({Sink::Kind::kSend, std::move(response), 0});
}

void Responder::SendAfter(HttpResponse response, std::int64_t delay_ms) const {
  state_->Complete({Sink::Kind::kSend, std::move(response), delay_ms});
}

void Responder::Close() const {
  state_->Complete({Sink::Kind::kClose, {}, 0});
}

void Responder::Reset() const {
  state_->Complete({Sink::Kind::kReset, {}, 0});
}

}  // namespace fhir_adapter::net
