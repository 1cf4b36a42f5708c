// Patients for whose sake work is held, a page at a time.
#include <gmock/gmock.h>

#include "backend.h"

namespace fhir_adapter::test {
namespace {

using outbox::DeliveryOutcome;
using outbox::WorkItem;
using ::testing::ElementsAre;

class HeldPatientsContract : public ContractTest {};

TEST_P(HeldPatientsContract, HeldPatients_AreListedInPagesOfWhichEachGoesOnAfterTheOther) {
  for (int i = 1; i <= 5; ++i) Queue("R" + std::to_string(i), 1, std::to_string(i));
  for (const WorkItem& item : Claim()) {
    Complete(Report(item, DeliveryOutcome::kHeld, Code::kPatientNotFound));
  }
  std::vector<std::string> mrns;
  std::vector<std::size_t> sizes;
  std::string after;
  do {
    const auto page = Seen<std::vector<outbox::HeldPatient>>(
        [&](storage::Snapshot& snapshot) { return queue().HeldPatients(snapshot, after, 2); });
    sizes.push_back(page.size());
    for (const outbox::HeldPatient& held : page) mrns.push_back(held.patient.mrn);
    after = page.empty() ? std::string() : page.back().patient.key;
  } while (!after.empty());
  EXPECT_THAT(sizes, ElementsAre(2U, 2U, 1U, 0U));
  EXPECT_THAT(mrns, ::testing::UnorderedElementsAre("1", "2", "3", "4", "5"));
}

INSTANTIATE_TEST_SUITE_P(Backends, HeldPatientsContract, ::testing::ValuesIn(AllBackends()), NameOfBackend);

}  // namespace
}  // namespace fhir_adapter::test
