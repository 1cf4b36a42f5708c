// `fhir-adapter fhirpath`: one expression on one resource, or a batch of them.
#include <algorithm>
#include <iterator>
#include <list>
#include <map>

#include "app/commands.h"
#include "app/mapping_files.h"
#include "core/clock.h"
#include "fhir/json_reader.h"
#include "fhir/json_writer.h"
#include "fhirpath/answer.h"
#include "net/http_message.h"

namespace fhir_adapter::app {
namespace {

constexpr std::size_t kResourcesKeptMax = 64;

Result<std::string> ReadText(const std::string& file, const Streams& streams) {
  if (file != "-") return ReadFile(file);
  return std::string((std::istreambuf_iterator<char>(streams.in)), std::istreambuf_iterator<char>());
}

struct Resource {
  std::string text;  // the tree views it
  Arena arena;
  const fhir::Node* root = nullptr;
};

Result<void> Read(const std::string& file, const Streams& streams, Resource& resource) {
  ADAPTER_TRY(resource.text, ReadText(file, streams));
  auto parsed = fhir::ReadJson(resource.text, resource.arena);
  if (!parsed) {
    Error error = std::move(parsed).error();
    error.where.file = file;
    return Fail(std::move(error));
  }
  resource.root = *parsed;
  return {};
}

// The requests of a batch; a resource that several of them name is read once.
class Batch {
 public:
  explicit Batch(const Streams& streams)
      : streams_(streams), moment_(fhirpath::Moment::At(SystemClock().Now())) {}

  // A line of the batch becomes a line of the answer, whatever is wrong with it.
  std::string AnswerLine(std::string_view line) {
    Arena arena;
    const auto request = fhir::ReadJson(line, arena);
    if (!request || !(*request)->is_object()) {
      return "{\"error\":{\"kind\":\"syntax\",\"message\":\"the request is not a JSON object\"}}";
    }
    std::string answer = "{";
    if (const fhir::Node* id = (*request)->Find("id")) answer += "\"id\":" + fhir::ToJson(*id) + ",";
    const auto result = AnswerRequest(**request, arena);
    if (result) return answer + "\"result\":" + *result + "}";
    return answer + "\"error\":{\"kind\":" + net::JsonString(fhirpath::KindOfError(result.error())) +
           ",\"message\":" + net::JsonString(ToString(result.error())) + "}}";
  }

 private:
  Result<std::string> AnswerRequest(const fhir::Node& request, Arena& arena) {
    fhirpath::AnswerRequest parsed;
    const fhir::Node* expression = request.Find("expression");
    if (expression == nullptr || !expression->is_string()) {
      return Fail(Code::kSyntax, "the request has no text `expression`");
    }
    parsed.expression = expression->text;
    if (const fhir::Node* resource = request.Find("resource")) {
      ADAPTER_TRY(parsed.resource, Find(std::string(resource->text)));
    }
    if (const fhir::Node* strict = request.Find("strict")) parsed.check_order = strict->boolean;
    return fhirpath::Answer(parsed, fhir::Schema::R4(), moment_, nullptr, arena);
  }

  Result<const fhir::Node*> Find(const std::string& path) {
    const auto known = by_path_.find(path);
    if (known != by_path_.end()) return known->second->root;
    if (kept_.size() == kResourcesKeptMax) {
      kept_.clear();
      by_path_.clear();
    }
    Resource& resource = kept_.emplace_back();
    if (auto read = Read(path, streams_, resource); !read) {
      kept_.pop_back();
      return Fail(Code::kExecution, ToString(read.error()));
    }
    by_path_[path] = &resource;
    return resource.root;
  }

  const Streams& streams_;
  fhirpath::Moment moment_;
  std::list<Resource> kept_;
  std::map<std::string, const Resource*> by_path_;
};

int RunBatch(const std::string& file, const Streams& streams) {
  const auto text = ReadText(file, streams);
  if (!text) return Report(text.error(), streams);
  Batch batch(streams);
  for (std::size_t begin = 0; begin < text->size();) {
    const std::size_t end = std::min(text->find('\n', begin), text->size());
    const std::string_view line = std::string_view(*text).substr(begin, end - begin);
    begin = end + 1;
    if (line.find_first_not_of(" \t\r") != std::string_view::npos)
      streams.out << batch.AnswerLine(line) << "\n";
  }
  return kExitDone;
}

}  // namespace

int RunFhirPath(const GlobalOptions&, const FhirPathOptions& options, const Streams& streams) {
  if (!options.batch.empty()) return RunBatch(options.batch, streams);
  if (options.expression.empty()) {
    return Report(Error{Code::kUsage, "give an expression and a resource, or --batch FILE", {}}, streams);
  }
  Resource resource;
  if (!options.resource.empty()) {
    if (const auto read = Read(options.resource, streams, resource); !read)
      return Report(read.error(), streams);
  }
  const fhirpath::Moment moment = fhirpath::Moment::At(SystemClock().Now());
  Arena arena;
  fhirpath::AnswerRequest request;
  request.expression = options.expression;
  request.resource = resource.root;
  const auto answer = fhirpath::Answer(request, fhir::Schema::R4(), moment, nullptr, arena);
  if (!answer) {
    streams.err << "fhir-adapter: " << fhirpath::KindOfError(answer.error())
                << " error: " << ToString(answer.error()) << "\n";
    return kExitRejected;
  }
  streams.out << *answer << "\n";
  return kExitDone;
}

}  // namespace fhir_adapter::app
