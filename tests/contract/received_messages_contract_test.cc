// What is remembered of an HL7 v2 message, and how often it came again.
#include <gmock/gmock.h>

#include "backend.h"
#include "core/digest.h"
#include "core/limits.h"

namespace fhir_adapter::test {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class ReceivedMessagesContract : public ContractTest {
 protected:
  static outbox::ReceivedMessage Message(const std::string& control_id) {
    outbox::ReceivedMessage message;
    message.source = "mllp";
    message.actor = SystemPrincipal();
    message.actor.request_id = control_id;
    message.sender = "EMAR|pain-clinic";
    message.control_id = control_id;
    message.bytes = "MSH of " + control_id;
    message.sha256 = Sha256Hex(message.bytes);
    message.acknowledgement = "MSA of " + control_id;
    return message;
  }
  std::optional<outbox::KnownMessage> Find(const outbox::ReceivedMessage& message) {
    return Seen<std::optional<outbox::KnownMessage>>([&](storage::Snapshot& snapshot) {
      return messages().Find(snapshot, message.sender, message.control_id);
    });
  }
  void Keep(const outbox::ReceivedMessage& message) {
    ASSERT_TRUE(Changed(
        [&](storage::Transaction& transaction) { return messages().Keep(transaction, message, now()); }));
  }
  void Repeat(const outbox::ReceivedMessage& message) {
    const auto known = Find(message);
    ASSERT_TRUE(known);
    ASSERT_TRUE(Changed([&](storage::Transaction& transaction) {
      return messages().NoteRepeated(transaction, *known, message, now());
    }));
  }
  void NoteRepeats(TimeUs before) {
    ASSERT_TRUE(Changed([&](storage::Transaction& transaction) {
      return messages().NoteRepeats(transaction, before, now());
    }));
  }
  std::vector<std::string> Duplicates() {
    std::vector<std::string> entries;
    const auto read = [&](storage::Snapshot& snapshot) {
      return log().ForEach(snapshot, 1, 1'000, [&](audit::Sequence, std::string_view bytes) {
        if (bytes.find("\"event\":\"duplicate\"") != std::string_view::npos) entries.emplace_back(bytes);
        return true;
      });
    };
    EXPECT_TRUE(store().Read(read));
    return entries;
  }
};

TEST_P(ReceivedMessagesContract, Message_IsKnownAgainWithWhatItsSenderWasTold) {
  const auto message = Message("M1");
  EXPECT_FALSE(Find(message));
  Keep(message);
  const auto known = Find(message);
  ASSERT_TRUE(known);
  EXPECT_EQ(known->sha256, message.sha256);
  EXPECT_EQ(known->acknowledgement, "MSA of M1");
  EXPECT_FALSE(Find(Message("M2")));
}

TEST_P(ReceivedMessagesContract, MessageThatComesAgain_HasAnEntryAnHourAndACount) {
  const auto message = Message("M1");
  Keep(message);
  Keep(Message("M2"));
  for (int i = 0; i < 100; ++i) Repeat(message);
  Repeat(Message("M2"));
  EXPECT_THAT(Duplicates(), SizeIs(2)) << "one for each message";
  Advance(limits::kRepeatWindowSeconds - 1);
  Repeat(message);
  EXPECT_THAT(Duplicates(), SizeIs(2));
  Advance(1);
  Repeat(message);
  const auto entries = Duplicates();
  ASSERT_THAT(entries, SizeIs(3));
  EXPECT_THAT(entries[0], testing::Not(HasSubstr("\"attempt\"")));
  EXPECT_THAT(entries[2], HasSubstr("\"attempt\":101,"));  // 99 and 1 and itself
}

TEST_P(ReceivedMessagesContract, CountedRepeats_AreNotedOnceTheirLastEntryIsOld) {
  const auto message = Message("M1");
  Keep(message);
  for (int i = 0; i < 3; ++i) Repeat(message);
  NoteRepeats(TimeUs{now().us - 1});
  EXPECT_THAT(Duplicates(), SizeIs(1));
  NoteRepeats(now());
  NoteRepeats(now());
  const auto entries = Duplicates();
  ASSERT_THAT(entries, SizeIs(2));
  EXPECT_THAT(entries[1], HasSubstr("\"attempt\":2,"));
  EXPECT_THAT(entries[1], HasSubstr("\"request_id\":\"M1\""));
  EXPECT_THAT(entries[1], HasSubstr("\"op\":\"mllp\""));
}

INSTANTIATE_TEST_SUITE_P(Backends, ReceivedMessagesContract, ::testing::ValuesIn(AllBackends()),
                         NameOfBackend);

}  // namespace
}  // namespace fhir_adapter::test
