#include "sync/server_lookup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/limits.h"
#include "planned_work.h"
#include "scripted_client.h"

namespace fhir_adapter::sync {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kSystem = kBase + "/sid/it-observation";

Wanted ByIdentifier(std::size_t entry, const std::string& value) {
  return {entry, Key("Observation", "it-observation", value), ""};
}

std::string Observation(const std::string& id, const std::string& value, const std::string& version = "1") {
  return R"({"resourceType":"Observation","id":")" + id + R"(","meta":{"versionId":")" + version +
         R"("},"identifier":[{"system":")" + kSystem + R"(","value":")" + value + R"("}],"status":"final"})";
}

std::string SearchOf(const std::string& values) {
  std::string path = "Observation?identifier=";
  std::size_t from = 0;
  while (from <= values.size()) {
    const std::size_t end = std::min(values.find(' ', from), values.size());
    path += (from == 0 ? "" : ",") + SearchToken(kSystem, values.substr(from, end - from));
    from = end + 1;
  }
  return path;
}

LookupResult Find(ScriptedClient& client, std::vector<Wanted> wanted) {
  ServerLookup lookup(client);
  LookupResult result;
  lookup.Find(std::move(wanted), {}, [&](LookupResult found) { result = std::move(found); });
  return result;
}

std::string AdverseEvent(const std::string& id, const std::string& value) {
  return R"({"resourceType":"AdverseEvent","id":")" + id + R"(","meta":{"versionId":"1"},"identifier":)" +
         R"({"system":"https://clinic.example/fhir/sid/it-adverse-event","value":")" + value + "\"}}";
}

std::string TaggedProvenance(const std::string& id, const std::string& value) {
  return R"({"resourceType":"Provenance","id":")" + id + R"(","meta":{"versionId":"1","tag":[{"system":)" +
         R"("https://clinic.example/fhir/sid/it-provenance","code":")" + value + "\"}]}}";
}

// R4 has no search by identifier for them, and the server named them.
TEST(ServerLookup, TypeWithoutIdentifierSearch_IsFoundByWhoseItIsOnEveryPage) {
  ScriptedClient client;
  client.Script("AdverseEvent?subject=Patient/7&_count=500", Searchset(AdverseEvent("1", "other"), true));
  client.Script("?page=2", Searchset(AdverseEvent("2", "clinic.r1.e")));
  Wanted one{4, Key("AdverseEvent", "it-adverse-event", "clinic.r1.e"), "", "subject", {"Patient/7"}};
  Wanted two = one;
  two.entry = 5;
  two.key.value = "clinic.r1.f";
  const LookupResult result = Find(client, {one, two});
  ASSERT_EQ(result.found.size(), 1U);
  EXPECT_EQ(result.found[0].entry, 4U);
  EXPECT_EQ(result.found[0].server_id, "2");
  EXPECT_EQ(client.requests().size(), 2U) << "one question for both";
}

TEST(ServerLookup, Provenance_IsFoundByItsTagAmongThoseOfTheTarget) {
  ScriptedClient client;
  client.Script(
      "Provenance?target=Procedure/1&_count=500",
      Searchset(TaggedProvenance("1", "clinic.r1.1") + "\n" + TaggedProvenance("2", "clinic.r1.2")));
  const LookupResult result =
      Find(client, {{0, Key("Provenance", "it-provenance", "clinic.r1.2"), "", "target", {"Procedure/1"}}});
  ASSERT_EQ(result.found.size(), 1U);
  EXPECT_EQ(result.found[0].server_id, "2");
}

TEST(ServerLookup, TypeWithoutIdentifierSearchOnAServerThatCannotBeRead_IsNotTakenForAbsent) {
  ScriptedClient client;
  client.Lose("AdverseEvent?subject=Patient/7&_count=500");
  const LookupResult result = Find(
      client, {{0, Key("AdverseEvent", "it-adverse-event", "clinic.r1.e"), "", "subject", {"Patient/7"}}});
  EXPECT_NE(result.classification.verdict, Verdict::kSucceeded);
}

