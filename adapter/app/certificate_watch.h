// CertificateWatch: warns before a certificate of ours ends, once a day from fourteen days on.
//
// For one thread. Reads the file each time, so that a renewed certificate ends the warnings.
#pragma once

#include <cstdint>
#include <string>

#include "core/clock.h"

namespace fhir_adapter::app {

inline constexpr std::int64_t kCertificateWarningDays = 14;

class CertificateWatch {
 public:
  // An empty file: nothing to watch.
  CertificateWatch(std::string file, Clock& clock) : file_(std::move(file)), clock_(clock) {}

  // To be called now and then; looks at the file when a day has passed. Logs `certificate-ends-soon`,
  // `certificate-ended` or `certificate-unreadable`. True when it logged.
  bool Look();

  // What the last look found, as it was logged; empty: nothing.
  const std::string& trouble() const { return trouble_; }

 private:
  const std::string file_;
  Clock& clock_;
  std::int64_t next_look_us_ = 0;
  std::string trouble_;
};

}  // namespace fhir_adapter::app
