#include "audit/signed_note.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "audit/checkpoint.h"
#include "audit/checkpoint_file.h"
#include "core/limits.h"
#include "support/temporary_directory.h"

namespace fhir_adapter::audit {
namespace {

using test::TemporaryDirectory;

// The example of c2sp.org/signed-note and of Go's golang.org/x/mod/sumdb/note.
constexpr std::string_view kGoKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr std::string_view kGoNote =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\xE2\x80\x94 PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

TEST(SignedNote, NoteOfTheReferenceImplementation_Opens) {
  const auto key = VerifierKey::Parse(kGoKey);
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(key->Text(), kGoKey);
  const auto text = OpenNote(*key, kGoNote);
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_TRUE(text->ends_with("what your problem is.\n"));
}

TEST(SignedNote, NoteWithAnyByteChanged_DoesNotOpen) {
  const auto key = VerifierKey::Parse(kGoKey);
  ASSERT_TRUE(key);
  for (std::size_t i = 0; i < kGoNote.size(); ++i) {
    std::string changed(kGoNote);
    changed[i] = static_cast<char>(changed[i] ^ 0x02);
    EXPECT_FALSE(OpenNote(*key, changed)) << i;
  }
}

TEST(SignedNote, KeyWithAnotherHash_IsRefused) {
  std::string text(kGoKey);
  text[13] = 'd';
  EXPECT_FALSE(VerifierKey::Parse(text));
  EXPECT_FALSE(VerifierKey::Parse("PeterNeumann"));
  EXPECT_FALSE(VerifierKey::Parse("PeterNeumann+c74f20a3+AAAA"));
}

TEST(SignedNote, SignaturesOfOthers_AreIgnored) {
  const SigningKey key = SigningKey::Make("clinic.example/log");
  const SigningKey other = SigningKey::Make("witness.example");
  const std::string text = "one\ntwo\n";
  const std::string of_other = SignNote(other, text);
  const std::string note = SignNote(key, text) + of_other.substr(of_other.find("\n\n") + 2);
  EXPECT_EQ(*OpenNote(key.verifier(), note), text);
  EXPECT_EQ(*OpenNote(other.verifier(), note), text);
  EXPECT_FALSE(OpenNote(SigningKey::Make("clinic.example/log").verifier(), note));
}

TEST(SigningKey, File_IsMadeOnceAndOnlyForItsOwner) {
  const TemporaryDirectory folder;
  const std::string path = folder.File("key");
  const auto first = SigningKey::LoadOrMake(path, "log");
  ASSERT_TRUE(first) << first.error().message;
  const auto second = SigningKey::LoadOrMake(path, "log");
  ASSERT_TRUE(second);
  EXPECT_EQ(first->verifier().Text(), second->verifier().Text());
  struct stat status{};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  ASSERT_EQ(chmod(path.c_str(), 0640), 0);
  EXPECT_EQ(SigningKey::Load(path, "log").error().code, Code::kConfiguration);
}

TEST(Checkpoint, Text_IsThatOfTheSpecification) {
  Checkpoint checkpoint{"example.com/behind-the-sofa", 20'852'163, {}};
  const std::string text =
      "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
  const auto parsed = ParseCheckpoint(text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->size, checkpoint.size);
  EXPECT_EQ(parsed->origin, checkpoint.origin);
  EXPECT_EQ(ToText(*parsed), text);
}

class BrokenCheckpoint : public testing::TestWithParam<const char*> {};

TEST_P(BrokenCheckpoint, IsRefused) {
  EXPECT_FALSE(ParseCheckpoint(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(
    Texts, BrokenCheckpoint,
    testing::Values("", "log\n", "log\n1\n", "\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
                    "log\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
                    "log\n-1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
                    "log\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n", "log\n1\nCsUY\n",
                    "log\n99999999999999999999\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"));

TEST(Checkpoint, OfAnotherOrigin_DoesNotOpen) {
  const SigningKey key = SigningKey::Make("log");
  EXPECT_TRUE(OpenCheckpoint(key.verifier(), SignCheckpoint(key, {"log", 1, {}})));
  EXPECT_FALSE(OpenCheckpoint(key.verifier(), SignCheckpoint(key, {"other", 1, {}})));
}

class CheckpointFileTest : public testing::Test {
 protected:
  std::string Note(std::uint64_t size) { return SignCheckpoint(key_, {"log", size, {}}); }
  std::vector<std::string> Notes() {
    std::vector<std::string> notes;
    EXPECT_TRUE(file_.ForEach([&](const std::string& note) -> Result<void> {
      notes.push_back(note);
      return {};
    }));
    return notes;
  }

  const TemporaryDirectory folder_;
  const SigningKey key_ = SigningKey::Make("log");
  const CheckpointFile file_{folder_.File("checkpoints")};
};

TEST_F(CheckpointFileTest, Appended_ComeBackInOrder) {
  EXPECT_FALSE(file_.exists());
  EXPECT_EQ(*file_.Last(), "");
  const std::vector<std::string> written = {Note(1), Note(2), Note(300)};
  for (const std::string& note : written) ASSERT_TRUE(file_.Append(note));
  EXPECT_EQ(Notes(), written);
  EXPECT_EQ(*file_.Last(), written.back());
}

// A crash may leave any beginning of a note behind.
TEST_F(CheckpointFileTest, TornAtEveryByte_LosesOnlyTheTornNote) {
  ASSERT_TRUE(file_.Append(Note(1)));
  const auto whole = std::filesystem::file_size(file_.path());
  ASSERT_TRUE(file_.Append(Note(2)));
  const auto end = std::filesystem::file_size(file_.path());
  for (auto size = end - 1; size >= whole; --size) {
    std::filesystem::resize_file(file_.path(), size);
    EXPECT_EQ(Notes(), std::vector<std::string>{Note(1)}) << size;
    EXPECT_EQ(*file_.Last(), Note(1));
    ASSERT_TRUE(file_.Append(Note(3)));
    EXPECT_EQ(Notes(), (std::vector<std::string>{Note(1), Note(3)})) << size;
    std::filesystem::resize_file(file_.path(), whole);
    ASSERT_TRUE(file_.Append(Note(2)));
  }
}

TEST_F(CheckpointFileTest, LongFile_GivesItsLastNote) {
  const std::string large =
      Note(7) + "\xE2\x80\x94 other " + std::string(limits::kCheckpointNoteBytesMax / 2, 'A') + "\n";
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(file_.Append(large));
  ASSERT_TRUE(file_.Append(Note(8)));
  EXPECT_EQ(*file_.Last(), Note(8));
  EXPECT_EQ(Notes().size(), 11u);
}

// A line that would pass the limit is left out, and the note does not verify without it.
TEST_F(CheckpointFileTest, NoteAtTheLimit_IsReadAndOneByteMoreIsNot) {
  const std::string note = Note(1);
  const std::size_t room = limits::kCheckpointNoteBytesMax - note.size() - 1;
  const std::string begin = "\xE2\x80\x94 other ";
  const std::string fits = note + begin + std::string(room - begin.size(), 'A') + "\n";
  ASSERT_TRUE(file_.Append(fits));
  EXPECT_EQ(*file_.Last(), fits);
  ASSERT_TRUE(file_.Append(note + begin + std::string(room - begin.size() + 1, 'A') + "\n"));
  EXPECT_EQ(*file_.Last(), note);
}

TEST_F(CheckpointFileTest, StartedAgain_KeepsTheOldOnesAside) {
  ASSERT_TRUE(file_.Append(Note(1)));
  ASSERT_TRUE(file_.Append(Note(2)));
  ASSERT_TRUE(file_.StartAgain(Note(1)));
  EXPECT_EQ(Notes(), std::vector<std::string>{Note(1)});
  EXPECT_EQ(*CheckpointFile(file_.path() + ".before-restore").Last(), Note(2));
  ASSERT_TRUE(file_.StartAgain(""));
  EXPECT_FALSE(file_.exists());
}

}  // namespace
}  // namespace fhir_adapter::audit
