#include "sync/delivery_ladder.h"

#include <gtest/gtest.h>

namespace fhir_adapter::sync {
namespace {

ServerCapabilities Says(std::optional<bool> transaction, std::optional<bool> batch) {
  ServerCapabilities capabilities;
  capabilities.transaction = transaction;
  capabilities.batch = batch;
  return capabilities;
}

TEST(ChooseRung, WhatTheServerSays_GivesTheHighestRungAndSilenceIsNoRefusal) {
  const auto choose = [](std::optional<bool> transaction, std::optional<bool> batch) {
    return ChooseRung(Says(transaction, batch));
  };
  EXPECT_EQ(choose({}, {}), (RungChoice{Rung::kTransaction, RungReason::kNotSaid}));
  EXPECT_EQ(choose(true, false), (RungChoice{Rung::kTransaction, RungReason::kListed}));
  EXPECT_EQ(choose(false, true), (RungChoice{Rung::kBatch, RungReason::kListed}));
  EXPECT_EQ(choose(false, false), (RungChoice{Rung::kSingle, RungReason::kListed}));
}

TEST(DeliveryLadder, RefusedRung_IsLeftOnceHoweverManyWereRefused) {
  DeliveryLadder ladder("http://h/fhir", {});
  EXPECT_EQ(Name(ladder.encoder().rung()), "transaction");
  EXPECT_TRUE(ladder.StepDown(Rung::kTransaction, RungReason::kRefused));
  EXPECT_TRUE(ladder.StepDown(Rung::kTransaction, RungReason::kRefused));
  EXPECT_EQ(Name(ladder.encoder().rung()), "batch");
  EXPECT_TRUE(ladder.StepDown(Rung::kBatch, RungReason::kRefused));
  EXPECT_EQ(Name(ladder.encoder().rung()), "single");
  EXPECT_FALSE(ladder.StepDown(Rung::kSingle, RungReason::kRefused));
}

TEST(DeliveryLadder, WhatWasLearned_StaysUntilTheServerSaysSomethingElse) {
  DeliveryLadder ladder("http://h/fhir", {});
  ladder.Learn(Says(true, true));
  ladder.StepDown(Rung::kTransaction, RungReason::kTakenApart);
  ladder.Learn(Says(true, true));
  EXPECT_EQ(ladder.choice(), (RungChoice{Rung::kBatch, RungReason::kTakenApart}));
  ladder.Learn(Says(false, false));
  EXPECT_EQ(ladder.choice(), (RungChoice{Rung::kSingle, RungReason::kListed}));
  ladder.Learn(Says(true, true));
  EXPECT_EQ(ladder.choice(), (RungChoice{Rung::kTransaction, RungReason::kListed}));
}

TEST(DeliveryLadder, RungOfTheConfiguration_IsNeverLeft) {
  DeliveryLadder ladder("http://h/fhir", Rung::kBatch);
  ladder.Learn(Says(true, true));
  EXPECT_FALSE(ladder.StepDown(Rung::kBatch, RungReason::kRefused));
  EXPECT_EQ(ladder.choice(), (RungChoice{Rung::kBatch, RungReason::kConfigured}));
}

}  // namespace
}  // namespace fhir_adapter::sync
