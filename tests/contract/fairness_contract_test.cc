// A patient with very much to send takes a place among others, and no more.
#include <gtest/gtest.h>
#include <set>

#include "backend.h"

namespace fhir_adapter::test {
namespace {

constexpr std::size_t kOfOnePatient = 10'000;
constexpr std::size_t kOthers = 20;
constexpr std::size_t kPlaces = 8;

class FairnessContract : public ContractTest {
 protected:
  // In two commits.
  void QueueMany(const std::string& mrn, std::size_t count) {
    std::vector<outbox::WorkId> ids;
    ASSERT_TRUE(Changed([&](storage::Transaction& transaction) -> Result<void> {
      for (std::size_t i = 0; i < count; ++i) {
        ADAPTER_TRY(const auto accepted,
                    inbox().Accept(transaction, Record("R" + std::to_string(i), 1, mrn), now()));
        ids.push_back(outbox::WorkId{accepted.receipt});
      }
      return {};
    }));
    std::vector<outbox::MappingResult> results;
    for (const outbox::WorkId& id : ids) results.push_back(Mapped(id));
    CompleteMapping(results.at(0));
    ASSERT_TRUE(Changed([&](storage::Transaction& transaction) -> Result<void> {
      for (const outbox::MappingResult& result : results) {
        ADAPTER_CHECK(inbox().CompleteMapping(transaction, result, now()));
      }
      return {};
    }));
  }
};

TEST_P(FairnessContract, TenThousandRecordsOfOnePatient_KeepNobodyElseWaiting) {
  QueueMany("100001", kOfOnePatient);
  Advance(1);
  for (std::size_t i = 0; i < kOthers; ++i) Queue("S" + std::to_string(i), 1, std::to_string(200'001 + i));
  std::set<std::string> others;
  std::size_t of_the_one = 0;
  std::size_t rounds = 0;
  for (; others.size() < kOthers && rounds < kOthers; ++rounds) {
    Advance(1);
    for (const outbox::WorkItem& item : Claim(kPlaces)) {
      if (item.record_id.starts_with("S")) {
        others.insert(item.record_id);
      } else {
        ++of_the_one;
      }
      Deliver(item);
    }
  }
  EXPECT_EQ(others.size(), kOthers);
  EXPECT_EQ(rounds, (kOthers + kPlaces - 2) / (kPlaces - 1)) << "one of the places is the patient's own";
  EXPECT_GE(of_the_one, rounds - 1) << "and it is not passed over either";
  EXPECT_LE(of_the_one, rounds + kPlaces - 1);
}

INSTANTIATE_TEST_SUITE_P(Backends, FairnessContract, ::testing::ValuesIn(AllBackends()), NameOfBackend);

}  // namespace
}  // namespace fhir_adapter::test
