#include "app/certificate_watch.h"

#include <gtest/gtest.h>

#include "support/process.h"
#include "support/temporary_directory.h"

namespace fhir_adapter::app {
namespace {

class FakeClock final : public Clock {
 public:
  TimeUs Now() override { return now; }
  std::int64_t MonotonicUs() override { return now.us; }
  void AdvanceDays(std::int64_t days) { now.us += days * 86'400'000'000; }
  TimeUs now = SystemClock().Now();
};

std::string MakeCertificate(const test::TemporaryDirectory& folder, int days) {
  test::ProcessOptions options;
  options.arguments = {"openssl",  "req",
                       "-x509",    "-newkey",
                       "rsa:2048", "-nodes",
                       "-days",    std::to_string(days),
                       "-subj",    "/CN=x",
                       "-out",     folder.File("certificate"),
                       "-keyout",  folder.File("key")};
  const test::ProcessResult made = test::RunProcess(options);
  EXPECT_EQ(made.exit_code, 0) << made.standard_error;
  return folder.File("certificate");
}

TEST(CertificateWatch, FromFourteenDaysBeforeTheEnd_WarnsOnceADayUntilItIsRenewed) {
  test::TemporaryDirectory folder;
  FakeClock clock;
  CertificateWatch watch(MakeCertificate(folder, 20), clock);
  EXPECT_FALSE(watch.Look()) << "twenty days";
  clock.AdvanceDays(5);
  EXPECT_FALSE(watch.Look()) << "fifteen days";
  clock.AdvanceDays(2);
  EXPECT_TRUE(watch.Look()) << "thirteen days";
  EXPECT_FALSE(watch.Look()) << "the same day";
  clock.AdvanceDays(1);
  EXPECT_TRUE(watch.Look());
  clock.AdvanceDays(20);
  EXPECT_TRUE(watch.Look()) << "it has ended";
  MakeCertificate(folder, 400);
  clock.AdvanceDays(1);
  EXPECT_FALSE(watch.Look());
}

TEST(CertificateWatch, WithoutAFile_SaysNothingAndAnUnreadableOneIsTold) {
  FakeClock clock;
  EXPECT_FALSE(CertificateWatch("", clock).Look());
  test::TemporaryDirectory folder;
  EXPECT_TRUE(CertificateWatch(folder.File("none"), clock).Look());
  EXPECT_TRUE(CertificateWatch(folder.Write("text", "no certificate"), clock).Look());
}

}  // namespace
}  // namespace fhir_adapter::app
