// Patients who were not on the server when their records came, and are later.
#include <gtest/gtest.h>

#include "core/limits.h"
#include "delivery_rig.h"

namespace fhir_adapter::test {
namespace {

using outbox::WorkState;

constexpr std::int64_t kRematchUs = 60'000'000;

Record OfPatient(std::size_t number) {
  Record record;
  record.id = "r" + std::to_string(number);
  record.mrn = std::to_string(100'000 + number);
  record.parts = {{"Procedure", "", R"("status":"completed")"}};
  return record;
}

TEST(Rematch, PatientsWhoStayUnknown_DoNotKeepTheOneAfterThemFromTheirTurn) {
  DeliveryRig rig;
  constexpr std::size_t kPatients = limits::kRematchPatientsMax + 1;
  for (std::size_t i = 0; i < kPatients; ++i) rig.Submit(OfPatient(i));
  rig.RunUntil([&] { return rig.Statistics().Count(WorkState::kHeld) == std::int64_t{kPatients}; }, 120'000);
  const std::vector<outbox::HeldPatient> held = rig.HeldPatients();
  ASSERT_EQ(held.size(), kPatients);
  rig.AddPatient(held.back().patient.mrn);
  rig.RunUntil([&] { return rig.Statistics().Count(WorkState::kDelivered) == 1; }, 120'000);
  EXPECT_EQ(rig.HeldPatients().size(), kPatients - 1);
}

TEST(Rematch, PatientOfTheFirstRound_IsTriedAgainAfterTheLast) {
  DeliveryRig rig;
  for (std::size_t i = 0; i < 3; ++i) rig.Submit(OfPatient(i));
  rig.RunUntil([&] { return rig.Statistics().Count(WorkState::kHeld) == 3; });
  rig.RunFor(3 * kRematchUs);
  rig.AddPatient(rig.HeldPatients().front().patient.mrn);
  rig.RunUntil([&] { return rig.Statistics().Count(WorkState::kDelivered) == 1; });
}

}  // namespace
}  // namespace fhir_adapter::test
