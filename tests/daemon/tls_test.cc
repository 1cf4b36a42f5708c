// The door of the running daemon: TLS, certificates that are exchanged, addresses outside loopback.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <string>
#include <thread>
#include <vector>

#include "running_adapter.h"
#include "support/certificates.h"

namespace fhir_adapter::test {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

class Tls : public testing::Test {
 protected:
  Tls() : authority_(folder_, "authority"), certificate_(authority_.Issue("server")) {}

  std::string Keys() const {
    return "certificate_file = \"" + certificate_.certificate_file + "\"\nkey_file = \"" +
           certificate_.key_file + "\"\n";
  }

  void StartDaemon(const std::string& more_http = {}, const std::string& listen = "127.0.0.1:0") {
    DaemonOptions options;
    options.more_configuration = "[auth]\nkind = \"token\"\n";
    options.http_configuration = Keys() + more_http;
    options.listen = listen;
    options.authority_file = authority_.file();
    daemon_ = std::make_unique<RunningDaemon>(std::move(options));
  }

  std::string Token(const std::string& role) {
    const ProcessResult made =
        daemon_->Command({"token", "create", role, "--role", role, "--reason", "test"});
    EXPECT_EQ(made.exit_code, 0) << made.standard_error;
    return made.standard_output.substr(0, made.standard_output.find('\n'));
  }

  // The subject of the certificate that a new connection is shown.
  std::string ShownSubject() {
    ProcessOptions options;
    options.arguments = {"openssl", "s_client", "-connect",
                         daemon_->url().substr(std::string("https://").size())};
    const std::string text = RunProcess(options).standard_output;
    const std::size_t begin = text.find("subject=");
    return begin == std::string::npos ? "" : text.substr(begin, text.find('\n', begin) - begin);
  }

  // `check` of a configuration with these files.
  ProcessResult Check(const std::string& http) {
    folder_.Write("check.toml",
                  "[store]\nurl = \"sqlite:" + folder_.File("adapter.db") + "\"\n[http]\n" + http);
    return RunAdapter({"--config", folder_.File("check.toml"), "check"});
  }

