#include <gmock/gmock.h>

#include "backend.h"

namespace fhir_adapter::test {
namespace {

class AuditContract : public ContractTest {
 protected:
  Result<audit::Sequence> Append(const std::string& trace_id) {
    return storage::WriteValue<audit::Sequence>(
        store(), [&](storage::Transaction& transaction) -> Result<audit::Sequence> {
          audit::Entry entry;
          entry.time = now();
          entry.event = audit::EventKind::kStarted;
          entry.trace_id = trace_id;
          return log().Append(transaction, entry);
        });
  }
  std::vector<std::string> All() {
    std::vector<std::string> entries;
    EXPECT_TRUE(store().Read([&](storage::Snapshot& snapshot) -> Result<void> {
      ADAPTER_TRY(const audit::Sequence size, log().Size(snapshot));
      return log().ForEach(snapshot, 1, size, [&](audit::Sequence sequence, std::string_view bytes) {
        EXPECT_EQ(sequence, static_cast<audit::Sequence>(entries.size()) + 1);
        entries.emplace_back(bytes);
        return true;
      });
    }));
    return entries;
  }
  static bool Has(const std::string& entry, const std::string& member) {
    return entry.find(member) != std::string::npos;
  }
};

TEST_P(AuditContract, Entries_AreNumberedWithoutGapsInEachTrace) {
  EXPECT_EQ(*Append("one"), 1);
  EXPECT_EQ(*Append("two"), 2);
  Reopen();
  EXPECT_EQ(*Append("one"), 3);
  const auto entries = All();
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_TRUE(Has(entries[2], "\"seq\":3,"));
  EXPECT_TRUE(Has(entries[2], "\"trace_id\":\"one\",\"trace_seq\":2,"));
  EXPECT_TRUE(Has(entries[1], "\"trace_id\":\"two\",\"trace_seq\":1,"));
}

TEST_P(AuditContract, EachRunOfTheProgram_HasItsOwnName) {
  const std::string first = log().boot_id();
  ASSERT_TRUE(Append(""));
  Reopen();
  EXPECT_NE(log().boot_id(), first);
  EXPECT_TRUE(Has(All().at(0), "\"boot_id\":\"" + first + "\""));
  EXPECT_TRUE(Has(All().at(0), "\"trace_id\":\"" + first + "\""));
}

TEST_P(AuditContract, EntryOfWorkThatFails_IsNotThere) {
  EXPECT_FALSE(Changed([&](storage::Transaction& transaction) -> Result<void> {
    ADAPTER_CHECK(log().Append(transaction, audit::Entry{}));
    return Fail(Code::kInternal, "on purpose");
  }));
  EXPECT_TRUE(All().empty());
  EXPECT_EQ(*Append("one"), 1) << "no number is lost";
}

TEST_P(AuditContract, Visit_CanStop) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Append("one"));
  int seen = 0;
  EXPECT_TRUE(store().Read([&](storage::Snapshot& snapshot) {
    return log().ForEachOfTrace(snapshot, "one",
                                [&](audit::Sequence, std::string_view) { return ++seen < 2; });
  }));
  EXPECT_EQ(seen, 2);
}

// No clinical value, no medical record number, in no entry of a whole delivery.
TEST_P(AuditContract, Entries_HoldCommitmentsAndNoValues) {
  Queue("R1", 1, "canary-mrn");
  Deliver(*ClaimOne());
  for (const std::string& entry : All()) {
    EXPECT_FALSE(Has(entry, "canary-mrn")) << entry;
    EXPECT_FALSE(Has(entry, "{\\\"revision")) << entry;
  }
  EXPECT_TRUE(Has(All().at(0), "\"commit\":\""));
  EXPECT_TRUE(Has(All().at(0), "\"patient_token\":\""));
}

TEST_P(AuditContract, PatientToken_IsOneForEachPatient) {
  Accept("R1", 1, "100001");
  Accept("R2", 1, "100001");
  Accept("S1", 1, "100002");
  const auto token = [](const std::string& entry) {
    return entry.substr(entry.find("\"patient_token\":") + 17, 64);
  };
  const auto entries = All();
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(token(entries[0]), token(entries[1]));
  EXPECT_NE(token(entries[0]), token(entries[2]));
}

INSTANTIATE_TEST_SUITE_P(Backends, AuditContract, ::testing::ValuesIn(AllBackends()), NameOfBackend);

}  // namespace
}  // namespace fhir_adapter::test
