// What a command tells the daemon of its reading.
#include "app/read_notes.h"

#include <gtest/gtest.h>

#include "core/limits.h"

namespace fhir_adapter::app {
namespace {

TEST(ReadNotes, Note_SurvivesTheWay) {
  const ReadNote note{"trace", {{"pain-clinic", "A \"1\""}, {"", ""}}};
  const auto read = ParseReadNote(ToJson(note));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, note);
}

TEST(ReadNotes, NoteWithoutCommandOrSubject_IsRefused) {
  for (const char* json :
       {"{}", R"({"command":"trace","subjects":[]})", R"({"subjects":[{"site":"a"}]})", "["}) {
    EXPECT_FALSE(ParseReadNote(json)) << json;
  }
}

TEST(ReadNotes, MoreSubjectsThanATraceShows_AreRefused) {
  ReadNote note{"trace", std::vector<ReadSubject>(limits::kQueuePageEntriesMax, ReadSubject{"s", "r"})};
  EXPECT_TRUE(ParseReadNote(ToJson(note)));
  note.subjects.push_back({"s", "r"});
  EXPECT_FALSE(ParseReadNote(ToJson(note)));
}

}  // namespace
}  // namespace fhir_adapter::app