  TemporaryDirectory folder_;
  CertificateAuthority authority_;
  IssuedCertificate certificate_;
  std::unique_ptr<RunningDaemon> daemon_;
};

TEST_F(Tls, Record_IsSubmittedWithTokenAndAuthority) {
  StartDaemon();
  EXPECT_EQ(daemon_->client().Get("/health/live").status, 200);
  EXPECT_EQ(daemon_->client().Get("/metrics").status, 401);
  const std::string token_file = folder_.Write("token", Token("ingest"));
  std::filesystem::permissions(token_file, std::filesystem::perms::owner_read);
  const std::string record = FHIR_ADAPTER_SOURCE_DIR "/fixtures/records/mg-1.json";
  const std::vector<std::string> submit = {"submit",       "--to",     daemon_->url(),
                                           "--token-file", token_file, record};
  EXPECT_EQ(RunAdapter(submit).exit_code, 4) << "an authority that is not the system's";
  std::vector<std::string> known = submit;
  known.insert(known.end() - 1, {"--ca-file", authority_.file()});
  const ProcessResult result = RunAdapter(known);
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  EXPECT_EQ(result.standard_output, "1 accepted, 0 known before, 0 rejected\n");
}

TEST_F(Tls, ClientCertificate_IsNeededBesideTheToken) {
  CertificateAuthority clients(folder_, "clients");
  const IssuedCertificate own = clients.Issue("ehr");
  StartDaemon("client_ca_file = \"" + clients.file() + "\"\n");
  EXPECT_EQ(daemon_->client().Get("/health/live").status, 0);
  daemon_->client().set_tls(authority_.file(), own.certificate_file, own.key_file);
  EXPECT_EQ(daemon_->client().Get("/health/live").status, 200);
  EXPECT_EQ(daemon_->client().Get("/metrics").status, 401);
  const HttpReply page = daemon_->client().Get("/metrics", {{"Authorization", "Bearer " + Token("auditor")}});
  EXPECT_THAT(page.body, HasSubstr("\nfhir_adapter_tls_handshakes_failed_total{listener=\"http\"} 1\n"));
}

TEST_F(Tls, TokenBoundToACertificate_IsGoodWithThatOneOnly) {
  CertificateAuthority clients(folder_, "clients");
  const IssuedCertificate own = clients.Issue("ehr");
  const IssuedCertificate other = clients.Issue("other");
  StartDaemon("client_ca_file = \"" + clients.file() + "\"\n");
  const ProcessResult made = daemon_->Command({"token", "create", "ehr", "--role", "auditor", "--reason",
                                               "test", "--certificate", own.certificate_file});
  EXPECT_EQ(made.exit_code, 0) << made.standard_error;
  const HeaderList token = {
      {"Authorization", "Bearer " + made.standard_output.substr(0, made.standard_output.find('\n'))}};
  daemon_->client().set_fresh_connections(true);
  daemon_->client().set_tls(authority_.file(), other.certificate_file, other.key_file);
  EXPECT_EQ(daemon_->client().Get("/metrics", token).status, 401);
  daemon_->client().set_tls(authority_.file(), own.certificate_file, own.key_file);
  EXPECT_EQ(daemon_->client().Get("/metrics", token).status, 200);
}

TEST_F(Tls, Metric_CountsTheSecondsUntilTheCertificateEnds) {
  StartDaemon();
  const HttpReply page = daemon_->client().Get("/metrics", {{"Authorization", "Bearer " + Token("auditor")}});
  const std::string name = "\nfhir_adapter_certificate_remaining_seconds{listener=\"http\"} ";
  const std::size_t at = page.body.find(name);
  ASSERT_NE(at, std::string::npos) << page.body;
  const long seconds = std::stol(page.body.substr(at + name.size()));
  EXPECT_GT(seconds, 29 * 86'400);
  EXPECT_LE(seconds, 30 * 86'400);
}

TEST_F(Tls, ExchangedCertificate_IsTakenAtTheSignalAndWhenTheFilesChange) {
  StartDaemon();
  EXPECT_THAT(ShownSubject(), HasSubstr("server"));
  Install(authority_.Issue("second"), certificate_);
  daemon_->process().Signal(SIGHUP);
  ASSERT_TRUE(daemon_->process().WaitForLine("certificate-loaded"));
  EXPECT_THAT(ShownSubject(), HasSubstr("second"));
  Install(authority_.Issue("third"), certificate_);
  ASSERT_TRUE(daemon_->process().WaitForLine("certificate-loaded"));
  EXPECT_THAT(ShownSubject(), HasSubstr("third"));
  std::ofstream(certificate_.key_file) << "nothing";
  const auto kept = daemon_->process().WaitForLine("certificate-kept");
  ASSERT_TRUE(kept);
  EXPECT_THAT(*kept, HasSubstr(certificate_.key_file));
  EXPECT_THAT(ShownSubject(), HasSubstr("third"));
}

TEST_F(Tls, ReloadUnderLoad_LosesNoRequest) {
  StartDaemon();
  const IssuedCertificate other = authority_.Issue("other");
  const IssuedCertificate first = {folder_.File("first.pem"), folder_.File("first.key")};
  Install(certificate_, first);
  constexpr int kClients = 3;
  constexpr int kRequests = 100;
  std::atomic<int> answered = 0;
  std::atomic<int> running = kClients;
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&] {
      HttpClient client(daemon_->url());
      client.set_tls(authority_.file());
      client.set_fresh_connections(true);
      for (int k = 0; k < kRequests; ++k) answered += client.Get("/health/live").status == 200 ? 1 : 0;
      --running;
    });
  }
  int reloads = 0;
  for (; running > 0; ++reloads) {
    Install(reloads % 2 == 0 ? other : first, certificate_);
    daemon_->process().Signal(SIGHUP);
    ASSERT_TRUE(daemon_->process().WaitForLine("certificate-loaded"));
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(answered, kClients * kRequests);
  EXPECT_GT(reloads, 0);
}

TEST_F(Tls, AddressOutsideLoopback_WorksWithTlsAndTokens) {
  StartDaemon("", "0.0.0.0:0");
  EXPECT_EQ(daemon_->client().Get("/health/live").status, 200);
  EXPECT_EQ(daemon_->client().Get("/metrics").status, 401);
}

TEST_F(Tls, AddressOutsideLoopback_IsRefusedWithoutEither) {
  const std::string listen = "listen = \"0.0.0.0:0\"\n";
  for (const auto& [configuration, missing] :
       {std::pair(listen, std::string("[http] certificate_file and key_file (TLS) and [auth] kind")),
        std::pair(listen + "[auth]\nkind = \"token\"\n", std::string("[http] certificate_file and key_file")),
        std::pair(listen + Keys(), std::string("[auth] kind"))}) {
    const ProcessResult check = Check(configuration);
    EXPECT_EQ(check.exit_code, 2);
    EXPECT_THAT(check.standard_output, HasSubstr(missing));
    const ProcessResult serve = RunAdapter({"--config", folder_.File("check.toml"), "serve"});
    EXPECT_EQ(serve.exit_code, 2);
    EXPECT_THAT(serve.standard_error, HasSubstr(missing));
  }
}

TEST_F(Tls, Check_ReadsTheFiles) {
  const ProcessResult good = Check(Keys());
  EXPECT_EQ(good.exit_code, 0) << good.standard_output;
  EXPECT_EQ(good.standard_output, "");
  certificate_ = authority_.Issue("soon", 13);
  const ProcessResult soon = Check(Keys());
  EXPECT_EQ(soon.exit_code, 0);
  EXPECT_THAT(soon.standard_output,
              HasSubstr(certificate_.certificate_file + ": warning: [http] the certificate ends soon"));
  certificate_ = authority_.Issue("ended", -1);
  const ProcessResult ended = Check(Keys());
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_THAT(ended.standard_output,
              HasSubstr(certificate_.certificate_file + ": error: [http] the certificate ended"));
  const IssuedCertificate other = authority_.Issue("other");
  certificate_ = {authority_.Issue("server").certificate_file, other.key_file};
  const ProcessResult mixed = Check(Keys());
  EXPECT_EQ(mixed.exit_code, 1);
  EXPECT_THAT(mixed.standard_output, HasSubstr("is not the key of the certificate"));
  std::filesystem::permissions(other.key_file, std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  const ProcessResult open = Check(Keys());
  EXPECT_EQ(open.exit_code, 1);
  EXPECT_THAT(open.standard_output, HasSubstr("chmod 600"));
}

// https://testssl.sh: protocols, ciphers, forward secrecy, certificate, headers, known vulnerabilities.
TEST_F(Tls, Testssl_FindsNothingAboveLow) {
  certificate_ = authority_.Issue("lasting", 90);
  StartDaemon();
  const std::string findings = folder_.File("findings.json");
  ProcessOptions options;
  options.arguments = {"testssl",
                       "--quiet",
                       "--color",
                       "0",
                       "--warnings",
                       "off",
                       "--add-ca",
                       authority_.file(),
                       "--jsonfile",
                       findings,
                       "-p",
                       "-s",
                       "-f",
                       "-S",
                       "-h",
                       "-U",
                       "localhost" + daemon_->url().substr(daemon_->url().rfind(':'))};
  const ProcessResult result = RunProcess(options, 280'000);
  const std::string json = ReadFile(findings);
  int looked_at = 0;
  for (int i = 0;; ++i, ++looked_at) {
    const std::string place = "/" + std::to_string(i);
    const std::string severity = AtPointer(json, place + "/severity");
    if (severity.empty()) break;
    // What testssl says of the machine that it runs on.
    if (AtPointer(json, place + "/id") == "engine_problem") continue;
    const std::string finding = AtPointer(json, place + "/id") + ": " + AtPointer(json, place + "/finding");
    EXPECT_THAT(severity, AnyOf("OK", "INFO", "LOW")) << finding;
  }
  EXPECT_GT(looked_at, 50) << result.standard_output << result.standard_error;
}

}  // namespace
}  // namespace fhir_adapter::test
