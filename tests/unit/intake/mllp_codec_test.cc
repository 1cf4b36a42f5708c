// Frames of the Minimal Lower Layer Protocol. HL7 v2 Transport Specification: MLLP, Release 1.
#include "intake/mllp_codec.h"

#include <gmock/gmock.h>
#include <random>
#include <vector>

namespace fhir_adapter::intake {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Drain(MllpDecoder& decoder) {
  std::vector<std::string> messages;
  while (auto message = decoder.Next()) messages.push_back(std::move(*message));
  return messages;
}

std::vector<std::string> Decode(std::string_view bytes, std::size_t chunk_bytes) {
  MllpDecoder decoder;
  std::vector<std::string> messages;
  for (std::size_t at = 0; at < bytes.size(); at += chunk_bytes) {
    decoder.Push(bytes.substr(at, chunk_bytes));
    for (std::string& message : Drain(decoder)) messages.push_back(std::move(message));
  }
  return messages;
}

TEST(MllpDecoder, Frame_IsStartMessageEndAndCarriageReturn) {
  EXPECT_EQ(FrameMllp("MSH|a\r"), "\x0BMSH|a\r\x1C\r");
  EXPECT_THAT(Decode("\x0BMSH|a\r\x1C\r", 100), ElementsAre("MSH|a\r"));
  EXPECT_THAT(Decode("\x0B\x1C\r", 100), ElementsAre(""));
}

TEST(MllpDecoder, PipelinedFramesAndPieces_GiveTheSameMessages) {
  const std::string bytes = FrameMllp("one") + FrameMllp("two\rlines") + FrameMllp("three");
  for (std::size_t chunk = 1; chunk <= bytes.size(); ++chunk) {
    EXPECT_THAT(Decode(bytes, chunk), ElementsAre("one", "two\rlines", "three")) << chunk;
  }
}

TEST(MllpDecoder, PartialFrame_WaitsForTheRest) {
  MllpDecoder decoder;
  decoder.Push("\x0BMS");
  EXPECT_FALSE(decoder.Next());
  EXPECT_TRUE(decoder.is_inside());
  EXPECT_EQ(decoder.partial(), "MS");
  decoder.Push("H|\x1C");
  EXPECT_FALSE(decoder.Next());
  EXPECT_TRUE(decoder.is_inside());
  decoder.Push("\r");
  EXPECT_THAT(Drain(decoder), ElementsAre("MSH|"));
  EXPECT_FALSE(decoder.is_inside());
}

TEST(MllpDecoder, BytesBetweenFrames_AreLeftOut) {
  EXPECT_THAT(Decode("GET / HTTP/1.1\r\n\r\n\x1C\r" + FrameMllp("one") + "\r\n\r\n" + FrameMllp("two"), 5),
              ElementsAre("one", "two"));
  EXPECT_THAT(Decode("no frame at all\x1C\r", 3), IsEmpty());
}

TEST(MllpDecoder, EndWithoutCarriageReturn_StandsInTheMessage) {
  EXPECT_THAT(Decode("\x0Bx\x1C\x1C\r", 1), ElementsAre("x\x1C"));
  EXPECT_THAT(Decode("\x0Bx\x1C\ny\x1C\r", 2), ElementsAre("x\x1C\ny"));
}

TEST(MllpDecoder, FrameInWhichAnotherBegins_IsGivenUp) {
  MllpDecoder decoder;
  decoder.Push("\x0Bhalf" + FrameMllp("whole"));
  EXPECT_THAT(Drain(decoder), ElementsAre("whole"));
  EXPECT_EQ(decoder.frames_given_up(), 1U);
}

TEST(MllpDecoder, Message_HasALimitOfBytes) {
  for (const std::size_t chunk : {1UL, 4UL, 100UL}) {
    MllpDecoder decoder(8);
    std::string bytes = FrameMllp("12345678");
    for (std::size_t at = 0; at < bytes.size(); at += chunk) {
      decoder.Push(std::string_view(bytes).substr(at, chunk));
      if (at + chunk < bytes.size()) {
        EXPECT_FALSE(decoder.Next());
      }
    }
    EXPECT_THAT(Drain(decoder), ElementsAre("12345678"));
    decoder.Push(
        "\x0B"
        "123456789");
    EXPECT_FALSE(decoder.Next());
    EXPECT_TRUE(decoder.is_too_large());
    EXPECT_EQ(decoder.partial(), "12345678");
    decoder.Push("\x1C\r" + FrameMllp("1"));
    EXPECT_FALSE(decoder.Next()) << "nothing after it can be trusted";
  }
  MllpDecoder decoder;
  decoder.Push(FrameMllp(std::string(limits::kMllpMessageBytesMax, 'x')));
  EXPECT_TRUE(decoder.Next());
  decoder.Push("\x0B" + std::string(limits::kMllpMessageBytesMax + 1, 'x'));
  EXPECT_FALSE(decoder.Next());
  EXPECT_TRUE(decoder.is_too_large());
}

// Any bytes: the pieces never change what comes out.
TEST(MllpDecoder, AnyBytes_GiveTheSameInAnyPieces) {
  std::mt19937 random(20140506);
  const std::string alphabet = "\x0B\x1C\rab";
  for (int round = 0; round < 2'000; ++round) {
    std::string bytes;
    for (int i = 0; i < 40; ++i) bytes += alphabet[random() % alphabet.size()];
    EXPECT_EQ(Decode(bytes, 1), Decode(bytes, bytes.size())) << testing::PrintToString(bytes);
    EXPECT_EQ(Decode(bytes, 3), Decode(bytes, bytes.size())) << testing::PrintToString(bytes);
  }
}

}  // namespace
}  // namespace fhir_adapter::intake
