// A PostgreSQL server of a test: a new one in a directory of its own, reached by its socket only. It runs as
// the user postgres when the test runs as root, which PostgreSQL refuses to be.
//
// A test without Debian's postgresql fails, and says what to install.
#pragma once

#include <memory>
#include <string>

#include "support/process.h"

namespace fhir_adapter::test {

class PostgresServer {
 public:
  PostgresServer();
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  void Start();  // done by the constructor; again after Stop
  void Stop();   // open connections are broken off

  // Of the role `role`: postgres, who is let in, or another one, who needs a password.
  std::string Url(const std::string& role = "postgres") const;
  // The same for Debian's ODBC driver.
  std::string OdbcUrl(const std::string& role = "postgres") const;
  // Runs statements as postgres; what they give, unaligned.
  std::string Run(const std::string& statements) const;

 private:
  ProcessResult RunTool(std::vector<std::string> arguments, const std::string& input = {}) const;

  std::string directory_;
  std::unique_ptr<Process> process_;
};

}  // namespace fhir_adapter::test
