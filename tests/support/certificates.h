// Certificates for tests, made by the openssl command: an authority, and what it signs.
//
// Files lie in the folder given; keys have mode 0600. Methods fail the test when openssl does.
#pragma once

#include <string>

#include "support/temporary_directory.h"

namespace fhir_adapter::test {

struct IssuedCertificate {
  std::string certificate_file;
  std::string key_file;
};

class CertificateAuthority {
 public:
  CertificateAuthority(const TemporaryDirectory& folder, std::string name);

  const std::string& file() const { return file_; }

  // For 127.0.0.1, localhost and intake.clinic.example. A negative number of days: it has ended already.
  // `key` is what `openssl genpkey` calls the algorithm with its options.
  IssuedCertificate Issue(const std::string& name, int days = 30,
                          const std::string& key = "EC -pkeyopt ec_paramgen_curve:P-256");

 private:
  const TemporaryDirectory& folder_;
  const std::string name_;
  std::string file_;
  std::string key_file_;
};

// Puts both files into the place of others, each at once, as `mv` does.
void Install(const IssuedCertificate& from, const IssuedCertificate& to);

// SHA-256 of the certificate in lower-case hex, as openssl says it.
std::string FingerprintOf(const std::string& certificate_file);

}  // namespace fhir_adapter::test
