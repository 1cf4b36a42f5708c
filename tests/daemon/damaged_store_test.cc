// Scenario 10: a database that is damaged is refused at the start, with what to do.
#include <fstream>
#include <gtest/gtest.h>
#include <string>

#include "running_adapter.h"

namespace fhir_adapter::test {
namespace {

TEST(DamagedStore, IsRefusedAtTheStartWithStatus3AndWhatToDo) {
  RunningDaemon daemon({});
  for (int i = 0; i < 20; ++i) {
    const std::string record =
        Replaced(Fixture("records/mg-1.json"), "\"MG-1\"", "\"X-" + std::to_string(i) + "\"");
    ASSERT_EQ(daemon.Submit(record).status, 202);
  }
  ASSERT_EQ(daemon.Stop(), 0);
  {
    // Every page but the first few, whose damage would leave no database at all.
    std::fstream file(daemon.state_directory() + "/adapter.db",
                      std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(0, std::ios::end);
    const std::streamoff size = file.tellp();
    const std::string junk(512, '\x5A');
    for (std::streamoff at = 16 * 4'096; at + 512 < size; at += 4'096) {
      file.seekp(at);
      file.write(junk.data(), static_cast<std::streamsize>(junk.size()));
    }
    ASSERT_TRUE(file.good());
  }
  const ProcessResult refused = daemon.Command({"serve"});
  EXPECT_EQ(refused.exit_code, 3) << refused.standard_error;
  EXPECT_NE(refused.standard_error.find("malformed"), std::string::npos) << refused.standard_error;
  EXPECT_NE(refused.standard_error.find("restore"), std::string::npos) << refused.standard_error;
}

}  // namespace
}  // namespace fhir_adapter::test
