// Where messages are read.
#include "intake/hl7_intake.h"

#include <future>
#include <gtest/gtest.h>
#include <stdexcept>
#include <thread>

#include "outbox/sqlite/sqlite_backend.h"
#include "support/temporary_directory.h"

namespace fhir_adapter::intake {
namespace {

class Hl7IntakeTest : public testing::Test {
 protected:
  Hl7IntakeTest() {
    storage::SqliteStoreSettings settings;
    settings.path = folder_.File("adapter.db");
    backend_ = std::move(outbox::OpenSqliteBackend(std::move(settings), SystemRandom()).value());
    records_ = std::make_unique<pipeline::Receiver>(*backend_->store, backend_->inbox, backend_->queue,
                                                    SystemClock(), pipeline::Receiver::Settings{});
    observations_ = std::make_unique<pipeline::PushReceiver>(
        pipeline::PushReceiver::Ports{*backend_->store, backend_->inbox, backend_->pushed, backend_->queue,
                                      SystemClock(), SystemRandom()},
        pipeline::PushReceiver::Settings{});
    messages_ = std::make_unique<pipeline::MessageReceiver>(
        pipeline::MessageReceiver::Ports{*backend_->store, backend_->inbox, backend_->messages,
                                         backend_->queue, *records_, *observations_, SystemClock()},
        1'000'000);
  }

  test::TemporaryDirectory folder_;
  std::unique_ptr<outbox::SqliteBackend> backend_;
  std::unique_ptr<pipeline::Receiver> records_;
  std::unique_ptr<pipeline::PushReceiver> observations_;
  std::unique_ptr<pipeline::MessageReceiver> messages_;
};

// The maps are asked for where a message is mapped. What fails there without words breaks one connection.
TEST_F(Hl7IntakeTest, Messages_AreMappedOnTheIntakesThread) {
  std::thread::id mapped_on;
  Hl7Intake intake({*messages_,
                    [&]() -> std::shared_ptr<const pipeline::MappingSet> {
                      mapped_on = std::this_thread::get_id();
                      throw std::runtime_error("no maps");
                    },
                    nullptr,
                    {"pain-clinic"},
                    "P",
                    {},
                    SystemClock(),
                    SystemRandom()});
  const auto take = [&intake](const std::string& message) {
    std::promise<MllpReply> answer;
    MllpFrame frame;
    frame.message = message;
    intake.Take(frame, [&answer](MllpReply reply) { answer.set_value(std::move(reply)); });
    return answer.get_future().get();
  };
  EXPECT_TRUE(take("MSH|^~\\&|EMAR|pain-clinic|||20140506||RAS^O17|M1|P|2.5\r").is_broken);
  EXPECT_NE(mapped_on, std::this_thread::get_id());
  EXPECT_NE(mapped_on, std::thread::id());
  const MllpReply next = take("no message");
  EXPECT_FALSE(next.is_broken);
  EXPECT_NE(next.message.find("MSA|AR|"), std::string::npos);
}

// After the grace of one idle timeout a frame must have come at the least rate.
TEST(MllpTime, Frame_HasToComeAtTheLeastRate) {
  const MllpLimits limits;
  constexpr std::int64_t kSeconds = 10;
  const std::int64_t waited_ms = limits::kMllpIdleTimeoutMs + kSeconds * 1'000;
  EXPECT_EQ(MllpTimeLeftMs(limits, limits::kMllpBytesPerSecondMin * kSeconds, waited_ms), 0);
  EXPECT_EQ(MllpTimeLeftMs(limits, (limits::kMllpBytesPerSecondMin + 1) * kSeconds, waited_ms),
            kSeconds * 1'000 / static_cast<std::int64_t>(limits::kMllpBytesPerSecondMin));
  EXPECT_EQ(MllpTimeLeftMs(limits, 0, 0), limits::kMllpIdleTimeoutMs);
  EXPECT_EQ(MllpTimeLeftMs(limits, 0, limits::kMllpIdleTimeoutMs - 1), 1);
  EXPECT_EQ(MllpTimeLeftMs(limits, 0, limits::kMllpIdleTimeoutMs), 0);
}

}  // namespace
}  // namespace fhir_adapter::intake
