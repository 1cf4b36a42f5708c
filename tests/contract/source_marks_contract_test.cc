#include <gmock/gmock.h>

#include "backend.h"

namespace fhir_adapter::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SourceMarksContract : public ContractTest {
 protected:
  outbox::SourceMark Load(const std::string& source = "db") {
    return Seen<outbox::SourceMark>(
        [&](storage::Snapshot& snapshot) { return sources().Load(snapshot, source); });
  }
  void Begin(const std::string& origin, const std::string& source = "db") {
    ASSERT_TRUE(Changed(
        [&](storage::Transaction& transaction) { return sources().Begin(transaction, source, origin); }));
  }
  void Move(const std::string& mark, bool is_integer, const std::vector<std::string>& seen,
            const std::vector<std::string>& gone) {
    outbox::SourceMark to;
    to.mark = mark;
    to.is_integer = is_integer;
    ASSERT_TRUE(Changed([&](storage::Transaction& transaction) -> Result<void> {
      ADAPTER_CHECK(sources().AddSeen(transaction, "db", seen));
      return sources().Move(transaction, "db", to, gone, now());
    }));
  }
};

TEST_P(SourceMarksContract, SourceThatWasNeverRead_IsNotFound) {
  const auto read = storage::ReadValue<outbox::SourceMark>(
      store(), [&](storage::Snapshot& snapshot) { return sources().Load(snapshot, "db"); });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kNotFound);
}

TEST_P(SourceMarksContract, MarkAndWhatWasSeen_AreKept) {
  Begin("origin");
  EXPECT_FALSE(Load().has_mark);
  EXPECT_EQ(Load().key.size(), 32U);
  Move("100", true, {"a", "b"}, {});
  Reopen();
  EXPECT_TRUE(Load().has_mark);
  EXPECT_EQ(Load().mark, "100");
  EXPECT_TRUE(Load().is_integer);
  EXPECT_EQ(Load().origin, "origin");
  EXPECT_THAT(Load().seen, ElementsAre("a", "b"));
  Move("2014-05-06", false, {"b", "c"}, {"a"});
  EXPECT_FALSE(Load().is_integer);
  EXPECT_THAT(Load().seen, ElementsAre("b", "c"));
}

TEST_P(SourceMarksContract, OtherOrigin_ForgetsTheMarkAndKeepsKeyAndSeen) {
  Begin("origin");
  Move("100", true, {"a"}, {});
  const std::string key = Load().key;
  Begin("other");
  EXPECT_FALSE(Load().has_mark);
  EXPECT_EQ(Load().origin, "other");
  EXPECT_EQ(Load().key, key);
  EXPECT_THAT(Load().seen, ElementsAre("a"));
  Begin("origin", "db-2");
  EXPECT_NE(Load("db-2").key, key);
  EXPECT_THAT(Load("db-2").seen, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Backends, SourceMarksContract, testing::ValuesIn(AllBackends()), NameOfBackend);

}  // namespace
}  // namespace fhir_adapter::test
