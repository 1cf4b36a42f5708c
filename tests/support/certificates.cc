#include "support/certificates.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <gtest/gtest.h>
#include <sstream>
#include <vector>

#include "support/process.h"

namespace fhir_adapter::test {
namespace {

std::string OpenSsl(const std::string& arguments) {
  ProcessOptions options;
  options.arguments = {"openssl"};
  std::istringstream words(arguments);
  for (std::string word; words >> word;) options.arguments.push_back(word);
  const ProcessResult result = RunProcess(options);
  EXPECT_EQ(result.exit_code, 0) << arguments << ": " << result.standard_error;
  return result.standard_output;
}

void MakeKey(const std::string& file, const std::string& key) {
  OpenSsl("genpkey -algorithm " + key + " -out " + file);
  std::filesystem::permissions(file,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace

CertificateAuthority::CertificateAuthority(const TemporaryDirectory& folder, std::string name)
    : folder_(folder),
      name_(std::move(name)),
      file_(folder.File(name_ + ".pem")),
      key_file_(folder.File(name_ + ".key")) {
  MakeKey(key_file_, "EC -pkeyopt ec_paramgen_curve:P-256");
  OpenSsl("req -x509 -new -key " + key_file_ + " -days 400 -subj /CN=" + name_ + " -out " + file_);
}

IssuedCertificate CertificateAuthority::Issue(const std::string& name, int days, const std::string& key) {
  IssuedCertificate issued{folder_.File(name + ".pem"), folder_.File(name + ".key")};
  MakeKey(issued.key_file, key);
  const std::string request = folder_.File(name + ".csr");
  const std::string extensions =
      folder_.Write(name + ".ext",
                    "subjectAltName=DNS:localhost,DNS:intake.clinic.example,IP:127.0.0.1\n"
                    "extendedKeyUsage=serverAuth,clientAuth\n"
                    "crlDistributionPoints=URI:http://authority.example/list\n");
  OpenSsl("req -new -key " + issued.key_file + " -subj /CN=" + name + " -out " + request);
  OpenSsl("x509 -req -in " + request + " -CA " + file_ + " -CAkey " + key_file_ + " -days " +
          std::to_string(days) + " -extfile " + extensions + " -out " + issued.certificate_file);
  return issued;
}

void Install(const IssuedCertificate& from, const IssuedCertificate& to) {
  for (const auto& [source, target] :
       {std::pair(from.key_file, to.key_file), std::pair(from.certificate_file, to.certificate_file)}) {
    const std::string beside = target + ".new";
    std::filesystem::copy_file(source, beside);
    std::filesystem::rename(beside, target);
  }
}

std::string FingerprintOf(const std::string& certificate_file) {
  std::string text = OpenSsl("x509 -in " + certificate_file + " -noout -fingerprint -sha256");
  text.erase(0, text.find('=') + 1);
  std::erase_if(text, [](unsigned char c) { return std::isxdigit(c) == 0; });
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace fhir_adapter::test
