#include "support/postgres_server.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <pwd.h>
#include <signal.h>
#include <stdexcept>
#include <unistd.h>

namespace fhir_adapter::test {
namespace {

namespace fs = std::filesystem;

// The newest that Debian installed.
std::string Tool(const std::string& name) {
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", error)) {
    const fs::path tool = version.path() / "bin" / name;
    if (fs::exists(tool, error)) found.push_back(tool.string());
  }
  if (found.empty()) throw std::runtime_error("PostgreSQL is not here: deploy/packages.sh test installs it");
  return *std::ranges::max_element(found);
}

std::vector<std::string> AsAnybodyButRoot(std::vector<std::string> arguments) {
  if (geteuid() != 0) return arguments;
  std::vector<std::string> all = {"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

}  // namespace

PostgresServer::PostgresServer() {
  std::string name = fs::temp_directory_path() / "pg-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no directory for PostgreSQL");
  directory_ = name;
  if (geteuid() == 0) {
    const passwd* user = getpwnam("postgres");  // NOLINT(concurrency-mt-unsafe): before any thread
    if (user == nullptr || chown(directory_.c_str(), user->pw_uid, user->pw_gid) != 0) {
      throw std::runtime_error("there is no user postgres: deploy/packages.sh test installs PostgreSQL");
    }
  }
  const ProcessResult made = RunTool({Tool("initdb"), "-D", directory_ + "/data", "-U", "postgres", "-A",
                                      "trust", "--no-sync", "--locale=C", "--encoding=UTF8"});
  if (made.exit_code != 0) throw std::runtime_error("initdb: " + made.standard_error);
  std::ofstream(directory_ + "/data/pg_hba.conf")
      << "local all postgres trust\nlocal all all scram-sha-256\n";
  Start();
}

PostgresServer::~PostgresServer() {
  Stop();
  std::error_code error;
  fs::remove_all(directory_, error);
}

void PostgresServer::Start() {
  ProcessOptions options;
  options.arguments = AsAnybodyButRoot({Tool("postgres"), "-D", directory_ + "/data", "-k", directory_, "-c",
                                        "listen_addresses=", "-c", "fsync=off", "-c", "shared_buffers=4MB",
                                        "-c", "max_connections=20"});
  options.working_directory = directory_;
  process_ = std::make_unique<Process>(options);
  if (!process_->WaitForLine("database system is ready to accept connections", 120'000)) {
    throw std::runtime_error("PostgreSQL: " + process_->StandardError());
  }
}

void PostgresServer::Stop() {
  if (!process_) return;
  process_->Signal(SIGINT);
  process_->Wait(60'000);
  process_.reset();
}

std::string PostgresServer::Url(const std::string& role) const {
  return "postgresql://" + role + "@/postgres?host=" + directory_;
}

std::string PostgresServer::OdbcUrl(const std::string& role) const {
  return "odbc:Driver={PostgreSQL Unicode};Servername=" + directory_ + ";Database=postgres;UID=" + role;
}

std::string PostgresServer::Run(const std::string& statements) const {
  const ProcessResult result =
      RunTool({Tool("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", Url()}, statements);
  if (result.exit_code != 0) throw std::runtime_error("psql: " + result.standard_error);
  return result.standard_output;
}

ProcessResult PostgresServer::RunTool(std::vector<std::string> arguments, const std::string& input) const {
  ProcessOptions options;
  options.arguments = AsAnybodyButRoot(std::move(arguments));
  options.working_directory = directory_;
  options.input = input;
  return RunProcess(options, 120'000);
}

}  // namespace fhir_adapter::test