TEST(ServerLookup, SeveralIdentifiers_AreOneSearchAndOnlyRealMatchesCount) {
  ScriptedClient client;
  client.Script(SearchOf("a b") + "&_count=40",
                Searchset(Observation("1", "a", "4") + "\n" + Observation("9", "z")));
  const LookupResult result = Find(client, {ByIdentifier(3, "a"), ByIdentifier(5, "b")});
  ASSERT_EQ(result.found.size(), 1U);
  EXPECT_EQ(result.found[0].entry, 3U);
  EXPECT_EQ(result.found[0].server_id, "1");
  EXPECT_EQ(result.found[0].version_id, "4");
  EXPECT_THAT(result.found[0].json, Not(HasSubstr("versionId")));
}

TEST(ServerLookup, TwoResourcesWithOneIdentifier_AreTold) {
  ScriptedClient client;
  client.Script(SearchOf("a") + "&_count=40",
                Searchset(Observation("1", "a") + "\n" + Observation("2", "a")));
  EXPECT_TRUE(Find(client, {ByIdentifier(0, "a")}).has_duplicates());
}

TEST(ServerLookup, ServerWithSmallPages_IsAskedForEachByItself) {
  ScriptedClient client;
  client.Script(SearchOf("a b") + "&_count=40", Searchset(Observation("1", "a"), true));
  client.Script(SearchOf("a") + "&_count=10", Searchset(Observation("1", "a")));
  client.Script(SearchOf("b") + "&_count=10", Searchset(Observation("2", "b")));
  const LookupResult result = Find(client, {ByIdentifier(0, "a"), ByIdentifier(1, "b")});
  EXPECT_EQ(result.found.size(), 2U);
  EXPECT_FALSE(result.has_duplicates());
}

TEST(ServerLookup, MoreIdentifiersThanOneSearchTakes_AreTwoSearches) {
  std::vector<Wanted> wanted;
  for (std::size_t i = 0; i < limits::kLookupTokensMax; ++i)
    wanted.push_back(ByIdentifier(i, "v" + std::to_string(i)));
  ScriptedClient one;
  Find(one, wanted);
  EXPECT_EQ(one.requests().size(), 1U);
  wanted.push_back(ByIdentifier(99, "more"));
  ScriptedClient two;
  std::string path = "Observation?identifier=";
  for (std::size_t i = 0; i < limits::kLookupTokensMax; ++i) {
    path += (i == 0 ? "" : ",") + SearchToken(kSystem, "v" + std::to_string(i));
  }
  two.Script(path + "&_count=40", Searchset(""));
  Find(two, wanted);
  EXPECT_EQ(two.requests().size(), 2U);
}

TEST(ServerLookup, ReadById_IsAbsentWhenNotThereOrDeleted) {
  for (const int status : {404, 410}) {
    ScriptedClient client;
    client.Script("AdverseEvent/u", "{}", status);
    const LookupResult result = Find(client, {{0, Key("AdverseEvent", "it-adverse-event", "e"), "u"}});
    EXPECT_EQ(result.classification.verdict, Verdict::kSucceeded);
    EXPECT_TRUE(result.found.empty());
  }
}

TEST(ServerLookup, SearchThatIsNotThere_IsNoAnswer) {
  ScriptedClient client;
  EXPECT_EQ(Find(client, {ByIdentifier(0, "a")}).classification.verdict, Verdict::kQuarantine);
}

TEST(ServerLookup, ServerBusy_IsTold) {
  ScriptedClient client;
  client.Script(SearchOf("a") + "&_count=40", "{}", 503);
  EXPECT_EQ(Find(client, {ByIdentifier(0, "a")}).classification.verdict, Verdict::kRetry);
}

