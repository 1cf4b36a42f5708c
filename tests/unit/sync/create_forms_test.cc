#include "sync/create_forms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fhir_adapter::sync {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

ServerCapabilities Saying(std::optional<bool> update_create, std::optional<bool> conditional_update,
                          std::optional<bool> conditional_create = {}) {
  ServerCapabilities capabilities;
  for (const char* type : {"AdverseEvent", "Observation", "Provenance"}) {
    TypeCapabilities& one = capabilities.types[type];
    one.update_create = update_create;
    one.conditional_update = conditional_update;
    one.conditional_create = conditional_create;
  }
  return capabilities;
}

TEST(CreateForms, WhatIsNotSaid_IsTriedAsUpdate) {
  CreateForms forms;
  EXPECT_EQ(forms.FormOf("Provenance"), CreateForm::kUpdate);
  forms.Learn(Saying({}, {}));
  EXPECT_EQ(forms.FormOf("Provenance"), CreateForm::kUpdate);
  EXPECT_EQ(forms.FormOf("Observation"), CreateForm::kUpdate);
  EXPECT_THAT(forms.posted(), IsEmpty());
  EXPECT_THAT(forms.untold(), Contains("AdverseEvent"));
}

TEST(CreateForms, WithoutUpdateAsCreate_TypesWithoutIdentifierSearchArePosted) {
  CreateForms forms;
  forms.Learn(Saying(false, true));
  EXPECT_EQ(forms.FormOf("AdverseEvent"), CreateForm::kCreate);
  EXPECT_EQ(forms.FormOf("Provenance"), CreateForm::kCreate);
  EXPECT_EQ(forms.FormOf("Observation"), CreateForm::kUpdate);
  EXPECT_THAT(forms.posted(), ElementsAre(PostedType{"AdverseEvent", FormReason::kListed},
                                          PostedType{"Provenance", FormReason::kListed}));
  EXPECT_THAT(forms.untold(), Not(Contains("AdverseEvent")));
}

TEST(CreateForms, WithoutConditionalUpdate_TypesWithIdentifierArePostedUnderACondition) {
  CreateForms forms;
  forms.Learn(Saying(true, false));
  EXPECT_EQ(forms.FormOf("Observation"), CreateForm::kConditionalCreate);
  EXPECT_EQ(forms.FormOf("AdverseEvent"), CreateForm::kUpdate);
  forms.Learn(Saying(true, false, false));
  EXPECT_EQ(forms.FormOf("Observation"), CreateForm::kCreate) << "it says that it takes no condition";
}

TEST(CreateForms, Refused_IsPostedFromThenOn) {
  CreateForms forms;
  EXPECT_TRUE(forms.TryPost("Provenance", true));
  EXPECT_EQ(forms.FormOf("Provenance"), CreateForm::kCreate);
  EXPECT_FALSE(forms.TryPost("Provenance", true)) << "there is no third form";
  EXPECT_THAT(forms.posted(), ElementsAre(PostedType{"Provenance", FormReason::kRefused}));
}

TEST(CreateForms, TakenBefore_IsNotWhyItIsRefused) {
  CreateForms forms;
  forms.Prove("Provenance");
  EXPECT_FALSE(forms.TryPost("Provenance", false));
}

TEST(CreateForms, SaidToBeTaken_IsDoubtedOnlyWhenTheEntryItselfIsRefused) {
  CreateForms forms;
  forms.Learn(Saying(true, true));
  EXPECT_FALSE(forms.TryPost("Provenance", true));
  EXPECT_TRUE(forms.TryPost("Provenance", false));
}

TEST(CreateForms, ServerThatSaysSomethingElse_IsAskedAnew) {
  CreateForms forms;
  forms.Learn(Saying({}, {}));
  forms.Adopt("Provenance");
  forms.Learn(Saying({}, {}));
  EXPECT_EQ(forms.FormOf("Provenance"), CreateForm::kCreate) << "it says the same as before";
  forms.Learn(Saying(true, true));
  EXPECT_EQ(forms.FormOf("Provenance"), CreateForm::kUpdate);
}

}  // namespace
}  // namespace fhir_adapter::sync
