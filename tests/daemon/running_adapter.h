// The real program under test: sandbox and daemon as child processes in a folder of their own.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/http_client.h"
#include "support/process.h"
#include "support/temporary_directory.h"

namespace fhir_adapter::test {

// The program's path.
std::string AdapterBinary();

// Runs a command of the program to its end.
ProcessResult RunAdapter(std::vector<std::string> arguments, const std::string& input = {});

std::string Fixture(const std::string& name);  // content of fixtures/NAME

using Variables = std::vector<std::pair<std::string, std::string>>;

class RunningSandbox {
 public:
  explicit RunningSandbox(std::vector<std::string> options = {});
  const std::string& url() const { return url_; }  // http://127.0.0.1:PORT/fhir
  HttpClient& client() { return *client_; }
  Process& process() { return *process_; }

  // Registers the patients of these records, as a hospital would have.
  void RegisterPatient(const std::string& mrn, const std::string& gender = {},
                       const std::string& birth_date = {});
  // Number of resources that a search finds.
  int Count(const std::string& query);
  // The one resource that a search finds, as JSON text; empty when there is none or more than one.
  std::string One(const std::string& query);

 private:
  std::unique_ptr<Process> process_;
  std::string url_;
  std::unique_ptr<HttpClient> client_;
};

struct DaemonOptions {
  std::string endpoint;            // empty: nothing is sent
  std::string state_directory;     // empty: below the daemon's own folder
  std::string site_configuration;  // further keys of [site]
  std::string more_configuration;  // further TOML
  std::string maps;  // a folder that is copied to `maps` of the daemon's own; empty: the shipped
  std::string listen = "127.0.0.1:0";
  std::string http_configuration;  // further keys of [http]
  std::string authority_file;      // by which an https daemon is known
  Variables environment;
  bool may_die_at_start = false;  // told to die at a point that it may pass before it listens
};

class RunningDaemon {
 public:
  explicit RunningDaemon(DaemonOptions options);

  void Start();               // done by the constructor; again after Kill or Stop
  void Kill();                // kill -9, and waits until it is gone
  std::optional<int> Stop();  // SIGTERM; the exit status

  const std::string& url() const { return url_; }  // http://127.0.0.1:PORT, or https://
  HttpClient& client() { return *client_; }
  Process& process() { return *process_; }
  std::string configuration_file() const { return folder_.File("config.toml"); }
  std::string state_directory() const;
  const TemporaryDirectory& folder() const { return folder_; }

  HttpReply Submit(const std::string& record, const std::string& content_type = "application/json");
  // The state of a revision as GET /records tells it; empty: not known.
  std::string StateOf(const std::string& record_id, int revision);
  // Waits until a revision has one of the states; the state, or empty at the deadline.
  std::string WaitForState(const std::string& record_id, int revision,
                           const std::vector<std::string>& states);
  // Waits until the server has everything; false at the deadline.
  bool WaitUntilDelivered();
  // Until no record waits to be mapped.
  bool WaitUntilMapped();
  // Until nothing is under way: what is left waits for a person.
  bool WaitUntilSettled();
  ProcessResult Command(std::vector<std::string> arguments);  // with --config
  // What the store answers to SQL, read beside the daemon; without the last line end.
  std::string Query(const std::string& sql) const;

 private:
  bool WaitForMetrics(const std::vector<std::string>& lines);

  TemporaryDirectory folder_;
  DaemonOptions options_;
  std::unique_ptr<Process> process_;
  std::string url_;
  std::unique_ptr<HttpClient> client_;
};

// The record with `from` replaced by `to`; the test fails when it does not occur.
std::string Replaced(std::string text, const std::string& from, const std::string& to);

// The text of a member of a JSON object found by a JSON pointer; empty when it is not there.
std::string AtPointer(const std::string& json, const std::string& pointer);

}  // namespace fhir_adapter::test