std::string Provenance(const std::string& role, const std::string& system, const std::string& value) {
  return R"({"resourceType":"Provenance","entity":[{"role":")" + role +
         R"(","what":{"identifier":{"system":")" + system + R"(","value":")" + value + R"("}}}]})";
}

TEST(ServerLookup, NewestRevision_IsTheHighestOfThisRecordsSources) {
  ScriptedClient client;
  client.Script("Provenance?target=Procedure/1,Observation/2&_count=500",
                Searchset(Provenance("source", "urn:record", "c.r1.2") + "\n" +
                          Provenance("source", "urn:record", "c.r1.10") + "\n" +
                          Provenance("revision", "urn:record", "c.r1.50") + "\n" +
                          Provenance("source", "urn:record", "c.r1.p2.60") + "\n" +
                          Provenance("source", "urn:record", "c.r10.70") + "\n" +
                          Provenance("source", "urn:other", "c.r1.80")));
  ServerLookup lookup(client);
  std::int64_t newest = -1;
  lookup.FindNewestRevision({"Procedure/1", "Observation/2"}, "urn:record", "c.r1", {},
                            [&](const LookupResult& result) { newest = result.newest_revision; });
  EXPECT_EQ(newest, 10);
}

std::string PageOf(const std::string& resources, const std::string& next) {
  std::string page = Searchset(resources, true);
  const std::string link = "http://h/fhir?page=2";
  return page.replace(page.find(link), link.size(), next);
}

LookupResult NewestRevision(ScriptedClient& client) {
  ServerLookup lookup(client);
  LookupResult result;
  lookup.FindNewestRevision({"Procedure/1"}, "urn:record", "c.r1", {},
                            [&](LookupResult found) { result = std::move(found); });
  return result;
}

TEST(ServerLookup, NewestRevisionOnALaterPage_IsFound) {
  ScriptedClient client;
  client.Script("Provenance?target=Procedure/1&_count=500",
                PageOf(Provenance("source", "urn:record", "c.r1.2"), "http://h/fhir?page=2"));
  client.Script("?page=2",
                PageOf(Provenance("source", "urn:record", "c.r1.4"), "http://h/fhir/Provenance?page=3"));
  client.Script("Provenance?page=3", Searchset(Provenance("source", "urn:record", "c.r1.9")));
  const LookupResult result = NewestRevision(client);
  EXPECT_EQ(result.classification.verdict, Verdict::kSucceeded);
  EXPECT_EQ(result.newest_revision, 9);
}

TEST(ServerLookup, NextPageElsewhere_IsNotFollowedAndIsNoAnswer) {
  for (const char* elsewhere : {"http://evil/fhir?page=2", "http://h/fhirs?page=2", ""}) {
    ScriptedClient client;
    client.Script("Provenance?target=Procedure/1&_count=500",
                  PageOf(Provenance("source", "urn:record", "c.r1.2"), elsewhere));
    const LookupResult result = NewestRevision(client);
    EXPECT_EQ(result.classification, (Classification{Verdict::kQuarantine, Code::kServerAnswer}));
    EXPECT_EQ(client.requests().size(), 1U);
  }
}

TEST(ServerLookup, PagesUpToTheLimit_AreReadAndOneMoreIsNoAnswer) {
  const auto pages = [](std::size_t count) {
    ScriptedClient client;
    std::string path = "Provenance?target=Procedure/1&_count=500";
    for (std::size_t page = 2; page <= count; ++page) {
      const std::string next = "?page=" + std::to_string(page);
      client.Script(path, PageOf("", "http://h/fhir" + next));
      path = next;
    }
    client.Script(path, Searchset(""));
    return NewestRevision(client).classification.verdict;
  };
  EXPECT_EQ(pages(limits::kRevisionPagesMax), Verdict::kSucceeded);
  EXPECT_EQ(pages(limits::kRevisionPagesMax + 1), Verdict::kQuarantine);
}

}  // namespace
}  // namespace fhir_adapter::sync
