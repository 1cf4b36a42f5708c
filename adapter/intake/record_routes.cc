#include "intake/record_routes.h"

#include <cstdlib>
#include <memory>
#include <utility>

#include "core/error.h"
#include "pipeline/record_input.h"
#include "record/table_cutter.h"

namespace fhir_adapter::intake {
namespace {

using net::HttpRequest;
using net::HttpResponse;
using net::JsonString;
using net::Responder;

std::string ReasonJson(std::string_view code, const Location& where, std::string_view message) {
  std::string json = "{\"code\":" + JsonString(code) + ",\"pointer\":" + JsonString(where.pointer);
  if (where.line != 0) {
    json += ",\"line\":" + std::to_string(where.line) + ",\"column\":" + std::to_string(where.column);
  }
  return json + ",\"message\":" + JsonString(message) + "}";
}

std::string ReasonsJson(const Issues& issues) {
  std::string json = "[";
  for (const Issue& issue : issues) {
    if (json.size() > 1) json += ",";
    json += ReasonJson(Name(issue.code), issue.where, issue.message);
  }
  return json + "]";
}

std::string AnswerHead(const pipeline::RecordAnswer& record) {
  std::string json = "{\"recordId\":" + (record.record_id.empty() ? "null" : JsonString(record.record_id));
  json += ",\"revision\":" + (record.revision == 0 ? "null" : std::to_string(record.revision));
  return json;
}

HttpResponse UnsupportedMediaType(const std::string& detail) {
  net::HttpProblem problem;
  problem.status = 415;
  problem.code = Name(Code::kUnsupportedMediaType);
  problem.detail = detail;
  return net::ProblemResponse(problem);
}

// What reads a body of this content type; null, with the reason in `detail`: nothing does.
std::unique_ptr<record::RecordCutter> CutterFor(std::string_view content_type,
                                                const record::TableLayout* table, std::string& detail) {
  const std::string type = net::MediaType(content_type);
  if (type == "application/json") return record::MakeCutter(record::RecordFormat::kJson, nullptr);
  if (type == "application/x-ndjson") return record::MakeCutter(record::RecordFormat::kNdjson, nullptr);
  if (type != "text/csv") {
    detail = "send application/json (one record or an array), application/x-ndjson or text/csv";
    return nullptr;
  }
  if (table == nullptr) {
    detail = "text/csv is not taken here: [http] columns is not set";
    return nullptr;
  }
  if (net::MediaTypeParameter(content_type, "header") == "absent") {
    detail = "send the table with its header";
    return nullptr;
  }
  const std::string charset = net::MediaTypeParameter(content_type, "charset");
  const auto encoding = record::ParseTextEncoding(charset);
  if (!charset.empty() && !encoding) {
    detail = "the charset is not one of utf-8, windows-1252, iso-8859-1";
    return nullptr;
  }
  return std::make_unique<record::TableCutter>(*table, encoding);
}

void AnswerWhenDurable(const Result<pipeline::ReceiveAnswer>& answer, const Responder& responder) {
  if (!answer) {
    HttpResponse response = net::ProblemResponse(answer.error());
    if (response.status == 503) response.headers.Set("Retry-After", "5");
    responder.Send(std::move(response));
    return;
  }
  const int status = answer->http_status();
  const std::string lists = ReceiveAnswerJson(*answer);
  if (status < 400) {
    responder.Send(HttpResponse::WithBody(status, "application/json", lists));
    return;
  }
  // RFC 9457 with the two lists as extension members, so that one reader serves both answers.
  std::string problem = "{\"type\":\"about:blank\",\"title\":" + JsonString(net::ReasonPhrase(status)) +
                        ",\"status\":" + std::to_string(status) +
                        ",\"detail\":\"no record of the request was accepted\"," + lists.substr(1);
  responder.Send(HttpResponse::WithBody(status, "application/problem+json", std::move(problem)));
}

void PostRecords(const RecordRoutesContext& context, const HttpRequest& request, const Responder& responder) {
  std::string detail;
  auto cutter = CutterFor(request.headers.Get("Content-Type"), context.table, detail);
  if (!cutter) {
    responder.Send(UnsupportedMediaType(detail));
    return;
  }
  pipeline::RecordInput input(context.model, std::move(cutter));
  pipeline::Submission submission;
  submission.source = "http";
  submission.map = context.map;
  submission.actor = request.principal;
  input.Push(request.body);
  input.Finish();
  while (auto record = input.Next()) submission.records.push_back(std::move(*record));
  if (submission.records.empty()) {
    responder.Send(Error{Code::kJsonSyntax, "the body holds no record", {}});
    return;
  }
  context.receiver.Receive(std::move(submission), [responder](const Result<pipeline::ReceiveAnswer>& answer) {
    AnswerWhenDurable(answer, responder);
  });
}

std::string RevisionJson(const outbox::RevisionState& revision, const std::string& endpoint) {
  std::string json = "{\"revision\":" + std::to_string(revision.revision) +
                     ",\"state\":" + JsonString(outbox::Name(revision.state)) +
                     ",\"receipt\":" + JsonString(revision.receipt) + ",\"reasons\":[";
  bool first = true;
  for (const outbox::Reason& reason : revision.reasons) {
    if (!std::exchange(first, false)) json += ",";
    json += ReasonJson(Name(reason.code), Location{"", 0, 0, reason.pointer}, reason.message);
  }
  json += "],\"resources\":[";
  first = true;
  for (const outbox::LedgerRow& row : revision.resources) {
    if (!std::exchange(first, false)) json += ",";
    json += JsonString(endpoint + "/" + row.key.type + "/" + row.server_id);
  }
  return json + "]}";
}

void GetRecord(const RecordRoutesContext& context, const HttpRequest& request, const Responder& responder) {
  const std::string site(request.PathParameter("site"));
  const std::string record_id(request.PathParameter("recordId"));
  std::vector<outbox::RevisionState> revisions;
  const auto read = context.store.Read([&](storage::Snapshot& snapshot) -> Result<void> {
    ADAPTER_TRY(revisions, context.queue.Revisions(snapshot, site, record_id));
    return {};
  });
  if (!read) {
    responder.Send(read.error());
    return;
  }
  if (revisions.empty()) {
    responder.Send(Error{Code::kNotFound, "no record of this site and id was received", {}});
    return;
  }
  std::string json =
      "{\"site\":" + JsonString(site) + ",\"recordId\":" + JsonString(record_id) + ",\"revisions\":[";
  for (std::size_t i = 0; i < revisions.size(); ++i) {
    if (i != 0) json += ",";
    json += RevisionJson(revisions[i], context.endpoint);
  }
  responder.Send(HttpResponse::WithBody(200, "application/json", json + "]}"));
}

}  // namespace

std::string ReceiveAnswerJson(const pipeline::ReceiveAnswer& answer) {
  std::string accepted;
  std::string rejected;
  for (const pipeline::RecordAnswer& record : answer.records) {
    const bool taken = record.outcome == pipeline::RecordOutcome::kAccepted ||
                       record.outcome == pipeline::RecordOutcome::kKnown;
    std::string& list = taken ? accepted : rejected;
    if (!list.empty()) list += ",";
    list += AnswerHead(record);
    if (taken) {
      list += ",\"receipt\":" + JsonString(record.receipt);
      if (record.outcome == pipeline::RecordOutcome::kKnown) list += ",\"known\":true";
      if (!record.issues.empty()) list += ",\"notes\":" + ReasonsJson(record.issues);
    } else {
      list += ",\"reasons\":" + ReasonsJson(record.issues);
    }
    list += "}";
  }
  return "{\"accepted\":[" + accepted + "],\"rejected\":[" + rejected + "]}";
}

std::vector<net::Route> RecordRoutes(RecordRoutesContext context) {
  // shared_ptr: both handlers, which are copied with the routes, look at one context.
  const auto shared = std::make_shared<const RecordRoutesContext>(std::move(context));
  net::Route post{"POST", "/records", {Role::kIngest}, false, {}, 0};
  post.handler = [shared](const HttpRequest& request, const Responder& responder) {
    PostRecords(*shared, request, responder);
  };
  net::Route get{
      "GET", "/records/{site}/{recordId}", {Role::kIngest, Role::kOperator, Role::kAuditor}, false, {}, 0};
  get.handler = [shared](const HttpRequest& request, const Responder& responder) {
    GetRecord(*shared, request, responder);
  };
  return {post, get};
}

}  // namespace fhir_adapter::intake
