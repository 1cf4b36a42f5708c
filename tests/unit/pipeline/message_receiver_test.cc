// A message is mapped when it is new, and never for nothing.
#include "pipeline/message_receiver.h"

#include <future>
#include <gtest/gtest.h>
#include <string>

#include "pipeline_fixture.h"

namespace fhir_adapter::pipeline {
namespace {

class MessageReceiverTest : public PipelineTest {
 protected:
  MessageAnswer Receive(const std::string& control_id, const std::string& bytes) {
    IncomingMessage message;
    message.source = "mllp";
    message.actor = SystemPrincipal();
    message.sender = "EMAR|pain-clinic";
    message.control_id = control_id;
    message.bytes = bytes;
    message.read = [this, &bytes] {
      ++readings_;
      MessageInput input;
      input.record = MakeRecord(bytes);
      return input;
    };
    message.acknowledge = [this](const Issues&, bool is_taken) {
      return std::string(is_taken ? "AA " : "AE ") + std::to_string(++answers_);
    };
    std::promise<Result<MessageAnswer>> answer;
    receiver_.Receive(std::move(message),
                      [&answer](Result<MessageAnswer> told) { answer.set_value(std::move(told)); });
    auto told = answer.get_future().get();
    EXPECT_TRUE(told) << (told ? "" : ToString(told.error()));
    return told ? *told : MessageAnswer();
  }

  int readings_ = 0;
  int answers_ = 0;
  Receiver records_ = MakeReceiver();
  PushReceiver observations_{
      {*backend_->store, backend_->inbox, backend_->pushed, backend_->queue, SystemClock(), SystemRandom()},
      {"pain-clinic", {}, 1'000'000}};
  MessageReceiver receiver_{{*backend_->store, backend_->inbox, backend_->messages, backend_->queue, records_,
                             observations_, SystemClock()},
                            1'000'000};
};

TEST_F(MessageReceiverTest, MessageThatComesAgain_IsNotMappedAgain) {
  EXPECT_EQ(Receive("M1", "H1").acknowledgement, "AA 1");
  for (int i = 0; i < 3; ++i) {
    const MessageAnswer again = Receive("M1", "H1");
    EXPECT_EQ(again.outcome, MessageOutcome::kRepeated);
    EXPECT_EQ(again.acknowledgement, "AA 1");
  }
  EXPECT_EQ(readings_, 1);
}

// Which record somebody tried to change under the number of another message is worth knowing.
TEST_F(MessageReceiverTest, OtherMessageUnderItsNumber_IsReadAndRefused) {
  Receive("M1", "H1");
  EXPECT_EQ(Receive("M1", "H2").outcome, MessageOutcome::kRefused);
  EXPECT_EQ(readings_, 2);
  EXPECT_EQ(Revisions("H2").at(0).state, outbox::WorkState::kRejected);
}

}  // namespace
}  // namespace fhir_adapter::pipeline
