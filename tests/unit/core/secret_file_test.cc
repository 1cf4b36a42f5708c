#include "core/secret_file.h"

#include <gtest/gtest.h>
#include <string_view>
#include <sys/stat.h>

#include "core/limits.h"
#include "support/temporary_directory.h"

namespace fhir_adapter {
namespace {

class SecretFile : public testing::Test {
 protected:
  Result<std::string> Read(std::string_view content, mode_t mode = 0600) {
    const std::string file = folder_.Write("secret", content);
    EXPECT_EQ(chmod(file.c_str(), mode), 0);
    return ReadSecret(file);
  }
  test::TemporaryDirectory folder_;
};

TEST_F(SecretFile, OfItsOwnerOnly_IsReadWithoutItsLineEnd) {
  for (const std::string_view content : {"s3cret", "s3cret\n", "s3cret\r\n"}) {
    const auto secret = Read(content);
    ASSERT_TRUE(secret) << content;
    EXPECT_EQ(*secret, "s3cret");
  }
  EXPECT_TRUE(Read("s3cret", 0400));
}

TEST_F(SecretFile, OpenToOthers_IsRefusedWithTheRemedy) {
  for (const mode_t mode : {0640, 0604, 0620, 0602, 0610, 0601}) {
    const auto secret = Read("s3cret\n", mode);
    ASSERT_FALSE(secret) << std::oct << mode;
    EXPECT_EQ(secret.error().code, Code::kConfiguration);
    EXPECT_EQ(secret.error().message, "others may read this secret: chmod 600");
  }
}

TEST_F(SecretFile, BehindALink_IsJudgedByWhatIsOpened) {
  const std::string file = folder_.Write("target", "s3cret\n");
  ASSERT_EQ(chmod(file.c_str(), 0644), 0);
  std::filesystem::create_symlink(file, folder_.File("link"));
  EXPECT_FALSE(ReadSecret(folder_.File("link")));
  ASSERT_EQ(chmod(file.c_str(), 0600), 0);
  EXPECT_TRUE(ReadSecret(folder_.File("link")));
}

TEST_F(SecretFile, Longest_IsReadAndOneByteMoreRefused) {
  const std::string longest(limits::kSecretBytesMax, 'x');
  for (const std::string_view end : {"", "\n", "\r\n"}) {
    const auto secret = Read(longest + std::string(end));
    ASSERT_TRUE(secret);
    EXPECT_EQ(*secret, longest);
    EXPECT_FALSE(Read(longest + "x" + std::string(end)));
  }
  EXPECT_FALSE(Read(longest + longest));
}

TEST_F(SecretFile, EmptyOrOfSeveralLines_IsRefused) {
  for (const std::string_view content :
       {std::string_view(""), std::string_view("\n"), std::string_view("a\r\nX-Evil: 1"),
        std::string_view("a\n\n"), std::string_view("a\0b", 3)}) {
    EXPECT_FALSE(Read(content)) << content;
  }
}

TEST_F(SecretFile, ThatIsNoFile_IsRefusedWithoutWaiting) {
  EXPECT_EQ(ReadSecret(folder_.File("none")).error().code, Code::kFileNotFound);
  EXPECT_EQ(ReadSecret(folder_.path().string()).error().message, "the secret is not a regular file");
  ASSERT_EQ(mkfifo(folder_.File("pipe").c_str(), 0600), 0);
  EXPECT_EQ(ReadSecret(folder_.File("pipe")).error().message, "the secret is not a regular file");
}

}  // namespace
}  // namespace fhir_adapter
