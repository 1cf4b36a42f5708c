// `fhir-adapter submit`: records to a running daemon, in batches, with progress and a summary.
#include <algorithm>
#include <chrono>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "app/commands.h"
#include "app/http_call.h"
#include "app/mapping_files.h"
#include "core/arena.h"
#include "core/secret_file.h"
#include "fhir/json_reader.h"

namespace fhir_adapter::app {
namespace {

constexpr std::size_t kBatchBytesMax = 1'000'000;
constexpr int kBusyAttemptsMax = 30;
constexpr std::int64_t kBusyWaitMaxS = 10;

struct Batch {
  std::string content_type;
  std::string body;
};

struct Totals {
  std::size_t accepted = 0;
  std::size_t known = 0;
  std::size_t rejected = 0;
};

// Lines of NDJSON in batches, so that a large file shows progress and no request grows without bound.
std::vector<Batch> SplitLines(const std::string& text) {
  std::vector<Batch> batches;
  Batch batch{"application/x-ndjson", ""};
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    if (!batch.body.empty() && batch.body.size() + (end - begin) > kBatchBytesMax) {
      batches.push_back(batch);
      batch.body.clear();
    }
    batch.body.append(text, begin, end - begin);
    begin = end;
  }
  if (!batch.body.empty()) batches.push_back(std::move(batch));
  return batches;
}

Result<std::string> ReadInput(const std::string& file, const Streams& streams) {
  if (file != "-") return ReadFile(file);
  return std::string((std::istreambuf_iterator<char>(streams.in)), std::istreambuf_iterator<char>());
}

std::string Text(const fhir::Node& object, std::string_view name) {
  const fhir::Node* member = object.Find(name);
  return member == nullptr ? "" : std::string(member->text);
}

void ListRejected(const fhir::Node& record, const std::string& file, const Streams& streams) {
  const std::string record_id = Text(record, "recordId");
  const std::string revision = Text(record, "revision");
  streams.err << file << ": "
              << (record_id.empty() ? "a record whose recordId cannot be read" : "record " + record_id)
              << (revision.empty() ? "" : " revision " + revision) << ":\n";
  const fhir::Node* reasons = record.Find("reasons");
  for (const fhir::Node* reason : reasons ? reasons->items() : std::span<fhir::Node*>()) {
    streams.err << "  " << Text(*reason, "pointer") << ": " << Text(*reason, "code") << ": "
                << Text(*reason, "message") << "\n";
  }
}

Result<void> CountAnswer(const HttpAnswer& answer, const std::string& file, Totals& totals,
                         const Streams& streams) {
  Arena arena;
  const auto parsed = fhir::ReadJson(answer.body, arena);
  const bool is_summary = parsed && (*parsed)->Find("accepted") != nullptr;
  if (!is_summary) {
    return Fail(Code::kServerAnswer, "the daemon answered with status " + std::to_string(answer.status) +
                                         ": " + (parsed ? Text(**parsed, "detail") : "no JSON"));
  }
  if (const fhir::Node* accepted = (*parsed)->Find("accepted")) {
    for (const fhir::Node* record : accepted->items()) {
      const fhir::Node* known = record->Find("known");
      (known != nullptr && known->boolean ? totals.known : totals.accepted) += 1;
    }
  }
  if (const fhir::Node* rejected = (*parsed)->Find("rejected")) {
    for (const fhir::Node* record : rejected->items()) {
      totals.rejected += 1;
      ListRejected(*record, file, streams);
    }
  }
  return {};
}

// Waits and sends again while the daemon says that it is full or not ready.
Result<HttpAnswer> PerformPatiently(const HttpCall& call, const Streams& streams) {
  for (int attempt = 1;; ++attempt) {
    ADAPTER_TRY(HttpAnswer answer, Perform(call));
    const bool is_busy = answer.status == 503 || answer.status == 429;
    if (!is_busy || attempt == kBusyAttemptsMax) return answer;
    const std::int64_t wait_s = std::clamp<std::int64_t>(answer.retry_after_s, 1, kBusyWaitMaxS);
    streams.err << "the daemon asks to wait; sending again in " << wait_s << " s\n";
    std::this_thread::sleep_for(std::chrono::seconds(wait_s));
  }
}

struct Destination {
  std::string url;
  std::string token;  // empty: none is sent
  HttpCall::Tls tls;
};

Result<void> SubmitFile(const std::string& file, const Destination& destination, Totals& totals,
                        const Streams& streams) {
  ADAPTER_TRY(std::string text, ReadInput(file, streams));
  std::vector<Batch> batches = file.ends_with(".ndjson") ? SplitLines(text) : std::vector<Batch>();
  const char* const whole_type = file.ends_with(".csv") ? "text/csv" : "application/json";
  if (batches.empty()) batches.push_back(Batch{whole_type, std::move(text)});
  for (Batch& batch : batches) {
    HttpCall call;
    call.method = "POST";
    call.url = destination.url;
    call.token = destination.token;
    call.tls = destination.tls;
    call.content_type = batch.content_type;
    call.body = std::move(batch.body);
    ADAPTER_TRY(const HttpAnswer answer, PerformPatiently(call, streams));
    ADAPTER_CHECK(CountAnswer(answer, file, totals, streams));
    if (streams.err_is_terminal) {
      streams.err << "\r" << totals.accepted << " accepted, " << totals.known << " known, " << totals.rejected
                  << " rejected" << std::flush;
    }
  }
  return {};
}

}  // namespace

int RunSubmit(const GlobalOptions& global, const SubmitOptions& options, const Streams& streams) {
  std::string to = options.to;
  if (to.empty()) {
    const auto configuration = ConfigurationOf(global);
    if (!configuration) return Report(configuration.error(), streams);
    to = configuration->HttpUrl(configuration->http.listen);
  }
  while (to.ends_with("/")) to.pop_back();
  Destination destination{
      to + "/records", "", {options.ca_file, options.client_certificate_file, options.client_key_file}};
  if (!options.token_file.empty()) {
    auto token = ReadSecret(options.token_file);
    if (!token) return Report(token.error(), streams);
    destination.token = std::move(*token);
  }
  Totals totals;
  for (const std::string& file : options.files) {
    const auto submitted = SubmitFile(file, destination, totals, streams);
    if (!submitted) {
      if (streams.err_is_terminal) streams.err << "\n";
      return Report(submitted.error(), streams);
    }
  }
  if (streams.err_is_terminal) streams.err << "\r\033[K";
  if (global.json) {
    streams.out << "{\"accepted\":" << totals.accepted << ",\"known\":" << totals.known
                << ",\"rejected\":" << totals.rejected << "}\n";
  } else {
    streams.out << totals.accepted << " accepted, " << totals.known << " known before, " << totals.rejected
                << " rejected\n";
  }
  return totals.rejected == 0 ? kExitDone : kExitRejected;
}

}  // namespace fhir_adapter::app
