// SMART Backend Services against oidc-provider: tokens are had with both kinds of key, renewed while records
// are sent, and a server that grants less than is wanted gets nothing.
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>

#include "running_adapter.h"

namespace fhir_adapter::test {
namespace {

using testing::HasSubstr;

std::string Run(std::vector<std::string> arguments) {
  ProcessOptions options;
  options.arguments = std::move(arguments);
  const ProcessResult result = RunProcess(options, 300'000);
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  std::string text = result.standard_output;
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

// A private key, and the set of public keys that holds its other half.
class ClientKey {
 public:
  ClientKey(const TemporaryDirectory& folder, const std::string& kind)
      : key_(folder.File("key.pem")), set_(folder.File("jwks.json")) {
    Make(kind);
  }
  // Both files are exchanged while they are in use.
  void Make(const std::string& kind) const {
    std::vector<std::string> arguments = {"openssl", "genpkey", "-out", key_ + ".new"};
    if (kind == "RSA") {
      arguments.insert(arguments.end(), {"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"});
    } else {
      arguments.insert(arguments.end(), {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"});
    }
    Run(arguments);
    const std::string script =
        "const c = require('crypto'), f = require('fs'); const [, key, set] = process.argv;"
        "const jwk = c.createPublicKey(f.readFileSync(key)).export({format: 'jwk'});"
        "f.writeFileSync(set, JSON.stringify({keys: [{...jwk, kid: 'clinic-1', use: 'sig'}]}));";
    Run({"node", "-e", script, key_ + ".new", set_ + ".new"});
    std::filesystem::rename(set_ + ".new", set_);
    std::filesystem::rename(key_ + ".new", key_);
  }
  const std::string& key() const { return key_; }
  const std::string& set() const { return set_; }

 private:
  std::string key_;
  std::string set_;
};

class TokenServer {
 public:
  TokenServer(const std::string& fhir, const std::string& jwks, std::vector<std::string> more = {}) {
    static const std::string folder = Run({FHIR_ADAPTER_SOURCE_DIR "/tests/interop/smart/fetch.sh"});
    ProcessOptions options;
    // It ends when its standard input does, so that none stays behind when this process is killed.
    options.arguments = {"bash",
                         "-c",
                         R"(exec "$0" "$@" < <(exec tail --pid=$PPID -f /dev/null 2>/dev/null))",
                         "node",
                         folder + "/server.mjs",
                         "--fhir",
                         fhir,
                         "--jwks",
                         jwks};
    options.arguments.insert(options.arguments.end(), more.begin(), more.end());
    process_ = std::make_unique<Process>(options);
    const auto line = process_->WaitForLine("READY ", 60'000);
    EXPECT_TRUE(line) << process_->StandardError();
    if (line) url_ = line->substr(line->find("http"));
  }
  std::string fhir() const { return url_ + "/fhir"; }
  // The next token that was given or refused.
  std::string NextToken() { return process_->WaitForLine("TOKEN ").value_or("no token was asked for"); }

 private:
  std::unique_ptr<Process> process_;
  std::string url_;
};

struct Clinic {
  explicit Clinic(const std::string& kind, std::vector<std::string> more = {})
      : key(folder, kind), server(sandbox.url(), key.set(), std::move(more)) {}

  std::unique_ptr<RunningDaemon> StartDaemon(const std::string& more = {}) const {
    DaemonOptions options;
    options.endpoint = server.fhir();
    options.more_configuration =
        "[endpoint.auth]\nkind = \"smart-backend\"\nclient_id = \"clinic\"\n"
        "key_id = \"clinic-1\"\nprivate_key_file = \"" +
        key.key() + "\"\n" + more;
    return std::make_unique<RunningDaemon>(options);
  }

  TemporaryDirectory folder;
  RunningSandbox sandbox;
  ClientKey key;
  TokenServer server;
};

TEST(SmartBackend, RsaKey_TokensAreRenewedWhileRecordsAreSent) {
  Clinic clinic("RSA", {"--lifetime", "3"});
  const auto daemon = clinic.StartDaemon();
  // A held patient is searched for each second: more tokens than one are needed.
  ASSERT_EQ(daemon->Submit(Fixture("records/mg-1.json")).status, 202);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(clinic.server.NextToken(), "TOKEN ok clinic-1 RS384");
  EXPECT_EQ(daemon->StateOf("MG-1", 1), "held");
  clinic.sandbox.RegisterPatient("100001", "female");
  EXPECT_EQ(daemon->WaitForState("MG-1", 1, {"delivered"}), "delivered");
  const std::string detail = daemon->Command({"--json", "queue", "list", "--state", "retry"}).standard_output;
  EXPECT_EQ(detail, "") << "no attempt was burned";
}

TEST(SmartBackend, EllipticKeyExchangedWhileRunning_TheNextTokenIsSignedWithTheNewOne) {
  Clinic clinic("EC", {"--lifetime", "3"});
  const auto daemon = clinic.StartDaemon();
  clinic.sandbox.RegisterPatient("100001", "female");
  ASSERT_EQ(daemon->Submit(Fixture("records/mg-1.json")).status, 202);
  EXPECT_EQ(daemon->WaitForState("MG-1", 1, {"delivered"}), "delivered");
  EXPECT_EQ(clinic.server.NextToken(), "TOKEN ok clinic-1 ES384");
  ASSERT_EQ(daemon->Submit(Fixture("records/mg-2.json")).status, 202);  // held: searched for each second
  clinic.key.Make("RSA");
  std::string token;
  for (int i = 0; i < 20 && token != "TOKEN ok clinic-1 RS384"; ++i) token = clinic.server.NextToken();
  EXPECT_EQ(token, "TOKEN ok clinic-1 RS384");
  clinic.sandbox.RegisterPatient("100002");
  EXPECT_EQ(daemon->WaitForState("MG-2", 1, {"delivered"}), "delivered");
}

TEST(SmartBackend, LessGrantedThanWanted_NothingIsSentAndTheCheckSaysWhat) {
  Clinic clinic("EC", {"--granted", "system/Patient.rs"});
  const auto daemon = clinic.StartDaemon("scope = \"system/Patient.rs system/*.cruds\"\n");
  clinic.sandbox.RegisterPatient("100001", "female");
  ASSERT_EQ(daemon->Submit(Fixture("records/mg-1.json")).status, 202);
  ASSERT_TRUE(daemon->process().WaitForLine("token-trouble"));
  EXPECT_EQ(daemon->WaitForState("MG-1", 1, {"queued"}), "queued");
  EXPECT_EQ(clinic.sandbox.Count("Procedure"), 0);
  const ProcessResult check = daemon->Command({"check", "--connect"});
  EXPECT_EQ(check.exit_code, 1) << check.standard_output;
  EXPECT_THAT(check.standard_output, HasSubstr("token: failed: "));
  EXPECT_THAT(check.standard_output, HasSubstr("scope"));
}

TEST(SmartBackend, CheckOfAWorkingServer_NamesEachStepAndWritesNothing) {
  Clinic clinic("EC");
  const auto daemon = clinic.StartDaemon();
  clinic.sandbox.RegisterPatient("100001", "female");
  const ProcessResult check = daemon->Command({"check", "--connect", "--patient", "100001"});
  EXPECT_EQ(check.exit_code, 0) << check.standard_output << check.standard_error;
  for (const char* step : {"token: ok: ", "tls: ok: ", "metadata: ok: FHIR 4.0.1", "rung: ok: transaction",
                           "patient: ok: found as Patient/"}) {
    EXPECT_THAT(check.standard_output, HasSubstr(step));
  }
  EXPECT_EQ(check.standard_output.find("100001"), std::string::npos) << "a patient number is not printed";
  EXPECT_EQ(daemon->Command({"check", "--connect", "--patient", "unknown"}).exit_code, 1);
}

TEST(SmartBackend, KeyThatTheServerDoesNotKnow_IsRefusedWithWhatToDo) {
  Clinic clinic("EC");
  const auto daemon = clinic.StartDaemon();
  TemporaryDirectory elsewhere;
  const ClientKey other(elsewhere, "EC");
  std::filesystem::copy_file(other.key(), clinic.key.key(),
                             std::filesystem::copy_options::overwrite_existing);
  const ProcessResult check = daemon->Command({"check", "--connect"});
  EXPECT_EQ(check.exit_code, 1) << check.standard_output;
  EXPECT_THAT(check.standard_output, HasSubstr("HTTP 401, invalid_client"));
  EXPECT_THAT(check.standard_output, HasSubstr("key_id"));
}

}  // namespace
}  // namespace fhir_adapter::test
