#include "running_adapter.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <regex>
#include <signal.h>

#include "core/arena.h"
#include "fhir/json_reader.h"
#include "fhir/json_writer.h"

namespace fhir_adapter::test {
namespace {

constexpr std::int64_t kDeadlineMs = 60'000;
constexpr const char* kPatientSystem = "https://hospital.example/fhir/sid/mrn";

class Deadline {
 public:
  bool passed() const {
    return std::chrono::steady_clock::now() - begin_ > std::chrono::milliseconds(kDeadlineMs);
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

std::string UrlIn(const std::string& line) {
  static const std::regex url("(https?://)(127\\.0\\.0\\.1|0\\.0\\.0\\.0)(:[0-9]+(/fhir)?)");
  std::smatch match;
  return std::regex_search(line, match, url) ? match[1].str() + "127.0.0.1" + match[3].str() : "";
}

// The tests ask for a state without a pause, which the limit of a client would answer with 429.
std::string HttpKeys(const std::string& given) {
  constexpr const char* kLimit = "requests_per_second_max";
  return given.find(kLimit) != std::string::npos ? given : std::string(kLimit) + " = 1000000\n" + given;
}

}  // namespace

std::string AdapterBinary() {
  const char* path = std::getenv("FHIR_ADAPTER_BINARY");
  return path != nullptr ? path : FHIR_ADAPTER_BUILT_BINARY;
}

ProcessResult RunAdapter(std::vector<std::string> arguments, const std::string& input) {
  ProcessOptions options;
  options.arguments = {AdapterBinary()};
  options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
  options.input = input;
  return RunProcess(options);
}

std::string Fixture(const std::string& name) {
  return ReadFile(std::string(FHIR_ADAPTER_SOURCE_DIR "/fixtures/") + name);
}

RunningSandbox::RunningSandbox(std::vector<std::string> options) {
  ProcessOptions process;
  process.arguments = {AdapterBinary(), "sandbox", "--port", "0"};
  process.arguments.insert(process.arguments.end(), options.begin(), options.end());
  process_ = std::make_unique<Process>(process);
  const auto line = process_->WaitForLine("http://127.0.0.1:");
  EXPECT_TRUE(line) << process_->StandardError();
  url_ = UrlIn(line.value_or(""));
  client_ = std::make_unique<HttpClient>(url_);
}

void RunningSandbox::RegisterPatient(const std::string& mrn, const std::string& gender,
                                     const std::string& birth_date) {
  std::string patient = R"({"resourceType":"Patient","identifier":[{"system":")" +
                        std::string(kPatientSystem) + R"(","value":")" + mrn + R"("}])";
  if (!gender.empty()) patient += R"(,"gender":")" + gender + "\"";
  if (!birth_date.empty()) patient += R"(,"birthDate":")" + birth_date + "\"";
  const HttpReply reply = client_->Post("/Patient", patient + "}");
  EXPECT_EQ(reply.status, 201) << reply.body << reply.error;
}

int RunningSandbox::Count(const std::string& query) {
  const HttpReply reply =
      client_->Get("/" + query + (query.find('?') == std::string::npos ? "?" : "&") + "_count=0");
  EXPECT_EQ(reply.status, 200) << query << ": " << reply.body << reply.error;
  return std::atoi(AtPointer(reply.body, "/total").c_str());
}

std::string RunningSandbox::One(const std::string& query) {
  const HttpReply reply = client_->Get("/" + query);
  EXPECT_EQ(reply.status, 200) << query << ": " << reply.body << reply.error;
  Arena arena;
  const auto bundle = fhir::ReadJson(reply.body, arena);
  if (!bundle) return "";
  const fhir::Node* entries = (*bundle)->Find("entry");
  if (entries == nullptr || entries->size != 1) return "";
  return fhir::ToJson(*entries->items()[0]->Find("resource"));
}

RunningDaemon::RunningDaemon(DaemonOptions options) : options_(std::move(options)) {
  std::string configuration =
      "[site]\nid = \"pain-clinic\"\n" + options_.site_configuration +
      "[store]\nurl = \"sqlite:" + state_directory() + "/adapter.db\"\n[http]\nlisten = \"" +
      options_.listen + "\"\n" + HttpKeys(options_.http_configuration) + "[endpoint]\n" +
      "patient_identifier_system = \"" + kPatientSystem + "\"\nretry_max_s = 1\nrematch_s = 1\n";
  if (!options_.endpoint.empty()) configuration += "base_url = \"" + options_.endpoint + "\"\n";
  if (!options_.maps.empty()) {
    using std::filesystem::copy_options;
    std::filesystem::copy(options_.maps, folder_.File("maps"),
                          copy_options::recursive | copy_options::copy_symlinks);
    configuration += "[maps]\ndirectory = \"" + folder_.File("maps") + "\"\n";
  }
  folder_.Write("config.toml", configuration + options_.more_configuration);
  Start();
}

std::string RunningDaemon::state_directory() const {
  return options_.state_directory.empty() ? folder_.path().string() : options_.state_directory;
}

void RunningDaemon::Start() {
  ProcessOptions process;
  process.arguments = {AdapterBinary(), "--config", configuration_file(), "serve"};
  process.environment = options_.environment;
  process_ = std::make_unique<Process>(process);
  const auto line = process_->WaitForLine("listening on http");
  EXPECT_TRUE(line || options_.may_die_at_start) << process_->StandardOutput() << process_->StandardError();
  url_ = UrlIn(line.value_or(""));
  client_ = std::make_unique<HttpClient>(url_);
  client_->set_tls(options_.authority_file);
}

void RunningDaemon::Kill() {
  process_->Signal(SIGKILL);
  EXPECT_TRUE(process_->Wait());
}

std::optional<int> RunningDaemon::Stop() {
  process_->Signal(SIGTERM);
  return process_->Wait();
}

HttpReply RunningDaemon::Submit(const std::string& record, const std::string& content_type) {
  client_->set_content_type(content_type);
  return client_->Post("/records", record);
}

std::string RunningDaemon::StateOf(const std::string& record_id, int revision) {
  const HttpReply reply = client_->Get("/records/pain-clinic/" + record_id);
  if (reply.status != 200) return "";
  for (int i = 0;; ++i) {
    const std::string place = "/revisions/" + std::to_string(i);
    const std::string number = AtPointer(reply.body, place + "/revision");
    if (number.empty()) return "";
    if (number == std::to_string(revision)) return AtPointer(reply.body, place + "/state");
  }
}

std::string RunningDaemon::WaitForState(const std::string& record_id, int revision,
                                        const std::vector<std::string>& states) {
  const Deadline deadline;
  std::string state;
  while (!deadline.passed()) {
    state = StateOf(record_id, revision);
    if (std::ranges::find(states, state) != states.end()) return state;
  }
  ADD_FAILURE() << record_id << " revision " << revision << " is still " << state << "\n"
                << process_->StandardError();
  return "";
}

bool RunningDaemon::WaitForMetrics(const std::vector<std::string>& lines) {
  const Deadline deadline;
  while (!deadline.passed()) {
    const std::string page = client_->Get("/metrics").body;
    const auto stands = [&](const std::string& line) {
      return page.find("\n" + line + "\n") != std::string::npos;
    };
    if (std::ranges::all_of(lines, stands)) return true;
  }
  ADD_FAILURE() << process_->StandardError();
  return false;
}

bool RunningDaemon::WaitUntilDelivered() {
  return WaitForMetrics({"fhir_adapter_undelivered 0"});
}

bool RunningDaemon::WaitUntilMapped() {
  return WaitForMetrics({"fhir_adapter_work_items{state=\"received\"} 0"});
}

bool RunningDaemon::WaitUntilSettled() {
  std::vector<std::string> lines;
  for (const char* state : {"received", "queued", "sending", "retry", "ambiguous"}) {
    lines.push_back(std::string("fhir_adapter_work_items{state=\"") + state + "\"} 0");
  }
  return WaitForMetrics(lines);
}

ProcessResult RunningDaemon::Command(std::vector<std::string> arguments) {
  std::vector<std::string> all = {"--config", configuration_file()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return RunAdapter(std::move(all));
}

std::string RunningDaemon::Query(const std::string& sql) const {
  ProcessOptions options;
  options.arguments = {"sqlite3", "-readonly", state_directory() + "/adapter.db", sql};
  const ProcessResult result = RunProcess(options);
  EXPECT_EQ(result.exit_code, 0) << result.standard_error;
  return result.standard_output.substr(0, result.standard_output.find_last_not_of('\n') + 1);
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

std::string AtPointer(const std::string& json, const std::string& pointer) {
  Arena arena;
  const auto root = fhir::ReadJson(json, arena);
  if (!root) return "";
  const fhir::Node* node = fhir::AtPointer(**root, pointer);
  if (node == nullptr) return "";
  return node->is_string() || node->is_number() ? std::string(node->text) : fhir::ToJson(*node);
}

}  // namespace fhir_adapter::test
